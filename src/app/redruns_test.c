// Which red runs are looked up for a change, and which of them are no verdict on it alone.
#include "app/redruns.h"

#include "exec/key.h"
#include "store/fixture.h"

static const struct digest basis = {{1}}, other_basis = {{2}}, inputs = {{3}};

static void candidate(struct fixture *f, uint64_t id, uint64_t change, int64_t revision,
                      const char *members) {
	HAPPENS(f, CANDIDATE_ISSUED, candidate_issued, .candidate = {id}, .repo = {1},
	        .change = {change}, .revision = revision, .members = str_of(members));
	HAPPENS(f, CANDIDATE_BUILT, candidate_built, .candidate = {id}, .tree = OID(100 + id));
}

static void queued(struct fixture *f, uint64_t change) {
	HAPPENS(f, CHANGE_PROPOSED, change_proposed, .change = {change}, .revision = 1, .repo = {1});
	HAPPENS(f, CHANGE_QUEUED, change_queued, .change = {change}, .revision = 1);
}

static void red(struct fixture *f, uint64_t id, uint64_t of, bool doubts, enum reason reason) {
	HAPPENS(f, RUN_ISSUED, run_issued, .run = {id}, .candidate = {of}, .name = STR("test"),
	        .doubts = doubts);
	HAPPENS(f, RUN_FINISHED, run_finished, .run = {id}, .outcome = OUTCOME_FAILED, .reason = reason,
	        .basis = basis, .inputs = inputs, .key = key_of(basis, inputs));
}

static void settled(struct fixture *f, uint64_t of) {
	HAPPENS(f, JOB_SETTLED, job_settled, .candidate = {of}, .name = STR("test"),
	        .outcome = OUTCOME_FAILED);
}

// What is found for a run of this revision: "4 2|3": 4 and 2 for sure, 3 with doubts.
static void expect(struct fixture *f, uint64_t change, int64_t revision, struct digest with,
                   const char *want) {
	struct read_run run = {.change = {change}, .revision = revision, .name = STR("test")};
	struct read_verdicts list = {0};
	AUTO_BUF said = {0};
	size_t doubted = 0;
	struct err e;
	assert_ok(redruns_add(f->store, &run, with, &f->life, &list, &doubted, &e), e);
	for (size_t i = 0; i < list.n; i++)
		buf_printf(&said, "%s%llu",
		           i == doubted ? "|"
		           : i          ? " "
		                        : "",
		           (unsigned long long)list.p[i].run.v);
	assert_string_equal(said.n ? said.p : "", want);
}

static void one_change(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	queued(f, 1);
	queued(f, 2);
	candidate(f, 1, 1, 1, "");
	red(f, 1, 1, true, REASON_TEST_FAILED); // one red run is no verdict
	expect(f, 1, 1, basis, "|1");
	red(f, 2, 1, true, REASON_TEST_FAILED);
	settled(f, 1);
	expect(f, 1, 1, basis, "2 1");
	candidate(f, 2, 1, 1, "");
	red(f, 3, 2, true, REASON_JOB_TIMED_OUT); // no flake is like that
	red(f, 4, 2, false, REASON_TEST_FAILED);  // of a job with retries: one of them
	red(f, 5, 2, true, REASON_EXIT_STATUS);
	expect(f, 1, 1, basis, "3 2 1|5 4");
	expect(f, 1, 2, basis, "");
	expect(f, 1, 1, other_basis, "");
	expect(f, 2, 1, basis, "");
	HAPPENS(f, CHANGE_REJECTED, change_rejected, .change = {1}, .revision = 1);
	HAPPENS(f, CHANGE_RETRIED, change_retried, .change = {1}, .revision = 1);
	expect(f, 1, 1, basis, ""); // somebody wants it to run again
}

// While a red run stands against it, a green one answers nobody.
static void green_after_red_answers_when_it_is_settled(void **state) {
	struct fixture *f = *state;
	struct read_verdicts list;
	struct err e;
	a_repository(f);
	queued(f, 1);
	candidate(f, 1, 1, 1, "");
	red(f, 1, 1, true, REASON_TEST_FAILED);
	HAPPENS(f, RUN_ISSUED, run_issued, .run = {2}, .candidate = {1}, .name = STR("test"),
	        .doubts = 1);
	HAPPENS(f, RUN_FINISHED, run_finished, .run = {2}, .outcome = OUTCOME_PASSED, .basis = basis,
	        .inputs = inputs, .key = key_of(basis, inputs));
	assert_ok(read_verdicts(f->store, (struct repo_id){1}, basis, &f->life, &list, &e), e);
	assert_int_equal(list.n, 0);
	HAPPENS(f, JOB_SETTLED, job_settled, .candidate = {1}, .name = STR("test"),
	        .outcome = OUTCOME_PASSED);
	assert_ok(read_verdicts(f->store, (struct repo_id){1}, basis, &f->life, &list, &e), e);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.p[0].run.v, 2);
	assert_true(oid_eq(list.p[0].tree, OID(101)));
}

static void in_company(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	for (uint64_t change = 6; change <= 9; change++) queued(f, change);
	candidate(f, 1, 9, 1,
	          "[[7,2,\"00000000000000000000000000000000000003e9\"],"
	          "[8,1,\"00000000000000000000000000000000000003ea\"]]");
	red(f, 1, 1, true, REASON_TEST_FAILED);
	settled(f, 1); // red, but of whom?
	for (uint64_t change = 8; change <= 9; change++) expect(f, change, 1, basis, "|1");
	expect(f, 7, 2, basis, "|1");
	expect(f, 7, 1, basis, "");
	expect(f, 6, 1, basis, "");
}

int main(void) {
	const struct CMUnitTest tests[] = {TEST(one_change), TEST(in_company),
	                                   TEST(green_after_red_answers_when_it_is_settled)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
