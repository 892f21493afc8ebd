#include "git/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "git/child.h"
#include "os/file.h"

bool git_serve_name_ok(struct str name) {
	if (name.n == 0 || name.n > 100 || name.p[0] == '.' || name.p[0] == '-') return false;
	if (str_ends(name, STR(".git")) || str_ends(name, STR(".lock"))) return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!plain && c != '.' && c != '_' && c != '-') return false;
	}
	return true;
}

bool git_serve_judge(const struct git_serve_request *q, struct str *name, bool *pushes,
                     struct err *e) {
	struct str rest = q->path;
	if (!str_starts(rest, STR("/"))) return err_set(e, ERR_NOT_FOUND, "no such repository");
	rest = str_from(rest, 1);
	struct str first = str_cut(&rest, '/');
	struct str repo = str_ends(first, STR(".git")) ? str_slice(first, 0, first.n - 4) : STR_NONE;
	if (!git_serve_name_ok(repo)) return err_set(e, ERR_NOT_FOUND, "no such repository");
	bool get = str_eq(q->method, STR("GET")), post = str_eq(q->method, STR("POST"));
	bool push = false, known = false;
	if (get && str_eq(rest, STR("info/refs"))) {
		push = str_eq(q->query, STR("service=git-receive-pack"));
		known = push || str_eq(q->query, STR("service=git-upload-pack"));
		if (!known) return err_set(e, ERR_DENIED, "only git's smart HTTP protocol is served");
	} else if (post) {
		push = str_eq(rest, STR("git-receive-pack"));
		known = push || str_eq(rest, STR("git-upload-pack"));
	}
	if (!known) return err_set(e, ERR_NOT_FOUND, "a repository has nothing of this name");
	*name = repo;
	*pushes = push;
	return true;
}

static bool one_line(struct str s) {
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f) return false;
	return s.n <= 1000;
}

static bool add(struct git_child_env *env, struct arena *life, const char *name, struct str value,
                struct err *e) {
	if (!one_line(value)) return err_set(e, ERR_INVALID, "a header that git is not given");
	if (value.n) git_child_env_add(env, arena_printf(life, "%s=" STR_FMT, name, STR_ARG(value)).p);
	return true;
}

bool git_serve_http(struct git_home *h, const struct git_serve_request *q, pid_t *pid, int *from,
                    struct err *e) {
	static const char *const argv[] = {"git", "http-backend", NULL};
	AUTO_ARENA scratch = {0};
	struct git_child_env env;
	struct str name;
	bool pushes;
	int out[2];
	if (!h->data || !git_serve_judge(q, &name, &pushes, e)) return false;
	struct str path = arena_printf(&scratch, "%s/repos/" STR_FMT ".git", h->data, STR_ARG(name));
	if (!file_exists(path.p)) return err_set(e, ERR_NOT_FOUND, "no such repository");
	struct str length = q->body_bytes < 0
	                        ? STR_NONE
	                        : arena_printf(&scratch, "%lld", (long long)q->body_bytes);
	git_child_env(&env, &scratch, NULL, false);
	git_child_env_add(&env, arena_printf(&scratch, "GIT_PROJECT_ROOT=%s/repos", h->data).p);
	git_child_env_add(&env, "GIT_HTTP_EXPORT_ALL=1");
	git_child_env_add(&env, "WEIR_VIA=http");
	if (q->pipeline) git_child_env_add(&env, "WEIR_PIPELINE=1");
	if (!add(&env, &scratch, "PATH_INFO", q->path, e) ||
	    !add(&env, &scratch, "REQUEST_METHOD", q->method, e) ||
	    !add(&env, &scratch, "QUERY_STRING", q->query, e) ||
	    !add(&env, &scratch, "CONTENT_TYPE", q->content_type, e) ||
	    !add(&env, &scratch, "CONTENT_LENGTH", length, e) ||
	    !add(&env, &scratch, "HTTP_CONTENT_ENCODING", q->content_encoding, e) ||
	    !add(&env, &scratch, "GIT_PROTOCOL", q->git_protocol, e) ||
	    !add(&env, &scratch, "REMOTE_USER", q->pusher, e) ||
	    !add(&env, &scratch, "WEIR_PUSHER", q->pusher, e) ||
	    !add(&env, &scratch, "REMOTE_ADDR", q->peer, e))
		return false;
	if (pipe2(out, O_CLOEXEC)) return err_set(e, ERR_IO, "cannot make a pipe: %s", strerror(errno));
	struct process_spec spec = {
		.argv = argv,
		.env = env.list,
		.in = q->body,
		.out = out[1],
		.err = -1,
		.pass = &h->lock,
		.pass_count = h->lock >= 0,
		.new_session = true,
		.die_with_parent = true,
	};
	bool ok = process_start(&spec, pid, e);
	file_close(&out[1]);
	if (ok) *from = out[0];
	else file_close(&out[0]);
	return ok;
}

