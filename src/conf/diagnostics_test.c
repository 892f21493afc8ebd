// Every test/golden/conf/x.yml gives what stands in x.expected. GOLDEN_WRITE=1 writes the
// expectations anew: read the difference before you believe it.
#include "conf/diagnostics.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "conf/conf.h"

#define FOLDER "test/golden/conf/"

static void read_file(const char *path, struct buf *out) {
	char block[4096];
	FILE *file = fopen(path, "rb");
	if (!file) fail_msg("%s: cannot be read; tests run at the root of the repository", path);
	for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;) buf_add(out, block, n);
	fclose(file);
}

static void judge(struct str text, struct buf *out) {
	AUTO_ARENA life = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	bool ok = conf_parse(text, &life, &plan, &d);
	diagnostics_text(&d, STR("weir.yml"), false, out);
	if (!ok) return;
	buf_cstr(out, "ok: ");
	plan_summary(plan, out);
	buf_char(out, '\n');
	plan_json(plan, out);
	for (size_t i = 0; i < plan->jobs_n; i++) {
		buf_char(out, '\n');
		plan_job_json(plan, &plan->jobs[i], out);
	}
	buf_char(out, '\n');
}

static void check(const char *name) {
	AUTO_BUF text = {0}, got = {0}, want = {0};
	char path[300], expected[300];
	snprintf(path, sizeof path, FOLDER "%s", name);
	snprintf(expected, sizeof expected, FOLDER "%.*s.expected", (int)(strlen(name) - 4), name);
	read_file(path, &text);
	judge(buf_view(&text), &got);
	if (getenv("GOLDEN_WRITE")) {
		FILE *file = fopen(expected, "wb");
		assert_non_null(file);
		fwrite(got.p, 1, got.n, file);
		fclose(file);
		return;
	}
	read_file(expected, &want);
	if (!str_eq(buf_view(&got), buf_view(&want))) fail_msg("%s is now:\n%s", name, got.p);
}

static void golden(void **state) {
	(void)state;
	size_t n = 0;
	DIR *folder = opendir(FOLDER);
	if (!folder) {
		fail_msg(FOLDER " cannot be read; tests run at the root of the repository");
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));)
		if (str_ends(str_of(entry->d_name), STR(".yml"))) {
			check(entry->d_name);
			n++;
		}
	closedir(folder);
	assert_true(n >= 30);
}

static void colour_as_designed(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF out = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	assert_false(conf_parse(STR("jobs:\n  a: {run: x, neds: []}\n"), &life, &plan, &d));
	diagnostics_text(&d, STR("weir.yml"), true, &out);
	assert_string_equal(
		out.p,
		"\x1b[1mweir.yml:2:15:\x1b[0m \x1b[1;31merror:\x1b[0m unknown key \"neds\" in job a\n"
		"\x1b[2m   2 |\x1b[0m   a: {run: x, neds: []}\n"
		"     \x1b[2m|\x1b[0m               \x1b[1;31m^^^^\x1b[0m did you mean "
		"\x1b[1mneeds\x1b[0m?\n"
		"\n1 error in weir.yml\n");
}

static void json_for_programs(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF out = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	assert_false(conf_parse(STR("jobs:\n  \xc3\xa4\xc3\xa4: {run: x}\n  b: {run: x, neds: []}\n"),
	                        &life, &plan, &d));
	diagnostics_json(&d, STR("weir.yml"), &out);
	assert_string_equal(
		out.p, "{\"diagnostics\":[{\"code\":\"bad-name\",\"column\":3,\"end_column\":5,\"file\":"
			   "\"weir.yml\","
			   "\"hint\":\"letters, digits, ., _ and -, a letter or digit in front\",\"line\":2,"
			   "\"message\":\"\\\"\xc3\xa4\xc3\xa4\\\" cannot name a job\",\"severity\":\"error\"},"
			   "{\"code\":\"unknown-key\",\"column\":15,\"end_column\":19,\"file\":\"weir.yml\","
			   "\"hint\":\"did you mean needs?\",\"line\":3,\"message\":\"unknown key \\\"neds\\\" "
			   "in job b\","
			   "\"severity\":\"error\"}],\"errors\":2,\"file\":\"weir.yml\",\"warnings\":0}");
}

static void only_the_first(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF text = {0}, out = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	buf_cstr(&text, "jobs: {a: {run: x}}\n");
	for (int i = 0; i < 150; i++) buf_printf(&text, "key%d: 1\n", i);
	assert_false(conf_parse(buf_view(&text), &life, &plan, &d));
	assert_int_equal(d.n, CONF_DIAGNOSTICS_MAX);
	assert_int_equal(d.errors, 150);
	diagnostics_text(&d, STR("weir.yml"), false, &out);
	assert_true(
		str_ends(buf_view(&out), STR("\n150 errors in weir.yml, the first 50 are shown\n")));
}

// Folders of environments are REPOSITORY.ENVIRONMENT, and repositories may have dots.
static void environments_have_no_dot(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF out = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	assert_false(conf_parse(STR("jobs:\n  b.c: {run: x}\nenvironments:\n  b.c: {artifacts: [x]}\n"),
	                        &life, &plan, &d));
	diagnostics_text(&d, STR("weir.yml"), false, &out);
	assert_non_null(strstr(out.p, "\"b.c\" cannot name an environment: it has a dot"));
	assert_null(strstr(out.p, "name a job"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(environments_have_no_dot), cmocka_unit_test(golden),
		cmocka_unit_test(colour_as_designed),       cmocka_unit_test(json_for_programs),
		cmocka_unit_test(only_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
