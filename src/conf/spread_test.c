#include "conf/spread.h"

#include "base/unit.h"
#include "conf/conf.h"

static struct arena life;

static struct conf_plan *parsed(const char *text) {
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	AUTO_BUF told = {0};
	if (conf_parse(str_of(text), &life, &plan, &d)) return plan;
	diagnostics_text(&d, STR("weir.yml"), false, &told);
	fail_msg("%s", told.p);
	return NULL;
}

static struct str paths[] = {{"a.c", 3}, {"t/gc.lua", 8}, {"t/libs/x.lua", 12}, {"t/sort.lua", 10}};

static bool spread(const char *text, struct conf_plan **out, struct err *e) {
	return spread_jobs(parsed(text), paths, ARRAY_LEN(paths), &life, out, e);
}

static struct str variable(const struct conf_job *job, const char *name) {
	for (size_t i = 0; i < job->env.n; i++)
		if (str_eq(job->env.p[i].name, str_of(name))) return job->env.p[i].value;
	return STR_NONE;
}

static void a_job_for_each_file(void **state) {
	(void)state;
	struct conf_plan *plan;
	struct err e;
	static const char text[] =
		"jobs:\n"
		"  build: {run: make}\n"
		"  test: {needs: [build], run: x, each: ['t/*.lua'], artifacts: [out/$WEIR_EACH.txt],"
		" env: {Z: z}}\n"
		"  after: {needs: [test], run: y}\n";
	assert_true(spread_wanted(parsed(text)));
	assert_ok(spread(text, &plan, &e), e);
	assert_false(spread_wanted(plan));
	assert_int_equal(plan->jobs_n, 4);
	assert_text(plan->jobs[1].name, "test gc.lua");
	assert_text(plan->jobs[2].name, "test sort.lua");
	assert_text(variable(&plan->jobs[2], "WEIR_EACH"), "t/sort.lua");
	assert_text(variable(&plan->jobs[2], "Z"), "z");
	assert_text(plan->jobs[2].artifacts.p[0], "out/t/sort.lua.txt");
	assert_text(plan->jobs[2].family, "test");
	assert_int_equal(plan->jobs[2].needs.n, 1);
	assert_int_equal(plan->jobs[3].needs.n, 2);
	assert_int_equal(plan->jobs[3].needs.p[1], 2);
	// Its canonical form reads back.
	AUTO_BUF one = {0}, two = {0};
	AUTO_JSON v = NULL;
	struct conf_plan *again;
	plan_json(plan, &one);
	assert_ok(json_parse(buf_view(&one), &v, &e), e);
	assert_ok(plan_from_json(v, &life, &again, &e), e);
	plan_json(again, &two);
	assert_true(str_eq(buf_view(&one), buf_view(&two)));
}

static void what_cannot_be_is_refused(void **state) {
	(void)state;
	struct conf_plan *plan;
	struct err e;
	assert_refused(spread("jobs: {t: {run: x, each: ['none/*']}}", &plan, &e), e, ERR_INVALID);
	assert_true(str_contains(str_of(e.text), STR("each of job t names no file")));
	assert_ok(spread("jobs: {t: {run: x, each: ['t/*.lua', '*.c']}}", &plan, &e), e);
	assert_text(plan->jobs[2].name, "t t/sort.lua"); // of two patterns: the whole path
	struct str many[CONF_JOBS_MAX];
	for (size_t i = 0; i < ARRAY_LEN(many); i++) many[i] = arena_printf(&life, "f%zu", i);
	struct conf_plan *two = parsed("jobs: {t: {run: x, each: ['f*']}, u: {run: y}}");
	assert_refused(spread_jobs(two, many, ARRAY_LEN(many), &life, &plan, &e), e, ERR_LIMIT);
	struct str longest = arena_printf(&life, "%0*d", CONF_NAME_MAX, 1);
	assert_refused(
		spread_jobs(parsed("jobs: {t: {run: x, each: ['*']}}"), &longest, 1, &life, &plan, &e), e,
		ERR_INVALID);
}

static int forget(void **state) {
	(void)state;
	arena_free(&life);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_job_for_each_file, forget),
		cmocka_unit_test_teardown(what_cannot_be_is_refused, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
