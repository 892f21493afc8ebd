#include "conf/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "conf/conf.h"

static struct conf_plan *parse(const char *text, struct arena *life) {
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = life};
	AUTO_BUF out = {0};
	if (!conf_parse(str_of(text), life, &plan, &d)) {
		diagnostics_text(&d, STR("weir.yml"), false, &out);
		fail_msg("%s", out.p);
	}
	return plan;
}

static struct conf_plan *merge(const char *candidate, const char *trunk, struct arena *life) {
	struct conf_plan *plan = NULL;
	struct err e = {0};
	if (!plan_merge(parse(candidate, life), parse(trunk, life), life, &plan, &e))
		fail_msg("%s", e.text);
	return plan;
}

static const struct conf_job *job(const struct conf_plan *plan, const char *name) {
	ptrdiff_t index = plan_find_job(plan, str_of(name));
	if (index < 0) fail_msg("no job %s", name);
	return &plan->jobs[index];
}

static struct str key(const struct conf_plan *plan, const char *name, struct arena *life) {
	AUTO_BUF out = {0};
	plan_job_json(plan, job(plan, name), &out);
	return arena_str(life, buf_view(&out));
}

static void canonical_form_is_exact(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF first = {0}, second = {0};
	AUTO_JSON json = NULL;
	struct err e = {0};
	struct conf_plan *back = NULL;
	plan_json(parse("jobs: {b: {run: \"a\\\"\\t\\u00e4\", env: {Z: '1', A: '2'}, artifacts: [x]}, "
	                "a: {run: y, needs: [b], matrix: {v: [1]}}}\n"
	                "environments: {p: {artifacts: [x], service: {run: x, health: /}, listen: "
	                "\"[::1]:80\"}}\n",
	                &life),
	          &first);
	assert_true(json_parse(buf_view(&first), &json, &e));
	assert_true(plan_from_json(json, &life, &back, &e));
	plan_json(back, &second);
	assert_string_equal(first.p, second.p);
	assert_int_equal(job(back, "a (1)")->needs.p[0], 0);
	assert_int_equal(back->environments[0].listen.port, 80);
	assert_string_equal(back->environments[0].listen.host.p, "::1");
	assert_string_equal(job(back, "b")->env.p[0].name.p, "A");
	AUTO_BUF sorted = {0}; // jansson sorts by itself: our order is the same
	json_print(&sorted, json);
	assert_string_equal(first.p, sorted.p);
}

static void damaged_form_is_told(void **state) {
	(void)state;
	static const char *const bad[] = {
		"[]",
		"{\"jobs\":{}}",
		"{\"jobs\":[1]}",
		"{\"jobs\":[{\"run\":1}]}",
		"{\"jobs\":[{\"needs\":[\"x\"]}]}",
		"{\"trunk\":null}",
		"{\"jobs\":[{\"when\":\"never\"}]}",
		"{\"environments\":[{\"listen\":\"x\"}]}",
		"{\"jobs\":[{\"env\":{\"A\":1}}]}",
		"{\"jobs\":[{\"artifacts\":[1]}]}",
		"{\"jobs\":[{\"timeout\":1.5}]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_ARENA life = {0};
		AUTO_JSON json = NULL;
		struct err e = {0};
		struct conf_plan *plan = NULL;
		assert_true(json_parse(str_of(bad[i]), &json, &e));
		if (plan_from_json(json, &life, &plan, &e)) fail_msg("%s was taken", bad[i]);
		assert_int_equal(e.code, ERR_CORRUPT);
		assert_null(plan);
	}
}

