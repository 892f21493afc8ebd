#include "probe/tap.h"

#include <stdlib.h>

// A subtest is a whole TAP document, indented by four columns, that stands before the test point of
// its parent. So the tests of one depth wait until a shallower test point comes and names their
// suite.
enum { DEPTH_MAX = 16 };

struct point { // what the results do not hold of a test
	uint8_t depth;
};

struct reader {
	struct gather *g;
	struct point *points; // beside g->tests
	size_t points_size;
	bool planned;
	int64_t plan; // tests of depth 0 that were promised
	size_t seen;  // and that came
	bool bailed, in_yaml, bad_detail;
	size_t yaml_indent;
	struct gathered detail; // of the last test point
	struct str yaml_key;    // an open block scalar
	size_t yaml_key_indent;
	struct buf block;
};

static size_t indent_of(struct str line) {
	size_t n = 0;
	while (n < line.n && line.p[n] == ' ') n++;
	return n;
}

static bool is_bad(const struct probe_test *t) {
	return t->outcome == PROBE_FAILED || t->outcome == PROBE_ERROR;
}

static struct probe_test *last(struct reader *r) {
	return r->g->count ? &r->g->tests[r->g->count - 1] : NULL;
}

// The last test's block scalar ("message: |") is complete.
static void end_block(struct reader *r) {
	struct probe_test *t = last(r);
	if (r->yaml_key.n && t && !t->message.n)
		t->message = gather_text(r->g, buf_view(&r->block), PROBE_MESSAGE_BYTES_MAX);
	r->yaml_key = STR_NONE;
	buf_reset(&r->block);
}

static void end_detail(struct reader *r) {
	struct probe_test *t = last(r);
	if (r->in_yaml) end_block(r);
	r->in_yaml = false;
	if (t && is_bad(t) && r->detail.kept.n) {
		if (!t->message.n) t->message = gather_line(r->g, buf_view(&r->detail.kept));
		if (!t->line) gather_place(r->g, t, buf_view(&r->detail.kept));
		t->output = gather_output(r->g, &r->detail);
	}
	gather_drop(&r->detail);
}

static struct probe_test *add(struct reader *r, struct str name, size_t depth, struct err *e) {
	end_detail(r);
	struct probe_test *t = gather_add(r->g, STR_NONE, name, e);
	if (!t) return NULL;
	if (r->g->count > r->points_size) {
		r->points_size = r->points_size ? r->points_size * 2 : 64;
		r->points = realloc(r->points, r->points_size * sizeof *r->points);
		if (!r->points) abort();
	}
	r->points[r->g->count - 1] = (struct point){(uint8_t)depth};
	return t;
}

static bool add_error(struct reader *r, struct str name, struct str message, struct err *e) {
	struct probe_test *t = add(r, name, 0, e);
	if (!t) return false;
	t->outcome = PROBE_ERROR;
	t->message = gather_text(r->g, message, PROBE_MESSAGE_BYTES_MAX);
	return true;
}

// The test point just added is the parent of the deeper ones before it.
static void adopt(struct reader *r, size_t depth, bool todo) {
	size_t parent = r->g->count - 1, first = parent, failing = 0;
	while (first > 0 && r->points[first - 1].depth > depth) first--;
	struct probe_test *p = &r->g->tests[parent];
	struct str old = STR_NONE, joined = STR_NONE; // siblings share one text
	for (size_t i = first; i < parent; i++) {
		struct probe_test *t = &r->g->tests[i];
		if (!joined.n || t->suite.p != old.p) {
			old = t->suite;
			struct str full = arena_printf(r->g->life, STR_FMT "%s" STR_FMT, STR_ARG(p->name),
			                               old.n ? " > " : "", STR_ARG(old));
			joined = gather_text(r->g, full, PROBE_NAME_BYTES_MAX);
		}
		t->suite = joined;
		if (todo && is_bad(t)) t->outcome = PROBE_SKIPPED;
		failing += is_bad(t) && !t->group;
		r->points[i].depth = (uint8_t)(depth + 1);
	}
	p->group = first < parent && (!is_bad(p) || failing);
}

