#include "store/reserve.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/unit.h"
#include "os/file.h"

static void is_held_released_and_made_again(void **state) {
	(void)state;
	struct err e;
	char folder[] = "/tmp/weir-reserve.XXXXXX";
	AUTO_BUF path = {0};
	assert_non_null(mkdtemp(folder));
	buf_printf(&path, "%s/reserve", folder);
	assert_false(reserve_is_held(folder));
	assert_ok(reserve_release(folder, &e), e);
	assert_ok(reserve_restore(folder, &e), e);
	assert_true(reserve_is_held(folder));
	assert_ok(reserve_restore(folder, &e), e);
	assert_int_equal(truncate(path.p, 4096), 0);
	assert_false(reserve_is_held(folder));
	assert_ok(reserve_restore(folder, &e), e);
	assert_true(reserve_is_held(folder));
	assert_ok(reserve_release(folder, &e), e);
	assert_false(reserve_is_held(folder));
	assert_ok(file_remove_tree(folder, &e), e);
}

static void leaves_nothing_half_without_room(void **state) {
	(void)state;
	struct err e;
	struct rlimit before, small = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
	char folder[] = "/tmp/weir-reserve.XXXXXX";
	AUTO_BUF path = {0};
	assert_non_null(mkdtemp(folder));
	buf_printf(&path, "%s/reserve", folder);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool ok = reserve_restore(folder, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_refused(ok, e, ERR_NO_ROOM);
	assert_false(file_exists(path.p));
	assert_ok(file_remove_tree(folder, &e), e);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_held_released_and_made_again),
		cmocka_unit_test(leaves_nothing_half_without_room),
	};
	return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
