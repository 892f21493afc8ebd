#include "app/jobcache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "os/clock.h"
#include "os/file.h"

static char root[] = "/tmp/jobcache-test-XXXXXX";
static struct arena life;

static struct str mount(const char *owner, struct str path) {
	struct conf_strs paths = {&path, 1};
	struct exec_pairs mounts;
	struct err e;
	assert_ok(jobcache_mounts(root, owner, &paths, &life, &mounts, &e), e);
	assert_int_equal(mounts.n, 1);
	assert_true(str_eq(mounts.p[0].name, path));
	return mounts.p[0].value;
}

static void age(struct str folder, int64_t days) {
	struct timespec then = {clock_wall_ms() / 1000 - days * 24 * 3600, 0};
	struct timespec both[2] = {then, then};
	assert_int_equal(utimensat(AT_FDCWD, folder.p, both, 0), 0);
}

static void keeps_apart_and_finds_again(void **state) {
	(void)state;
	struct str a = mount("shop/1", STR("node_modules"));
	assert_true(str_eq(a, mount("shop/1", STR("node_modules"))));
	assert_false(str_eq(a, mount("shop/2", STR("node_modules"))));
	assert_false(str_eq(a, mount("other/1", STR("node_modules"))));
	assert_false(str_eq(a, mount("shop/1", STR("../node_modules"))));
}

static void removes_what_nobody_used(void **state) {
	(void)state;
	struct err e;
	struct str old = mount("shop/1", STR("old")), young = mount("shop/1", STR("young")),
			   again = mount("shop/2", STR("again"));
	const char *file = arena_printf(&life, "%s/file", old.p).p;
	assert_ok(file_replace(file, STR("x"), 0644, &e), e);
	age(old, 31);
	age(young, 29);
	age(again, 31);
	assert_true(str_eq(again, mount("shop/2", STR("again"))));
	jobcache_tidy(root, 2, clock_wall_ms(), JOBCACHE_IDLE_MS);
	assert_false(file_exists(old.p));
	assert_true(file_exists(young.p));
	assert_true(file_exists(again.p));
	// An owner stays, whatever its age and name.
	mount("0123456789abcdef0123456789abcdef/1", STR("young"));
	const char *strange = arena_printf(&life, "%s/job/0123456789abcdef0123456789abcdef", root).p;
	age(str_of(strange), 99);
	jobcache_tidy(root, 2, clock_wall_ms(), JOBCACHE_IDLE_MS);
	assert_true(file_exists(strange));
	jobcache_tidy("/nonexistent", 2, 0, 0);
}

static int make_root(void **state) {
	(void)state;
	return mkdtemp(root) ? 0 : 1;
}

static int remove_root(void **state) {
	(void)state;
	arena_free(&life);
	return file_remove_tree(root, NULL) ? 0 : 1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_apart_and_finds_again),
		cmocka_unit_test(removes_what_nobody_used),
	};
	return cmocka_run_group_tests_name("jobcache", tests, make_root, remove_root);
}
