#include "conf/jsonschema.h"

#include "base/glob.h"
#include "base/jsonw.h"
#include "conf/keys.h"

#define VARIABLE "^[A-Za-z_][A-Za-z0-9_]{0,99}$"
#define NAME "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"

static void text(struct jsonw *w, const char *pattern, int64_t longest) {
	jsonw_key_z(w, "type", "string");
	if (pattern) jsonw_key_z(w, "pattern", pattern);
	if (longest) jsonw_key_i(w, "maxLength", longest);
}

// YAML reads an unquoted 512 or 1.5 as a number, and a value of env may be anything that is one
// word.
static void types(struct jsonw *w, const char *const *names, size_t n) {
	jsonw_key(w, "type");
	jsonw_array(w);
	for (size_t i = 0; i < n; i++) jsonw_cstr(w, names[i]);
	jsonw_array_end(w);
}

static void scalar(struct jsonw *w) {
	static const char *const names[] = {"string", "number", "boolean", "null"};
	types(w, names, ARRAY_LEN(names));
}

static void number_or(struct jsonw *w, const char *pattern) {
	static const char *const names[] = {"string", "number"};
	types(w, names, ARRAY_LEN(names));
	jsonw_key_z(w, "pattern", pattern);
}

static void list(struct jsonw *w, const struct key *key, const char *pattern, int64_t longest) {
	jsonw_key_z(w, "type", "array");
	if (key->min) jsonw_key_i(w, "minItems", key->min);
	jsonw_key_i(w, "maxItems", key->max);
	jsonw_key_b(w, "uniqueItems", true);
	jsonw_key(w, "items");
	jsonw_object(w);
	text(w, pattern, longest);
	jsonw_object_end(w);
}

static void names(struct jsonw *w, const char *pattern, int64_t most) {
	jsonw_key_z(w, "type", "object");
	jsonw_key_i(w, "maxProperties", most);
	jsonw_key(w, "propertyNames");
	jsonw_object(w);
	jsonw_key_z(w, "pattern", pattern);
	jsonw_object_end(w);
}

static void reference(struct jsonw *w, enum keys_scope scope) {
	AUTO_BUF path = {0};
	buf_printf(&path, "#/$defs/%s", keys_scope_name(scope));
	jsonw_key_s(w, "$ref", buf_view(&path));
}

static void choices(struct jsonw *w, const struct key *key) {
	size_t n;
	const char *const *all = key_choices(key, &n);
	if (key->kind == KEY_STRATEGY) n = 1; // canary is not yet supported
	jsonw_key(w, "enum");
	jsonw_array(w);
	for (size_t i = 0; i < n; i++) jsonw_cstr(w, all[i]);
	jsonw_array_end(w);
}

static void matrix(struct jsonw *w, const struct key *key) {
	names(w, VARIABLE, key->max);
	jsonw_key(w, "additionalProperties");
	jsonw_object(w);
	jsonw_key_z(w, "type", "array");
	jsonw_key_i(w, "minItems", 1);
	jsonw_key(w, "items");
	jsonw_object(w);
	scalar(w);
	jsonw_object_end(w);
	jsonw_object_end(w);
}

static void map_of(struct jsonw *w, const struct key *key) {
	enum keys_scope child;
	bool scopes = key_child(key, &child);
	names(w, scopes ? NAME : VARIABLE, key->max);
	jsonw_key(w, "additionalProperties");
	jsonw_object(w);
	if (scopes) reference(w, child);
	else scalar(w);
	jsonw_object_end(w);
}

static void write_kind(struct jsonw *w, const struct key *key) {
	enum keys_scope child;
	switch (key->kind) {
	case KEY_TEXT:
	case KEY_BRANCH:
	case KEY_FOLDER: text(w, NULL, GLOB_BYTES_MAX); return;
	case KEY_COMMAND: text(w, "[^ \\t\\r\\n]", key->max); return;
	case KEY_FILE:
	case KEY_HEALTH: text(w, "^/", 0); return;
	case KEY_BOOL: jsonw_key_z(w, "type", "boolean"); return;
	case KEY_COUNT:
		jsonw_key_z(w, "type", "integer");
		jsonw_key_i(w, "minimum", key->min);
		jsonw_key_i(w, "maximum", key->max);
		return;
	case KEY_DURATION: text(w, "^([0-9]+(ms|s|m|h|d))+$", 0); return;
	case KEY_SIZE: number_or(w, "^[0-9]+(\\.[0-9]{1,3})?([KMGT](i?B)?|B)?$"); return;
	case KEY_CPU: number_or(w, "^([0-9]+(\\.[0-9]{1,3})?|[0-9]+m)$"); return;
	case KEY_WHEN:
	case KEY_STRATEGY: choices(w, key); return;
	case KEY_LISTEN: text(w, ":[0-9]{1,5}$", 0); return;
	case KEY_PATTERNS: list(w, key, "^[^/~]", GLOB_BYTES_MAX); return;
	case KEY_SECRETS: list(w, key, VARIABLE, 0); return;
	case KEY_PERCENTS: list(w, key, "^[0-9]{1,3}%$", 0); return;
	case KEY_NEEDS: list(w, key, NAME, 0); return;
	case KEY_MATRIX: matrix(w, key); return;
	case KEY_ENV:
	case KEY_JOBS:
	case KEY_ENVIRONMENTS: map_of(w, key); return;
	case KEY_RESOURCES:
	case KEY_SERVICE:
	case KEY_TLS:
	case KEY_ROLLOUT:
		if (key_child(key, &child)) reference(w, child);
		return;
	case KEY_ANY: return;
	}
}

static void write_scope(struct jsonw *w, enum keys_scope scope) {
	jsonw_key_z(w, "type", "object");
	jsonw_key_b(w, "additionalProperties", false);
	jsonw_key(w, "properties");
	jsonw_object(w);
	KEYS_EACH(scope, key) {
		if (key->flags & (KEY_INTERNAL | KEY_NOT_YET)) continue;
		jsonw_key(w, key->name);
		jsonw_object(w);
		write_kind(w, key);
		jsonw_key_z(w, "description", key->doc);
		jsonw_object_end(w);
	}
	jsonw_object_end(w);
	jsonw_key(w, "required");
	jsonw_array(w);
	KEYS_EACH(scope, key)
	if (key->flags & KEY_REQUIRED) jsonw_cstr(w, key->name);
	jsonw_array_end(w);
}

void jsonschema_write(struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_z(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	jsonw_key_z(&w, "title", "weir.yml");
	write_scope(&w, KEYS_ROOT);
	jsonw_key(&w, "$defs");
	jsonw_object(&w);
	for (unsigned scope = KEYS_ROOT + 1; scope < KEYS_SCOPES_N; scope++) {
		jsonw_key(&w, keys_scope_name((enum keys_scope)scope));
		jsonw_object(&w);
		write_scope(&w, (enum keys_scope)scope);
		jsonw_object_end(&w);
	}
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	buf_char(out, '\n');
}
