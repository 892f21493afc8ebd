#include "probe/ctrf.h"

#include "base/json.h"

static struct str joined(struct gather *g, const struct json *v, const char *between) {
	AUTO_BUF b = {0};
	if (json_kind(v) != JSON_KIND_ARRAY) return json_str(v);
	for (size_t i = 0; i < json_length(v); i++) {
		if (b.n) buf_cstr(&b, between);
		buf_str(&b, json_str(json_at(v, i)));
	}
	return arena_str(g->life, buf_view(&b));
}

// "other" is what a reporter could not name; only what surely did not run by intent is a skip.
static bool outcome_of(const struct json *v, enum probe_outcome *out) {
	static const struct {
		const char *status;
		enum probe_outcome outcome;
	} rows[] = {
		{"passed", PROBE_PASSED},   {"failed", PROBE_FAILED}, {"skipped", PROBE_SKIPPED},
		{"pending", PROBE_SKIPPED}, {"todo", PROBE_SKIPPED},  {"disabled", PROBE_SKIPPED},
		{"other", PROBE_ERROR},
	};
	struct str status = json_get_str(v, "status"), raw = json_get_str(v, "rawStatus");
	if (str_eq(status, STR("other")) && (str_eq(raw, STR("todo")) || str_eq(raw, STR("disabled"))))
		status = raw;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!str_eq(status, str_of(rows[i].status))) continue;
		*out = rows[i].outcome;
		return true;
	}
	return false;
}

static void add_part(struct gathered *all, struct str part) {
	if (part.n && all->kept.n) gather_more(all, STR("\n"));
	gather_more(all, part);
}

static bool take_test(struct gather *g, const struct json *v, size_t number, struct err *e) {
	enum probe_outcome outcome = PROBE_ERROR;
	bool known = outcome_of(v, &outcome);
	struct probe_test *t = gather_add(g, joined(g, json_get(v, "suite"), " > "),
	                                  json_get_str(v, "name"), e);
	if (!t) return false;
	if (!known) gather_problem(g, "test %zu has no known status", number);
	AUTO_BUF duration = {0};
	json_print(&duration, json_get(v, "duration"));
	t->duration_ms = gather_decimal(buf_view(&duration), 0);
	t->outcome = outcome;
	t->flaky = outcome == PROBE_PASSED && json_get_bool(v, "flaky", false);
	t->file = gather_text(g, json_get_str(v, "filePath"), PROBE_NAME_BYTES_MAX);
	t->line = json_get_int(v, "line", 0);
	if (t->line < 0) t->line = 0;
	if (outcome == PROBE_PASSED) return true;
	struct str message = json_get_str(v, "message"), trace = json_get_str(v, "trace");
	t->message = gather_text(g, message, PROBE_MESSAGE_BYTES_MAX);
	if (outcome == PROBE_SKIPPED) return true;
	if (!t->message.n) t->message = gather_line(g, trace);
	if (!t->message.n && !known) t->message = STR("its status is not one of CTRF's");
	if (!t->message.n)
		t->message = gather_text(g, json_get_str(v, "rawStatus"), PROBE_NAME_BYTES_MAX);
	gather_place(g, t, trace.n ? trace : message);
	struct gathered all = {0};
	add_part(&all, trace);
	add_part(&all, joined(g, json_get(v, "stdout"), "\n"));
	add_part(&all, joined(g, json_get(v, "stderr"), "\n"));
	t->output = gather_output(g, &all);
	gather_drop(&all);
	return true;
}

bool ctrf_read(struct str bytes, struct gather *g, struct err *e) {
	AUTO_JSON doc = NULL;
	if (!json_parse(bytes, &doc, e)) return false;
	struct json *results = json_get(doc, "results"), *tests = json_get(results, "tests");
	if (json_kind(tests) != JSON_KIND_ARRAY)
		return err_set(e, ERR_UNSUPPORTED, "JSON that is not CTRF: it has no results.tests");
	for (size_t i = 0; i < json_length(tests); i++)
		if (!take_test(g, json_at(tests, i), i + 1, e)) return false;
	struct json *summary = json_get(results, "summary");
	int64_t told = json_get_int(summary, "tests", -1);
	if (told >= 0 && (uint64_t)told > g->count)
		gather_problem(g, "its summary tells of %lld tests, and %zu stand in it", (long long)told,
		               g->count);
	return true;
}
