// Each refusal of apply_check; what it accepts is told by the scenes and by apply_test.
#include "core/fixture.h"

static struct event of(enum event_kind kind) {
	return (struct event){.kind = kind};
}

static void repositories(void **state) {
	(void)state;
	struct fixture f;
	char long_name[200];
	memset(long_name, 'x', sizeof long_name);
	fixture_begin(&f, 1);
	struct event e = of(EVENT_REPO_ADDED);
	e.repo_added = (struct event_repo_added){
		.repo = {2}, .name = STR("docs"), .trunk = STR("main")};
	struct event good = e;
	e.repo_added.repo.v = 3;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.repo_added.name = STR("shop");
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.repo_added.name = STR_NONE;
	fixture_refused(&f, e, ERR_INVALID);
	e = good, e.repo_added.name = (struct str){long_name, STATE_NAME_MAX + 1};
	fixture_refused(&f, e, ERR_INVALID);
	e = good, e.repo_added.trunk = STR_NONE;
	fixture_refused(&f, e, ERR_INVALID);
	e = good, e.repo_added.trunk = (struct str){long_name, 128};
	fixture_refused(&f, e, ERR_INVALID);
	fixture_apply(&f, good);

	e = of(EVENT_REPO_CONFIGURED);
	e.repo_configured.repo.v = 9;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e.repo_configured.repo.v = 1;
	e.repo_configured.plan = FIXTURE_PLAN;
	fixture_refused(&f, e, ERR_INVALID); // another plan's digest
	e.repo_configured.plan = STR("{}");
	e.repo_configured.plan_digest = digest_of(STR("{}"));
	fixture_refused(&f, e, ERR_INVALID);

	e = of(EVENT_TRUNK_MOVED);
	e.trunk_moved = (struct event_trunk_moved){.repo = {9}};
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e.trunk_moved = (struct event_trunk_moved){.repo = {1}, .from = fixture_oid(5)};
	fixture_refused(&f, e, ERR_CONFLICT);
	fixture_up_to_landing(&f, 1);
	e.trunk_moved.from = fixture_oid(100);
	fixture_refused(&f, e, ERR_BUSY);
	fixture_end(&f);
}

static void changes(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	struct event good = fixture_proposal(&f, 1, 1), e = good;
	e.change_proposed.repo.v = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.change_proposed.head = (struct oid){0};
	fixture_refused(&f, e, ERR_INVALID);
	e = good, e.change_proposed.change.v = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.change_proposed.revision = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.change_proposed.priority = (int64_t)1 << 40;
	fixture_refused(&f, e, ERR_INVALID);
	fixture_apply(&f, good);

	static const enum event_kind open[] = {EVENT_CHANGE_QUEUED, EVENT_CHANGE_WITHDRAWN,
	                                       EVENT_CHANGE_REJECTED, EVENT_CHANGE_VERIFIED};
	for (size_t i = 0; i < ARRAY_LEN(open); i++) { // change and revision come first in all of them
		e = of(open[i]);
		e.change_queued = (struct event_change_queued){.change = {2}, .revision = 1};
		fixture_refused(&f, e, ERR_NOT_FOUND);
		e.change_queued = (struct event_change_queued){.change = {1}, .revision = 7};
		fixture_refused(&f, e, ERR_CONFLICT);
	}
	e = of(EVENT_CHANGE_RETRIED);
	e.change_retried = (struct event_change_retried){{1}, 1, STR_NONE};
	fixture_refused(&f, e, ERR_NOT_FOUND);
	fixture_apply(&f, (struct event){.kind = EVENT_CHANGE_REJECTED,
	                                 .change_rejected = {.change = {1}, .revision = 1}});
	e.change_retried.revision = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e.change_retried.revision = 1;
	fixture_apply(&f, e);
	fixture_end(&f);
}

