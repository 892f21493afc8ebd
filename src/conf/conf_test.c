// The limits that a golden file would be too large for; what is wrong in words stands in
// test/golden/conf.
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// The code of the first diagnostic, or "ok".
static const char *first_code(struct str text) {
	AUTO_ARENA life = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	return conf_parse(text, &life, &plan, &d) ? "ok" : d.items[0].code;
}

static void size_limit(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	buf_cstr(&text, "jobs: {a: {run: x}}\n");
	while (text.n < CONF_BYTES_MAX) buf_cstr(&text, "# filling\n");
	text.n = CONF_BYTES_MAX - 1;
	buf_char(&text, '\n');
	assert_string_equal(first_code(buf_view(&text)), "ok");
	buf_char(&text, '\n');
	assert_string_equal(first_code(buf_view(&text)), "too-large");
	while (text.n < 10 << 20) buf_cstr(&text, "jobs: &a [*a, *a, *a, *a]\n");
	assert_string_equal(first_code(buf_view(&text)), "too-large");
}

static void node_limit(void **state) {
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		AUTO_BUF text = {0};
		// root, jobs, its mapping, a, its mapping, run, x, matrix, its mapping, v, its list: 11
		buf_cstr(&text, "jobs: {a: {run: x, matrix: {v: [");
		for (int i = 0; i < CONF_NODES_MAX - 11 + extra; i++) buf_printf(&text, "%d,", i);
		buf_cstr(&text, "]}}}\n");
		assert_string_equal(first_code(buf_view(&text)), extra ? "too-large" : "too-many-jobs");
	}
}

static void job_limit(void **state) {
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		AUTO_ARENA life = {0};
		AUTO_BUF text = {0};
		struct conf_plan *plan = NULL;
		struct conf_diagnostics d = {.life = &life};
		buf_printf(
			&text,
			"jobs:\n  a: {run: x, shards: 64, matrix: {v: [1, 2, 3]}}\n  b: {run: x, needs: [a]}\n"
			"  c: {run: x, shards: %d}\n",
			63 + extra);
		assert_int_equal(conf_parse(buf_view(&text), &life, &plan, &d), extra == 0);
		if (!extra) assert_int_equal(plan->jobs_n, 256);
		if (!extra) assert_int_equal(plan->jobs[192].needs.n, 192);
		if (extra) assert_string_equal(d.items[0].code, "too-many-jobs");
	}
}

static void nothing_is_read_before(void **state) {
	(void)state;
	assert_string_equal(first_code(STR_NONE), "empty");
	assert_string_equal(first_code(STR("null")), "empty");
	assert_string_equal(first_code(STR("jobs: {a: {run: \xed\xa0\x80}}")), "not-utf8");
	assert_string_equal(first_code(STR("jobs: {a: {run: x}}\n...\n")), "ok");
	assert_string_equal(first_code(STR("\xef\xbb\xbf"
	                                   "jobs: {a: {run: x}}")),
	                    "ok");
	assert_string_equal(first_code(STR("jobs: {a: {run: x}}\n--- \njobs: {}")), "two-documents");
}

// As YAML 1.2 says; libfyaml has two ways to a text, which differ here.
static void texts_are_read_right(void **state) {
	static const struct {
		const char *yaml, *text;
	} cases[] = {
		{"'x '''' y'", "x '' y"},
		{"''''''''", "'''"},
		{"'a''b'", "a'b"},
		{"\"a\\tb\\\"c\"", "a\tb\"c"},
		{">\n      one\n      two\n\n        more\n      end\n", "one two\n\n  more\nend\n"},
		{"|-\n      one\n\n      two\n", "one\n\ntwo"},
		{"one\n      two", "one two"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_ARENA life = {0};
		struct conf_plan *plan = NULL;
		struct conf_diagnostics d = {.life = &life};
		struct str yaml = arena_printf(&life, "jobs:\n  a:\n    run: %s\n", cases[i].yaml);
		assert_true(conf_parse(yaml, &life, &plan, &d));
		assert_string_equal(plan->jobs[0].run.p, cases[i].text);
	}
}

static void values(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	assert_true(conf_parse(STR("trunk: dev\n"
	                           "jobs:\n"
	                           "  a:\n"
	                           "    run: |\n"
	                           "      one\n"
	                           "      two\n"
	                           "    timeout: 1h30m\n"
	                           "    resources: {cpu: 1.5, memory: 1.5G, disk: 2048KiB}\n"
	                           "    working-directory: ./src//sub/\n"
	                           "    artifacts: [./out/, \"**/x\"]\n"
	                           "    env: {Z: on, A: 010, E: , N: null}\n"
	                           "    when: landed\n"
	                           "  b: {run: x, needs: [a], when: nightly}\n"),
	                       &life, &plan, &d));
	const struct conf_job *job = &plan->jobs[0];
	assert_string_equal(plan->trunk.p, "dev");
	assert_string_equal(job->run.p, "one\ntwo\n");
	assert_int_equal(job->timeout_ms, 5400000);
	assert_int_equal(plan->jobs[1].timeout_ms, 600000);
	assert_int_equal(job->resources.cpu_milli, 1500);
	assert_int_equal(job->resources.memory_bytes, 1610612736);
	assert_int_equal(job->resources.disk_bytes, 2097152);
	assert_string_equal(job->working_directory.p, "src/sub");
	assert_string_equal(job->artifacts.p[0].p, "out");
	assert_string_equal(job->env.p[0].name.p, "A"); // sorted, and as written: no YAML number
	assert_string_equal(job->env.p[0].value.p, "010");
	assert_string_equal(job->env.p[1].value.p, "");
	assert_string_equal(job->env.p[2].value.p, "null");
	assert_int_equal(job->when, CONF_WHEN_LANDED);
	assert_int_equal(plan->jobs[1].needs.p[0], 0);
	assert_false(job->network || job->git || job->submodules || job->before_landing);
	assert_int_equal(plan_find_job(plan, STR("b")), 1);
	assert_int_equal(plan_find_job(plan, STR("c")), -1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_limit),
		cmocka_unit_test(node_limit),
		cmocka_unit_test(job_limit),
		cmocka_unit_test(nothing_is_read_before),
		cmocka_unit_test(texts_are_read_right),
		cmocka_unit_test(values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
