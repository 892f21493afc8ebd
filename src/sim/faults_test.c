// WEIR_SIM_SEEDS=n seeds, WEIR_SIM_SEED=first, WEIR_SIM_BUG=name, WEIR_SIM_LOG=1: by hand.
#include "sim/faults.h"

#include <stdlib.h>
#include <time.h>

#include "base/unit.h"

static double seconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
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
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_promise_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
