// What a job reads of its tree stands in the record, whatever it does to get at it, and nothing
// else.
#include "exec/trace.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "exec/reads.h"
#include "exec/run.h"
#include "os/clock.h"
#include "os/file.h"

static char root[] = "/tmp/exec-trace-test-XXXXXX";
static struct arena life;
static int runs;

static const char *path_of(const char *name) {
	return arena_printf(&life, "%s/%s", root, name).p;
}

static const char *programs(void) {
	static char path[4096];
	const char *build = getenv("WEIR_BUILD");
	assert_non_null(realpath(build ? build : "build/rel", path));
	return path;
}

static void put(const char *name, const char *text) {
	struct err e = {0};
	AUTO_BUF folder = {0};
	buf_cstr(&folder, path_of(name));
	while (folder.p[folder.n - 1] != '/') folder.p[--folder.n] = 0;
	assert_ok(file_make_folders(folder.p, 0755, &e), e);
	assert_ok(file_write_atomic(path_of(name), str_of(text), 0644, &e), e);
}

static struct exec_outcome run(const char *command, const char *artifact, const char **folder) {
	struct err e = {0};
	struct str lowers[] = {str_of(path_of("over")), str_of(path_of("delta")),
	                       str_of(path_of("base"))};
	struct str artifacts[] = {str_of(artifact)};
	struct exec_spec s = {.command = str_of(command),
	                      .timeout_ms = 20000,
	                      .lowers = {lowers, ARRAY_LEN(lowers)},
	                      .artifacts = {artifacts, artifact != NULL},
	                      .traced = 2};
	enum exec_state state;
	struct exec_outcome o = {0};
	pid_t leader;
	s.id = arena_printf(&life, "tt%d-%d", (int)getpid(), runs);
	*folder = arena_printf(&life, "%s/run-%d", root, runs++).p;
	assert_ok(exec_start(&s, *folder, NULL, 0, programs(), &leader, &e), e);
	assert_ok(exec_wait(*folder, 30000, &state, &e), e);
	assert_int_equal(state, EXEC_OVER);
	assert_ok(exec_read_outcome(*folder, &life, &o, &e), e);
	AUTO_BUF said = {0};
	if (o.end == EXEC_ERROR &&
	    file_read(arena_printf(&life, "%s/leader.err", *folder).p, 4096, &said, &e))
		print_message(STR_FMT ": %s\n", STR_ARG(o.reason_text), said.n ? said.p : "");
	return o;
}

// The record, a line an entry, without the tree itself.
static const char *record_of(const char *folder) {
	AUTO_BUF text = {0};
	struct err e = {0};
	struct reads r;
	assert_ok(file_read(arena_printf(&life, "%s/" TRACE_RECORD, folder).p, 1 << 20, &text, &e), e);
	struct str kept = arena_str(&life, buf_view(&text));
	assert_ok(reads_parse(kept, &life, &r, &e), e);
	AUTO_BUF lines = {0};
	struct str rest = kept;
	while (rest.n) {
		struct str path = str_cut(&rest, 0), letters = str_cut(&path, ' ');
		buf_str(&lines, letters);
		buf_str(&lines, path); // a blank, for there is no value yet
		buf_char(&lines, '\n');
	}
	return arena_cstr(&life, buf_view(&lines));
}

// The server of the run, by its name among the leader's children; 0 = there is none.
static pid_t server_of(pid_t leader) {
	AUTO_BUF list = {0};
	char path[64];
	struct err e;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)leader, (int)leader);
	if (!file_read(path, 4096, &list, &e)) return 0;
	for (struct str rest = buf_view(&list); rest.n;) {
		AUTO_BUF name = {0};
		int64_t pid;
		if (!str_to_i64(str_cut(&rest, ' '), &pid)) continue;
		snprintf(path, sizeof path, "/proc/%lld/comm", (long long)pid);
		if (file_read(path, 64, &name, &e) && str_eq(str_trim(buf_view(&name)), STR("weir-view")))
			return (pid_t)pid;
	}
	return 0;
}

