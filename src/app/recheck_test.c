#include "app/recheck.h"

#include "base/unit.h"

static void a_sample_of_the_size_that_was_asked_for(void **state) {
	(void)state;
	for (int percent = 0; percent <= 100; percent += 20) {
		int due = 0;
		for (uint64_t run = 1; run <= 10000; run++)
			due += recheck_due((struct run_id){run}, percent);
		assert_in_range(due + 1000, 1000 + percent * 100 - 100, 1000 + percent * 100 + 100);
		if (percent % 100 == 0) assert_int_equal(due, percent * 100);
	}
}

static void what_differs_is_told(void **state) {
	(void)state;
	struct digest a = digest_of(STR("a")), b = digest_of(STR("b"));
	struct {
		uint64_t of;
		enum outcome outcome;
		struct digest artifacts;
		int64_t differs;
	} rows[] = {{7, OUTCOME_PASSED, a, 0},
	            {7, OUTCOME_PASSED, b, RECHECK_VARIED},
	            {7, OUTCOME_FAILED, a, RECHECK_DIFFERED},
	            {0, OUTCOME_FAILED, b, 0}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct recheck r = {{rows[i].of}, a};
		struct event_run_finished f = {
			.run = {9}, .outcome = rows[i].outcome, .artifacts = rows[i].artifacts};
		recheck_judge(&r, &f);
		assert_int_equal(f.rechecks, rows[i].of);
		assert_int_equal(f.differs, rows[i].differs);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_of_the_size_that_was_asked_for),
		cmocka_unit_test(what_differs_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
