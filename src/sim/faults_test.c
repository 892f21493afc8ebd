// WEIR_SIM_SEEDS=n seeds from WEIR_SIM_SEED with WEIR_SIM_BUG planted, and WEIR_SIM_LOG=1 for the
// last seed's events: by hand, for the first test.
#include "sim/faults.h"

#include <stdlib.h>
#include <time.h>

#include "base/unit.h"

static double seconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number(const char *name, uint64_t otherwise) {
	uint64_t v = otherwise;
	const char *text = getenv(name);
	if (text && !str_to_u64(str_of(text), &v)) fail_msg("%s is no number", name);
	return v;
}

static void every_promise_holds(void **state) {
	(void)state;
	AUTO_BUF log = {0};
	AUTO_BUF report = {0};
	struct sim_options o = {.first_seed = number("WEIR_SIM_SEED", 1),
	                        .seeds = number("WEIR_SIM_SEEDS", 300)};
	const char *bug = getenv("WEIR_SIM_BUG");
	if (bug) o.bug = sim_faults_bug_named(str_of(bug));
	if (getenv("WEIR_SIM_LOG")) o.log = &log;
	struct sim_totals t = {0};
	double start = seconds();
	bool good = sim_faults_run(&o, &t);
	double took = seconds() - start;
	sim_faults_report(&o, &t, &report);
	if (o.log) fwrite(log.p, 1, log.n, stdout);
	print_message("%.*s%.0f seeds/s\n", (int)report.n, report.p, (double)t.seeds / took);
	assert_true(good);
	assert_int_equal(t.thin, 0);
	for (size_t i = 0; i < WORLD_FAULT_COUNT && o.seeds >= 300; i++)
		assert_true(t.faults[i] > 0); // a fault that never happens tests nothing
}

static int compare(const void *a, const void *b) {
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void planted(enum bug bug) {
	double took[5];
	uint64_t seeds[5];
	char broken[16] = "";
	for (uint64_t start = 0; start < 5; start++) {
		struct sim_options o = {.first_seed = 1 + start * 100000, .seeds = 2000, .bug = bug};
		struct sim_totals t = {0};
		double begin = seconds();
		bool good = sim_faults_run(&o, &t);
		took[start] = seconds() - begin;
		seeds[start] = t.seeds;
		if (good) fail_msg("%s was not found", sim_faults_bug_name(bug));
		memcpy(broken, t.broken_name, sizeof broken);
	}
	print_message("%-16s seeds %llu %llu %llu %llu %llu", sim_faults_bug_name(bug),
	              (unsigned long long)seeds[0], (unsigned long long)seeds[1],
	              (unsigned long long)seeds[2], (unsigned long long)seeds[3],
	              (unsigned long long)seeds[4]);
	qsort(took, 5, sizeof took[0], compare);
	print_message(", median %.2f s, by \"%s\"\n", took[2], broken);
	assert_true(took[2] < 60);
}

static void planted_bugs_are_found(void **state) {
	(void)state;
	for (int bug = BUG_NONE + 1; bug < BUG_COUNT; bug++) planted((enum bug)bug);
}

static void one_seed_gives_one_world(void **state) {
	(void)state;
	AUTO_BUF first = {0};
	AUTO_BUF second = {0};
	struct sim_options o = {.first_seed = 42, .seeds = 1, .log = &first};
	struct sim_totals t = {0};
	assert_true(sim_faults_run(&o, &t));
	o.log = &second;
	assert_true(sim_faults_run(&o, &t));
	assert_true(first.n > 1000 && str_eq(buf_view(&first), buf_view(&second)));
}

static void reports_add_up(void **state) {
	(void)state;
	struct sim_options o = {.first_seed = 7, .seeds = 4, .json = true};
	struct sim_totals all = {0}, a = {0}, b = {0};
	AUTO_BUF one = {0};
	AUTO_BUF two = {0};
	assert_true(sim_faults_run(&o, &all));
	sim_faults_report(&o, &all, &one);
	struct sim_options half = {.first_seed = 7, .seeds = 2};
	assert_true(sim_faults_run(&half, &a));
	half.first_seed = 9;
	assert_true(sim_faults_run(&half, &b));
	sim_faults_add(&a, &b);
	sim_faults_report(&o, &a, &two);
	assert_true(str_eq(buf_view(&one), buf_view(&two)));
	assert_true(str_contains(buf_view(&one), STR("\"seeds\":4")));
	assert_int_equal(sim_faults_bug_named(STR("no-compare")), BUG_NO_COMPARE);
	assert_int_equal(sim_faults_bug_named(STR("nothing")), BUG_COUNT);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_promise_holds),
		cmocka_unit_test(planted_bugs_are_found),
		cmocka_unit_test(one_seed_gives_one_world),
		cmocka_unit_test(reports_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
