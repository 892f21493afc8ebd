#include "core/eventread.h"

#include "core/eventfield.h"

// A cursor over the body; every take_* moves it behind what it took, or returns false.
struct cursor {
	const char *p, *end;
};

static bool take_char(struct cursor *c, char wanted) {
	if (c->p == c->end || *c->p != wanted) return false;
	c->p++;
	return true;
}

static bool take_int(struct cursor *c, int64_t *out) {
	const char *start = c->p;
	bool negative = take_char(c, '-');
	const char *digits = c->p;
	int64_t v = 0;
	while (c->p < c->end && *c->p >= '0' && *c->p <= '9') {
		int digit = *c->p++ - '0';
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v)) return false;
	}
	size_t n = (size_t)(c->p - digits);
	if (n == 0 || (*digits == '0' && (n > 1 || negative))) return false;
	if (!negative && __builtin_mul_overflow(v, -1, &v)) return false;
	*out = v;
	return c->p > start;
}

static int unescaped(char c) {
	switch (c) {
	case '"': return '"';
	case '\\': return '\\';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	case 'b': return '\b';
	case 'f': return '\f';
	default: return -1;
	}
}

// "u00XX" of a control character that has no short form; digits are upper case. Zero never stands
// in a body.
static int take_control(struct cursor *c) {
	static const char hex[] = "0123456789ABCDEF";
	if (c->end - c->p < 5 || memcmp(c->p, "u00", 3) != 0) return -1;
	const char *low = c->p[4] ? strchr(hex, c->p[4]) : NULL;
	if ((c->p[3] != '0' && c->p[3] != '1') || !low) return -1;
	int v = (c->p[3] - '0') * 16 + (int)(low - hex);
	c->p += 5;
	return v == 0 || v == '\b' || v == '\t' || v == '\n' || v == '\f' || v == '\r' ? -1 : v;
}

static bool take_escape(struct cursor *c, char *out) {
	if (c->p == c->end) return false;
	int v = *c->p == 'u' ? take_control(c) : unescaped(*c->p++);
	*out = (char)v;
	return v >= 0;
}

// What stands between the quotes, still escaped; the cursor ends behind the closing one.
static bool take_quoted(struct cursor *c, struct str *raw, bool *escaped) {
	if (!take_char(c, '"')) return false;
	const char *start = c->p;
	*escaped = false;
	for (;; c->p++) {
		if (c->p == c->end || (unsigned char)*c->p < 0x20) return false;
		if (*c->p == '"') break;
		if (*c->p != '\\') continue;
		*escaped = true;
		if (++c->p == c->end) return false;
	}
	*raw = (struct str){start, (size_t)(c->p - start)};
	c->p++;
	return str_utf8_bad(*raw) == raw->n;
}

// Without a place to put it, only judges.
static bool unescape(struct str raw, char *to, size_t *n) {
	struct cursor c = {raw.p, raw.p + raw.n};
	size_t written = 0;
	while (c.p < c.end) {
		char v = *c.p++;
		if (v == '\\' && !take_escape(&c, &v)) return false;
		if (to) to[written] = v;
		written++;
	}
	*n = written;
	return true;
}

static bool take_text(struct cursor *c, struct arena *life, struct str *out) {
	struct str raw;
	bool escaped;
	if (!take_quoted(c, &raw, &escaped) || raw.n == 0) return false; // empty ones are left out
	if (!escaped) {
		*out = arena_str(life, raw);
		return true;
	}
	char *text = arena_alloc(life, raw.n + 1);
	size_t n;
	if (!unescape(raw, text, &n)) return false;
	text[n] = 0;
	*out = (struct str){text, n};
	return true;
}

static bool take_word(struct cursor *c, struct str word) {
	if ((size_t)(c->end - c->p) < word.n || memcmp(c->p, word.p, word.n) != 0) return false;
	c->p += word.n;
	return true;
}

enum { DEPTH_MAX = 64 };

static bool take_value(struct cursor *c, int depth);

// Keys ascend by their bytes; one with an escape is left to event_parse.
static bool take_members(struct cursor *c, int depth) {
	struct str last = STR_NONE;
	if (take_char(c, '}')) return true;
	do {
		struct str key;
		bool escaped;
		if (!take_quoted(c, &key, &escaped) || escaped || !take_char(c, ':') ||
		    (last.p && str_compare(last, key) >= 0) || !take_value(c, depth))
			return false;
		last = key;
	} while (take_char(c, ','));
	return take_char(c, '}');
}

