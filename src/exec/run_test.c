// The door, with the real leader from $WEIR_BUILD (build/rel without it).
#include "exec/run.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unit.h"
#include "exec/runlog.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

static char root[] = "/tmp/exec-run-test-XXXXXX";
static struct arena life;
static int runs;

static const char *programs(void) {
	static char path[4096];
	const char *build = getenv("WEIR_BUILD");
	assert_non_null(realpath(build ? build : "build/rel", path));
	return path;
}

static const char *path_of(const char *name) {
	return arena_printf(&life, "%s/%s", root, name).p;
}

static const char *next_folder(void) {
	return arena_printf(&life, "%s/run-%d", root, runs++).p;
}

static struct exec_spec job(const char *command) {
	struct exec_spec s = {.command = str_of(command), .timeout_ms = 20000};
	s.id = arena_printf(&life, "rt%d-%d", (int)getpid(), runs);
	s.lowers.p = ARENA_NEW(&life, struct str);
	s.lowers.p[0] = str_of(path_of("base"));
	s.lowers.n = 1;
	return s;
}

static struct str log_of(const char *folder) {
	AUTO_BUF text = {0};
	struct err e = {0};
	const char *path = arena_printf(&life, "%s/log", folder).p;
	if (!file_read(path, 1 << 26, &text, &e)) return STR("");
	return arena_str(&life, buf_view(&text));
}

static pid_t start(const struct exec_spec *s, const char *folder) {
	struct err e = {0};
	pid_t leader = 0;
	assert_ok(exec_start(s, folder, NULL, 0, programs(), &leader, &e), e);
	return leader;
}

static struct exec_outcome finish(const char *folder) {
	struct err e = {0};
	enum exec_state state;
	struct exec_outcome o = {0};
	assert_ok(exec_wait(folder, 30000, &state, &e), e);
	assert_int_equal(state, EXEC_OVER);
	assert_ok(exec_read_outcome(folder, &life, &o, &e), e);
	return o;
}

static void wait_for_text(const char *folder, const char *text) {
	for (int i = 0; i < 500; i++) {
		if (str_contains(log_of(folder), str_of(text))) return;
		clock_sleep_ms(20);
	}
	fail_msg("never printed: %s", text);
}

static void starts_waits_reads_and_cleans(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_spec s = job("echo hello >made; echo hello");
	struct str made = STR("made");
	s.artifacts = (struct exec_strs){&made, 1};
	const char *folder = next_folder();
	start(&s, folder);
	struct exec_outcome o = finish(folder);
	assert_int_equal(o.end, EXEC_PASSED);
	assert_true(o.has_artifact);
	assert_int_equal(o.artifact_files, 1);
	assert_int_equal(o.artifact_bytes, 6);
	assert_true(str_contains(log_of(folder), STR(" o hello\n")));
	assert_int_equal(exec_look(folder, NULL), EXEC_OVER);
	assert_ok(exec_drop_workspace(folder, &e), e);
	assert_false(file_exists(arena_printf(&life, "%s/upper", folder).p));
	assert_ok(exec_cleanup(folder, &e), e);
	assert_false(file_exists(folder));
	assert_ok(exec_cleanup(folder, &e), e); // again, as after a crash in the middle
}

static struct exec_begun begin(struct exec_spec *s, const char *folder) {
	struct err e = {0};
	struct exec_begun b = {0};
	s->lowers.n = 0;
	assert_ok(exec_begin(s, folder, NULL, 0, programs(), &b, &e), e);
	return b;
}

struct cgroups {
	struct str paths[16];
	size_t n;
};

// A cgroup goes only when no process is left in it.
static struct cgroups cgroups_of(const char *folder) {
	struct cgroups all = {0};
	AUTO_BUF listed = {0};
	struct err e;
	const char *path = arena_printf(&life, "%s/cgroup", folder).p;
	assert_ok(file_read(path, 1 << 16, &listed, &e), e);
	struct str rest = buf_view(&listed);
	while (rest.n && all.n < ARRAY_LEN(all.paths)) {
		all.paths[all.n] = arena_str(&life, str_cut(&rest, '\n'));
		if (all.paths[all.n].n) assert_true(file_exists(all.paths[all.n++].p));
	}
	return all;
}

