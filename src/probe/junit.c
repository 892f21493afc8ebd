#include "probe/junit.h"

#include "probe/xml.h"

enum { SUITES_MAX = 64 };

// What the text of the present element is part of.
enum part { PART_NONE, PART_TRACE, PART_PRINTED };

struct suite {
	size_t name_end;   // of path, with this suite
	int64_t told_bad;  // failures + errors by its attributes
	size_t bad_before; // failing tests read before it began
};

struct reader {
	struct gather *g;
	struct buf path; // names of the open suites, joined by " > "
	struct suite suites[SUITES_MAX];
	size_t depth, bad;
	bool saw_suite, in_test, todo; // todo: the test is expected to fail (node)
	struct str root;
	enum part part;
	struct gathered trace, printed;
};

static struct str or_else(struct str a, struct str b) {
	return a.n ? a : b;
}

static int64_t number_of(struct str s) {
	int64_t n = 0;
	return str_to_i64(str_trim(s), &n) && n > 0 ? n : 0;
}

static bool start_suite(struct reader *r, const struct xml_element *x, struct err *e) {
	if (r->depth == SUITES_MAX)
		return err_set(e, ERR_LIMIT, "test suites nested more than %d deep", SUITES_MAX);
	struct str name = xml_attr(x, "name");
	if (str_eq(name, STR("(empty)"))) name = STR_NONE; // ctest without a build name
	if (name.n > PROBE_NAME_BYTES_MAX) name.n = PROBE_NAME_BYTES_MAX;
	if (name.n && r->path.n) buf_cstr(&r->path, " > ");
	buf_str(&r->path, name);
	r->suites[r->depth++] = (struct suite){
		.name_end = r->path.n,
		.bad_before = r->bad,
	};
	int64_t total;
	if (!__builtin_add_overflow(number_of(xml_attr(x, "failures")),
	                            number_of(xml_attr(x, "errors")), &total))
		r->suites[r->depth - 1].told_bad = total;
	return true;
}

static void end_suite(struct reader *r) {
	if (r->depth == 0) return;
	struct suite s = r->suites[--r->depth];
	int64_t read = (int64_t)(r->bad - s.bad_before);
	if (s.told_bad > read)
		gather_problem(r->g,
		               "suite \"" STR_FMT "\" tells of %lld failing tests, and %lld stand in it",
		               STR_ARG(buf_view(&r->path)), (long long)s.told_bad, (long long)read);
	r->path.n = r->depth ? r->suites[r->depth - 1].name_end : 0;
}

static struct probe_test *current(struct reader *r) {
	return &r->g->tests[r->g->count - 1];
}

// ctest and gtest tell the outcome by an attribute, too.
static void take_status(struct probe_test *t, struct str status) {
	if (str_eq(status, STR("notrun")) || str_eq(status, STR("disabled")) ||
	    str_eq(status, STR("skipped")))
		t->outcome = PROBE_SKIPPED;
	else if (str_eq(status, STR("fail")) || str_eq(status, STR("failed")))
		t->outcome = PROBE_FAILED;
}

static bool start_test(struct reader *r, const struct xml_element *x, struct err *e) {
	struct str class = xml_attr(x, "classname"), name = xml_attr(x, "name"), suite = class;
	// node's constant and jest's repetition say nothing
	if (class.n == 0 || str_eq(class, name) || str_eq(class, STR("test")))
		suite = buf_view(&r->path);
	struct probe_test *t = gather_add(r->g, suite, name, e);
	if (!t) return false;
	t->duration_ms = gather_decimal(xml_attr(x, "time"), 3);
	t->file = gather_text(r->g, or_else(xml_attr(x, "file"), xml_attr(x, "filepath")),
	                      PROBE_NAME_BYTES_MAX);
	t->line = number_of(xml_attr(x, "line"));
	take_status(t, xml_attr(x, "status"));
	r->in_test = true;
	r->todo = false;
	return true;
}

// A failure or error: the element's own text is the trace.
static void start_bad(struct reader *r, const struct xml_element *x, enum probe_outcome outcome) {
	struct probe_test *t = current(r);
	if (t->outcome != PROBE_ERROR && !r->todo) t->outcome = outcome;
	struct str message = xml_attr(x, "message");
	if (!t->message.n) {
		t->message = gather_text(r->g, message, PROBE_MESSAGE_BYTES_MAX);
		if (!t->message.n) t->message = gather_line(r->g, message);
	}
	if (r->trace.kept.n) gather_more(&r->trace, STR("\n"));
	r->part = PART_TRACE;
}

