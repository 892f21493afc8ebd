// Wall clocks that jump, and what the log makes of them.
#include "app/turnclock.h"
#include "base/unit.h"

static const int64_t DAY_MS = 86400000, NOON_MS = 1000LL * 86400000;

static void follows_a_good_clock(void **state) {
	(void)state;
	struct turnclock c = turnclock_from(NOON_MS, 5000000);
	assert_int_equal(turnclock_now(&c, NOON_MS + 1000, 6000000), NOON_MS + 1000);
	assert_int_equal(turnclock_now(&c, NOON_MS + 1000, 6000400), NOON_MS + 1000);
	assert_int_equal(turnclock_now(&c, NOON_MS + 2000, 7000000), NOON_MS + 2000);
	assert_int_equal(turnclock_fell_behind(&c, NOON_MS + 2000), 0);
}

static void follows_a_jump_forward(void **state) {
	(void)state;
	struct turnclock c = turnclock_from(NOON_MS, 0);
	assert_int_equal(turnclock_now(&c, NOON_MS + DAY_MS, 1000), NOON_MS + DAY_MS);
	assert_int_equal(turnclock_fell_behind(&c, NOON_MS + DAY_MS), 0);
}

static void goes_on_after_a_jump_back(void **state) {
	(void)state;
	struct turnclock c = turnclock_from(NOON_MS, 0);
	int64_t wall = NOON_MS - DAY_MS;
	assert_int_equal(turnclock_now(&c, wall, 0), NOON_MS);
	assert_int_equal(turnclock_fell_behind(&c, wall), DAY_MS);
	assert_int_equal(turnclock_fell_behind(&c, wall), 0); // said once
	assert_int_equal(turnclock_now(&c, wall + 10000, 10000000), NOON_MS + 9000);
	assert_int_equal(turnclock_now(&c, wall + 20000, 20000000), NOON_MS + 18000);
}

static void small_steps_add_up(void **state) {
	(void)state;
	struct turnclock c = turnclock_from(NOON_MS, 0);
	int64_t now = 0, before = NOON_MS;
	for (int64_t us = 0; us <= 10000000; us += 7) {
		now = turnclock_now(&c, 0, us);
		assert_true(now >= before);
		before = now;
	}
	assert_in_range(now, NOON_MS + 8999, NOON_MS + 9000);
}

// A correction of ten seconds is worked off in a hundred; then the wall clock is the time again.
static void is_caught_up_with(void **state) {
	(void)state;
	struct turnclock c = turnclock_from(NOON_MS, 0);
	int64_t s = 0, wall = NOON_MS - 10000;
	while (s < 1000 && turnclock_now(&c, wall + s * 1000, s * 1000000) != wall + s * 1000) s++;
	assert_in_range(s, 100, 101);
	assert_int_equal(turnclock_fell_behind(&c, wall + s * 1000), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_a_good_clock),      cmocka_unit_test(follows_a_jump_forward),
		cmocka_unit_test(goes_on_after_a_jump_back), cmocka_unit_test(small_steps_add_up),
		cmocka_unit_test(is_caught_up_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