static void verdict_key(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct conf_plan *a = parse("jobs: {a: {run: x}}", &life);
	assert_string_equal(key(a, "a", &life).p, "{\"name\":\"a\",\"run\":\"x\"}");
	static const struct {
		const char *extra;
		bool same;
	} rows[] = {
		{"timeout: 10m", true},
		{"paths: [src]", true},
		{"retries: 2", true},
		{"when: nightly", true},
		{"network: false", true},
		{"env: {}", true},
		{"timeout: 11m", false},
		{"network: true", false},
		{"env: {A: b}", false},
		{"artifacts: [x]", false},
		{"results: [x]", false},
		{"git: true", false},
		{"working-directory: x", false},
		{"resources: {cpu: 1}", false},
		{"submodules: true", false},
		{"secrets: [A], before_landing: true", false},
		{"coverage: [x]", false},
		{"cache: [x]", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str text = arena_printf(&life, "jobs: {a: {run: x, %s}}", rows[i].extra);
		if (str_eq(key(parse(text.p, &life), "a", &life), key(a, "a", &life)) != rows[i].same)
			fail_msg("%s", rows[i].extra);
	}
}

static void trunk_jobs_stay(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct conf_plan *plan = merge(
		"jobs: {fast: {run: new}, build: {run: make all}}",
		"trunk: main\n"
		"jobs: {build: {run: make}, test: {run: check, needs: [build, gen]}, gen: {run: g}}\n",
		&life);
	assert_int_equal(plan->jobs_n, 4);
	assert_string_equal(job(plan, "build")->run.p, "make all"); // the candidate's
	assert_string_equal(job(plan, "test")->run.p,
	                    "check"); // trunk's, and what it needs is found again
	assert_int_equal(job(plan, "test")->needs.n, 2);
	assert_string_equal(plan->jobs[job(plan, "test")->needs.p[0]].name.p, "build");
	assert_string_equal(plan->jobs[job(plan, "test")->needs.p[1]].name.p, "gen");
}

static void shards_may_change_and_matrix_not(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct conf_plan *plan = merge(
		"jobs: {t: {run: x, shards: 3}, m: {run: x, matrix: {v: [1]}}}",
		"jobs: {t: {run: x, shards: 2}, m: {run: x, matrix: {v: [1, 2]}}}", &life);
	assert_int_equal(plan->jobs_n, 5);
	job(plan, "t 3/3");
	job(plan, "m (2)");
}

static void a_change_cannot_free_itself(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct conf_plan *plan = merge(
		"trunk: mine\n"
		"jobs:\n"
		"  a: {run: x, when: nightly, paths: [never], needs: [later], secrets: [T, NEW], "
		"before_landing: true}\n"
		"  b: {run: x, paths: [docs]}\n"
		"  later: {run: x, when: nightly, secrets: [T], before_landing: true}\n",
		"jobs:\n"
		"  a: {run: x, secrets: [OLD, T]}\n"
		"  b: {run: x, paths: [src, docs]}\n"
		"environments: {}\n",
		&life);
	assert_string_equal(plan->trunk.p, "main");
	assert_int_equal(job(plan, "a")->when, CONF_WHEN_CHANGE);
	assert_int_equal(job(plan, "a")->paths.n, 0);
	assert_int_equal(job(plan, "a")->secrets.n, 1);
	assert_string_equal(job(plan, "a")->secrets.p[0].p, "T");
	assert_false(job(plan, "a")->before_landing);
	assert_int_equal(job(plan, "b")->paths.n, 2);
	assert_int_equal(job(plan, "later")->when, CONF_WHEN_CHANGE); // a needs it
	assert_int_equal(job(plan, "later")->secrets.n, 0);           // trunk gives it none
}

static void merge_refuses(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF many = {0}, other = {0};
	struct err e = {0};
	struct conf_plan *plan = NULL;
	// t needs build and gen; the candidate moved gen's file into build.
	assert_false(plan_merge(
		parse("jobs: {build: {run: x, artifacts: [out]}}", &life),
		parse("jobs: {build: {run: x, artifacts: [out/app]}, gen: {run: x, artifacts: [out/gen]}, "
	          "t: {run: x, needs: [build, gen]}}",
	          &life),
		&life, &plan, &e));
	assert_int_equal(e.code, ERR_CONFLICT);
	buf_cstr(&many, "jobs:\n");
	buf_cstr(&other, "jobs:\n");
	for (int i = 0; i < 200; i++) buf_printf(&many, "  a%d: {run: x}\n", i);
	for (int i = 0; i < 200; i++) buf_printf(&other, "  b%d: {run: x}\n", i);
	assert_false(plan_merge(parse(many.p, &life), parse(other.p, &life), &life, &plan, &e));
	assert_int_equal(e.code, ERR_LIMIT);
	assert_null(plan);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_form_is_exact),
		cmocka_unit_test(damaged_form_is_told),
		cmocka_unit_test(verdict_key),
		cmocka_unit_test(trunk_jobs_stay),
		cmocka_unit_test(shards_may_change_and_matrix_not),
		cmocka_unit_test(a_change_cannot_free_itself),
		cmocka_unit_test(merge_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