static bool start_outside(struct reader *r, const struct xml_element *x, struct str name,
                          struct err *e) {
	if (str_eq(name, STR("testsuite"))) return start_suite(r, x, e);
	if (str_eq(name, STR("testcase"))) return start_test(r, x, e);
	bool error = str_eq(name, STR("error"));
	if (r->depth == 0 || (!error && !str_eq(name, STR("failure")))) return true;
	// the suite itself failed: set-up, a class that does not load
	struct probe_test *t = gather_add(r->g, buf_view(&r->path), STR("(suite)"), e);
	if (!t) return false;
	r->todo = false;
	start_bad(r, x, PROBE_ERROR);
	return true;
}

static bool start_element(void *user, const struct xml_element *x, struct err *e) {
	struct reader *r = user;
	struct str name = xml_name(x);
	if (!r->root.p) r->root = arena_str(r->g->life, name);
	if (str_eq(name, STR("testsuites")) || str_eq(name, STR("testsuite"))) r->saw_suite = true;
	if (!r->in_test) return start_outside(r, x, name, e);
	struct probe_test *t = current(r);
	if (str_eq(name, STR("failure"))) start_bad(r, x, PROBE_FAILED);
	else if (str_eq(name, STR("error"))) start_bad(r, x, PROBE_ERROR);
	else if (str_eq(name, STR("flakyFailure")) || str_eq(name, STR("flakyError"))) t->flaky = true;
	else if (str_eq(name, STR("system-out")) || str_eq(name, STR("system-err")))
		r->part = PART_PRINTED;
	else if (str_eq(name, STR("skipped"))) {
		struct str why = xml_attr(x, "message");
		// ctest: a program that cannot be found was not skipped by anybody
		t->outcome = str_starts(why, STR("Unable to find executable")) ? PROBE_ERROR
		                                                               : PROBE_SKIPPED;
		t->message = gather_text(r->g, why, PROBE_MESSAGE_BYTES_MAX);
		r->part = PART_TRACE;
		r->todo = str_eq(xml_attr(x, "type"), STR("todo"));
	}
	return true;
}

static void finish_test(struct reader *r) {
	struct probe_test *t = current(r);
	struct str trace = buf_view(&r->trace.kept), printed = buf_view(&r->printed.kept);
	bool bad = t->outcome == PROBE_FAILED || t->outcome == PROBE_ERROR;
	r->bad += bad;
	if (t->outcome != PROBE_PASSED && !t->message.n) t->message = gather_line(r->g, trace);
	if (bad) {
		if (!t->message.n) t->message = gather_line(r->g, printed);
		struct str told = t->file;
		gather_place(r->g, t, trace);
		if (str_eq(t->file, told) && told.n == 0) gather_place(r->g, t, t->message);
		if (t->file.n == 0) gather_place(r->g, t, printed);
		if (printed.n && trace.n) gather_more(&r->trace, STR("\n"));
		gather_more(&r->trace, printed);
		r->trace.dropped += r->printed.dropped;
		t->output = gather_output(r->g, &r->trace);
	}
	gather_drop(&r->trace);
	gather_drop(&r->printed);
	r->in_test = false;
	r->part = PART_NONE;
}

static bool end_element(void *user, struct str name, struct err *e) {
	(void)e;
	struct reader *r = user;
	if (r->in_test && !str_eq(name, STR("testcase"))) r->part = PART_NONE;
	else if (str_eq(name, STR("testsuite"))) end_suite(r);
	else if (r->in_test || r->part == PART_TRACE) finish_test(r); // or the suite's own trace
	return true;
}

static void take_text(void *user, struct str text) {
	struct reader *r = user;
	if (r->part == PART_TRACE) gather_more(&r->trace, text);
	else if (r->part == PART_PRINTED) gather_more(&r->printed, text);
}

bool junit_read(struct str bytes, struct gather *g, struct err *e) {
	static const struct xml_events events = {start_element, end_element, take_text};
	struct reader r = {.g = g};
	struct xml_problem problem;
	bool ok = xml_read(bytes, &events, &r, &problem, e);
	if (ok && problem.text[0])
		gather_problem(g, "not well-formed XML at line %d (%s); %zu tests were read", problem.line,
		               problem.text, g->count);
	if (ok && r.in_test) { // cut off inside a test
		struct probe_test *t = current(&r);
		if (t->outcome == PROBE_PASSED) t->outcome = PROBE_ERROR;
		if (!t->message.n) t->message = STR("the results end inside this test");
		finish_test(&r);
	}
	if (ok && !r.saw_suite && g->count == 0) {
		if (r.root.n)
			ok = err_set(e, ERR_UNSUPPORTED,
			             "XML that is not JUnit: its root element is <" STR_FMT ">",
			             STR_ARG(r.root));
		else ok = err_set(e, ERR_INVALID, "not XML at line %d: %s", problem.line, problem.text);
	}
	buf_free(&r.path);
	gather_drop(&r.trace);
	gather_drop(&r.printed);
	return ok;
}
