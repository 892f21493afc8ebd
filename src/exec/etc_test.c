#include "exec/etc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "exec/toolchain.h"
#include "os/file.h"

static char cache[] = "/tmp/etc-test-XXXXXX";
static struct arena life;

static struct str prepare(int64_t now_ms) {
	struct err e = {0};
	struct str folder;
	assert_ok(etc_prepare(cache, now_ms, &life, &folder, &e), e);
	return folder;
}

static bool has(struct str folder, const char *name) {
	return file_exists(arena_printf(&life, "%s/%s", folder.p, name).p);
}

static void it_is_the_hosts_where_jobs_need_it_and_ours_where_it_is_private(void **state) {
	(void)state;
	AUTO_BUF passwd = {0}, services = {0}, wanted = {0};
	struct err e;
	struct str etc = prepare(1000);
	assert_ok(file_read(arena_printf(&life, "%s/passwd", etc.p).p, 4096, &passwd, &e), e);
	assert_non_null(strstr(passwd.p, "job:x:61000:61000:"));
	assert_false(has(etc, "shadow"));
	assert_false(has(etc, "ssl/private"));
	if (file_exists("/etc/services")) {
		assert_ok(file_read("/etc/services", 1 << 20, &wanted, &e), e);
		assert_ok(file_read(arena_printf(&life, "%s/services", etc.p).p, 1 << 20, &services, &e),
		          e);
		assert_true(str_eq(buf_view(&services), buf_view(&wanted)));
	}
	char target[256] = "";
	assert_true(readlink(arena_printf(&life, "%s/resolv.conf", etc.p).p, target, 255) > 0);
	assert_string_equal(target, ETC_RESOLV_LINK);
	assert_true(has(etc, "resolv.network") && has(etc, "resolv.none"));
}

static void one_copy_serves_all(void **state) {
	(void)state;
	struct stat before, after;
	struct str first = prepare(1000);
	assert_int_equal(stat(first.p, &before), 0);
	struct str second = prepare(1000 + 2 * TOOLCHAIN_CACHE_MS); // looked at anew, and the same
	assert_string_equal(first.p, second.p);
	assert_int_equal(stat(second.p, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void what_nobody_used_in_a_week_goes(void **state) {
	(void)state;
	int64_t now_ms = 1800000000000;
	struct err e;
	struct str old = arena_printf(&life, "%s/old", cache);
	struct str recent = arena_printf(&life, "%s/recent", cache);
	struct timespec long_ago[2] = {{now_ms / 1000 - INT64_C(8) * 86400, 0},
	                               {now_ms / 1000 - INT64_C(8) * 86400, 0}};
	struct timespec lately[2] = {{now_ms / 1000 - INT64_C(6) * 86400, 0},
	                             {now_ms / 1000 - INT64_C(6) * 86400, 0}};
	struct str etc = prepare(now_ms);
	assert_ok(file_remove_tree(etc.p, &e), e); // so that it is made now
	assert_int_equal(mkdir(old.p, 0755) || mkdir(recent.p, 0755), 0);
	assert_int_equal(utimensat(AT_FDCWD, old.p, long_ago, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, recent.p, lately, 0), 0);
	prepare(now_ms);
	assert_false(file_exists(old.p));
	assert_true(file_exists(recent.p));
	assert_true(file_exists(etc.p));
}

static void a_place_that_cannot_be_written_is_said(void **state) {
	(void)state;
	struct err e = {0};
	struct str folder;
	assert_false(etc_prepare("/proc/nowhere", 0, &life, &folder, &e));
	assert_non_null(strstr(e.text, "/proc/nowhere"));
}

static int make_cache(void **state) {
	(void)state;
	return mkdtemp(cache) ? 0 : 1;
}

static int remove_cache(void **state) {
	(void)state;
	arena_free(&life);
	return file_remove_tree(cache, NULL) ? 0 : 1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_hosts_where_jobs_need_it_and_ours_where_it_is_private),
		cmocka_unit_test(one_copy_serves_all),
		cmocka_unit_test(what_nobody_used_in_a_week_goes),
		cmocka_unit_test(a_place_that_cannot_be_written_is_said),
	};
	return cmocka_run_group_tests_name("etc", tests, make_cache, remove_cache);
}
