#include "cli/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "conf/init.h"
#include "conf/jsonschema.h"
#include "os/file.h"
#include "os/process.h"

enum { FILE_BYTES_MAX = CONF_BYTES_MAX + 1, FILES_MAX = 20000 };

// ---- check

static bool wants_json(const struct cli *cli) {
	const char *format = cli_value(cli, "format");
	return cli_has(cli, "json") || (format && !strcmp(format, "json"));
}

// One byte more than conf_parse takes is enough for it to say what is wrong.
static bool read_config(const char *path, struct buf *out, struct err *e) {
	if (!path[0]) return err_set(e, ERR_INVALID, "the name of the file is empty");
	AUTO_FD fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	struct stat info;
	if (fd < 0 && errno == ENOENT) return err_set(e, ERR_NOT_FOUND, "there is no %s here", path);
	if (fd < 0) return err_set(e, ERR_IO, "cannot read %s: %s", path, strerror(errno));
	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		return err_set(e, ERR_INVALID, "%s is a folder", path);
	while (out->n < FILE_BYTES_MAX) {
		char *room = buf_grow(out, FILE_BYTES_MAX - out->n);
		ssize_t n = read(fd, room, FILE_BYTES_MAX - out->n);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return err_set(e, ERR_IO, "cannot read %s: %s", path, strerror(errno));
		if (n == 0) return true;
		out->n += (size_t)n;
	}
	return true;
}

static int run_check(struct cli *cli) {
	const char *path = cli_word(cli, 0) ? cli_word(cli, 0) : "weir.yml";
	struct err e = {0};
	AUTO_BUF text = {0};
	if (!read_config(path, &text, &e))
		return cli_fail(cli, &e, e.code == ERR_NOT_FOUND ? "Write one with `weir init`" : NULL);
	struct conf_diagnostics d = {.life = cli->life};
	struct conf_plan *plan = NULL;
	bool ok = conf_parse(buf_view(&text), cli->life, &plan, &d);
	AUTO_INK out = cli_ink(cli);
	if (wants_json(cli)) {
		diagnostics_json(&d, str_of(path), &out.out);
		ink_end(&out);
	} else {
		diagnostics_text(&d, str_of(path), cli->colour, &out.out);
		if (ok && !d.warnings) {
			ink_glyph(&out, INK_GOOD, INK_OK);
			ink_put(&out, INK_PLAIN, " %s: ", path);
			plan_summary(plan, &out.out);
			ink_end(&out);
		}
	}
	cli_print(&out);
	return ok ? 0 : 1;
}

// ---- init

struct folder {
	struct arena *life;
	struct init_file *files;
	size_t n, cap;
};

static void add_file(struct folder *f, const char *path) {
	if (f->n == FILES_MAX) return;
	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		struct init_file *more = ARENA_ARRAY(f->life, struct init_file, cap);
		if (f->n) memcpy(more, f->files, f->n * sizeof *more);
		f->files = more;
		f->cap = cap;
	}
	struct init_file *file = &f->files[f->n++];
	*file = (struct init_file){.path = arena_str(f->life, str_of(path))};
	if (!init_wants(file->path)) return;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
	char *bytes = arena_alloc(f->life, INIT_CONTENT_MAX);
	ssize_t n = read(fd, bytes, INIT_CONTENT_MAX);
	if (n > 0) file->content = (struct str){bytes, (size_t)n};
}

static bool add_folder(struct folder *f, const char *path, bool deeper, struct err *e) {
	struct str *names;
	size_t n;
	if (!file_list(path, f->life, &names, &n, e)) return false;
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], STR(".git")) || str_eq(names[i], STR(".weir"))) continue;
		const char *below = strcmp(path, ".") == 0
		                        ? names[i].p
		                        : arena_printf(f->life, "%s/%s", path, names[i].p).p;
		struct stat info;
		if (lstat(below, &info) != 0) continue;
		add_file(f, below);
		struct err ignored;
		if (deeper && S_ISDIR(info.st_mode) && !add_folder(f, below, false, &ignored)) continue;
	}
	return true;
}

