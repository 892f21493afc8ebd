// Any bytes as weir.yml: no crash; a plan survives its canonical form; what is refused can be told.
#include <assert.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// libfyaml 0.7.12 leaks what it made of a text with adjacent escaped quotes, as much as the text is
// long. Its iterator over the pieces of a text does not, but gets that very text wrong.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
	return "leak:fy_atom_iter\nleak:fy_token_get_text\nleak:libfyaml";
}

static void round_trip(const struct conf_plan *plan) {
	AUTO_ARENA life = {0};
	AUTO_BUF first = {0}, second = {0};
	AUTO_JSON json = NULL;
	struct err e = {0};
	struct conf_plan *back = NULL, *merged = NULL;
	plan_json(plan, &first);
	bool ok = json_parse(buf_view(&first), &json, &e) && plan_from_json(json, &life, &back, &e);
	assert(ok);
	plan_json(back, &second);
	assert(str_eq(buf_view(&first), buf_view(&second)));

	// A plan merged with itself keeps its jobs and their order.
	ok = plan_merge(plan, back, &life, &merged, &e);
	assert(ok && merged->jobs_n == plan->jobs_n);
	for (size_t i = 0; i < plan->jobs_n; i++) {
		AUTO_BUF key = {0}, other = {0};
		plan_job_json(plan, &plan->jobs[i], &key);
		plan_job_json(merged, &merged->jobs[i], &other);
		assert(key.n > 2 && str_eq(buf_view(&key), buf_view(&other)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	AUTO_BUF out = {0};
	AUTO_JSON json = NULL;
	struct err e = {0};
	struct conf_plan *plan = NULL;
	struct conf_diagnostics d = {.life = &life};
	bool ok = conf_parse((struct str){(const char *)data, size}, &life, &plan, &d);
	assert(ok == (d.errors == 0) && ok == (plan != NULL));
	diagnostics_text(&d, STR("weir.yml"), size % 2, &out);
	assert(str_utf8_bad(buf_view(&out)) == out.n);
	buf_reset(&out);
	diagnostics_json(&d, STR("weir.yml"), &out);
	ok = json_parse(buf_view(&out), &json, &e);
	assert(ok);
	for (size_t i = 0; i < d.n; i++)
		assert(d.items[i].line && d.items[i].column && d.items[i].message.n);
	if (plan) round_trip(plan);
	return 0;
}
