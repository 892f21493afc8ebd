// A program that left its session and ignores SIGTERM is still found, with a cgroup and without.
#include <unistd.h>

#include "base/unit.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/tree.h"

static const char mark[] = "WEIR_TREE_TEST=of this test only";

static pid_t start(const char *cgroup) {
	const char *argv[] = {"/bin/sh", "-c",
	                      "trap '' TERM; setsid sleep 60 & (setsid sleep 60 &); sleep 60", NULL};
	const char *env[] = {mark, "PATH=/usr/bin:/bin", NULL};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv, .env = env, .new_session = true,
	                            .cgroup = cgroup};
	struct err e;
	pid_t pid;
	assert_ok(process_start(&spec, &pid, &e), e);
	clock_sleep_ms(100); // until all are started; a shorter tree is killed as well
	return pid;
}

static void kill_all(const char *cgroup) {
	struct process_status status;
	struct err e;
	pid_t pid = start(cgroup);
	assert_true(tree_runs(cgroup, pid, mark));
	assert_true(tree_kill(cgroup, pid, mark) >= 3);
	assert_false(tree_runs(cgroup, pid, mark));
	assert_ok(process_wait(pid, 1000, &status, &e), e);
	assert_int_equal(status.end, PROCESS_SIGNALLED);
	assert_int_equal(tree_kill(cgroup, pid, mark), 0);
}

static void without_a_cgroup(void **state) {
	(void)state;
	kill_all(NULL);
}

static void with_a_cgroup(void **state) {
	AUTO_BUF folder = {0};
	(void)state;
	if (!tree_make("weir-tree-test", &folder)) skip(); // this user may make none
	kill_all(folder.p);
	tree_remove(folder.p);
	assert_int_not_equal(access(folder.p, F_OK), 0);
}

static void nothing_is_no_tree(void **state) {
	(void)state;
	assert_false(tree_runs("", 0, "WEIR_TREE_TEST=nobody has this"));
	assert_int_equal(tree_kill("/no/such/cgroup", 0, mark), 0);
	tree_remove(NULL);
	tree_remove("");
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(without_a_cgroup),
	                                   cmocka_unit_test(with_a_cgroup),
	                                   cmocka_unit_test(nothing_is_no_tree)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