// The sandbox is up before its workspace is, and sees it all the same; also with a cache in it.
static void layers_may_come_later(void **state) {
	(void)state;
	struct err e = {0};
	struct str made = STR("made");
	struct exec_pair cache = {STR("deep/cache"), str_of(path_of("cache"))};
	for (size_t mounts = 0; mounts < 2; mounts++) {
		struct exec_spec s = job("cat hello; cd sub; ls; echo x >../made; echo y >../kept; "
		                         "mkdir -p ../deep/cache; echo z >../deep/cache/file");
		s.folder = STR("");
		s.artifacts = (struct exec_strs){&made, 1};
		s.mounts = (struct exec_pairs){&cache, mounts};
		const char *folder = next_folder();
		struct exec_begun b = begin(&s, folder);
		struct str layers[] = {str_of(path_of("top")), str_of(path_of("base"))};
		clock_sleep_ms(mounts ? 0 : 300);
		assert_int_equal(exec_look(folder, NULL), EXEC_RUNNING);
		assert_ok(exec_layers(&b, (struct exec_strs){layers, 2}, 0, &e), e);
		struct exec_outcome o = finish(folder);
		if (o.end != EXEC_PASSED) print_message(STR_FMT "\n", STR_ARG(log_of(folder)));
		assert_int_equal(o.end, EXEC_PASSED);
		assert_int_equal(o.artifact_files, 1);
		assert_true(o.duration_ms < 290 || mounts);
		struct str log = log_of(folder); // its times count from the layers, too
		uint64_t ms = 0;
		assert_true(str_to_u64(str_cut(&log, ' '), &ms));
		assert_true(ms < 290 || mounts);
		assert_true(str_contains(log_of(folder), STR(" o hello from the top\n")));
		assert_true(str_contains(log_of(folder), STR(" o file-in-sub\n")));
		assert_true(file_exists(arena_printf(&life, "%s/upper/kept", folder).p));
		assert_int_equal(file_exists(path_of("cache/file")), mounts == 1);
		assert_ok(exec_cleanup(folder, &e), e);
	}
}

static void what_is_begun_can_be_abandoned(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_spec s = job("sleep 4083");
	const char *folder = next_folder();
	struct exec_begun b = begin(&s, folder);
	clock_sleep_ms(300);
	struct cgroups cgroups = cgroups_of(folder);
	exec_abandon(&b);
	assert_int_equal(waitpid(b.leader, NULL, 0), b.leader);
	assert_false(file_exists(folder));
	for (size_t i = 0; i < cgroups.n; i++) assert_false(file_exists(cgroups.paths[i].p));
	// Its starter dies: the pipe ends.
	folder = next_folder();
	s = job("sleep 4084");
	if (fork() == 0) {
		begin(&s, folder);
		_exit(0);
	}
	wait(NULL);
	for (int i = 0; i < 500 && file_exists(folder); i++) clock_sleep_ms(10);
	assert_false(file_exists(folder));
	// It could not even come up: its outcome says why, and nobody minds that it takes no layers.
	folder = next_folder();
	s = job("true");
	s.etc = STR("/nonexistent/etc");
	b = begin(&s, folder);
	for (int i = 0; i < 500 && exec_look(folder, NULL) != EXEC_OVER; i++) clock_sleep_ms(10);
	waitpid(b.leader, NULL, 0);
	signal(SIGPIPE, SIG_IGN);
	struct str base = str_of(path_of("base"));
	assert_ok(exec_layers(&b, (struct exec_strs){&base, 1}, 0, &e), e);
	assert_true(str_contains(finish(folder).reason_text, STR("/nonexistent/etc")));
	assert_ok(exec_cleanup(folder, &e), e);
	// A layer that is not there is an error of the run, as ever.
	folder = next_folder();
	s = job("true");
	b = begin(&s, folder);
	struct str nowhere = STR("/nonexistent/layer");
	assert_ok(exec_layers(&b, (struct exec_strs){&nowhere, 1}, 0, &e), e);
	struct exec_outcome o = finish(folder);
	assert_int_equal(o.end, EXEC_ERROR);
	assert_true(str_contains(o.reason_text, STR("/nonexistent/layer is not there")));
	assert_ok(exec_cleanup(folder, &e), e);
}

static void secrets_travel_by_memory_only(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_spec s = job(
		"echo \"$TOKEN\" >&2; cat /run/secrets/TOKEN | tr a-z A-Z; echo; echo $OTHER | wc -c");
	struct str names[] = {STR("TOKEN"), STR("OTHER")};
	s.secrets = (struct exec_strs){names, 2};
	const struct exec_secret values[] = {{STR("OTHER"), STR("second-value")},
	                                     {STR("UNUSED"), STR("never-given")},
	                                     {STR("TOKEN"), STR("first-value-77")}};
	const char *folder = next_folder();
	pid_t leader;
	assert_ok(exec_start(&s, folder, values, 3, programs(), &leader, &e), e);
	struct exec_outcome o = finish(folder);
	assert_int_equal(o.end, EXEC_PASSED);
	assert_int_equal(o.secrets_masked, 1);
	struct str text = log_of(folder);
	assert_true(str_contains(text, STR(" e ***\n")));
	assert_true(
		str_contains(text, STR(" o FIRST-VALUE-77"))); // a form nobody masks: the net, not the wall
	assert_true(str_contains(text, STR(" o 13\n")));
	assert_ok(exec_cleanup(folder, &e), e);
	folder = next_folder();
	assert_refused(exec_start(&s, folder, values, 2, programs(), &leader, &e), e, ERR_INVALID);
	assert_false(file_exists(folder));
}

