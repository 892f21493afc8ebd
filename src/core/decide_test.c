// What the scenes (test/scene) do not tell: silence, bounds, what decide leaves behind.
#include "core/decide.h"

#include "core/fixture.h"

static void a_second_call_is_silent(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 2);
	assert_int_equal(fixture_decide(&f), 0);
	for (uint64_t i = 1; i <= 50; i++) fixture_apply(&f, fixture_proposal(&f, i, i));
	assert_int_equal(fixture_decide(&f), 51); // 50 queued, one candidate
	struct digest before = state_digest(&f.s);
	assert_int_equal(fixture_decide(&f), 0);
	assert_true(digest_eq(before, state_digest(&f.s)));
	fixture_end(&f);
}

static void replay_needs_no_decide(void **state) {
	(void)state;
	struct fixture f, again;
	fixture_begin(&f, 2);
	fixture_begin(&again, 2);
	struct event e = fixture_proposal(&f, 1, 1);
	fixture_apply(&f, e);
	fixture_decide(&f);
	fixture_apply(&again, e);
	for (size_t i = 0; i < f.list.count; i++) fixture_apply(&again, f.list.events[i]);
	assert_true(digest_eq(state_digest(&f.s), state_digest(&again.s)));
	fixture_end(&f);
	fixture_end(&again);
}

static void nothing_is_left_of_what_landed(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 2);
	size_t bytes = 0;
	for (uint64_t i = 1; i <= 60; i++) {
		fixture_land(&f, i);
		uint64_t rollout = state_env(&f.s, (struct env_id){1})->rollout.v;
		fixture_apply(&f, (struct event){.kind = EVENT_ROLLOUT_FINISHED,
		                                 .rollout_finished = {.rollout = {rollout},
		                                                      .outcome = OUTCOME_PASSED}});
		fixture_decide(&f);
		if (i == 20) bytes = state_bytes(&f.s);
	}
	assert_int_equal(state_bytes(&f.s), bytes);
	assert_int_equal(f.s.changes.count, 0);
	assert_int_equal(f.s.candidates.count, 1);
	assert_int_equal(f.s.releases.count, STATE_HISTORY + 1); // the newest, and what it replaced
	fixture_end(&f);
}

static void deadlines(void **state) {
	(void)state;
	struct fixture f;
	struct str plan = STR("{\"jobs\":[{\"name\":\"soak\",\"when\":\"nightly\"}]}");
	struct event built = fixture_built(1);
	fixture_begin(&f, 1);
	assert_int_equal(decide_deadline(&f.s), -1);
	built.candidate_built.plan = plan;
	built.candidate_built.plan_digest = digest_of(plan);
	fixture_apply(&f, fixture_proposal(&f, 1, 1));
	fixture_decide(&f);
	fixture_apply(&f, built);
	fixture_decide(&f);
	assert_int_equal(decide_deadline(&f.s), -1);
	fixture_apply(&f, fixture_landed(&f, 1));
	fixture_decide(&f);
	assert_int_equal(decide_deadline(&f.s), 86400000);
	f.now_ms = 86400000;
	assert_int_equal(fixture_decide(&f), 1);
	assert_int_equal(f.list.events[0].kind, EVENT_RUN_ISSUED);
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_call_is_silent),
		cmocka_unit_test(replay_needs_no_decide),
		cmocka_unit_test(nothing_is_left_of_what_landed),
		cmocka_unit_test(deadlines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
