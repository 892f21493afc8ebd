// How long candidates are expected to take.
#include "core/forecast.h"

#include "core/areas.h"
#include "core/fixture.h"
#include "core/predict.h"

#define PLAN                                                                       \
	STR("{\"environments\":[],\"jobs\":[{\"name\":\"build\",\"when\":\"change\"}," \
	    "{\"name\":\"test\",\"needs\":[0],\"when\":\"change\"},"                   \
	    "{\"name\":\"lint\",\"when\":\"change\"},{\"name\":\"soak\",\"when\":\"landed\"}]}")

static const struct repo_id repo = {1};

static void begin(struct fixture *f, int64_t slots) {
	fixture_begin(f, slots);
	fixture_apply(
		f, (struct event){
			   .kind = EVENT_REPO_CONFIGURED,
			   .repo_configured = {.repo = repo, .plan_digest = digest_of(PLAN), .plan = PLAN}});
	fixture_apply(f, fixture_proposal(f, 1, 1001));
	fixture_decide(f); // it is queued with a chance: from now on the state learns
}

static struct forecast forecast(struct fixture *f) {
	struct forecast out;
	forecast_begin(&out, &f->s, state_repo(&f->s, repo), f->s.slots, &f->life);
	return out;
}

static int64_t change_ms(struct fixture *f, int64_t *work_ms) {
	struct forecast p = forecast(f);
	return forecast_change_ms(&p, state_change(&f->s, (struct change_id){1}), work_ms);
}

static void the_longest_chain_or_all_over_the_slots(void **state) {
	(void)state;
	for (int64_t slots = 1; slots <= 3; slots++) {
		struct fixture f;
		int64_t work_ms;
		begin(&f, slots);
		assert_int_equal(change_ms(&f, &work_ms), FORECAST_UNKNOWN_MS);
		predict_saw_run(&f.s, repo, STR("build"), 20000);
		predict_saw_run(&f.s, repo, STR("test"), 40000);
		predict_saw_run(&f.s, repo, STR("soak"), 900000); // after the landing
		// lint was never seen: it counts as the others do, which is 320 s.
		assert_int_equal(change_ms(&f, &work_ms), slots == 1 ? 380000 : 320000);
		assert_int_equal(work_ms, 380000);
		predict_saw_run(&f.s, repo, STR("lint"), 9000);
		assert_int_equal(change_ms(&f, &work_ms), slots == 1 ? 69000 : 60000);
		fixture_end(&f);
	}
}

static void what_is_not_touched_takes_no_time(void **state) {
	(void)state;
	struct fixture f;
	int64_t work_ms;
	begin(&f, 1);
	predict_saw_run(&f.s, repo, STR("build"), 20000);
	predict_saw_run(&f.s, repo, STR("test"), 40000);
	predict_saw_run(&f.s, repo, STR("lint"), 9000);
	struct change *c = state_change(&f.s, (struct change_id){1});
	areas_set(&f.s, c, STR("{\"files\":[1],\"jobs\":[\"lint\"]}"));
	assert_int_equal(change_ms(&f, &work_ms), 9000);
	areas_set(&f.s, c, STR("{\"files\":[1],\"jobs\":[]}"));
	assert_int_equal(change_ms(&f, &work_ms), 1000); // it is built and landed all the same
	assert_int_equal(work_ms, 0);
	fixture_end(&f);
}

static void what_has_run_is_over(void **state) {
	(void)state;
	struct fixture f;
	int64_t whole_ms, left_ms;
	begin(&f, 1);
	predict_saw_run(&f.s, repo, STR("build"), 20000);
	predict_saw_run(&f.s, repo, STR("test"), 40000);
	predict_saw_run(&f.s, repo, STR("lint"), 9000);
	struct event built = fixture_built(1);
	built.candidate_built.plan = PLAN;
	built.candidate_built.plan_digest = digest_of(PLAN);
	fixture_apply(&f, built);
	fixture_decide(&f);
	const struct candidate *c = state_candidate(&f.s, (struct candidate_id){1});
	struct forecast p = forecast(&f);
	int64_t issued_ms = f.now_ms;
	forecast_candidate(&p, c, issued_ms, &whole_ms, &left_ms);
	assert_int_equal(whole_ms, 69000);
	assert_int_equal(left_ms, 69000);
	forecast_candidate(&p, c, issued_ms + 12000, &whole_ms, &left_ms);
	assert_int_equal(left_ms, 57000);
	forecast_candidate(&p, c, issued_ms + 120000, &whole_ms, &left_ms); // longer than ever
	assert_int_equal(left_ms, 54000);
	f.now_ms += 12000;
	fixture_apply(&f, fixture_finished(1, OUTCOME_PASSED));
	p = forecast(&f);
	forecast_candidate(&p, c, f.now_ms, &whole_ms, &left_ms);
	assert_int_equal(left_ms, 49000);
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_chain_or_all_over_the_slots),
		cmocka_unit_test(what_is_not_touched_takes_no_time),
		cmocka_unit_test(what_has_run_is_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