static void while_landing(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	uint64_t candidate = fixture_up_to_landing(&f, 1);
	fixture_refused(&f, fixture_proposal(&f, 1, 7), ERR_BUSY);
	struct event e = of(EVENT_CHANGE_WITHDRAWN);
	e.change_withdrawn = (struct event_change_withdrawn){{1}, 1, STR_NONE};
	fixture_refused(&f, e, ERR_CONFLICT);
	struct event good = fixture_landed(&f, candidate);
	e = good, e.change_landed.landing.v = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.change_landed.landing.v = 0;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.change_landed.candidate.v = 9;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.change_landed.commit = fixture_oid(1);
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.change_landed.tree = fixture_oid(1);
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.change_landed.change.v = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.change_landed.previous = fixture_oid(1);
	fixture_refused(&f, e, ERR_CONFLICT);
	e = good, e.change_landed.revision = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = of(EVENT_LANDING_FAILED);
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e.landing_failed.landing.v = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	fixture_apply(&f, good);
	fixture_refused(&f, good, ERR_NOT_FOUND); // twice
	fixture_end(&f);
}

static void candidates(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	fixture_apply(&f, fixture_proposal(&f, 1, 1));
	struct event good = of(EVENT_CANDIDATE_ISSUED), e;
	good.candidate_issued = (struct event_candidate_issued){
		.candidate = {1}, .repo = {1}, .change = {1}, .revision = 1};
	e = good, e.candidate_issued.repo.v = 4;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.candidate_issued.base_candidate.v = 4;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.candidate_issued.change.v = 4;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = good, e.candidate_issued.candidate.v = 4;
	fixture_refused(&f, e, ERR_CONFLICT);
	fixture_refused(&f, fixture_built(1), ERR_NOT_FOUND);
	e = of(EVENT_CANDIDATE_DROPPED);
	e.candidate_dropped.candidate.v = 1;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	fixture_decide(&f);
	e = fixture_built(1);
	e.candidate_built.plan_digest = fixture_key(1);
	fixture_refused(&f, e, ERR_INVALID);
	fixture_apply(&f, fixture_built(1));
	fixture_refused(&f, fixture_built(1), ERR_CONFLICT); // twice
	e = of(EVENT_CANDIDATE_REFUSED);
	e.candidate_refused.candidate.v = 1;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = of(EVENT_RELEASE_REFUSED);
	e.release_refused.candidate.v = 1;
	fixture_refused(&f, e, ERR_CONFLICT);
	e = of(EVENT_LANDING_ISSUED);
	e.landing_issued.candidate.v = 1;
	e.landing_issued.landing.v = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e.landing_issued.candidate.v = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	fixture_end(&f);
}

static void runs(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	static const enum event_kind kinds[] = {EVENT_RUN_STARTED, EVENT_RUN_FINISHED,
	                                        EVENT_RUN_REUSED,  EVENT_RUN_CANCEL_ISSUED,
	                                        EVENT_RUN_STOPPED, EVENT_RUN_LOST};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) { // the run comes first in all of them
		struct event e = of(kinds[i]);
		e.run_started.run.v = 1;
		fixture_refused(&f, e, ERR_NOT_FOUND);
	}
	fixture_apply(&f, fixture_proposal(&f, 1, 1));
	fixture_decide(&f);
	struct event e = of(EVENT_RUN_ISSUED);
	e.run_issued = (struct event_run_issued){.run = {1}, .candidate = {1}};
	fixture_refused(&f, e, ERR_NOT_FOUND); // not built: it has no jobs
	fixture_apply(&f, fixture_built(1));
	e.run_issued.run.v = 2;
	fixture_refused(&f, e, ERR_CONFLICT);
	e.run_issued.job = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e.run_issued.job = -1;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e.run_issued = (struct event_run_issued){.run = {1}, .candidate = {2}};
	fixture_refused(&f, e, ERR_NOT_FOUND);
	fixture_decide(&f);
	struct event stopped = of(EVENT_RUN_STOPPED), started = of(EVENT_RUN_STARTED);
	struct event cancel = of(EVENT_RUN_CANCEL_ISSUED);
	stopped.run_stopped.run.v = started.run_started.run.v = cancel.run_cancel_issued.run.v = 1;
	fixture_refused(&f, stopped, ERR_CONFLICT); // nobody asked it to
	fixture_apply(&f, started);
	fixture_refused(&f, started, ERR_CONFLICT);
	fixture_apply(&f, cancel);
	fixture_refused(&f, cancel, ERR_CONFLICT);
	fixture_refused(&f, started, ERR_CONFLICT); // must not make it forget the cancel
	assert_int_equal(state_run(&f.s, (struct run_id){1})->state, RUN_CANCELLING);
	fixture_apply(&f, stopped);
	fixture_end(&f);
}

