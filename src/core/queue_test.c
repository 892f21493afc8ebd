// Single decisions of the policy that no scene shows well. How good it is as a whole is measured by
// the simulator (sim/queuemodel_test.c, bench/bench_queue).
#include "core/queue.h"

#include "base/unit.h"

enum { MOST = 6 };

struct question { // sets are the bits of one word
	struct arena life;
	struct queue_change changes[MOST];
	struct queue_try tries[MOST];
	uint64_t before[MOST], members[MOST], base[MOST], refuted;
	struct queue_view view;
	struct queue_plan plan;
};

static void ask(struct question *q, size_t changes, size_t tries, size_t slots) {
	for (size_t i = 0; i < changes; i++) {
		if (q->changes[i].success <= 0) q->changes[i].success = .92;
		q->changes[i].duration_ms = 60000;
		q->changes[i].before = &q->before[i];
	}
	for (size_t i = 0; i < tries; i++) {
		q->tries[i].members = &q->members[i];
		q->tries[i].base = &q->base[i];
		q->tries[i].refuted = &q->refuted;
		q->tries[i].ends_ms = 60000;
		q->tries[i].faked = q->tries[i].state != QUEUE_FAILED;
	}
	q->view = (struct queue_view){.mean_ms = 60000,
	                              .load = .5,
	                              .conflicts = .03,
	                              .knobs = queue_lean,
	                              .chains = true,
	                              .slots = slots,
	                              .changes = q->changes,
	                              .change_count = changes,
	                              .tries = q->tries,
	                              .try_count = tries};
	q->view.knobs.early = 0;
	queue_decide(&q->view, &q->life, &q->plan);
}

static bool starts(const struct question *q, uint64_t members, uint64_t base) {
	for (size_t i = 0; i < q->plan.start_count; i++)
		if (*q->plan.starts[i].members == members && *q->plan.starts[i].base == base) return true;
	return false;
}

// 2 runs on 1, which has no candidate and waits for 0, which has none: they need its slot.
static void what_runs_gives_way_to_what_it_stands_on(void **state) {
	(void)state;
	struct question q = {.before = {0, 1, 3}, .members = {4}, .base = {2}};
	q.changes[0].success = .7;
	ask(&q, 3, 1, 1);
	assert_int_equal(q.plan.stop_count, 1);
	assert_true(starts(&q, 1, 0));
	arena_free(&q.life);
}

// All four of a red batch look good, each by itself; 4 on all of them was red: that is no news
// of 4.
static void red_on_a_red_batch_blames_nobody(void **state) {
	(void)state;
	for (int whole = 0; whole <= 1; whole++) {
		struct question q = {
			.before = {0, 1, 3, 7, 15, 31}, .members = {15, 16}, .base = {0, whole ? 15 : 7}};
		q.tries[0].state = q.tries[1].state = QUEUE_FAILED;
		ask(&q, 6, 2, 20);
		bool believed = false; // that 4 lands: then 5 is tested on it
		for (size_t i = 0; i < q.plan.start_count; i++)
			believed |= *q.plan.starts[i].members == 32 && (*q.plan.starts[i].base & 16);
		assert_int_equal(believed, whole);
		arena_free(&q.life);
	}
}

static void a_batch_is_of_one_rank_and_of_changes_that_meet(void **state) {
	(void)state;
	struct question q = {.before = {0, 1, 0, 11}};
	q.changes[0].rank = q.changes[1].rank = q.changes[2].rank = 5; // 3 is of rank 0
	ask(&q, 4, 0, 1);
	assert_true(starts(&q, 3, 0)); // not 2, which meets nobody of them, nor 3
	arena_free(&q.life);
}

static void the_head_of_the_queue_is_never_passed_over(void **state) {
	(void)state;
	struct question q = {.before = {0, 1, 3, 7, 15}};
	q.changes[0].success = .1; // everything else looks better
	ask(&q, 5, 0, 1);
	assert_true(starts(&q, 1, 0));
	arena_free(&q.life);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_runs_gives_way_to_what_it_stands_on),
		cmocka_unit_test(red_on_a_red_batch_blames_nobody),
		cmocka_unit_test(a_batch_is_of_one_rank_and_of_changes_that_meet),
		cmocka_unit_test(the_head_of_the_queue_is_never_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
