// On a made-up /sys/fs/cgroup: which files are written. The real ones are met by
// test/e2e/exec.bats.
#include "exec/cgroup.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "os/file.h"

static char root[] = "/tmp/cgroup-test-XXXXXX";
static struct arena life;

static const char *at(const char *below) {
	return arena_printf(&life, "%s%s", root, below).p;
}

static void put(const char *below, const char *text) {
	struct err e = {0};
	const char *path = at(below), *slash = strrchr(path, '/');
	assert_ok(
		file_make_folders(arena_cstr(&life, (struct str){path, (size_t)(slash - path)}), 0755, &e),
		e);
	assert_ok(file_write_atomic(path, str_of(text), 0644, &e), e);
}

static void assert_file(const char *below, const char *want) {
	struct err e = {0};
	AUTO_BUF text = {0};
	assert_ok(file_read(at(below), 1000, &text, &e), e);
	assert_text(buf_view(&text), want);
}

static const struct cgroup_limits limits = {.memory_bytes = 1000, .cpu_milli = 1500, .pids = 20};

static struct cgroup create(const char *own) {
	return cgroup_create(root, str_of(own), STR("r1"), limits, &life);
}

static void version_2_with_controllers(void **state) {
	(void)state;
	put("/cgroup.controllers", "cpu memory pids\n");
	put("/svc/weir-r1/cgroup.controllers", "cpu memory pids\n");
	put("/svc/weir-r1/memory.max", "max");
	put("/svc/weir-r1/cpu.max", "max 100000");
	put("/svc/weir-r1/pids.max", "max");
	put("/svc/weir-r1/memory.events", "low 0\noom 1\noom_kill 2\n");
	put("/svc/weir-r1/pids.events", "max 3\n");
	put("/svc/weir-r1/memory.peak", "777\n");
	put("/svc/weir-r1/cpu.stat", "usage_usec 55\nuser_usec 50\n");
	struct cgroup g = create("0::/svc/daemon\n"); // where cgroup_delegate put the daemon
	assert_int_equal(g.kind, CGROUP_V2);
	assert_file("/svc/weir-r1/memory.max", "1000");
	assert_file("/svc/weir-r1/cpu.max", "150000 100000"); // written over what stood there
	assert_file("/svc/weir-r1/pids.max", "20x");
	struct cgroup_use use = cgroup_read(&g);
	assert_int_equal(use.oom_kills, 2);
	assert_int_equal(use.pids_refused, 3);
	assert_int_equal(use.memory_peak_bytes, 777);
	assert_int_equal(use.cpu_us, 55);
	assert_string_equal(g.folders[0], at("/svc/weir-r1"));
	assert_null(g.folders[1]);
}

static void version_2_without_controllers_is_none(void **state) {
	(void)state;
	put("/cgroup.controllers", "cpu memory pids\n");
	struct err e = {0};
	assert_ok(file_make_folders(at("/user"), 0755, &e), e);
	struct cgroup g = create(
		"0::/user\n"); // a plain folder has no cgroup.controllers: none delegated
	assert_int_equal(g.kind, CGROUP_NONE);
	assert_false(file_exists(at("/user/weir-r1")));
	assert_int_equal(create("0::/nobody/there\n").kind, CGROUP_NONE);
}

static void version_1_with_a_version_2_beside(void **state) {
	(void)state;
	put("/unified/cgroup.procs", "");
	put("/memory/a/b/weir-r1/memory.limit_in_bytes", "9223372036854771712");
	put("/memory/a/b/weir-r1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
	put("/cpu/weir-r1/cpu.cfs_period_us", "000000");
	put("/cpu/weir-r1/cpu.cfs_quota_us", "-00000");
	put("/pids/weir-r1/pids.max", "xx");
	struct cgroup g = create("4:memory:/a/b\n3:cpuset:/z\n1:cpu,cpuacct:/\n8:pids:/\n0::/\n");
	assert_int_equal(g.kind, CGROUP_V1);
	assert_string_equal(g.kill, at("/unified/weir-r1"));
	assert_string_equal(g.memory, at("/memory/a/b/weir-r1"));
	assert_file("/cpu/weir-r1/cpu.cfs_quota_us", "150000");
	assert_file("/pids/weir-r1/pids.max", "20");
	assert_int_equal(g.enforced.memory_bytes, 1000);
	assert_int_equal(cgroup_read(&g).oom_kills, 4);
	AUTO_BUF lines = {0};
	cgroup_list(&g, &lines);
	assert_true(str_contains(buf_view(&lines), STR("/unified/weir-r1\n")));
}

static void nothing_at_all_is_none(void **state) {
	(void)state;
	struct cgroup g = create("");
	assert_int_equal(g.kind, CGROUP_NONE);
	assert_int_equal(g.enforced.pids, 0);
	assert_true(cgroup_remove(&g));
	cgroup_kill(&g);
	assert_int_equal(cgroup_read(&g).memory_peak_bytes, -1);
}

static void removes_only_what_is_a_runs(void **state) {
	(void)state;
	struct err e = {0};
	assert_ok(file_make_folders(at("/x/weir-old"), 0755, &e), e);
	assert_ok(file_make_folders(at("/x/other"), 0755, &e), e);
	struct str lines = arena_printf(&life, "%s/x/weir-old\n%s/x/other\n", root, root);
	assert_true(cgroup_remove_listed(lines));
	assert_false(file_exists(at("/x/weir-old")));
	assert_true(file_exists(at("/x/other")));
}

static int make_root(void **state) {
	(void)state;
	memcpy(root + sizeof root - 7, "XXXXXX", 7);
	return mkdtemp(root) ? 0 : 1;
}

static int remove_root(void **state) {
	(void)state;
	arena_free(&life);
	return file_remove_tree(root, NULL) ? 0 : 1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(version_2_with_controllers, make_root, remove_root),
		cmocka_unit_test_setup_teardown(version_2_without_controllers_is_none, make_root,
	                                    remove_root),
		cmocka_unit_test_setup_teardown(version_1_with_a_version_2_beside, make_root, remove_root),
		cmocka_unit_test_setup_teardown(nothing_at_all_is_none, make_root, remove_root),
		cmocka_unit_test_setup_teardown(removes_only_what_is_a_runs, make_root, remove_root),
	};
	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