static void cancels(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_spec s = job("echo begun; sleep 4081");
	const char *folder = next_folder();
	pid_t leader = start(&s, folder), seen;
	wait_for_text(folder, "begun");
	assert_int_equal(exec_look(folder, &seen), EXEC_RUNNING);
	assert_int_equal(seen, leader);
	enum exec_state ignored;
	assert_refused(exec_wait(folder, 50, &ignored, &e), e, ERR_TIMEOUT);
	assert_refused(exec_cleanup(folder, &e), e, ERR_BUSY);
	assert_ok(exec_cancel(folder, &e), e);
	assert_int_equal(finish(folder).end, EXEC_CANCELLED);
	assert_ok(exec_cancel(folder, &e), e); // over already
	assert_ok(exec_cleanup(folder, &e), e);
}

static void a_killed_leader_is_lost(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_spec s = job("echo begun; sleep 4082");
	const char *folder = next_folder();
	pid_t leader = start(&s, folder);
	wait_for_text(folder, "begun");
	assert_int_equal(kill(leader, SIGKILL), 0);
	assert_int_equal(waitpid(leader, NULL, 0), leader);
	assert_int_equal(exec_look(folder, NULL), EXEC_LOST);
	clock_sleep_ms(200);
	assert_ok(exec_cleanup(folder, &e), e);
	assert_false(file_exists(folder));
}

// The starter dies at once; somebody else finds the run, watches it and reads how it ended.
static void a_run_outlives_its_starter(void **state) {
	(void)state;
	struct err e = {0};
	struct exec_spec s = job("sleep 0.5; echo survived");
	const char *folder = next_folder();
	pid_t child = fork();
	if (child == 0) {
		pid_t leader;
		_exit(exec_start(&s, folder, NULL, 0, programs(), &leader, &e) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(exec_look(folder, NULL),
	                 EXEC_RUNNING); // known before the leader has done anything
	assert_int_equal(finish(folder).end, EXEC_PASSED);
	assert_true(str_contains(log_of(folder), STR("survived")));
	for (int i = 0; i < 100 && !exec_cleanup(folder, &e); i++) clock_sleep_ms(10);
	assert_false(file_exists(folder));
}

static void refuses_what_cannot_be(void **state) {
	(void)state;
	struct err e = {0};
	pid_t leader;
	struct exec_spec s = job("true");
	const char *folder = next_folder();
	assert_refused(exec_start(&s, folder, NULL, 0, "/nonexistent", &leader, &e), e, ERR_NOT_FOUND);
	s.folder = STR("../x");
	assert_refused(exec_start(&s, folder, NULL, 0, programs(), &leader, &e), e, ERR_INVALID);
	s = job("");
	assert_refused(exec_start(&s, folder, NULL, 0, programs(), &leader, &e), e, ERR_INVALID);
	s = job("true");
	assert_refused(exec_start(&s, root, NULL, 0, programs(), &leader, &e), e, ERR_CONFLICT);
	assert_int_equal(exec_look("/nonexistent", NULL), EXEC_LOST);
}

static int make_root(void **state) {
	(void)state;
	if (!mkdtemp(root) || chmod(root, 0755)) return 1;
	static const char *const folders[] = {"base", "base/sub", "top", "cache"};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		const char *path = path_of(folders[i]);
		if (mkdir(path, 0755)) return 1;
		if (geteuid() == 0 && chown(path, STAGE_UID, STAGE_UID)) return 1;
	}
	struct err e;
	return file_replace(path_of("base/hello"), STR("hello from the base\n"), 0644, &e) &&
	               file_replace(path_of("top/hello"), STR("hello from the top\n"), 0644, &e) &&
	               file_replace(path_of("base/sub/file-in-sub"), STR("x"), 0644, &e)
	           ? 0
	           : 1;
}

static int remove_root(void **state) {
	(void)state;
	struct err e = {0};
	bool ok = file_remove_tree(root, &e);
	if (!ok) print_error("%s\n", e.text);
	arena_free(&life);
	return ok ? 0 : 1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_waits_reads_and_cleans),
		cmocka_unit_test(layers_may_come_later),
		cmocka_unit_test(what_is_begun_can_be_abandoned),
		cmocka_unit_test(secrets_travel_by_memory_only),
		cmocka_unit_test(cancels),
		cmocka_unit_test(a_killed_leader_is_lost),
		cmocka_unit_test(a_run_outlives_its_starter),
		cmocka_unit_test(refuses_what_cannot_be),
	};
	return cmocka_run_group_tests_name("run", tests, make_root, remove_root);
}
