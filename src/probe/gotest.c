#include "probe/gotest.h"

#include <stdlib.h>

#include "base/json.h"
#include "probe/intern.h"
#include "probe/place.h"

enum { NO_TEST = -1 };

struct unit { // a test, or a package, or a build (ImportPath); numbered by `names`
	struct gathered printed;
	struct str package, test;
	int64_t at; // in g->tests, NO_TEST for packages and builds
	bool ended, failed;
	size_t failing_below; // subtests, or tests of the package
	size_t below;
	size_t open,
		next_open; // number + 1 of the package's last test that began; of the one before it
	bool chained;
};

struct reader {
	struct gather *g;
	struct intern names;
	struct unit *units;
	size_t size, bad_lines;
};

static struct unit *unit_of(struct reader *r, struct str package, struct str test, bool *fresh) {
	AUTO_BUF key = {0};
	buf_str(&key, package);
	buf_char(&key, 0);
	buf_str(&key, test);
	size_t n = intern_number(&r->names, buf_view(&key), fresh);
	if (n >= r->size) {
		r->size = r->size ? r->size * 2 : 64;
		r->units = realloc(r->units, r->size * sizeof *r->units);
		if (!r->units) abort();
	}
	if (*fresh)
		r->units[n] = (struct unit){.package = gather_text(r->g, package, PROBE_NAME_BYTES_MAX),
		                            .test = gather_text(r->g, test, PROBE_NAME_BYTES_MAX),
		                            .at = NO_TEST};
	return &r->units[n];
}

// "=== RUN", "--- FAIL" and the like are the framework's, not the test's.
static bool is_framing(struct str line) {
	static const char *const starts[] = {
		"=== ", "--- FAIL:", "--- PASS:", "--- SKIP:", "FAIL\t", "ok  \t", "PASS", "FAIL"};
	line = str_trim(line);
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		if (str_starts(line, str_of(starts[i]))) return true;
	return line.n == 0;
}

// The message is the first "file.go:12: text", else a panic, else the first line that the test
// printed.
static void explain(struct reader *r, struct probe_test *t, struct unit *u) {
	struct str all = buf_view(&u->printed.kept), first = STR_NONE;
	struct place p;
	for (struct str rest = all; rest.p;) {
		struct str line = str_cut(&rest, '\n');
		if (is_framing(line)) continue;
		struct str text = str_trim(line);
		if (!first.n || str_starts(text, STR("panic: "))) first = text;
		if (str_starts(text, STR("panic: "))) break;
		if (!place_of_line(text, &p) || p.file.p != text.p || !str_ends(p.file, STR(".go")))
			continue;
		size_t colon = str_find(text, STR(": "));
		t->message = gather_text(r->g, str_from(text, colon + 2), PROBE_MESSAGE_BYTES_MAX);
		t->file = gather_text(r->g, p.file, PROBE_NAME_BYTES_MAX);
		t->line = p.line;
		break;
	}
	if (!t->message.n) t->message = gather_line(r->g, first);
	if (!t->line) gather_place(r->g, t, all);
	t->output = gather_output(r->g, &u->printed);
}

static bool has_own_reason(const struct unit *u) {
	struct str rest = buf_view(&u->printed.kept);
	while (rest.p)
		if (!is_framing(str_cut(&rest, '\n'))) return true;
	return false;
}

static void tell_parents(struct reader *r, const struct unit *u, bool begins) {
	bool fresh;
	struct str package = u->package, test = u->test;
	size_t slash = test.n;
	while (slash > 0 && test.p[slash - 1] != '/') slash--;
	if (slash > 1) {
		struct unit *parent = unit_of(r, package, str_slice(test, 0, slash - 1), &fresh);
		if (begins) parent->below++;
		else parent->failing_below++;
	}
	if (!begins) unit_of(r, package, STR_NONE, &fresh)->failing_below++;
}

static bool begin_test(struct reader *r, struct unit *u, struct err *e) {
	struct probe_test *t = gather_add(r->g, u->package, u->test, e);
	if (!t) return false;
	u->at = (int64_t)r->g->count - 1;
	u->ended = u->failed = false;
	u->below = u->failing_below = 0;
	gather_drop(&u->printed);
	size_t n = (size_t)(u - r->units);
	tell_parents(r, u, true);
	if (r->units[n].chained) return true;
	bool fresh;
	struct unit *package = unit_of(r, r->units[n].package, STR_NONE, &fresh);
	r->units[n].next_open = package->open;
	r->units[n].chained = true;
	package->open = n + 1;
	return true;
}

