#include "sim/queuemodel.h"

#include "base/prng.h"
#include "base/unit.h"
#include "sim/queuecheck.h"
#include "sim/queuepolicy.h"
#include "sim/queuereport.h"

static const struct queuemodel_options *options_of(const struct queuepolicy *p, size_t executors) {
	static struct queuemodel_options o;
	o = (struct queuemodel_options){.policy = p->decide,
	                                .knobs = queue_mid,
	                                .executors = executors,
	                                .early = p->early,
	                                .told = p->told,
	                                .calibrated = p->calibrated,
	                                .again = p->again};
	return &o;
}

static void run(const struct queuetrace *t, const char *policy, size_t executors,
                struct arena *life, struct queuemodel_result *out) {
	struct err e = {0};
	const struct queuepolicy *p = queuepolicy_named(str_of(policy));
	const struct queuemodel_options *o = options_of(p, executors);
	assert_ok(queuemodel_run(t, o, life, out, &e), e);
	assert_ok(queuecheck_run(t, o, out, life, &e), e);
}

static struct queuetrace read_trace(const char *text, struct arena *life) {
	struct queuetrace t = {0};
	struct err e = {0};
	assert_ok(queuetrace_read(str_of(text), life, &t, &e), e);
	return t;
}

// 0 is slow and lands; 1 conflicts with it; 2 with nothing.
static const char *const three =
	"{\"changes\":["
	"{\"arrival_s\":0,\"duration_s\":600,\"ok\":true,\"areas\":[1],\"p_success\":0.95},"
	"{\"arrival_s\":10,\"duration_s\":60,\"ok\":true,\"areas\":[1,2],\"p_success\":0.95},"
	"{\"arrival_s\":20,\"duration_s\":30,\"ok\":false,\"areas\":[3],\"p_success\":0.95}]}";

static int64_t decided_ms(const struct queuemodel_result *r, uint32_t change) {
	for (size_t k = 0; k < r->decision_count; k++)
		if (r->decisions[k].change == change) return r->decisions[k].at_ms;
	fail_msg("change %u is not decided", change);
	return 0;
}

static void times_by_hand(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuetrace t = read_trace(three, &life);
	struct queuemodel_result r;
	run(&t, "oracle", 3, &life, &r);
	assert_int_equal(r.candidate_count, 3);
	assert_int_equal(r.landed, 2);
	assert_int_equal(decided_ms(&r, 0), 600000);
	assert_int_equal(decided_ms(&r, 1), 600000); // passed at 70, waits for 0
	assert_int_equal(decided_ms(&r, 2), 50000);
	run(&t, "single", 3, &life, &r);
	assert_int_equal(decided_ms(&r, 1), 660000);
	run(&t, "oracle", 1, &life, &r); // in order of arrival, one executor
	assert_int_equal(decided_ms(&r, 2), 690000);
}

// With slots to spare, weir tests 1 on both outcomes of 0, and lets it land at once.
static void overtakes_when_every_outcome_allows_it(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuetrace t = read_trace(three, &life);
	struct queuemodel_result r;
	run(&t, "weir", 4, &life, &r);
	assert_int_equal(decided_ms(&r, 1), 70000);
	assert_int_equal(r.candidate_count, 4);
}

static void a_red_batch_is_settled_by_deduction(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuemodel_result r;
	struct queuetrace t = read_trace(
		"{\"changes\":["
		"{\"arrival_s\":0,\"duration_s\":600,\"ok\":true,\"areas\":[0],\"p_success\":0.95},"
		"{\"arrival_s\":1,\"duration_s\":60,\"ok\":true,\"areas\":[1],\"p_success\":0.95},"
		"{\"arrival_s\":2,\"duration_s\":60,\"ok\":false,\"areas\":[2],\"p_success\":0.9},"
		"{\"arrival_s\":3,\"duration_s\":60,\"ok\":true,\"areas\":[3],\"p_success\":0.95},"
		"{\"arrival_s\":4,\"duration_s\":60,\"ok\":true,\"areas\":[4],\"p_success\":0.95}]}",
		&life);
	run(&t, "weir", 1, &life, &r);
	assert_int_equal(r.landed, 4);
	assert_true(r.candidate_count <= 5);
	bool together = false;
	for (size_t k = 0; k < r.candidate_count; k++)
		together = together || r.candidates[k].member_count > 1;
	assert_true(together);
}