enum git_serve_cgi git_serve_parse_head(struct str bytes, struct git_serve_head *out) {
	struct git_serve_head head = {.status = 200};
	struct str rest = bytes;
	for (;;) {
		size_t end = str_find_char(rest, '\n');
		if (end == rest.n) return bytes.n > 16384 ? GIT_SERVE_BAD : GIT_SERVE_MORE;
		struct str line = str_slice(rest, 0, end);
		rest = str_from(rest, end + 1);
		if (str_ends(line, STR("\r"))) line.n--;
		if (line.n == 0) break;
		struct str value = line, name = str_cut(&value, ':');
		value = str_trim(value);
		if (!value.p || name.n == 0 || !one_line(name) || !one_line(value)) return GIT_SERVE_BAD;
		if (str_eq(name, STR("Status"))) {
			int64_t status;
			if (!str_to_i64(str_cut(&value, ' '), &status) || status < 100 || status > 599)
				return GIT_SERVE_BAD;
			head.status = (int)status;
		} else if (head.header_count == ARRAY_LEN(head.headers)) {
			return GIT_SERVE_BAD;
		} else {
			head.headers[head.header_count++] = (struct git_serve_header){name, value};
		}
	}
	head.bytes = bytes.n - rest.n;
	*out = head;
	return GIT_SERVE_READY;
}

// One argument as git quotes it for ssh: 'text', with '\'' and '\!' for what cannot stand inside.
static bool unquote(struct str word, struct buf *out) {
	bool inside = false;
	for (size_t i = 0; i < word.n; i++) {
		char c = word.p[i];
		if (c == '\'') inside = !inside;
		else if (!inside && c == '\\' && i + 1 < word.n) buf_char(out, word.p[++i]);
		else if (!inside && strchr(" \t\n\"$`;&|<>(){}*?[]~#!", c)) return false;
		else buf_char(out, c);
	}
	return !inside;
}

bool git_serve_parse_ssh(struct str command, struct arena *life, struct git_serve_ssh *out,
                         struct err *e) {
	static const struct {
		const char *text;
		bool pushes;
	} verbs[] = {{"git-upload-pack ", false},
	             {"git upload-pack ", false},
	             {"git-receive-pack ", true},
	             {"git receive-pack ", true}};
	AUTO_BUF path = {0};
	if (memchr(command.p ? command.p : "", 0, command.n)) command.n = 0;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!str_starts(command, str_of(verbs[i].text))) continue;
		if (!unquote(str_trim(str_from(command, strlen(verbs[i].text))), &path)) break;
		struct str name = buf_view(&path);
		if (str_starts(name, STR("/"))) name = str_from(name, 1);
		if (str_starts(name, STR("git/"))) name = str_from(name, 4);
		if (str_ends(name, STR("/"))) name.n--;
		if (str_ends(name, STR(".git"))) name.n -= 4;
		if (!git_serve_name_ok(name)) return err_set(e, ERR_NOT_FOUND, "no such repository");
		*out = (struct git_serve_ssh){verbs[i].pushes, arena_str(life, name)};
		return true;
	}
	return err_set(e, ERR_DENIED, "this key is for git only: git push, git fetch, git clone");
}

bool git_serve_exec_ssh(const char *data, const struct git_serve_ssh *ssh, const char *pusher,
                        bool pipeline, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct git_child_env env;
	struct str path = arena_printf(&scratch, "%s/repos/" STR_FMT ".git", data, STR_ARG(ssh->name));
	const char *protocol = getenv("GIT_PROTOCOL");
	if (!git_serve_name_ok(ssh->name) || !file_exists(path.p))
		return err_set(e, ERR_NOT_FOUND, "no repository named " STR_FMT, STR_ARG(ssh->name));
	git_child_env(&env, &scratch, NULL, false);
	git_child_env_add(&env, "WEIR_VIA=ssh");
	if (pipeline) git_child_env_add(&env, "WEIR_PIPELINE=1");
	git_child_env_add(&env, arena_printf(&scratch, "WEIR_PUSHER=%s", pusher).p);
	if (protocol) git_child_env_add(&env, arena_printf(&scratch, "GIT_PROTOCOL=%s", protocol).p);
	const char *verb = ssh->pushes ? "receive-pack" : "upload-pack";
	const char *const argv[] = {"git", verb, path.p, NULL};
	execvpe("git", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env.list);
	return err_set(e, ERR_IO, "cannot start git: %s", strerror(errno));
}