static void end_test(struct reader *r, struct unit *u, enum probe_outcome outcome) {
	struct probe_test *t = &r->g->tests[u->at];
	t->outcome = outcome;
	u->ended = true;
	u->failed = outcome == PROBE_FAILED || outcome == PROBE_ERROR;
	if (u->failed) {
		explain(r, t, u);
		t->group = u->failing_below > 0 && !has_own_reason(u);
	} else {
		t->group = u->below > 0;
		if (outcome == PROBE_SKIPPED) explain(r, t, u);
		t->output = STR_NONE;
	}
	gather_drop(&u->printed);
	if (u->failed) {
		struct unit copy = *u; // the table may move
		tell_parents(r, &copy, false);
	}
}

static void end_broken(struct reader *r, size_t n) {
	end_test(r, &r->units[n], PROBE_ERROR);
	struct probe_test *t = &r->g->tests[r->units[n].at];
	if (!t->message.n) t->message = STR("the test did not end");
}

static bool end_package(struct reader *r, struct unit *u, struct str build, struct err *e) {
	bool fresh;
	size_t n = (size_t)(u - r->units);
	u->ended = true;
	// a test that began and did not end took its package along; the last to begin is the deepest
	for (size_t next = r->units[n].open; next;) {
		size_t at = next - 1;
		next = r->units[at].next_open;
		r->units[at].chained = false;
		if (!r->units[at].ended) end_broken(r, at);
	}
	r->units[n].open = 0;
	if (r->units[n].failing_below) return true;
	struct probe_test *t = gather_add(r->g, r->units[n].package, STR("(package)"), e);
	if (!t) return false;
	t->outcome = PROBE_ERROR;
	if (build.n) {
		struct gathered *from = &unit_of(r, build, STR_NONE, &fresh)->printed;
		gather_more(&r->units[n].printed, buf_view(&from->kept));
		r->units[n].printed.dropped += from->dropped;
	}
	explain(r, t, &r->units[n]);
	if (build.n) t->message = t->message.n ? t->message : STR("the build failed");
	gather_drop(&r->units[n].printed);
	return true;
}

static bool take_event(struct reader *r, const struct json *v, struct err *e) {
	bool fresh;
	struct str action = json_get_str(v, "Action"), package = json_get_str(v, "Package"),
			   test = json_get_str(v, "Test");
	if (str_starts(action, STR("build-"))) package = json_get_str(v, "ImportPath");
	if (!package.n) return true;
	struct unit *u = unit_of(r, package, test, &fresh);
	if (str_eq(action, STR("output")) || str_eq(action, STR("build-output"))) {
		gather_more(&u->printed, json_get_str(v, "Output"));
		return true;
	}
	bool pass = str_eq(action, STR("pass")), fail = str_eq(action, STR("fail")),
		 skip = str_eq(action, STR("skip"));
	if (test.n && (str_eq(action, STR("run")) ||
	               ((pass || fail || skip) && (u->at == NO_TEST || u->ended)))) {
		size_t n = (size_t)(u - r->units);
		struct unit held = *u;
		r->units[n].printed = (struct gathered){0};
		if (!begin_test(r, &r->units[n], e)) {
			gather_drop(&held.printed);
			return false;
		}
		r->units[n].printed = held.printed; // what came before its "run"
		u = &r->units[n];
	}
	if (!pass && !fail && !skip) return true;
	if (!test.n) return !fail || end_package(r, u, json_get_str(v, "FailedBuild"), e);
	AUTO_BUF elapsed = {0};
	json_print(&elapsed, json_get(v, "Elapsed"));
	r->g->tests[u->at].duration_ms = gather_decimal(buf_view(&elapsed), 3);
	end_test(r, u, pass ? PROBE_PASSED : fail ? PROBE_FAILED : PROBE_SKIPPED);
	return true;
}

static bool take_line(struct reader *r, struct str line, size_t number, struct err *e) {
	line = str_trim(line);
	if (!line.n || line.p[0] != '{') return true;
	AUTO_JSON v = NULL;
	struct err why = {0};
	if (json_parse(line, &v, &why)) return take_event(r, v, e);
	gather_problem(r->g, "line %zu is not JSON and was passed by", number);
	return true;
}

bool gotest_read(struct str bytes, struct gather *g, struct err *e) {
	struct reader r = {.g = g};
	bool ok = true;
	size_t number = 0;
	for (struct str rest = bytes; ok && rest.p;)
		ok = take_line(&r, str_cut(&rest, '\n'), ++number, e);
	for (size_t i = 0; ok && i < r.names.count; i++) {
		if (r.units[i].at == NO_TEST || r.units[i].ended) continue;
		end_broken(&r, i);
	}
	for (size_t i = 0; i < r.names.count; i++) gather_drop(&r.units[i].printed);
	free(r.units);
	intern_free(&r.names);
	return ok;
}