static struct event deploy(uint64_t release, bool force) {
	return (struct event){.kind = EVENT_DEPLOY_REQUESTED,
	                      .deploy_requested = {{1}, {release}, force, STR_NONE}};
}

static struct event rollback(void) {
	return (struct event){.kind = EVENT_ROLLBACK_REQUESTED, .rollback_requested = {.env = {1}}};
}

static struct event rolled_out(uint64_t rollout) {
	return (struct event){.kind = EVENT_ROLLOUT_FINISHED,
	                      .rollout_finished = {.rollout = {rollout}, .outcome = OUTCOME_PASSED}};
}

static void environments(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	fixture_refused(&f, deploy(1, false), ERR_NOT_FOUND);
	fixture_refused(&f, rollback(), ERR_CONFLICT);
	fixture_refused(&f, rolled_out(1), ERR_NOT_FOUND);
	fixture_refused(&f, rolled_out(0), ERR_NOT_FOUND);
	fixture_land(&f, 1);
	fixture_refused(&f, rollback(), ERR_CONFLICT); // the first one: nothing before it
	struct event e = of(EVENT_ROLLOUT_ISSUED);
	e.rollout_issued = (struct event_rollout_issued){.rollout = {2}, .env = {1}, .release = {1}};
	fixture_refused(&f, e, ERR_CONFLICT); // one at a time
	fixture_apply(&f, rolled_out(1));
	e.rollout_issued.rollout.v = 3;
	fixture_refused(&f, e, ERR_CONFLICT);
	e.rollout_issued.env.v = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	fixture_land(&f, 2);
	fixture_apply(&f, rolled_out(2));
	fixture_apply(&f, rollback());
	fixture_refused(&f, rollback(), ERR_CONFLICT);
	fixture_decide(&f);
	fixture_refused(&f, rollback(), ERR_CONFLICT);
	fixture_refused(&f, deploy(2, false), ERR_CONFLICT);
	fixture_apply(&f, deploy(2, true));
	fixture_refused(&f, deploy(3, false), ERR_NOT_FOUND);
	e = deploy(1, false);
	e.deploy_requested.env.v = 2;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	static const enum event_kind kinds[] = {EVENT_ENV_UNHEALTHY, EVENT_ENV_HEALTHY};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		e = of(kinds[i]);
		e.env_healthy.env.v = 5;
		fixture_refused(&f, e, ERR_NOT_FOUND);
	}
	e = of(EVENT_RELEASE_BLOCKED);
	e.release_blocked.env.v = 5;
	fixture_refused(&f, e, ERR_NOT_FOUND);
	e = of(EVENT_RELEASE_MADE);
	e.release_made.release.v = 7;
	fixture_refused(&f, e, ERR_CONFLICT);
	fixture_end(&f);
}

static void releases_of_others(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	fixture_land(&f, 1);
	fixture_apply(&f, rolled_out(1));
	struct release *r = state_release(&f.s, (struct release_id){1});
	r->repo.v = 2; // as if another repository had made it
	fixture_refused(&f, deploy(1, true), ERR_INVALID);
	fixture_end(&f);
}

static void time_and_kinds(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	f.now_ms--;
	fixture_refused(&f, of(EVENT_CLOCK_PASSED), ERR_INVALID);
	f.now_ms++;
	fixture_refused(&f, of(EVENT_NONE), ERR_INVALID);
	fixture_refused(&f, of((enum event_kind)99), ERR_INVALID);
	fixture_apply(&f, of(EVENT_CLOCK_PASSED));
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repositories),
		cmocka_unit_test(changes),
		cmocka_unit_test(while_landing),
		cmocka_unit_test(candidates),
		cmocka_unit_test(runs),
		cmocka_unit_test(environments),
		cmocka_unit_test(releases_of_others),
		cmocka_unit_test(time_and_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
