// What is learned of changes and jobs, and when nothing is.
#include "core/predict.h"

#include "base/prng.h"
#include "core/fixture.h"

static const struct repo_id repo = {1};

static struct change change_of(const char *author, int64_t lines, uint32_t revision) {
	struct change c = {.repo = repo, .revision = revision};
	struct event_change_proposed e = {.email = str_of(author), .lines_added = lines};
	predict_describe(&c, &e);
	return c;
}

static void tell(struct fixture *f, struct change c, bool landed) {
	predict_queued(&f->s, &c, predict_chance(&f->s, &c), f->now_ms += 1000);
	predict_ended(&f->s, &c, landed, landed ? REASON_NONE : REASON_TEST_FAILED);
}

static int percent(const struct fixture *f, struct change c) {
	return (int)(predict_chance(&f->s, &c) * 100 / PREDICT_PPM);
}

static void on_the_first_day(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	assert_int_equal(percent(&f, change_of("ann", 10, 1)), 92);
	assert_int_equal(predict_job_ms(&f.s, repo, STR("test")), -1);
	assert_int_equal(predict_gap_ms(&f.s, repo), 0);
	fixture_end(&f);
}

static void who_wrote_it_and_how_large_it_is(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	for (int i = 0; i < 60; i++) {
		tell(&f, change_of("careful", 10, 1), true);
		tell(&f, change_of("hasty", 10, 1), i % 2);
		tell(&f, change_of("careful", 5000, 1), i % 3 > 0);
	}
	assert_in_range(percent(&f, change_of("careful", 10, 1)), 93, 99);
	assert_in_range(percent(&f, change_of("hasty", 10, 1)), 45, 70);
	assert_in_range(percent(&f, change_of("careful", 5000, 1)), 55, 85);
	int new = percent(&f, change_of("nobody", 10, 1));
	assert_in_range(new, 70, 95);
	fixture_end(&f);
}

// Of changes that land with these chances, those that are said to be 80 % likely do so 80 % of the
// time; and the score is better than that of knowing nothing but the share of all.
static void chances_are_what_they_say(void **state) {
	(void)state;
	static const char *const authors[] = {"a", "b", "c", "d"};
	static const uint64_t lands[] = {98, 90, 70, 40};
	struct fixture f;
	struct prng random = prng_seeded(5);
	double error = 0, landed_all = 0;
	int n = 0, tenth_n[10] = {0};
	double tenth_said[10] = {0}, tenth_landed[10] = {0};
	fixture_begin(&f, 1);
	for (int i = 0; i < 3000; i++) {
		size_t who = prng_below(&random, 4);
		struct change c = change_of(authors[who], (int64_t)prng_below(&random, 500), 1);
		bool landed = prng_below(&random, 100) < lands[who];
		double said = (double)predict_chance(&f.s, &c) / PREDICT_PPM;
		if (i >= 300) {
			int tenth = (int)(said * 10);
			n++;
			error += (said - landed) * (said - landed);
			landed_all += landed;
			tenth_n[tenth]++;
			tenth_said[tenth] += said;
			tenth_landed[tenth] += landed;
		}
		tell(&f, c, landed);
	}
	double share = landed_all / n;
	assert_true(error / n < share * (1 - share) * .85);
	for (int t = 0; t < 10; t++) {
		if (tenth_n[t] < 200) continue;
		double off = (tenth_said[t] - tenth_landed[t]) / tenth_n[t];
		if (off > .07 || off < -.07) fail_msg("tenth %d is off by %.2f", t, off);
	}
	fixture_end(&f);
}

static void what_says_nothing_of_a_change(void **state) {
	(void)state;
	struct fixture f;
	struct change c = change_of("ann", 10, 1), old = c;
	fixture_begin(&f, 1);
	predict_queued(&f.s, &old, 0, 1000); // by an older weir
	predict_ended(&f.s, &old, false, REASON_TEST_FAILED);
	predict_saw_run(&f.s, repo, STR("test"), 500);
	assert_int_equal(f.s.lessons.count, 0);
	predict_queued(&f.s, &c, 920000, 1000);
	size_t before = f.s.lessons.count;
	predict_ended(&f.s, &c, false, REASON_INFRASTRUCTURE);
	predict_ended(&f.s, &c, false, REASON_CANCELLED);
	assert_int_equal(f.s.lessons.count, before);
	predict_ended(&f.s, &c, false, REASON_CONFLICT_WITH_BASE);
	assert_true(f.s.lessons.count > before);
	fixture_end(&f);
}

static void times(void **state) {
	(void)state;
	struct fixture f;
	struct change c = change_of("ann", 10, 1);
	fixture_begin(&f, 1);
	for (int i = 0; i < 30; i++) predict_queued(&f.s, &c, 920000, 10000 + i * 5000);
	assert_int_equal(predict_gap_ms(&f.s, repo), 5000);
	for (int i = 0; i < 20; i++) predict_saw_run(&f.s, repo, STR("test"), 1000);
	assert_int_equal(predict_job_ms(&f.s, repo, STR("test")), 1000);
	for (int i = 0; i < 20; i++) predict_saw_run(&f.s, repo, STR("test"), 3000); // it grew
	assert_in_range(predict_job_ms(&f.s, repo, STR("test")), 2700, 3000);
	assert_int_equal(predict_job_ms(&f.s, repo, STR("lint")), -1);
	fixture_end(&f);
}

static void the_rows_are_bounded(void **state) {
	(void)state;
	struct fixture f;
	struct change c = change_of("ann", 10, 1);
	fixture_begin(&f, 1);
	predict_queued(&f.s, &c, 920000, 1000);
	for (int i = 0; i < 3; i++) predict_saw_run(&f.s, repo, STR("often"), 7);
	for (int i = 0; i < PREDICT_ROWS_MAX + 100; i++) {
		AUTO_BUF name = {0};
		buf_printf(&name, "job %d", i);
		predict_saw_run(&f.s, repo, buf_view(&name), 1);
	}
	assert_int_equal(f.s.lessons.count, PREDICT_ROWS_MAX);
	assert_int_equal(predict_job_ms(&f.s, repo, STR("often")), 7);
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_first_day),
		cmocka_unit_test(who_wrote_it_and_how_large_it_is),
		cmocka_unit_test(chances_are_what_they_say),
		cmocka_unit_test(what_says_nothing_of_a_change),
		cmocka_unit_test(times),
		cmocka_unit_test(the_rows_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