// Traces that no generator of good manners makes.
static void wild(uint64_t seed, bool flakes, struct arena *life, struct queuetrace *out) {
	struct prng r = prng_seeded(seed);
	size_t n = 1 + prng_below(&r, 60);
	uint32_t areas = 1 + (uint32_t)prng_below(&r, 12);
	AUTO_BUF text = {0};
	double at = 0;
	buf_cstr(&text, "{\"changes\":[");
	for (size_t i = 0; i < n; i++) {
		at += prng_chance(&r, 1, 3) ? 0 : (double)prng_below(&r, 40);
		buf_printf(&text, "%s{\"arrival_s\":%.1f,\"duration_s\":%llu,\"ok\":%s,\"areas\":[",
		           i ? "," : "", at, 1 + (unsigned long long)prng_below(&r, 100),
		           prng_chance(&r, 3, 4) ? "true" : "false");
		size_t touched = prng_below(&r, 4);
		for (size_t k = 0; k < touched; k++)
			buf_printf(&text, "%s%llu", k ? "," : "", (unsigned long long)prng_below(&r, areas));
		buf_printf(&text, "],\"p_success\":%.2f", (double)prng_below(&r, 101) / 100);
		if (flakes) buf_printf(&text, ",\"flake\":0.%02llu", (unsigned long long)prng_below(&r, 4));
		if (flakes && prng_chance(&r, 1, 10)) buf_cstr(&text, ",\"priority\":5");
		buf_char(&text, '}');
	}
	buf_cstr(&text, "],\"real_conflicts\":[");
	for (size_t k = 0, pairs = n > 1 && !flakes ? prng_below(&r, n) : 0; k < pairs; k++) {
		uint64_t a = prng_below(&r, n), b = prng_below(&r, n - 1);
		buf_printf(&text, "%s[%llu,%llu]", k ? "," : "", (unsigned long long)a,
		           (unsigned long long)(b < a ? b : b + 1));
	}
	buf_cstr(&text, "]}");
	*out = read_trace(text.p, life);
}

// A real conflict between changes that do not conflict would make a green trunk red: no policy can
// know. The traces of the benchmark have none.
static void only_potential_conflicts(struct queuetrace *t, struct arena *life) {
	for (size_t i = 0; i < t->n; i++) {
		struct queuetrace_change *c = &t->changes[i];
		uint32_t *kept = ARENA_ARRAY(life, uint32_t, c->conflict_count + 1);
		size_t n = 0;
		for (size_t k = 0; k < c->conflict_count; k++) {
			const struct queuetrace_change *o = &t->changes[c->conflicts[k]];
			bool meet = false;
			for (size_t a = 0; a < c->area_count; a++)
				for (size_t b = 0; b < o->area_count; b++)
					meet = meet || c->areas[a] == o->areas[b];
			if (meet && (n == 0 || kept[n - 1] != c->conflicts[k])) kept[n++] = c->conflicts[k];
		}
		c->conflicts = kept;
		c->conflict_count = n;
	}
}

static void every_policy_keeps_the_rules_and_ends(void **state) {
	(void)state;
	static const size_t executors[] = {1, 2, 3, 7, 40};
	for (uint64_t seed = 1; seed <= 300; seed++) {
		AUTO_ARENA life = {0};
		struct queuetrace t;
		struct queuemodel_result r;
		wild(seed, false, &life, &t);
		only_potential_conflicts(&t, &life);
		for (const struct queuepolicy *p = queuepolicy_all; p->name; p++)
			run(&t, p->name, executors[seed % ARRAY_LEN(executors)], &life, &r);
	}
}

// Hotfixes and runs that fail for nothing: no good change is rejected, whatever the trace.
static void flakes_eject_nobody(void **state) {
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		AUTO_ARENA life = {0};
		struct queuetrace t;
		struct queuemodel_result r;
		wild(seed, true, &life, &t);
		run(&t, "weir", 1 + seed % 8, &life, &r);
	}
}

