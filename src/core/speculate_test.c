// Which candidates exist: on what, when, and for how long. The whole story is told by
// test/scene/speculation.scene.
#include "core/speculate.h"

#include "core/fixture.h"

static struct speculate_plan planned(struct fixture *f, size_t slots) {
	struct speculate_plan plan;
	const struct repo *r = state_repo(&f->s, (struct repo_id){1});
	speculate_repo(&f->s, r, f->now_ms, slots, &f->life, &plan);
	return plan;
}

static void propose(struct fixture *f, uint64_t key, int64_t priority) {
	struct event e = fixture_proposal(f, key, 1000 + key);
	e.change_proposed.priority = priority;
	fixture_apply(f, e);
	fixture_decide(f);
}

static const struct candidate *candidate(struct fixture *f, uint64_t id) {
	return state_candidate(&f->s, (struct candidate_id){id});
}

static void a_chain_as_long_as_there_are_slots(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 3);
	for (uint64_t key = 1; key <= 4; key++) propose(&f, key, 0);
	assert_int_equal(f.s.candidates.count, 1); // the next one needs its commit
	for (uint64_t id = 1; id <= 3; id++) {
		fixture_apply(&f, fixture_built(id));
		fixture_decide(&f);
	}
	assert_int_equal(f.s.candidates.count, 3);
	assert_int_equal(candidate(&f, 2)->base_candidate.v, 1);
	assert_int_equal(candidate(&f, 3)->base_candidate.v, 2);
	assert_true(oid_eq(candidate(&f, 3)->base, candidate(&f, 2)->commit));
	assert_int_equal(planned(&f, 3).issue_count + planned(&f, 3).stop_count, 0);
	struct speculate_plan more = planned(&f, 4);
	assert_int_equal(more.issue_count, 1);
	assert_int_equal(more.issues[0].members[0].change.v, 4);
	assert_int_equal(more.issues[0].base.v, 3);
	fixture_end(&f);
}

// What stands on one that is refused is not waited for: the next change stands beside it.
static void a_refused_one_is_stepped_over(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 4);
	for (uint64_t key = 1; key <= 3; key++) propose(&f, key, 0);
	fixture_apply(&f, fixture_built(1));
	fixture_decide(&f);
	struct event refused = {.kind = EVENT_CANDIDATE_REFUSED};
	refused.candidate_refused.candidate.v = 2;
	refused.candidate_refused.reason = REASON_CONFLICT_WITH_BASE;
	fixture_apply(&f, refused);
	fixture_decide(&f);
	assert_int_equal(candidate(&f, 3)->change.v, 3);
	assert_int_equal(candidate(&f, 3)->base_candidate.v, 1);
	assert_non_null(state_change(&f.s, (struct change_id){2})); // rejected when 1 has landed
	fixture_end(&f);
}

static void who_goes_ahead_turns_the_paths_of_the_others(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 2);
	propose(&f, 1, 0);
	propose(&f, 2, 0);
	fixture_apply(&f, fixture_built(1));
	fixture_decide(&f);
	fixture_apply(&f, fixture_built(2));
	fixture_decide(&f);
	propose(&f, 3, 50);
	const struct candidate *first = NULL;
	for (size_t i = 0; i < f.s.candidates.count; i++) {
		const struct candidate *c = table_at(&f.s.candidates, i);
		if (c->change.v == 3) first = c;
	}
	assert_true(first && first->base_candidate.v == 0);
	fixture_end(&f);
}

static void drafts_are_tested_and_nobody_waits_for_them(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 3);
	struct event draft = fixture_proposal(&f, 1, 1001);
	draft.change_proposed.draft = 1;
	fixture_apply(&f, draft);
	propose(&f, 2, 0);
	assert_int_equal(f.s.candidates.count, 2);
	assert_int_equal(candidate(&f, 1)->base_candidate.v + candidate(&f, 2)->base_candidate.v, 0);
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_as_long_as_there_are_slots),
		cmocka_unit_test(a_refused_one_is_stepped_over),
		cmocka_unit_test(who_goes_ahead_turns_the_paths_of_the_others),
		cmocka_unit_test(drafts_are_tested_and_nobody_waits_for_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
