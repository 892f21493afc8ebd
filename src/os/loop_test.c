// Lanes: work that lasts never takes the whole pool.
#include <stdatomic.h>

#include "base/unit.h"
#include "os/clock.h"
#include "os/loop.h"

struct seen {
	struct loop *loop;
	atomic_int now, most;
	int order[8], begun, done;
};

struct item {
	struct seen *seen;
	int number;
};

static void work(void *context) {
	struct item *i = context;
	int now = atomic_fetch_add(&i->seen->now, 1) + 1;
	if (now > atomic_load(&i->seen->most)) atomic_store(&i->seen->most, now);
	clock_sleep_ms(20);
	atomic_fetch_sub(&i->seen->now, 1);
}

static void done(void *context) {
	struct item *i = context;
	i->seen->order[i->seen->done++] = i->number;
	if (loop_working(i->seen->loop) == 0) loop_stop(i->seen->loop);
}

static void test_lane(void **state) {
	struct seen seen = {.loop = NULL};
	struct item items[6];
	struct err e;
	(void)state;
	assert_true(loop_open(&seen.loop, &e));
	struct loop_lane *lane = loop_lane(seen.loop, 1);
	for (int i = 0; i < 6; i++) {
		items[i] = (struct item){&seen, i};
		loop_lane_work(lane, work, done, &items[i]);
	}
	assert_int_equal(loop_working(seen.loop), 6);
	loop_run(seen.loop);
	assert_int_equal(seen.done, 6);
	assert_int_equal(atomic_load(&seen.most), 1);
	for (int i = 0; i < 6; i++) assert_int_equal(seen.order[i], i);
	loop_lane_free(lane);
	loop_close(seen.loop);
}

// A full lane leaves the pool to others.
static void test_beside_a_lane(void **state) {
	struct seen seen = {.loop = NULL};
	struct item items[4];
	struct err e;
	(void)state;
	assert_true(loop_open(&seen.loop, &e));
	struct loop_lane *lane = loop_lane(seen.loop, 2);
	for (int i = 0; i < 3; i++) {
		items[i] = (struct item){&seen, i};
		loop_lane_work(lane, work, done, &items[i]);
	}
	items[3] = (struct item){&seen, 3};
	loop_work(seen.loop, work, done, &items[3]);
	loop_run(seen.loop);
	assert_int_equal(atomic_load(&seen.most), 3);
	assert_int_equal(seen.order[3], 2); // it waited for the first of its lane
	loop_lane_free(lane);
	loop_close(seen.loop);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lane),
		cmocka_unit_test(test_beside_a_lane),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
