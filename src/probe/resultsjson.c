// Results as JSON and back; apart from the readers, so that who only shows results is linked with
// no reader of XML.
#include "probe/results.h"

#include "base/json.h"

static const char *const outcomes[] = {"passed", "failed", "error", "skipped"};
static const char *const formats[] = {"junit", "tap", "go-test", "ctrf"};

const char *probe_results_outcome_name(enum probe_outcome outcome) {
	return outcomes[outcome];
}

void probe_results_count(struct probe_results *r) {
	r->passed = r->failed = r->errors = r->skipped = 0;
	for (size_t i = 0; i < r->count; i++) {
		if (r->tests[i].group) continue;
		switch (r->tests[i].outcome) {
		case PROBE_PASSED: r->passed++; break;
		case PROBE_FAILED: r->failed++; break;
		case PROBE_ERROR: r->errors++; break;
		case PROBE_SKIPPED: r->skipped++; break;
		}
	}
}

static void write_counts(const struct probe_results *r, struct jsonw *w) {
	jsonw_key(w, "counts");
	jsonw_object(w);
	jsonw_key_i(w, "error", (int64_t)r->errors);
	jsonw_key_i(w, "failed", (int64_t)r->failed);
	jsonw_key_i(w, "passed", (int64_t)r->passed);
	jsonw_key_i(w, "skipped", (int64_t)r->skipped);
	jsonw_object_end(w);
}

static void write_test(const struct probe_test *t, bool output, struct jsonw *w) {
	jsonw_object(w);
	jsonw_key_i(w, "duration_ms", t->duration_ms);
	jsonw_key_s(w, "file", t->file);
	jsonw_key_b(w, "flaky", t->flaky);
	if (output) jsonw_key_b(w, "group", t->group);
	jsonw_key_i(w, "line", t->line);
	jsonw_key_s(w, "message", t->message);
	jsonw_key_s(w, "name", t->name);
	jsonw_key_z(w, "outcome", probe_results_outcome_name(t->outcome));
	if (output) jsonw_key_s(w, "output", t->output);
	jsonw_key_s(w, "suite", t->suite);
	jsonw_object_end(w);
}

void probe_results_json(const struct probe_results *r, struct jsonw *w) {
	jsonw_object(w);
	write_counts(r, w);
	jsonw_key_z(w, "format", r->format);
	jsonw_key_s(w, "problem", r->problem);
	jsonw_key(w, "tests");
	jsonw_array(w);
	for (size_t i = 0; i < r->count; i++) write_test(&r->tests[i], true, w);
	jsonw_array_end(w);
	jsonw_object_end(w);
}

void probe_results_summary(const struct probe_results *r, size_t failed_max, struct jsonw *w) {
	size_t shown = 0, all = r->failed + r->errors;
	jsonw_object(w);
	write_counts(r, w);
	jsonw_key(w, "failed_tests");
	jsonw_array(w);
	for (size_t i = 0; i < r->count && shown < failed_max; i++) {
		const struct probe_test *t = &r->tests[i];
		if (t->group || (t->outcome != PROBE_FAILED && t->outcome != PROBE_ERROR)) continue;
		write_test(t, false, w);
		shown++;
	}
	jsonw_array_end(w);
	jsonw_key_z(w, "format", r->format);
	jsonw_key_i(w, "more_failed", (int64_t)(all - shown));
	jsonw_key_s(w, "problem", r->problem);
	jsonw_object_end(w);
}

static bool read_outcome(struct str name, enum probe_outcome *out) {
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		if (!str_eq(name, str_of(outcomes[i]))) continue;
		*out = (enum probe_outcome)i;
		return true;
	}
	return false;
}

static bool read_test(const struct json *v, struct arena *life, struct probe_test *t) {
	*t = (struct probe_test){
		.suite = arena_str(life, json_get_str(v, "suite")),
		.name = arena_str(life, json_get_str(v, "name")),
		.flaky = json_get_bool(v, "flaky", false),
		.group = json_get_bool(v, "group", false),
		.duration_ms = json_get_int(v, "duration_ms", -1),
		.message = arena_str(life, json_get_str(v, "message")),
		.file = arena_str(life, json_get_str(v, "file")),
		.line = json_get_int(v, "line", 0),
		.output = arena_str(life, json_get_str(v, "output")),
	};
	return read_outcome(json_get_str(v, "outcome"), &t->outcome);
}

static const char *read_format(struct str name) {
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (str_eq(name, str_of(formats[i]))) return formats[i];
	return NULL;
}

bool probe_results_from_json(struct str json, struct arena *life, struct probe_results *out,
                             struct err *e) {
	AUTO_JSON doc = NULL;
	AUTO_BUF again = {0};
	struct err why = {0};
	if (!json_parse(json, &doc, &why))
		return err_set(e, ERR_CORRUPT, "stored test results: %s", why.text);
	struct json *tests = json_get(doc, "tests");
	struct probe_results r = {.format = read_format(json_get_str(doc, "format")),
	                          .problem = arena_str(life, json_get_str(doc, "problem"))};
	r.count = json_kind(tests) == JSON_KIND_ARRAY ? json_length(tests) : 0;
	bool ok = r.format && r.count <= PROBE_RESULTS_TESTS_MAX;
	r.tests = ARENA_ARRAY(life, struct probe_test, ok ? r.count : 0);
	for (size_t i = 0; ok && i < r.count; i++) ok = read_test(json_at(tests, i), life, &r.tests[i]);
	if (ok) {
		probe_results_count(&r);
		struct jsonw w = jsonw_to(&again);
		probe_results_json(&r, &w);
	}
	if (!ok || !str_eq(buf_view(&again), json))
		return err_set(e, ERR_CORRUPT, "stored test results are not what weir wrote");
	*out = r;
	return true;
}