static bool git_says(struct cli *cli, const char *const *argv, struct str *out) {
	AUTO_OUTPUT output = {0};
	struct err ignored;
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv};
	if (!process_run(&spec, STR_NONE, 65536, 10000, &output, &ignored)) return false;
	if (output.status.end != PROCESS_EXITED || output.status.code != 0) return false;
	*out = arena_str(cli->life, str_trim(buf_view(&output.out)));
	return true;
}

// The branch that others build on: the remote's, else main or master if there is one, else this.
static struct str find_trunk(struct cli *cli) {
	struct str name = STR_NONE;
	const char *remote[] = {"git", "symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD",
	                        NULL};
	if (git_says(cli, remote, &name) && str_starts(name, STR("origin/"))) return str_from(name, 7);
	static const char *const usual[] = {"main", "master"};
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		const char *branch = arena_printf(cli->life, "refs/heads/%s", usual[i]).p;
		const char *argv[] = {"git", "rev-parse", "--verify", "-q", branch, NULL};
		if (git_says(cli, argv, &name)) return str_of(usual[i]);
	}
	const char *head[] = {"git", "symbolic-ref", "--short", "-q", "HEAD", NULL};
	return git_says(cli, head, &name) ? name : STR_NONE;
}

static int run_init(struct cli *cli) {
	struct err e = {0};
	if (file_exists("weir.yml") && !cli_has(cli, "force")) {
		err_set(&e, ERR_CONFLICT, "weir.yml is here already");
		return cli_fail(cli, &e,
		                "Test it with `weir check`, or write a new one with `weir init --force`");
	}
	struct folder folder = {.life = cli->life};
	if (!add_folder(&folder, ".", true, &e)) return cli_fail(cli, &e, NULL);
	struct init_result result = {0};
	init_write(folder.files, folder.n, find_trunk(cli), cli->life, &result);
	if (!file_write_atomic("weir.yml", result.text, 0644, &e)) return cli_fail(cli, &e, NULL);

	AUTO_INK out = cli_ink(cli);
	for (size_t i = 0; i < result.saw.n; i++) {
		ink_to(&out, 2);
		ink_str(&out, INK_PLAIN, result.saw.p[i]);
		ink_end(&out);
	}
	ink_glyph(&out, result.known ? INK_GOOD : INK_WARN, result.known ? INK_OK : INK_ATTENTION);
	ink_hint(&out, result.known ? STR(" wrote weir.yml. Next: `weir check`, then `weir run`")
	                            : STR(" wrote weir.yml as a template. Next: say in it how to build "
	                                  "and test, then `weir check`"));
	ink_end(&out);
	cli_print(&out);
	return 0;
}

static int run_schema(struct cli *cli) {
	(void)cli;
	AUTO_BUF out = {0};
	jsonschema_write(&out);
	if (out.n && out.p[out.n - 1] != '\n') buf_char(&out, '\n');
	cli_out(buf_view(&out));
	return 0;
}

static const struct args_option check_options[] = {
	{"format", 0, "FORMAT", "how to print what is wrong", "text json"}, CLI_OPTION_JSON, {0}};
static const struct args_option init_options[] = {
	{"force", 0, NULL, "write it also where one is already", NULL}, {0}};

const struct cli_command local_commands[] = {
	{.name = "init",
     .words = "",
     .brief = "Look at the project and write a first weir.yml",
     .group = CLI_GROUP_LOCAL,
     .options = init_options,
     .about = "Reads the names of the files here and one folder down, says what it saw and what "
              "follows from it. Edit what it wrote as you like.",
     .run = run_init},
	{.name = "check",
     .words = "[FILE]",
     .brief = "Say everything that is wrong with weir.yml",
     .group = CLI_GROUP_LOCAL,
     .words_max = 1,
     .options = check_options,
     .completes = "file",
     .about = "Each error has its line, its column and what to write instead. Exits with 1 when "
              "there is an error; warnings alone are fine. FILE may be - for standard input.",
     .run = run_check},
	{.name = "schema",
     .words = "",
     .brief = "Print the JSON Schema of weir.yml, for editors",
     .group = CLI_GROUP_LOCAL,
     .run = run_schema},
	{0},
};
