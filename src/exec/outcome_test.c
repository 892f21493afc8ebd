#include "exec/outcome.h"

#include "base/unit.h"

static void goes_there_and_back(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF first = {0};
	AUTO_BUF second = {0};
	struct err e = {0};
	struct str names[] = {STR("suite / bad \"one\""), STR("é")};
	struct exec_outcome o = {.end = EXEC_KILLED,
	                         .reason_code = STR("oom"),
	                         .reason_text = STR("it ran out of memory"),
	                         .exit_code = 137,
	                         .signal = 9,
	                         .started_ms = 1795377427627,
	                         .duration_ms = 12,
	                         .phases_us = {1, 2, 3, 4, 5},
	                         .cgroup = STR("v2"),
	                         .landlock = 7,
	                         .memory_limit_bytes = 100,
	                         .pids_limit = 50,
	                         .cpu_limit_milli = 1500,
	                         .hit_memory = true,
	                         .memory_peak_bytes = 99,
	                         .cpu_ms = 8,
	                         .has_artifact = true,
	                         .artifact = digest_of(STR("x")),
	                         .artifact_files = 2,
	                         .artifact_bytes = 3,
	                         .log_bytes = 10,
	                         .log_text_bytes = 11,
	                         .log_dropped_bytes = 12,
	                         .secrets_masked = 13,
	                         .has_tests = true,
	                         .tests = 4,
	                         .tests_passed = 1,
	                         .tests_failed = 2,
	                         .tests_skipped = 1,
	                         .failed_tests = names,
	                         .failed_tests_n = 2,
	                         .results_error = STR("torn"),
	                         .coverage_error = STR("absent")};
	struct exec_outcome back;
	outcome_json(&o, &first);
	assert_ok(outcome_parse(buf_view(&first), &life, &back, &e), e);
	outcome_json(&back, &second);
	assert_text(buf_view(&second), first.p);
	assert_int_equal(back.end, EXEC_KILLED);
	assert_int_equal(back.phases_us.overlay, 2);
	assert_true(back.hit_memory && !back.hit_pids && !back.hit_disk);
	assert_true(digest_eq(back.artifact, o.artifact));
	assert_text(back.failed_tests[0], "suite / bad \"one\"");
}

static void without_tests_or_artifact_says_so(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF text = {0};
	struct err e = {0};
	struct exec_outcome o = {.exit_code = -1}, back;
	outcome_json(&o, &text);
	assert_false(str_contains(buf_view(&text), STR("\"tests\"")));
	assert_ok(outcome_parse(buf_view(&text), &life, &back, &e), e);
	assert_false(back.has_tests || back.has_artifact);
	assert_int_equal(back.exit_code, -1);
}

static void refuses_what_is_none(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct err e = {0};
	struct exec_outcome back;
	assert_refused(outcome_parse(STR("{}"), &life, &back, &e), e, ERR_CORRUPT);
	assert_false(outcome_parse(STR("{"), &life, &back, &e));
	assert_refused(outcome_parse(STR("{\"outcome\":\"fine\"}"), &life, &back, &e), e, ERR_CORRUPT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(without_tests_or_artifact_says_so),
		cmocka_unit_test(refuses_what_is_none),
	};
	return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
