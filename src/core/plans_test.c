#include "core/plans.h"

#include <stdio.h>

#include "core/fixture.h"

static void plans_are_judged(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{"{\"jobs\":[]}", true},
		{"{\"jobs\":[{\"name\":\"a\",\"when\":\"nightly\"}]}", true},
		{"", false},
		{"{}", false},
		{"{\"jobs\":{}}", false},
		{"{\"jobs\":[{\"name\":\"\",\"when\":\"change\"}]}", false},
		{"{\"jobs\":[{\"name\":\"a\"}]}", false},
		{"{\"jobs\":[{\"name\":\"a\",\"when\":\"sometimes\"}]}", false},
		{"{\"jobs\":[{\"name\":\"a\",\"needs\":[0],\"when\":\"change\"}]}", false},
		{"{\"jobs\":[{\"name\":\"a\",\"needs\":[1],\"when\":\"change\"}]}", false},
		{"{\"jobs\":[{\"name\":\"a\",\"needs\":[\"b\"],\"when\":\"change\"}]}", false},
		{"{\"jobs\":[{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123\""
	     ",\"when\":\"change\"}]}",
	     false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		if (plans_check(str_of(rows[i].text), &e) != rows[i].good || (!rows[i].good && !e.text[0]))
			fail_msg("%s: %s", rows[i].text, e.text);
	}
}

static struct str plan(struct arena *life, int n) { // n jobs, each needs all before it
	AUTO_BUF b = {0};
	buf_cstr(&b, "{\"jobs\":[");
	for (int i = 0; i < n; i++) {
		buf_printf(&b, "%s{\"name\":\"p%d-%d\",\"needs\":[", i ? "," : "", n, i);
		for (int k = 0; k < i; k++) buf_printf(&b, "%s%d", k ? "," : "", k);
		buf_cstr(&b, "],\"when\":\"change\"}");
	}
	buf_cstr(&b, "]}");
	return arena_str(life, buf_view(&b));
}

static void check_plan(const struct state *s, struct digest d, int n) {
	const struct plan *p = state_plan(s, d);
	assert_non_null(p);
	assert_int_equal(p->job_count, n);
	for (int i = 0; i < n; i++) {
		char want[32];
		const struct plan_job *j = state_plan_job(s, p, (size_t)i);
		snprintf(want, sizeof want, "p%d-%d", n, i);
		assert_text(state_name(&j->name), want);
		assert_int_equal(j->need_count, i);
		for (int k = 0; k < i; k++)
			assert_int_equal(*(uint16_t *)table_at(&s->needs, j->need_at + (size_t)k), k);
	}
}

// Plans come and go in any order; the rows of the others stay right.
static void plans_are_kept_once_and_counted(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct state s;
	struct err e;
	struct digest d[5] = {0};
	state_init(&s);
	for (int n = 0; n < 5; n++) {
		d[n] = fixture_key((uint64_t)n + 1);
		assert_ok(plans_use(&s, d[n], plan(&life, n), &e), e);
		assert_ok(plans_use(&s, d[n], STR("not read again"), &e), e);
	}
	assert_int_equal(s.plans.count, 5);
	for (int round = 0; round < 2; round++) {
		static const int order[] = {2, 0, 4, 1, 3};
		for (size_t i = 0; i < 5; i++) {
			plans_drop(&s, d[order[i]]);
			for (size_t k = round ? i + 1 : 0; k < 5; k++) check_plan(&s, d[order[k]], order[k]);
		}
	}
	assert_int_equal(s.plans.count + s.plan_jobs.count + s.needs.count, 0);
	plans_drop(&s, d[0]); // nothing
	state_free(&s);
}

static void a_plan_without_jobs_lands_and_is_freed(void **state) {
	(void)state;
	struct fixture f;
	struct str none = STR("{\"jobs\":[]}");
	fixture_begin(&f, 1);
	for (uint64_t i = 1; i <= 3; i++) {
		struct event built = fixture_built(i);
		built.candidate_built.plan = none;
		built.candidate_built.plan_digest = digest_of(none);
		fixture_apply(&f, fixture_proposal(&f, i, i));
		fixture_decide(&f);
		fixture_apply(&f, built);
		fixture_decide(&f);
		fixture_apply(&f, fixture_landed(&f, i));
		fixture_decide(&f);
		assert_int_equal(state_plan(&f.s, digest_of(none))->uses, 1);
	}
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_judged),
		cmocka_unit_test(plans_are_kept_once_and_counted),
		cmocka_unit_test(a_plan_without_jobs_lands_and_is_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
