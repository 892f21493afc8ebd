#include "sim/explore.h"

#include "base/unit.h"

static void explore(const struct explore_options *o) {
	struct explore_result r;
	struct err why;
	assert_ok(explore_run(o, &r, &why), why);
	print_message(
		"%d changes, %d jobs, %d slots: %llu states, %llu steps, %llu ends, longest %d%s\n",
		o->changes, o->jobs, o->slots, (unsigned long long)r.states, (unsigned long long)r.steps,
		(unsigned long long)r.ends, r.depth, r.whole ? "" : " (cut)");
	assert_true(r.ends > 0 && r.whole);
}

static void one_change_and_everything(void **state) {
	(void)state;
	explore(&(struct explore_options){.changes = 1,
	                                  .jobs = 2,
	                                  .slots = 2,
	                                  .revisions = 1,
	                                  .withdrawals = 1,
	                                  .lost = 1,
	                                  .foreign = 1,
	                                  .rollbacks = 1,
	                                  .crashes = true,
	                                  .states_max = 100000});
}

static void two_changes(void **state) {
	(void)state;
	explore(&(struct explore_options){.changes = 2,
	                                  .jobs = 1,
	                                  .slots = 1,
	                                  .revisions = 1,
	                                  .lost = 1,
	                                  .rollbacks = 1,
	                                  .priorities = true,
	                                  .crashes = true,
	                                  .states_max = 100000});
}

static void three_changes_and_a_crash_at_each_step(void **state) {
	(void)state;
	explore(&(struct explore_options){
		.changes = 3, .jobs = 1, .slots = 2, .crashes = true, .states_max = 100000});
	explore(&(struct explore_options){.changes = 3,
	                                  .jobs = 0,
	                                  .slots = 1,
	                                  .withdrawals = 1,
	                                  .foreign = 1,
	                                  .crashes = true,
	                                  .states_max = 100000});
}

static void changes_that_may_touch_nothing_in_common(void **state) {
	(void)state;
	explore(&(struct explore_options){.changes = 2,
	                                  .jobs = 2,
	                                  .slots = 2,
	                                  .apart = true,
	                                  .foreign = 1,
	                                  .crashes = true,
	                                  .states_max = 1000000});
	explore(&(struct explore_options){
		.changes = 3, .jobs = 1, .slots = 1, .apart = true, .states_max = 1000000});
}

static void red_runs_that_may_be_flakes(void **state) {
	(void)state;
	explore(&(struct explore_options){.changes = 1,
	                                  .jobs = 2,
	                                  .slots = 1,
	                                  .doubts = true,
	                                  .lost = 1,
	                                  .withdrawals = 1,
	                                  .crashes = true,
	                                  .states_max = 100000});
}

static void four_changes(void **state) {
	(void)state;
	explore(&(struct explore_options){.changes = 4, .jobs = 1, .slots = 1, .states_max = 1000000});
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_change_and_everything),
		cmocka_unit_test(two_changes),
		cmocka_unit_test(three_changes_and_a_crash_at_each_step),
		cmocka_unit_test(changes_that_may_touch_nothing_in_common),
		cmocka_unit_test(red_runs_that_may_be_flakes),
		cmocka_unit_test(four_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
