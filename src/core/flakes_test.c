// What runs that disagree are taken for.
#include "core/flakes.h"

#include "core/fixture.h"

#define TESTS STR("[\"s / one\"]")
#define NAME STR("test")

static const struct repo_id repo = {1};

// runs: R red, G green, in order. Says what is judged after each: A again, P passed, F failed.
static void check_of(const struct fixture *f, size_t changes, const char *runs, bool touched,
                     const char *want) {
	struct job j = {0};
	char said[20] = "";
	for (size_t i = 0; runs[i]; i++) {
		if (runs[i] == 'R') flakes_saw_red(&f->s, &j, repo, NAME, TESTS);
		else j.greens++;
		said[i] = "APF"[flakes_judge(&j, touched, changes)];
	}
	if (strcmp(said, want) != 0) fail_msg("%s: %s, want %s", runs, said, want);
}

static void check(const struct fixture *f, const char *runs, bool touched, const char *want) {
	check_of(f, 1, runs, touched, want);
}

static void a_test_that_never_was_flaky(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	check(&f, "RRR", true, "AAF"); // it is new: little is known of it
	check_of(&f, 2, "R", true, "F");
	check_of(&f, 2, "R", false, "A");
	check_of(&f, 4, "RG", false, "AP");
	for (int i = 0; i < 50; i++) flakes_saw_green(&f.s, flakes_key(repo, NAME, STR_NONE));
	check(&f, "RR", true, "AF");
	check(&f, "RGGGG", true, "AAAAP");
	check(&f, "RGRRR", true, "AAAAF"); // a regression that is red now and then
	check(&f, "RG", false, "AP");      // not by this change
	check(&f, "RRR", false, "AAF");
	fixture_end(&f);
}

static void one_that_is_known_to_be(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	uint64_t job = flakes_key(repo, NAME, STR_NONE);
	for (int i = 0; i < 90; i++) {
		flakes_saw_green(&f.s, job);
		if (i % 9) continue;
		struct job j = {0};
		flakes_saw_red(&f.s, &j, repo, NAME, TESTS);
		flakes_saw_flip(&f.s, &j);
	}
	uint32_t rate = flakes_rate(&f.s, job, flakes_key(repo, NAME, STR("s / one")), 0);
	assert_in_range(rate, FLAKES_PPB / 15, FLAKES_PPB / 9);
	check(&f, "RRRRR", true, "AAAFF");
	check(&f, "RG", true, "AP");
	check(&f, "RRG", true, "AAP");
	// Of several changes one may well be bad: red is believed the sooner the more there are, and
	// costs none of them its place.
	check_of(&f, 2, "RR", true, "AF");
	check_of(&f, 6, "R", true, "F");
	// Another test of the same job is none the flakier for it.
	assert_true(flakes_rate(&f.s, job, flakes_key(repo, NAME, STR("s / two")), 0) <
	            FLAKES_PPB / 100);
	fixture_end(&f);
}

static void several_at_once_are_no_flake(void **state) {
	(void)state;
	struct fixture f;
	struct job j = {0};
	fixture_begin(&f, 1);
	flakes_saw_red(&f.s, &j, repo, NAME, STR("[\"a\",\"b\",\"c\",\"d\"]"));
	assert_int_equal(flakes_judge(&j, true, 1), FLAKES_FAILED);
	fixture_end(&f);
}

static void the_past_fades_and_is_bounded(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	uint64_t job = flakes_key(repo, NAME, STR_NONE);
	struct job j = {0};
	flakes_saw_red(&f.s, &j, repo, NAME, TESTS);
	for (int i = 0; i < 8; i++) flakes_saw_flip(&f.s, &j);
	for (int i = 0; i < 10000; i++) flakes_saw_green(&f.s, job);
	assert_int_equal(((const struct flake *)table_get(&f.s.flakes, j.red_keys[0]))->flips, 0);
	for (uint64_t i = 1; i <= FLAKES_ROWS_MAX + 100; i++) flakes_saw_green(&f.s, i);
	assert_int_equal(f.s.flakes.count, FLAKES_ROWS_MAX);
	assert_non_null(table_get(&f.s.flakes, job)); // the best known one stays
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_test_that_never_was_flaky),
		cmocka_unit_test(one_that_is_known_to_be),
		cmocka_unit_test(several_at_once_are_no_flake),
		cmocka_unit_test(the_past_fades_and_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