static bool take_items(struct cursor *c, int depth) {
	if (take_char(c, ']')) return true;
	do
		if (!take_value(c, depth)) return false;
	while (take_char(c, ','));
	return take_char(c, ']');
}

static bool take_value(struct cursor *c, int depth) {
	struct str raw;
	bool escaped;
	size_t n;
	int64_t number;
	if (c->p == c->end || depth == DEPTH_MAX) return false;
	switch (*c->p) {
	case '{': c->p++; return take_members(c, depth + 1);
	case '[': c->p++; return take_items(c, depth + 1);
	case '"': return take_quoted(c, &raw, &escaped) && (!escaped || unescape(raw, NULL, &n));
	case 't': return take_word(c, STR("true"));
	case 'f': return take_word(c, STR("false"));
	case 'n': return take_word(c, STR("null"));
	default:
		// A real goes on with one of these, and its canonical form is event_parse's business.
		return take_int(c, &number) &&
		       (c->p == c->end || !str_contains(STR(".eE"), (struct str){c->p, 1}));
	}
}

static bool take_json(struct cursor *c, struct arena *life, struct str *out) {
	const char *start = c->p;
	if (!take_value(c, 0)) return false;
	*out = arena_str(life, (struct str){start, (size_t)(c->p - start)});
	return true;
}

static bool take_name(struct cursor *c, struct str *raw) {
	bool escaped;
	return take_quoted(c, raw, &escaped) && !escaped && raw->n > 0;
}

static bool take_field(struct cursor *c, const struct eventfield *f, struct arena *life,
                       struct event *out) {
	void *to = (char *)out + f->offset;
	struct str text;
	switch (f->type) {
	case EVENTFIELD_STR: return take_text(c, life, to);
	case EVENTFIELD_JSON: return take_json(c, life, to);
	case EVENTFIELD_OID: return take_name(c, &text) && oid_parse(text, to);
	case EVENTFIELD_DIGEST: return take_name(c, &text) && digest_parse(text, to);
	case EVENTFIELD_REASON: return take_name(c, &text) && reason_parse(text, to);
	case EVENTFIELD_OUTCOME: return take_name(c, &text) && event_outcome_parse(text, to);
	case EVENTFIELD_INT:
	case EVENTFIELD_LATER:
	case EVENTFIELD_REPO_ID:
	case EVENTFIELD_CHANGE_ID:
	case EVENTFIELD_CANDIDATE_ID:
	case EVENTFIELD_RUN_ID:
	case EVENTFIELD_LANDING_ID:
	case EVENTFIELD_RELEASE_ID:
	case EVENTFIELD_ENV_ID:
	case EVENTFIELD_ROLLOUT_ID: return take_int(c, to);
	}
	return false;
}

// The next field in the order of the table that has this name; fields between are absent.
static const struct eventfield *find_field(const struct eventfield *fields, size_t count,
                                           size_t *at, struct str name) {
	while (*at < count) {
		const struct eventfield *f = &fields[(*at)++];
		if (f->name_n == name.n && memcmp(f->name, name.p, name.n) == 0) return f;
	}
	return NULL;
}

bool eventread_parse(enum event_kind kind, int64_t time_ms, struct str body, struct arena *life,
                     struct event *out) {
	struct cursor c = {body.p, body.p + body.n};
	struct event event;
	size_t count, at = 0;
	const struct eventfield *fields = eventfield_of(kind, &count);
	if (!fields || !take_char(&c, '{')) return false;
	memset(&event, 0, sizeof event);
	event.kind = kind;
	event.time_ms = time_ms;
	if (!take_char(&c, '}')) {
		do {
			struct str name;
			const struct eventfield *f;
			if (!take_name(&c, &name) || !(f = find_field(fields, count, &at, name)) ||
			    !take_char(&c, ':') || !take_field(&c, f, life, &event))
				return false;
		} while (take_char(&c, ','));
		if (!take_char(&c, '}')) return false;
	}
	if (c.p != c.end) return false;
	*out = event;
	return true;
}
