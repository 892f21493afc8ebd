// Which jobs and files a change touches, by what the jobs' last runs read.
#include "app/affects.h"

#include "base/json.h"
#include "conf/conf.h"
#include "core/areas.h"
#include "git/playground.h"
#include "store/object.h"

static struct arena life;

static const char jobs[] = "jobs:\n"
						   "  lib: {run: x}\n"
						   "  app: {run: x, needs: [pack]}\n" // before the one that it needs
						   "  pack: {run: x, needs: [lib]}\n"
						   "  docs: {run: x}\n"
						   "  some: {run: x, inputs: ['data/**']}\n"
						   "  whole: {run: x}\n"
						   "  later: {run: x, when: landed}\n";

static const char first[] = "cd w; mkdir -p lib docs data; echo 1 >lib/a.c; echo 1 >docs/a.md; "
							"echo 1 >data/a; echo 1 >weir.yml; git add -A; git commit -qm 1; "
							"git rev-parse HEAD";

static const struct {
	const char *then, *jobs; // "" = everything
} rows[] = {
	{"echo 2 >lib/a.c", "lib app pack whole"},
	{"echo 2 >docs/a.md", "docs whole"},
	{"echo 2 >data/a", "some whole"},
	{"echo 2 >new", "whole"}, // nobody looked for it
	{"echo 2 >lib/b.h", "lib app pack whole"},
	{"echo 2 >weir.yml", ""},
	{"for i in $(seq 600); do echo >f$i; done", ""},
};

static struct digest put(const char *object, size_t n) {
	AUTO_OBJECTS objects = NULL;
	struct digest name;
	struct err e = {0};
	assert_ok(object_store_open(pg.data, &objects, &e), e);
	assert_ok(object_put(objects, (struct str){object, n}, &name, &e), e);
	return name;
}

#define RECORD(text) put(text, sizeof text) // each entry ends with NUL
#define TEXT(text) put(text, sizeof text - 1)

static struct str plan_of(const char *yaml) {
	struct conf_plan *plan;
	struct conf_diagnostics diagnostics = {.life = &life};
	AUTO_BUF text = {0};
	assert_true(conf_parse(str_of(yaml), &life, &plan, &diagnostics));
	plan_json(plan, &text);
	return arena_str(&life, buf_view(&text));
}

static void what_a_change_touches(void **state) {
	(void)state;
	make_work_tree();
	struct oid base = sh_oid("%s", first);
	struct read_job_input known[] = {
		{STR("lib"), RECORD("r 100644-0 lib/a.c\0a  lib/b.h")},
		{STR("pack"), TEXT("")},
		{STR("app"), TEXT("")},
		{STR("docs"), RECORD("r 100644-0 docs/a.md")},
		{STR("some"),
	     TEXT(
			 "{\"patterns\":[\"data/**\"],\"tree\":\"0123456789012345678901234567890123456789\"}")},
	};
	struct read_job_inputs all = {known, ARRAY_LEN(known)};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_JSON v = NULL;
		AUTO_BUF names = {0};
		struct err e;
		struct affects_query q = {
			.objects = pg.data,
			.git = pg.repo,
			.base = base,
			.tree = sh_oid("cd w; git reset -q --hard; git clean -qfd; { %s; }; git add -A; "
		                   "git write-tree; git reset -q --hard",
		                   rows[i].then),
			.plan = plan_of(jobs),
			.known = &all};
		struct str text = affects_find(&q, &life);
		if (!*rows[i].jobs) {
			assert_int_equal(text.n, 0);
			continue;
		}
		assert_ok(json_parse(text, &v, &e), e);
		const struct json *list = json_get(v, "jobs");
		for (size_t k = 0; k < json_length(list); k++)
			buf_printf(&names, "%s" STR_FMT, k ? " " : "", STR_ARG(json_str(json_at(list, k))));
		assert_int_equal(json_length(json_get(v, "files")), 1);
		if (!str_eq(buf_view(&names), str_of(rows[i].jobs)))
			fail_msg("%s: " STR_FMT, rows[i].then, STR_ARG(buf_view(&names)));
	}
}

static int forget(void **state) {
	arena_free(&life);
	return playground_close(state);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_change_touches, playground_open, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