static void a_red_that_may_be_a_flake_is_run_again(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuemodel_result r;
	struct queuetrace t = read_trace(
		"{\"changes\":[{\"arrival_s\":0,\"duration_s\":100,\"ok\":false,\"areas\":[1],"
		"\"p_success\":0.95,\"flake\":0.01}]}",
		&life);
	run(&t, "weir", 4, &life, &r);
	assert_int_equal(r.landed, 0);
	assert_int_equal(r.candidate_count, 1); // the candidate once, what failed in it twice more
	assert_int_equal(r.again, 2);
	assert_int_equal(decided_ms(&r, 0), 110000);
	assert_int_equal(r.executor_ms, 120000);
}

static void a_hotfix_waits_for_nobody(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuemodel_result r;
	struct queuetrace t = read_trace(
		"{\"changes\":["
		"{\"arrival_s\":0,\"duration_s\":600,\"ok\":true,\"areas\":[1],\"p_success\":0.95},"
		"{\"arrival_s\":0,\"duration_s\":600,\"ok\":true,\"areas\":[2],\"p_success\":0.95},"
		"{\"arrival_s\":60,\"duration_s\":100,\"ok\":true,\"areas\":[2],\"p_success\":0.95,"
		"\"priority\":1}]}",
		&life);
	run(&t, "weir", 2, &life, &r);
	assert_int_equal(decided_ms(&r, 2), 160000);
	assert_int_equal(decided_ms(&r, 0), 600000); // not of its area: runs on
	assert_int_equal(r.stopped, 1);
	// None of its area runs and no slot is free: it takes one, and no more.
	static const uint32_t elsewhere[] = {3};
	t.changes[1].areas = elsewhere;
	run(&t, "weir", 2, &life, &r);
	assert_int_equal(decided_ms(&r, 2), 160000);
	assert_int_equal(r.stopped, 1);
	assert_true(decided_ms(&r, 0) == 600000 || decided_ms(&r, 1) == 600000);
}

// ---------------------------------------------------------------- the checker

static void judged(const struct queuetrace *t, struct queuemodel_result *r, struct arena *life,
                   const char *why) {
	struct err e = {0};
	const struct queuemodel_options *o = options_of(queuepolicy_named(STR("weir")), 4);
	assert_false(queuecheck_run(t, o, r, life, &e));
	if (!strstr(e.text, why)) fail_msg("\"%s\" says nothing of \"%s\"", e.text, why);
}

static struct queuemodel_result fresh(const struct queuetrace *t, struct arena *life) {
	struct queuemodel_result r;
	run(t, "weir", 4, life, &r);
	return r;
}

static void broken_rules_are_found(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuetrace t = read_trace(three, &life);
	static const uint32_t none[1], stranger[] = {0};
	struct queuemodel_result r = fresh(&t, &life);
	r.decisions[0].landed = !r.decisions[0].landed;
	judged(&t, &r, &life, "not what becomes of it");
	r = fresh(&t, &life);
	r.decisions[1].candidate_count = 1; // one outcome of two is not enough to overtake
	judged(&t, &r, &life, "no candidate it names justifies it");
	r = fresh(&t, &life);
	r.decisions[0].candidates = stranger;
	judged(&t, &r, &life, "no candidate it names justifies it");
	r = fresh(&t, &life);
	r.decision_count--;
	judged(&t, &r, &life, "2 of 3 changes were decided");
	r = fresh(&t, &life);
	r.decisions[2] = r.decisions[1];
	judged(&t, &r, &life, "was decided before");
	r = fresh(&t, &life);
	r.candidates[0].passed = !r.candidates[0].passed;
	judged(&t, &r, &life, "its verdict is not what its tree deserves");
	r = fresh(&t, &life);
	r.slots[0].ended_ms -= 5000;
	judged(&t, &r, &life, "another time");
	r = fresh(&t, &life);
	r.candidates[0].member_count = 0;
	r.candidates[0].members = none;
	judged(&t, &r, &life, "no member");
	r = fresh(&t, &life);
	struct queuemodel_options tight = *options_of(queuepolicy_named(STR("weir")), 1);
	struct err e = {0};
	assert_false(queuecheck_run(&t, &tight, &r, &life, &e));
	assert_text(str_of(e.text), "more candidates run than there are executors");
}