// Cuts " # SKIP why" or " # TODO why" from the description; a "\#" is text.
static struct str cut_directive(struct str *description, bool *skip, bool *todo) {
	for (size_t i = 0; i < description->n; i++) {
		if (description->p[i] != '#' ||
		    (i > 0 && description->p[i - 1] != ' ' && description->p[i - 1] != '\t'))
			continue;
		struct str word = str_trim(str_from(*description, i + 1));
		char four[5] = {0};
		for (size_t k = 0; k < 4 && k < word.n; k++) four[k] = (char)(word.p[k] & ~0x20);
		*skip = strcmp(four, "SKIP") == 0;
		*todo = strcmp(four, "TODO") == 0;
		if (!*skip && !*todo) continue;
		description->n = i;
		size_t end = 4;
		while (end < word.n && word.p[end] != ' ') end++;
		return str_trim(str_from(word, end));
	}
	return STR_NONE;
}

static struct str unescape(struct gather *g, struct str s) {
	char *out = arena_cstr(g->life, s);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n && (s.p[i + 1] == '#' || s.p[i + 1] == '\\')) i++;
		out[n++] = s.p[i];
	}
	return (struct str){out, n};
}

static bool take_point(struct reader *r, struct str rest, bool ok, size_t depth, struct err *e) {
	bool skip = false, todo = false;
	rest = str_trim(rest);
	size_t digits = 0;
	while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9') digits++;
	struct str number = str_slice(rest, 0, digits), description = str_trim(str_from(rest, digits));
	if (str_starts(description, STR("- "))) description = str_from(description, 2);
	else if (str_eq(description, STR("-"))) description = STR_NONE;
	struct str why = cut_directive(&description, &skip, &todo);
	if (str_eq(why, STR("-"))) why = STR_NONE; // mocha
	description = unescape(r->g, str_trim(description));
	if (!description.n) description = arena_printf(r->g->life, "test " STR_FMT, STR_ARG(number));
	struct probe_test *t = add(r, description, depth, e);
	if (!t) return false;
	t->outcome = skip || (todo && !ok) ? PROBE_SKIPPED : ok ? PROBE_PASSED : PROBE_FAILED;
	if (skip || todo) t->message = gather_text(r->g, why, PROBE_MESSAGE_BYTES_MAX);
	r->seen += depth == 0;
	adopt(r, depth, todo);
	return true;
}

static bool take_plan(struct reader *r, struct str rest, struct err *e) {
	size_t digits = 0;
	int64_t n;
	while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9') digits++;
	if (!str_to_i64(str_slice(rest, 0, digits), &n) || n > INT64_MAX / 4) return true;
	r->plan = n > INT64_MAX / 4 - r->plan ? INT64_MAX / 4
	                                      : r->plan + n; // documents one after the other add up
	r->planned = true;
	bool skip = false, todo = false;
	struct str description = str_from(rest, digits);
	struct str why = cut_directive(&description, &skip, &todo);
	if (n > 0 || !skip) return true;
	struct probe_test *t = add(r, STR("(all)"), 0, e);
	if (!t) return false;
	t->outcome = PROBE_SKIPPED;
	t->message = gather_text(r->g, why, PROBE_MESSAGE_BYTES_MAX);
	return true;
}

static struct str unquote(struct str s) {
	s = str_trim(s);
	bool quoted = s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
	return quoted ? str_slice(s, 1, s.n - 1) : s;
}

