// What runs where, and where a rollback leads.
#include "store/fixture.h"

static void an_environment_keeps_its_number(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_envs envs;
	a_repository(f);
	HAPPENS(f, REPO_ADDED, repo_added, .repo = {2}, .name = STR("blog"));
	HAPPENS(f, REPO_CONFIGURED, repo_configured, .repo = {2}, .plan = STR(plan));
	HAPPENS(f, REPO_CONFIGURED, repo_configured, .repo = {1},
	        .plan = STR("{\"environments\":[{\"name\":\"beta\"},{\"name\":\"production\"}]}"));
	HAPPENS(f, REPO_CONFIGURED, repo_configured, .repo = {1}, .error = STR("bad"));
	assert_ok(read_envs(f->store, (struct repo_id){0}, &f->life, &envs, &e), e);
	assert_int_equal(envs.n, 5);
	static const char *const names[] = {"production", "staging", "production", "staging", "beta"};
	static const int defined[] = {1, 0, 1, 1, 1};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(envs.p[i].id.v, i + 1);
		assert_text(envs.p[i].name, names[i]);
		assert_int_equal(envs.p[i].defined, defined[i]);
	}
}

// A plan that nobody should write must not stop the log.

static void a_rollback_is_told(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_rollouts rollouts;
	struct read_envs envs;
	a_repository(f);
	for (uint64_t i = 1; i <= 2; i++) {
		HAPPENS(f, ROLLOUT_ISSUED, rollout_issued, .rollout = {i}, .env = {1}, .release = {i},
		        .previous = {i - 1}, .cause = STR("landed"));
		HAPPENS(f, ROLLOUT_FINISHED, rollout_finished, .rollout = {i}, .outcome = OUTCOME_PASSED);
	}
	HAPPENS(f, ENV_UNHEALTHY, env_unhealthy, .env = {1}, .release = {2}, .text = STR("500"));
	HAPPENS(f, ROLLBACK_REQUESTED, rollback_requested, .env = {1}, .by = STR("ada"));
	HAPPENS(f, ROLLOUT_ISSUED, rollout_issued, .rollout = {3}, .env = {1}, .release = {1},
	        .previous = {2}, .cause = STR("rollback"));
	assert_ok(read_envs(f->store, (struct repo_id){1}, &f->life, &envs, &e), e);
	assert_text(envs.p[0].health, "unhealthy");
	assert_int_equal(envs.p[0].rollout.v, 3);
	HAPPENS(f, ROLLOUT_FINISHED, rollout_finished, .rollout = {3}, .outcome = OUTCOME_FAILED,
	        .reason = REASON_DEPLOY_FAILED);
	assert_ok(read_rollouts(f->store, (struct env_id){1}, (struct rollout_id){0}, 2, &f->life,
	                        &rollouts, &e),
	          e);
	assert_int_equal(rollouts.n, 2);
	assert_text(rollouts.p[0].state, "failed");
	assert_text(rollouts.p[0].by, "ada");
	assert_text(rollouts.p[1].state, "live");
	assert_ok(read_envs(f->store, (struct repo_id){1}, &f->life, &envs, &e), e);
	assert_int_equal(envs.p[0].release.v, 2);
	assert_int_equal(envs.p[0].previous.v, 1);
	assert_int_equal(envs.p[0].rollout.v, 0);
}

static uint64_t way_back(struct fixture *f) {
	struct read_envs envs;
	struct err e;
	assert_ok(read_envs(f->store, (struct repo_id){1}, &f->life, &envs, &e), e);
	return envs.p[0].previous.v;
}

static void the_way_back_skips_what_is_blocked(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	for (uint64_t i = 1; i <= 3; i++) {
		HAPPENS(f, ROLLOUT_ISSUED, rollout_issued, .rollout = {i}, .env = {1}, .release = {i},
		        .previous = {i - 1}, .cause = STR("landed"));
		HAPPENS(f, ROLLOUT_FINISHED, rollout_finished, .rollout = {i}, .outcome = OUTCOME_PASSED);
	}
	assert_int_equal(way_back(f), 2);
	HAPPENS(f, RELEASE_BLOCKED, release_blocked, .release = {2}, .env = {1},
	        .reason = REASON_ROLLED_BACK);
	assert_int_equal(way_back(f), 1);
	HAPPENS(f, ROLLOUT_ISSUED, rollout_issued, .rollout = {4}, .env = {1}, .release = {1},
	        .previous = {3}, .cause = STR("rollback"));
	HAPPENS(f, ROLLOUT_FINISHED, rollout_finished, .rollout = {4}, .outcome = OUTCOME_PASSED);
	assert_int_equal(way_back(f), 0);
}

static struct read_rollout rolled_back(struct fixture *f, uint64_t rollout, uint64_t from) {
	struct read_rollout r;
	struct err e;
	HAPPENS(f, ROLLOUT_ISSUED, rollout_issued, .rollout = {rollout}, .env = {1},
	        .release = {from - 1}, .previous = {from}, .cause = STR("rollback"));
	HAPPENS(f, ROLLOUT_FINISHED, rollout_finished, .rollout = {rollout}, .outcome = OUTCOME_PASSED);
	assert_ok(read_rollout(f->store, (struct rollout_id){rollout}, &f->life, &r, &e), e);
	return r;
}

static void a_rollback_says_why(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	HAPPENS(f, ROLLBACK_REQUESTED, rollback_requested, .env = {1}, .by = STR("ada"),
	        .text = STR("prices are wrong"));
	HAPPENS(f, RELEASE_BLOCKED, release_blocked, .release = {5}, .env = {1},
	        .reason = REASON_ROLLED_BACK);
	struct read_rollout r = rolled_back(f, 1, 5);
	assert_int_equal(r.reason, REASON_ROLLED_BACK);
	assert_text(r.reason_text, "prices are wrong");
	assert_text(r.by, "ada");
	assert_text(r.state, "live");
	HAPPENS(f, ENV_UNHEALTHY, env_unhealthy, .env = {1}, .release = {4}, .text = STR("503"));
	HAPPENS(f, RELEASE_BLOCKED, release_blocked, .release = {4}, .env = {1},
	        .reason = REASON_BECAME_UNHEALTHY);
	r = rolled_back(f, 2, 4);
	assert_int_equal(r.reason, REASON_BECAME_UNHEALTHY);
	assert_text(r.reason_text, "503");
	assert_text(r.by, ""); // nobody asked for it
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(an_environment_keeps_its_number),
		TEST(a_rollback_is_told),
		TEST(the_way_back_skips_what_is_blocked),
		TEST(a_rollback_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
