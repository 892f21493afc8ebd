// What of a job's definition and surroundings makes another verdict, and what does not.
#include "app/jobspec.h"

#include "base/unit.h"
#include "conf/conf.h"

static struct arena life;

static struct conf_plan *plan(const char *job) {
	struct conf_plan *out = NULL;
	struct conf_diagnostics d = {.life = &life};
	AUTO_BUF told = {0};
	struct str text = arena_printf(&life, "jobs:\n  t: {%s}\n", job);
	if (!conf_parse(text, &life, &out, &d)) {
		diagnostics_text(&d, STR("weir.yml"), false, &told);
		fail_msg("%s", told.p);
	}
	return out;
}

static struct exec_spec filled(const struct conf_plan *p, const char *id, const char *repo) {
	struct jobspec_facts facts = {str_of(repo), STR("main")};
	struct exec_spec spec;
	jobspec_fill(p, &p->jobs[0], str_of(id), &facts, &life, &spec);
	return spec;
}

static struct digest key(const char *job, const char *id, const char *repo, const char *inputs) {
	const struct conf_plan *p = plan(job);
	struct exec_spec spec = filled(p, id, repo);
	struct digest basis = jobspec_basis(p, &p->jobs[0], &spec, NULL, 0, (struct digest){0},
	                                    KEY_TRUST_CHANGE);
	return key_of(basis, digest_of(str_of(inputs)));
}

static void a_job_knows_where_it_runs(void **state) {
	(void)state;
	struct exec_spec spec = filled(plan("run: make, env: {A: b}, timeout: 2m, network: true, "
	                                    "resources: {memory: 1GB}, artifacts: [x]"),
	                               "run-1", "shop");
	static const char *const want[] = {"A",         "b",    "WEIR_JOB",    "t",
	                                   "WEIR_REPO", "shop", "WEIR_TARGET", "main"};
	assert_int_equal(spec.env.n, 4);
	for (size_t i = 0; i < spec.env.n; i++) {
		assert_text(spec.env.p[i].name, want[2 * i]);
		assert_text(spec.env.p[i].value, want[2 * i + 1]);
	}
	assert_text(spec.id, "run-1");
	assert_text(spec.command, "make");
	assert_int_equal(spec.timeout_ms, 120000);
	assert_true(spec.network && spec.artifacts.n == 1 && spec.memory_bytes > 0);
	assert_int_equal(filled(plan("run: make"), "x", "").env.n, 2); // weir run: no repository
}

static void a_verdict_depends_on_what_a_job_reads(void **state) {
	(void)state;
	struct digest base = key("run: make", "1", "shop", "tree");
	assert_true(digest_eq(base, key("run: make", "2", "", "tree"))); // who runs it is no part
	assert_false(digest_eq(base, key("run: make x", "1", "shop", "tree")));
	assert_false(digest_eq(base, key("run: make", "1", "shop", "other")));
	assert_false(digest_eq(base, key("run: make, env: {A: b}", "1", "shop", "tree")));
	assert_false(digest_eq(key("run: make, env: {A: b}", "1", "shop", "tree"),
	                       key("run: make, env: {A: c}", "1", "shop", "tree")));
}

static void what_looks_outside_is_not_reused(void **state) {
	(void)state;
	static const struct {
		const char *job;
		bool reusable;
	} rows[] = {{"run: x", true},
	            {"run: x, env: {A: b}", true},
	            {"run: x, network: true", false},
	            {"run: x, secrets: [KEY]", false},
	            {"run: x, cache: [dl]", false},
	            {"run: x, when: nightly", false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (jobspec_is_reusable(&plan(rows[i].job)->jobs[0]) != rows[i].reusable)
			fail_msg("%s", rows[i].job);
}

static void inputs_name_the_commit_only_where_git_is_seen(void **state) {
	(void)state;
	struct oid tree = {.n = 20, .b = {1}}, commit = {.n = 20, .b = {2}};
	const struct conf_job *job = &plan("run: x")->jobs[0];
	assert_text(jobspec_inputs(job, tree, (struct oid){0}, &life),
	            "{\"tree\":\"0100000000000000000000000000000000000000\"}");
	assert_text(
		jobspec_inputs(&plan("run: x, inputs: [a, b]")->jobs[0], tree, (struct oid){0}, &life),
		"{\"patterns\":[\"a\",\"b\"],"
		"\"tree\":\"0100000000000000000000000000000000000000\"}");
	assert_text(jobspec_inputs(job, tree, commit, &life),
	            "{\"commit\":\"0200000000000000000000000000000000000000\","
	            "\"tree\":\"0100000000000000000000000000000000000000\"}");
}

static int forget(void **state) {
	(void)state;
	arena_free(&life);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_job_knows_where_it_runs, forget),
		cmocka_unit_test_teardown(a_verdict_depends_on_what_a_job_reads, forget),
		cmocka_unit_test_teardown(what_looks_outside_is_not_reused, forget),
		cmocka_unit_test_teardown(inputs_name_the_commit_only_where_git_is_seen, forget),
	};
	return cmocka_run_group_tests_name("jobspec", tests, NULL, NULL);
}
