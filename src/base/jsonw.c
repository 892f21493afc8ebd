#include "base/jsonw.h"

#include <assert.h>

#include "base/clocktext.h"

struct jsonw jsonw_to(struct buf *out) {
	return (struct jsonw){.out = out};
}

static void before_value(struct jsonw *w) {
	uint64_t bit = (uint64_t)1 << w->depth;
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->has_item & bit) buf_char(w->out, ',');
	w->has_item |= bit;
}

static void open_level(struct jsonw *w, char c) {
	before_value(w);
	buf_char(w->out, c);
	w->depth++;
	assert(w->depth < 64);
	w->has_item &= ~((uint64_t)1 << w->depth);
}

static void close_level(struct jsonw *w, char c) {
	assert(w->depth > 0 && !w->after_key);
	w->depth--;
	buf_char(w->out, c);
}

void jsonw_object(struct jsonw *w) {
	open_level(w, '{');
}
void jsonw_object_end(struct jsonw *w) {
	close_level(w, '}');
}
void jsonw_array(struct jsonw *w) {
	open_level(w, '[');
}
void jsonw_array_end(struct jsonw *w) {
	close_level(w, ']');
}

void jsonw_key_str(struct jsonw *w, struct str key) {
	assert(!w->after_key);
	before_value(w);
	buf_json(w->out, key);
	buf_char(w->out, ':');
	w->after_key = true;
}

void jsonw_key(struct jsonw *w, const char *key) {
	jsonw_key_str(w, str_of(key));
}

void jsonw_str(struct jsonw *w, struct str s) {
	before_value(w);
	buf_json(w->out, s);
}

void jsonw_cstr(struct jsonw *w, const char *z) {
	if (z) jsonw_str(w, str_of(z));
	else jsonw_null(w);
}

void jsonw_int(struct jsonw *w, int64_t v) {
	before_value(w);
	buf_printf(w->out, "%lld", (long long)v);
}

void jsonw_bool(struct jsonw *w, bool v) {
	before_value(w);
	buf_cstr(w->out, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w) {
	before_value(w);
	buf_cstr(w->out, "null");
}

void jsonw_raw(struct jsonw *w, struct str json) {
	before_value(w);
	buf_str(w->out, json.n ? json : STR("null"));
}

void jsonw_time(struct jsonw *w, int64_t ms) {
	before_value(w);
	if (ms <= 0) {
		buf_cstr(w->out, "null");
		return;
	}
	buf_char(w->out, '"');
	clocktext_rfc3339(w->out, ms);
	buf_char(w->out, '"');
}

void jsonw_key_s(struct jsonw *w, const char *key, struct str s) {
	jsonw_key(w, key);
	jsonw_str(w, s);
}
void jsonw_key_z(struct jsonw *w, const char *key, const char *z) {
	jsonw_key(w, key);
	jsonw_cstr(w, z);
}
void jsonw_key_i(struct jsonw *w, const char *key, int64_t v) {
	jsonw_key(w, key);
	jsonw_int(w, v);
}
void jsonw_key_b(struct jsonw *w, const char *key, bool v) {
	jsonw_key(w, key);
	jsonw_bool(w, v);
}
void jsonw_key_t(struct jsonw *w, const char *key, int64_t ms) {
	jsonw_key(w, key);
	jsonw_time(w, ms);
}
