// For the tests of src/git only: a data folder in /tmp, a repository in it with weir's hooks, and a
// shell to do with it what people do.
#pragma once
#include <stdlib.h>
#include <unistd.h>

#include "base/unit.h"
#include "git/object.h"
#include "git/repo.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

struct playground {
	char top[64]; // has data/ and is the shell's current folder
	char data[80];
	char hook[4200];
	struct git_home *home;
	struct git_repo *repo; // data/repos/p.git, trunk main
};

static struct playground pg;

// Runs a shell script in the playground and returns its trimmed stdout (until the fourth next
// call); fails the test when it fails. $R is the repository. git runs as a person with a name and
// no configuration.
PRINTF_LIKE(2, 0) static inline const char *sh_status(int want, const char *format, va_list args) {
	static char answers[4][65536];
	static int turn;
	char *answer = answers[turn++ % 4];
	struct err e;
	AUTO_OUTPUT out = {0};
	AUTO_BUF script = {0};
	AUTO_BUF repo = {0};
	buf_cstr(&script, "set -e\n");
	buf_vprintf(&script, format, args);
	buf_printf(&repo, "R=%s/repos/p.git", pg.data);
	const char *const argv[] = {"sh", "-c", script.p, NULL};
	const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
	                           "HOME=/nonexistent",
	                           "GIT_CONFIG_NOSYSTEM=1",
	                           "GIT_AUTHOR_NAME=Ann",
	                           "GIT_AUTHOR_EMAIL=ann@example.org",
	                           "GIT_COMMITTER_NAME=Ann",
	                           "GIT_COMMITTER_EMAIL=ann@example.org",
	                           "LC_ALL=C.UTF-8",
	                           repo.p,
	                           NULL};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv, .env = env, .cwd = pg.top};
	if (!process_run(&spec, STR_NONE, 64 << 20, 120000, &out, &e)) fail_msg("%s", e.text);
	if (out.status.end != PROCESS_EXITED || out.status.code != want) {
		print_error("%s\n%s%s", script.p, out.out.n ? out.out.p : "", out.err.n ? out.err.p : "");
		fail_msg("exit status %d, want %d", out.status.code, want);
	}
	struct str text = str_trim(buf_view(&out.out));
	snprintf(answer, sizeof answers[0], STR_FMT, STR_ARG(text));
	return answer;
}

PRINTF_LIKE(1, 2) static inline const char *sh(const char *format, ...) {
	va_list args;
	va_start(args, format);
	const char *out = sh_status(0, format, args);
	va_end(args);
	return out;
}

PRINTF_LIKE(1, 2) static inline struct oid sh_oid(const char *format, ...) {
	va_list args;
	struct oid o = {0};
	va_start(args, format);
	const char *out = sh_status(0, format, args);
	va_end(args);
	if (!oid_parse(str_of(out), &o)) fail_msg("\"%s\" is no object id", out);
	return o;
}

// weir-hook of the build that the test belongs to.
static inline void find_hook(char *out, size_t n) {
	char self[4096] = "";
	ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
	for (int i = 0; got > 0 && i < 3; i++) *strrchr(self, '/') = 0;
	snprintf(out, n, "%s/weir-hook", self);
}

static inline int playground_open(void **state) {
	struct err e;
	(void)state;
	snprintf(pg.top, sizeof pg.top, "/tmp/weir-git-XXXXXX");
	if (!mkdtemp(pg.top)) return -1;
	snprintf(pg.data, sizeof pg.data, "%s/data", pg.top);
	find_hook(pg.hook, sizeof pg.hook);
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/repos", pg.data);
	assert_ok(file_make_folders(path.p, 0755, &e), e);
	buf_cstr(&path, "/p.git");
	assert_ok(git_home_open(pg.data, pg.hook, &pg.home, &e), e);
	assert_ok(git_repo_create(pg.home, path.p, "main", &e), e);
	assert_ok(git_repo_open(pg.home, path.p, &pg.repo, &e), e);
	return 0;
}

static inline int playground_close(void **state) {
	struct err e;
	(void)state;
	git_repo_close(pg.repo);
	git_home_close(pg.home);
	return file_remove_tree(pg.top, &e) ? 0 : -1;
}

// A work tree w whose objects land in the repository at once (it is its alternate and back):
// commits made in w can be named to weir's functions without a push.
static inline void make_work_tree(void) {
	sh("git init -q -b main w; rm -rf w/.git/objects; ln -s $R/objects w/.git/objects");
}