// One line of a diagnostic: "key: value", at any depth (file and line may stand under "at:").
static void take_yaml(struct reader *r, struct probe_test *t, struct str line, size_t indent) {
	if (r->yaml_key.n && (indent > r->yaml_key_indent || !str_trim(line).n)) {
		if (r->block.n) buf_char(&r->block, '\n');
		if (r->block.n < (size_t)4 * PROBE_MESSAGE_BYTES_MAX) buf_str(&r->block, str_trim(line));
		return;
	}
	end_block(r);
	size_t colon = str_find_char(line, ':');
	struct str key = str_trim(str_slice(line, 0, colon)),
			   value = unquote(str_from(line, colon + 1));
	bool message = str_eq(key, STR("message")) || str_eq(key, STR("error"));
	if (message && value.n && (value.p[0] == '|' || value.p[0] == '>')) {
		r->yaml_key = key;
		r->yaml_key_indent = indent;
	} else if (message && !t->message.n && is_bad(t)) {
		t->message = gather_text(r->g, value, PROBE_MESSAGE_BYTES_MAX);
	} else if (str_eq(key, STR("duration_ms"))) {
		t->duration_ms = gather_decimal(value, 0);
	} else if (str_eq(key, STR("location")) && is_bad(t)) {
		gather_place(r->g, t, value);
	} else if ((str_eq(key, STR("file")) || str_eq(key, STR("fileName"))) && is_bad(t)) {
		t->file = gather_text(r->g, value, PROBE_NAME_BYTES_MAX);
	} else if ((str_eq(key, STR("line")) || str_eq(key, STR("lineNumber"))) && is_bad(t)) {
		int64_t n;
		if (str_to_i64(value, &n) && n > 0) t->line = n;
	}
}

static void take_other(struct reader *r, struct str line, size_t indent) {
	struct probe_test *t = last(r);
	struct str text = str_trim(line);
	if (!t || !is_bad(t) || str_starts(text, STR("# Subtest"))) return;
	if (text.n && text.p[0] == '#') text = str_from(text, 1);
	else if (indent == 0) return; // what some program printed
	else text = line;
	gather_more(&r->detail, text);
	gather_more(&r->detail, STR("\n"));
}

static bool take_line(struct reader *r, struct str line, struct err *e) {
	size_t indent = indent_of(line), depth = indent / 4;
	struct str text = str_trim(line);
	struct probe_test *t = last(r);
	if (r->in_yaml && t) {
		if (str_eq(text, STR("...")) && indent <= r->yaml_indent) {
			end_detail(r);
			return true;
		}
		gather_more(&r->detail, str_from(line, indent < r->yaml_indent ? indent : r->yaml_indent));
		gather_more(&r->detail, STR("\n"));
		take_yaml(r, t, line, indent);
		return true;
	}
	if (t && str_eq(text, STR("---")) && indent % 4 == 2) {
		r->in_yaml = true;
		r->yaml_indent = indent;
		return true;
	}
	if (indent % 4 || depth > DEPTH_MAX) {
		take_other(r, line, indent);
		return true;
	}
	bool not_ok = str_starts(text, STR("not ok"));
	struct str rest = str_from(text, not_ok ? 6 : 2);
	if ((not_ok || str_starts(text, STR("ok"))) && (!rest.n || rest.p[0] == ' '))
		return take_point(r, rest, !not_ok, depth, e);
	if (depth == 0 && str_starts(text, STR("1.."))) return take_plan(r, str_from(text, 3), e);
	if (depth == 0 && str_starts(text, STR("Bail out!"))) {
		r->bailed = true;
		return add_error(r, STR("(bail out)"), text, e);
	}
	take_other(r, line, indent);
	return true;
}

static bool check_plan(struct reader *r, struct err *e) {
	if (r->bailed) return true;
	if (!r->planned)
		return add_error(r, STR("(plan)"),
		                 STR("no plan (1..N) was printed: the tests may have ended early"), e);
	int64_t missing = r->plan - (int64_t)r->seen;
	if (missing > 0)
		return add_error(r, STR("(plan)"),
		                 arena_printf(r->g->life, "%lld of %lld planned tests did not run",
		                              (long long)missing, (long long)r->plan),
		                 e);
	if (missing < 0)
		return add_error(r, STR("(plan)"),
		                 arena_printf(r->g->life, "%lld tests ran and %lld were planned",
		                              (long long)r->seen, (long long)r->plan),
		                 e);
	return true;
}

bool tap_read(struct str bytes, struct gather *g, struct err *e) {
	struct reader r = {.g = g};
	bool ok = true;
	for (struct str rest = bytes; ok && rest.p;) ok = take_line(&r, str_cut(&rest, '\n'), e);
	if (ok) end_detail(&r);
	ok = ok && check_plan(&r, e);
	gather_drop(&r.detail);
	buf_free(&r.block);
	free(r.points);
	return ok;
}
