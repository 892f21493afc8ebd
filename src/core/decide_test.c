// What the scenes (test/scene) do not tell: silence, bounds, what decide leaves behind.
#include "core/decide.h"

#include "base/prng.h"
#include "core/batch.h"
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

static void build_all(struct fixture *f) {
	for (size_t i = 0; i < f->s.candidates.count; i++) {
		const struct candidate *c = table_at(&f->s.candidates, i);
		if (c->state != CANDIDATE_BUILDING) continue;
		struct event e = fixture_built(c->id.v);
		unsigned any = (unsigned)c->change.v * 2654435761U;
		e.candidate_built.affects = arena_printf(
			&f->life, "{\"files\":[%u],\"jobs\":[\"a%u\",\"a%u\"]}", 1000 + (unsigned)c->change.v,
			(any >> 8) % 20, (any >> 12) % 20);
		fixture_apply(f, e);
	}
}

static bool is_bad(struct change_id id) {
	return id.v % 20 == 7;
}

static bool holds_a_bad_one(const struct state *s, const struct candidate *c) {
	for (; c; c = state_candidate(s, c->base_candidate))
		for (size_t i = 0; i < batch_size(s, c); i++)
			if (is_bad(batch_member(s, c, i).change)) return true;
	return false;
}

static void end_some_runs(struct fixture *f, struct prng *random) {
	for (int i = 0; i < 5 && f->s.runs.count; i++) {
		const struct run *r = table_at(&f->s.runs, prng_below(random, f->s.runs.count));
		bool bad = holds_a_bad_one(&f->s, state_candidate(&f->s, r->candidate));
		struct event e = fixture_finished(r->id.v, bad ? OUTCOME_FAILED : OUTCOME_PASSED);
		if (r->state == RUN_CANCELLING)
			e = (struct event){.kind = EVENT_RUN_STOPPED, .run_stopped = {.run = r->id}};
		else if (r->lookup)
			e = (struct event){.kind = EVENT_RUN_MISSED, .run_missed = {.run = r->id}};
		fixture_apply(f, e);
	}
}

static void drain(int64_t slots) {
	struct fixture f;
	struct prng random = prng_seeded(7);
	fixture_begin(&f, slots);
	for (uint64_t i = 1; i <= 100; i++) fixture_apply(&f, fixture_proposal(&f, i, 1000 + i));
	for (int turns = 0; f.s.changes.count; turns++) {
		const struct repo *r = table_at(&f.s.repos, 0);
		assert_true(turns < 5000);
		f.now_ms += 1000;
		build_all(&f);
		end_some_runs(&f, &random);
		for (uint64_t landing = r->landing.v; landing && r->landing.v == landing;)
			fixture_apply(&f, batch_landed(&f.s, r, 0));
		fixture_decide(&f);
		arena_reset(&f.life);
	}
	assert_int_equal(f.s.rejected.count, 5);
	for (size_t i = 0; i < f.s.rejected.count; i++)
		assert_true(is_bad(((struct change *)table_at(&f.s.rejected, i))->id));
	assert_int_equal(f.s.areas.count + f.s.members.count, 0);
	fixture_end(&f);
}

// Each turn falls silent (decide_turn asserts it), also with more changes than slots, and slots to
// spare for unlikely paths; and only those that are to blame are rejected.
static void a_long_queue_drains(void **state) {
	(void)state;
	static const int64_t slots[] = {1, 2, 5, 12, 60, 200};
	for (size_t i = 0; i < ARRAY_LEN(slots); i++) drain(slots[i]);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_call_is_silent),
		cmocka_unit_test(replay_needs_no_decide),
		cmocka_unit_test(nothing_is_left_of_what_landed),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(a_long_queue_drains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
