#include "base/json.h"

#include <jansson.h>

#include "base/buf.h"

enum { TEXT_MAX = 64 * 1024 * 1024, DEPTH_MAX = 512 };

static json_t *raw(const struct json *v) {
	return (json_t *)(uintptr_t)v; // jansson's getters want non-const; nothing is changed
}

static struct json *wrap(json_t *v) {
	return (struct json *)v;
}

// jansson recurses up to 2048 levels and has no setting for less.
static bool is_too_deep(struct str text) {
	size_t depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (quoted && c == '\\') i++;
		else if (c == '"') quoted = !quoted;
		else if (quoted) continue;
		else if (c == '[' || c == '{') depth++;
		else if ((c == ']' || c == '}') && depth) depth--;
		if (depth > DEPTH_MAX) return true;
	}
	return false;
}

bool json_parse(struct str text, struct json **owned, struct err *e) {
	json_error_t why;
	if (text.n > TEXT_MAX)
		return err_set(e, ERR_LIMIT, "JSON of %zu bytes; at most %d are read", text.n, TEXT_MAX);
	if (is_too_deep(text)) return err_set(e, ERR_LIMIT, "JSON nested more than %d deep", DEPTH_MAX);
	json_object_seed(1); // hashing must not depend on a random number
	json_t *v = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	                       &why);
	if (!v && strstr(why.text, "JSON_ALLOW_NUL"))
		return err_set(e, ERR_INVALID, "not JSON at line %d, column %d: \\u0000 is not taken",
		               why.line, why.column);
	if (!v)
		return err_set(e, ERR_INVALID, "not JSON at line %d, column %d: %s", why.line, why.column,
		               why.text);
	*owned = wrap(v);
	return true;
}

void json_free(struct json **owned) {
	json_decref(raw(*owned));
	*owned = NULL;
}

enum json_kind json_kind(const struct json *v) {
	if (!v) return JSON_KIND_ABSENT;
	switch (json_typeof(raw(v))) {
	case JSON_OBJECT: return JSON_KIND_OBJECT;
	case JSON_ARRAY: return JSON_KIND_ARRAY;
	case JSON_STRING: return JSON_KIND_STRING;
	case JSON_INTEGER: return JSON_KIND_INT;
	case JSON_REAL: return JSON_KIND_REAL;
	case JSON_TRUE:
	case JSON_FALSE: return JSON_KIND_BOOL;
	case JSON_NULL: return JSON_KIND_NULL;
	}
	return JSON_KIND_ABSENT;
}

struct json *json_get(const struct json *object, const char *key) {
	return wrap(json_object_get(raw(object), key));
}

struct str json_str(const struct json *v) {
	if (!json_is_string(raw(v))) return STR_NONE;
	return (struct str){json_string_value(raw(v)), json_string_length(raw(v))};
}

int64_t json_int(const struct json *v, int64_t otherwise) {
	return json_is_integer(raw(v)) ? json_integer_value(raw(v)) : otherwise;
}

double json_number(const struct json *v, double otherwise) {
	if (json_is_real(raw(v))) return json_real_value(raw(v));
	return json_is_integer(raw(v)) ? (double)json_integer_value(raw(v)) : otherwise;
}

bool json_bool(const struct json *v, bool otherwise) {
	return json_is_boolean(raw(v)) ? json_is_true(raw(v)) : otherwise;
}

struct str json_get_str(const struct json *object, const char *key) {
	return json_str(json_get(object, key));
}

int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise) {
	return json_int(json_get(object, key), otherwise);
}

bool json_get_bool(const struct json *object, const char *key, bool otherwise) {
	return json_bool(json_get(object, key), otherwise);
}

size_t json_length(const struct json *v) {
	return json_is_object(raw(v)) ? json_object_size(raw(v)) : json_array_size(raw(v));
}

struct json *json_at(const struct json *array, size_t index) {
	return wrap(json_array_get(raw(array), index));
}

bool json_next(const struct json *object, void **iterator, struct str *key, struct json **value) {
	void *it = *iterator ? json_object_iter_next(raw(object), *iterator)
	                     : json_object_iter(raw(object));
	if (!it) return false;
	*iterator = it;
	*key = str_of(json_object_iter_key(it));
	*value = wrap(json_object_iter_value(it));
	return true;
}

static int add_to_buf(const char *bytes, size_t n, void *out) {
	buf_add(out, bytes, n);
	return 0;
}

void json_print(struct buf *out, const struct json *v) {
	if (!v || json_dump_callback(raw(v), add_to_buf, out,
	                             JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY))
		buf_cstr(out, "null");
}