// ---------------------------------------------------------------- traces

static void traces_are_written_and_read(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF first = {0}, second = {0};
	struct queuetrace_shape shape = queuetrace_usual;
	struct queuetrace made, again;
	struct err e = {0};
	shape.changes = 200;
	queuetrace_make(&shape, &life, &made);
	queuetrace_write(&made, &first);
	assert_ok(queuetrace_read(buf_view(&first), &life, &again, &e), e);
	queuetrace_write(&again, &second);
	assert_true(str_eq(buf_view(&first), buf_view(&second)));
	assert_int_equal(again.n, 200);
}

static void bad_traces_are_refused(void **state) {
	(void)state;
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"{", "not JSON"},
		{"{}", "no list \"changes\""},
		{"{\"changes\":[]}", "an empty one"},
		{"{\"changes\":[{\"duration_s\":1}]}", "change 0 of the trace: arrival_s"},
		{"{\"changes\":[{\"arrival_s\":0,\"duration_s\":0}]}", "duration_s"},
		{"{\"changes\":[{\"arrival_s\":0,\"duration_s\":1,\"p_success\":1.5}]}", "p_success"},
		{"{\"changes\":[{\"arrival_s\":0,\"duration_s\":1,\"p_success\":1,\"ok\":1}]}", "ok must"},
		{"{\"changes\":[{\"arrival_s\":0,\"duration_s\":1,\"p_success\":1,\"ok\":true}]}", "areas"},
		{"{\"changes\":[{\"arrival_s\":0,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":"
	     "[-1]}]}",
	     "an area is a number"},
		{"{\"changes\":[{\"arrival_s\":5,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":[]}"
	     ",{\"arrival_s\":4,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":[]}]}",
	     "change 1 of the trace: it arrives before"},
		{"{\"changes\":[{\"arrival_s\":5,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":[]}"
	     "],\"real_conflicts\":[[0,1]]}",
	     "pair 0 of real_conflicts"},
		{"{\"changes\":[{\"arrival_s\":5,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":[],"
	     "\"flake\":1}]}",
	     "flake must be"},
		{"{\"changes\":[{\"arrival_s\":5,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":[],"
	     "\"priority\":1},{\"arrival_s\":5,\"duration_s\":1,\"p_success\":1,\"ok\":true,\"areas\":["
	     "]}"
	     "],\"real_conflicts\":[[0,1]]}",
	     "names a change with a priority"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct queuetrace t;
		struct err e = {0};
		assert_false(queuetrace_read(str_of(rows[i].text), &life, &t, &e));
		if (!strstr(e.text, rows[i].why)) fail_msg("\"%s\" lacks \"%s\"", e.text, rows[i].why);
	}
}

static void percentiles_are_as_the_papers_count(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct queuetrace t = read_trace(three, &life);
	struct queuemodel_result r;
	struct queuereport report;
	run(&t, "oracle", 3, &life, &r);
	queuereport_of(&t, &r, &life, &report);
	assert_int_equal(report.p50_ms, 590000); // of 30, 590 and 600 s: v[1]
	assert_int_equal(report.p95_ms, 600000);
	assert_int_equal((int64_t)(report.executor_s_per_landed * 1000), 345000);
	assert_true(report.builds_per_change == 1 && report.aborted_ratio == 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_by_hand),
		cmocka_unit_test(overtakes_when_every_outcome_allows_it),
		cmocka_unit_test(a_red_batch_is_settled_by_deduction),
		cmocka_unit_test(every_policy_keeps_the_rules_and_ends),
		cmocka_unit_test(flakes_eject_nobody),
		cmocka_unit_test(a_red_that_may_be_a_flake_is_run_again),
		cmocka_unit_test(a_hotfix_waits_for_nobody),
		cmocka_unit_test(broken_rules_are_found),
		cmocka_unit_test(traces_are_written_and_read),
		cmocka_unit_test(bad_traces_are_refused),
		cmocka_unit_test(percentiles_are_as_the_papers_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
