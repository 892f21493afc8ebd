#include "cli/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/grid.h"
#include "os/clock.h"
#include "os/file.h"

enum { SECRET_BYTES_MAX = 65536, KEY_BYTES_MAX = 16384 };

int access_token(struct cli *cli, const struct json *answer, struct ink *out) {
	AUTO_BUF expires = {0};
	int64_t at = grid_json_time(json_get(answer, "expires"));
	if (at) grid_time(&expires, at, clock_wall_ms());
	if (!cli->tty) { // TOKEN=$(weir token create ...)
		ink_str(out, INK_PLAIN, json_get_str(answer, "token"));
		ink_end(out);
		return 0;
	}
	ink_str(out, INK_HEAD, json_get_str(answer, "token"));
	ink_end(out);
	ink_put(out, INK_PLAIN, "  Shown only this once; may " STR_FMT "; %s%s.",
	        STR_ARG(json_get_str(answer, "scopes")), at ? "good until " : "does not expire",
	        at ? expires.p : "");
	ink_end(out);
	ink_hint(out,
	         STR("  Use it: `export WEIR_TOKEN=…`, or as the first line of ~/.config/weir/token"));
	ink_end(out);
	return 0;
}

// ---- secrets

static bool ask_secret(const char *name, struct buf *out, struct err *e) {
	struct termios before, silent;
	char line[SECRET_BYTES_MAX + 2];
	if (tcgetattr(STDIN_FILENO, &before) != 0) return err_set(e, ERR_IO, "this is no terminal");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "Value of %s (not shown): ", name);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	bool got = fgets(line, sizeof line, stdin);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (got) buf_cstr(out, line);
	explicit_bzero(line, sizeof line);
	return got || err_set(e, ERR_INVALID, "no value was given");
}

int access_secret_set(struct cli *cli) {
	struct verb_call call;
	int status = 0;
	struct err e = {0};
	AUTO_BUF value = {0}, body = {0};
	AUTO_JSON answer = NULL;
	bool ok = isatty(STDIN_FILENO) ? ask_secret(cli_word(cli, 0), &value, &e)
	                               : file_read_fd(STDIN_FILENO, SECRET_BYTES_MAX + 1, &value, &e);
	if (!ok && e.code == ERR_LIMIT) err_set(&e, ERR_LIMIT, "a secret has at most 64 kB");
	if (!ok) return cli_fail(cli, &e, NULL);
	struct str text = buf_view(&value);
	if (str_ends(text, STR("\n"))) text.n--;
	if (!text.n)
		return cli_usage(cli, "the value is empty; write it to standard input, or remove the "
		                      "secret with `weir secret rm`");
	if (str_utf8_bad(text) < text.n) {
		err_set(&e, ERR_INVALID, "the value is not UTF-8 text");
		return cli_fail(cli, &e, "Encode it, for example with `base64`, and decode it in the job");
	}
	if (!verb_begin(cli, OPERATION_SECRET_SET, &call, &status)) return status;
	ptrdiff_t at = operation_param_index(call.operation, STR("value"));
	if (at >= 0) call.values[at] = text;
	if (verb_ask(cli, &call, &body, &answer, &status)) {
		AUTO_INK out = cli_ink(cli);
		if (cli_has(cli, "json")) buf_str(&out.out, buf_view(&body));
		else {
			ink_glyph(&out, INK_GOOD, INK_OK);
			ink_put(&out, INK_PLAIN, " %s is set; jobs that name it under secrets: get it",
			        cli_word(cli, 0));
		}
		ink_end(&out);
		cli_print(&out);
	}
	if (value.n) explicit_bzero(value.p, value.n);
	verb_end(&call);
	return status;
}

// ---- SSH keys

// The line itself, or the path of the file that holds it.
static bool read_key(struct cli *cli, const char *word, struct str *out, struct err *e) {
	AUTO_BUF text = {0};
	struct stat info;
	if (strchr(word, ' ') || stat(word, &info) != 0) {
		*out = str_trim(str_of(word));
		if (strchr(word, ' ')) return true;
		return err_set(e, ERR_INVALID, "%s is neither a key nor a file", word);
	}
	if (!file_read(word, KEY_BYTES_MAX, &text, e)) return false;
	if (str_contains(buf_view(&text), STR("PRIVATE KEY")))
		return err_set(e, ERR_INVALID, "%s is a private key; give the .pub file", word);
	*out = arena_str(cli->life, str_trim(buf_view(&text)));
	return true;
}

int access_key_add(struct cli *cli) {
	struct verb_call call;
	int status = 0;
	struct err e = {0};
	struct str key = STR_NONE;
	AUTO_BUF body = {0};
	AUTO_JSON answer = NULL;
	if (!read_key(cli, cli_word(cli, 1), &key, &e)) return cli_usage(cli, "%s", e.text);
	if (!verb_begin(cli, OPERATION_KEY_ADD, &call, &status)) return status;
	ptrdiff_t at = operation_param_index(call.operation, STR("key"));
	if (at >= 0) call.values[at] = key;
	if (verb_ask(cli, &call, &body, &answer, &status)) {
		AUTO_INK out = cli_ink(cli);
		if (cli_has(cli, "json")) buf_str(&out.out, buf_view(&body));
		else {
			ink_glyph(&out, INK_GOOD, INK_OK);
			ink_put(
				&out, INK_PLAIN,
				" %s may push. In ~/.ssh/authorized_keys of the server's user:", cli_word(cli, 0));
			ink_end(&out);
			ink_end(&out);
			ink_put(&out, INK_PLAIN, "command=\"" STR_FMT "\",restrict ",
			        STR_ARG(json_get_str(answer, "command")));
			ink_str(&out, INK_PLAIN, key);
		}
		ink_end(&out);
		cli_print(&out);
	}
	verb_end(&call);
	return status;
}

// ---- repositories

// The server may run elsewhere in the file system: a path goes to it whole.
int access_repo_add(struct cli *cli) {
	struct verb_call call;
	int status = 0;
	AUTO_BUF body = {0};
	AUTO_JSON answer = NULL;
	if (!verb_begin(cli, OPERATION_REPO_ADD, &call, &status)) return status;
	ptrdiff_t at = operation_param_index(call.operation, STR("source"));
	const char *source = cli_word(cli, 1);
	struct stat info;
	if (at >= 0 && source && stat(source, &info) == 0) {
		char *whole = realpath(source, NULL);
		if (whole) call.values[at] = arena_str(cli->life, str_of(whole));
		free(whole);
	}
	if (verb_ask(cli, &call, &body, &answer, &status)) {
		AUTO_INK out = cli_ink(cli);
		if (cli_has(cli, "json")) buf_str(&out.out, buf_view(&body));
		else {
			const char *url = remote_url(call.remote), *name = cli_word(cli, 0);
			ink_glyph(&out, INK_GOOD, INK_OK);
			ink_put(&out, INK_PLAIN, " %s/git/%s.git", url, name);
			ink_end(&out);
			ink_put(&out, INK_PLAIN, "  In your clone: ");
			ink_put(&out, INK_HEAD, "git remote add weir %s/git/%s.git", url, name);
		}
		ink_end(&out);
		cli_print(&out);
	}
	verb_end(&call);
	return status;
}