// The job sees errors that are not its own: the run is no verdict, whatever it said.
static void a_server_that_dies_makes_no_verdict(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_outcome o = {0};
	enum exec_state over;
	struct str base = str_of(path_of("base"));
	pid_t leader, server = 0;
	if (access("/dev/fuse", R_OK | W_OK) != 0) return; // told by the other test
	struct exec_spec s = {.command = STR("sleep 2; cat hello || true"),
	                      .timeout_ms = 20000,
	                      .lowers = {&base, 1},
	                      .traced = 1};
	s.id = arena_printf(&life, "tt%d-%d", (int)getpid(), runs);
	const char *folder = arena_printf(&life, "%s/run-%d", root, runs++).p;
	assert_ok(exec_start(&s, folder, NULL, 0, programs(), &leader, &e), e);
	for (int i = 0; i < 500 && !server; i++) {
		clock_sleep_ms(2);
		server = server_of(leader);
	}
	assert_true(server > 1);
	clock_sleep_ms(500);
	assert_int_equal(kill(server, SIGKILL), 0);
	assert_ok(exec_wait(folder, 30000, &over, &e), e);
	assert_int_equal(over, EXEC_OVER);
	assert_ok(exec_read_outcome(folder, &life, &o, &e), e);
	assert_int_equal(o.end, EXEC_ERROR);
	assert_text(o.reason_code, "trace");
	assert_false(o.traced);
	assert_false(file_exists(arena_printf(&life, "%s/" TRACE_RECORD, folder).p));
	assert_ok(exec_cleanup(folder, &e), e);
}

static const struct {
	const char *command, *artifact, *record;
} rows[] = {
	{"true", NULL, ""},
	{"cat hello", NULL, "sr hello\n"},
	{"cat hello; cat hello", NULL, "sr hello\n"},
	{"cat nowhere || true", NULL, "a nowhere\n"},
	{"cat nowhere/at/all || true", NULL, "a nowhere\n"},
	{"test -x hello || true", NULL, "s hello\n"},
	{"cat sub/deep/leaf", NULL, "s sub\ns sub/deep\nsr sub/deep/leaf\n"},
	{"cd sub/deep && cat leaf", NULL, "s sub\ns sub/deep\nsr sub/deep/leaf\n"},
	{"cat link", NULL, "sr link\ns sub\ns sub/deep\nsr sub/deep/leaf\n"},
	{"readlink link", NULL, "sr link\n"},
	{"for f in *; do :; done", NULL, "l .\n"},
	{"ls sub >/dev/null", NULL, "sl sub\n"},
	// What it made itself is not of the tree, but the tree was asked whether it had it.
	{"echo x >made; cat made", NULL, "a made\n"},
	{"echo x >>hello; cat hello", NULL, "sr hello\n"},
	{"rm hello; cat hello || true", NULL, "s hello\n"},
	// From a layer above, which is not traced.
	{"cat over", NULL, ""},
	// The delta hides what the base has.
	{"cat changed; cat gone || true", NULL, "sr changed\na gone\n"},
	// What is collected counts as read.
	{"true", "sub/deep/leaf", "s sub\ns sub/deep\nsr sub/deep/leaf\n"},
};

static void what_is_asked_is_recorded(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		const char *folder;
		struct exec_outcome o = run(rows[i].command, rows[i].artifact, &folder);
		assert_int_equal(o.end, EXEC_PASSED);
		if (access("/dev/fuse", R_OK | W_OK) != 0) { // the run went without, and says why
			assert_true(str_contains(o.untraced, STR("/dev/fuse")));
			assert_false(file_exists(arena_printf(&life, "%s/" TRACE_RECORD, folder).p));
		} else {
			assert_true(o.traced);
			const char *record = record_of(folder);
			if (strcmp(record, rows[i].record) != 0) fail_msg("%s:\n%s", rows[i].command, record);
		}
		assert_ok(exec_cleanup(folder, &e), e);
	}
}

// As checkouts do, when root runs the test.
static void give_away(const char *name) {
	if (geteuid() == 0) assert_int_equal(lchown(path_of(name), STAGE_UID, STAGE_UID), 0);
}

static int begin(void **state) {
	static const char *const all[] = {
		"base",          "base/hello", "base/changed", "delta",         "base/sub",
		"base/sub/deep", "base/gone",  "base/link",    "delta/changed", "base/sub/deep/leaf"};
	(void)state;
	assert_non_null(mkdtemp(root));
	chmod(root, 0755);
	put("over/over", "from above\n");
	put("base/hello", "hello\n");
	put("base/changed", "before\n");
	put("base/gone", "gone\n");
	put("base/sub/deep/leaf", "leaf\n");
	put("delta/changed", "after\n");
	assert_int_equal(symlink("sub/deep/leaf", path_of("base/link")), 0);
	assert_int_equal(mknod(path_of("delta/gone"), S_IFCHR, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) give_away(all[i]);
	return 0;
}

static int end(void **state) {
	struct err e;
	(void)state;
	assert_ok(file_remove_tree(root, &e), e);
	arena_free(&life);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_is_recorded),
		cmocka_unit_test(a_server_that_dies_makes_no_verdict),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
