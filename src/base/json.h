// Reads JSON: one thin wrapper over jansson, strict (UTF-8, no duplicate keys, one value). Values
// are borrowed from their document, which has one owner: AUTO_JSON or json_free.
#pragma once
#include "base/err.h"

struct json; // a value; NULL means absent, and every getter accepts it

#define AUTO_JSON __attribute__((cleanup(json_free))) struct json *

enum json_kind {
	JSON_KIND_ABSENT,
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT,
	JSON_KIND_REAL,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
};

// The error names line and column. At most 64 MB, nesting at most 512.
MUST_USE bool json_parse(struct str text, struct json **owned, struct err *e);
void json_free(struct json **owned);

enum json_kind json_kind(const struct json *v);
struct json *json_get(const struct json *object, const char *key);
struct str json_str(const struct json *v);                 // STR_NONE unless a string
int64_t json_int(const struct json *v, int64_t otherwise); // otherwise unless an integer
bool json_bool(const struct json *v, bool otherwise);
double json_number(const struct json *v, double otherwise); // an integer or a real
struct str json_get_str(const struct json *object, const char *key);
int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *object, const char *key, bool otherwise);
size_t json_length(const struct json *v); // items of an array or an object
struct json *json_at(const struct json *array, size_t index);

// Iterates an object in the order of the text: for (it = NULL; json_next(object, &it, &key,
// &value);)
bool json_next(const struct json *object, void **iterator, struct str *key, struct json **value);

struct buf;
void json_print(struct buf *out, const struct json *v); // compact, keys sorted: canonical
