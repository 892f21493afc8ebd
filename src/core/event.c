#include "core/event.h"

#include <stddef.h>

#include "base/json.h"
#include "base/jsonw.h"

#define FIELD_TYPES(TYPE)           \
	TYPE(INT, "integer")            \
	TYPE(LATER, "integer")          \
	TYPE(STR, "text")               \
	TYPE(JSON, "json")              \
	TYPE(OID, "oid")                \
	TYPE(DIGEST, "digest")          \
	TYPE(REASON, "reason")          \
	TYPE(OUTCOME, "outcome")        \
	TYPE(REPO_ID, "repo")           \
	TYPE(CHANGE_ID, "change")       \
	TYPE(CANDIDATE_ID, "candidate") \
	TYPE(RUN_ID, "run")             \
	TYPE(LANDING_ID, "landing")     \
	TYPE(RELEASE_ID, "release")     \
	TYPE(ENV_ID, "environment")     \
	TYPE(ROLLOUT_ID, "rollout")

enum field_type {
#define TYPE(NAME, text) TYPE_##NAME,
	FIELD_TYPES(TYPE)
#undef TYPE
};

static const char *const type_names[] = {
#define TYPE(NAME, text) text,
	FIELD_TYPES(TYPE)
#undef TYPE
};

struct field {
	enum field_type type;
	uint16_t offset; // in struct event
	const char *name;
};

#define FIELD_ROW(S, TYPE, field) {TYPE_##TYPE, offsetof(struct event, S.field), #field},
#define EVENT(number, NAME, name, text, ENTITY, doc) \
	static const struct field fields_##name[] = {EVENT_FIELDS_##name(FIELD_ROW, name)};
EVENT_TABLE(EVENT)
#undef EVENT

enum entity {
	ENTITY_NONE,
	ENTITY_REPO,
	ENTITY_CHANGE,
	ENTITY_CANDIDATE,
	ENTITY_RUN,
	ENTITY_LANDING,
	ENTITY_RELEASE,
	ENTITY_ENV,
	ENTITY_ROLLOUT
};

static const struct {
	const char *name;
	enum field_type type;
} entities[] = {
	[ENTITY_NONE] = {"", TYPE_INT},
	[ENTITY_REPO] = {"repo", TYPE_REPO_ID},
	[ENTITY_CHANGE] = {"change", TYPE_CHANGE_ID},
	[ENTITY_CANDIDATE] = {"candidate", TYPE_CANDIDATE_ID},
	[ENTITY_RUN] = {"run", TYPE_RUN_ID},
	[ENTITY_LANDING] = {"landing", TYPE_LANDING_ID},
	[ENTITY_RELEASE] = {"release", TYPE_RELEASE_ID},
	[ENTITY_ENV] = {"environment", TYPE_ENV_ID},
	[ENTITY_ROLLOUT] = {"rollout", TYPE_ROLLOUT_ID},
};

struct kind {
	const char *name, *doc;
	const struct field *fields;
	size_t field_count;
	enum entity entity;
};

static const struct kind kinds[EVENT_KIND_MAX + 1] = {
#define EVENT(number, NAME, name, text, ENTITY, doc) \
	[number] = {text, doc, fields_##name, ARRAY_LEN(fields_##name), ENTITY_##ENTITY},
	EVENT_TABLE(EVENT)
#undef EVENT
};

static const struct kind *kind_of(enum event_kind kind) {
	unsigned number = (unsigned)kind;
	return number <= EVENT_KIND_MAX && kinds[number].name ? &kinds[number] : NULL;
}

static const char *const outcomes[] = {"", "passed", "failed", "cancelled"};

const char *event_outcome_name(enum outcome o) {
	return outcomes[o];
}

bool event_outcome_parse(struct str name, enum outcome *out) {
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		if (!str_eq(name, str_of(outcomes[i]))) continue;
		*out = (enum outcome)i;
		return true;
	}
	return false;
}

const char *event_name(enum event_kind kind) {
	const struct kind *k = kind_of(kind);
	return k ? k->name : NULL;
}

const char *event_doc(enum event_kind kind) {
	const struct kind *k = kind_of(kind);
	return k ? k->doc : NULL;
}

enum event_kind event_kind_of_name(struct str name) {
	for (unsigned i = 1; i <= EVENT_KIND_MAX; i++)
		if (kinds[i].name && str_eq(name, str_of(kinds[i].name))) return (enum event_kind)i;
	return EVENT_NONE;
}

static const void *at(const struct event *e, const struct field *f) {
	return (const char *)e + f->offset;
}

static const struct field *field_of_type(const struct kind *k, enum field_type type) {
	for (size_t i = 0; i < k->field_count; i++)
		if (k->fields[i].type == type) return &k->fields[i];
	return NULL;
}

struct repo_id event_repo(const struct event *e) {
	const struct kind *k = kind_of(e->kind);
	const struct field *f = k ? field_of_type(k, TYPE_REPO_ID) : NULL;
	return f ? *(const struct repo_id *)at(e, f) : (struct repo_id){0};
}

bool event_entity_ok(struct str text) {
	uint64_t number;
	struct str kind = str_cut(&text, '/');
	if (!text.p || !str_to_u64(text, &number)) return false;
	for (size_t i = ENTITY_NONE + 1; i < ARRAY_LEN(entities); i++)
		if (str_eq(kind, str_of(entities[i].name))) return true;
	return false;
}

void event_entity(const struct event *e, struct buf *out) {
	const struct kind *k = kind_of(e->kind);
	if (!k || k->entity == ENTITY_NONE) return;
	const struct field *f = field_of_type(k, entities[k->entity].type);
	buf_printf(out, "%s/%llu", entities[k->entity].name,
	           (unsigned long long)(f ? *(const uint64_t *)at(e, f) : 0));
}

static void put_text(struct jsonw *w, const char *key, struct str s) {
	if (s.n) jsonw_key_s(w, key, s);
}

static void put_json(struct jsonw *w, const char *key, struct str s) {
	if (!s.n) return;
	jsonw_key(w, key);
	jsonw_raw(w, s);
}

static void put_oid(struct jsonw *w, const char *key, const struct oid *o) {
	char hex[OID_HEX_MAX + 1];
	oid_hex(*o, hex);
	put_text(w, key, str_of(hex));
}

static void put_digest(struct jsonw *w, const char *key, const struct digest *d) {
	char hex[DIGEST_HEX + 1];
	if (digest_is_none(*d)) return;
	digest_hex(*d, hex);
	put_text(w, key, str_of(hex));
}

static void put_field(struct jsonw *w, const struct event *e, const struct field *f) {
	const void *p = at(e, f);
	switch (f->type) {
	case TYPE_STR: put_text(w, f->name, *(const struct str *)p); return;
	case TYPE_JSON: put_json(w, f->name, *(const struct str *)p); return;
	case TYPE_OID: put_oid(w, f->name, p); return;
	case TYPE_DIGEST: put_digest(w, f->name, p); return;
	case TYPE_REASON: put_text(w, f->name, reason_code(*(const enum reason *)p)); return;
	case TYPE_OUTCOME:
		put_text(w, f->name, str_of(event_outcome_name(*(const enum outcome *)p)));
		return;
	case TYPE_LATER:
		if (*(const int64_t *)p) jsonw_key_i(w, f->name, *(const int64_t *)p);
		return;
	case TYPE_INT:
	case TYPE_REPO_ID:
	case TYPE_CHANGE_ID:
	case TYPE_CANDIDATE_ID:
	case TYPE_RUN_ID:
	case TYPE_LANDING_ID:
	case TYPE_RELEASE_ID:
	case TYPE_ENV_ID:
	case TYPE_ROLLOUT_ID: jsonw_key_i(w, f->name, *(const int64_t *)p); return;
	}
}

void event_body(const struct event *e, struct buf *out) {
	const struct kind *k = kind_of(e->kind);
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	for (size_t i = 0; k && i < k->field_count; i++) put_field(&w, e, &k->fields[i]);
	jsonw_object_end(&w);
}

static struct str json_text(const struct json *v, struct arena *life) {
	AUTO_BUF text = {0};
	json_print(&text, v);
	return arena_str(life, buf_view(&text));
}

static bool take_field(struct event *e, const struct field *f, const struct json *v,
                       struct arena *life) {
	void *p = (char *)e + f->offset;
	struct str text = json_str(v);
	switch (f->type) {
	case TYPE_STR: *(struct str *)p = arena_str(life, text); return text.p != NULL;
	case TYPE_JSON: *(struct str *)p = json_text(v, life); return true;
	case TYPE_OID: return oid_parse(text, p);
	case TYPE_DIGEST: return digest_parse(text, p);
	case TYPE_REASON: return reason_parse(text, p);
	case TYPE_OUTCOME: return event_outcome_parse(text, p);
	case TYPE_LATER:
	case TYPE_INT:
	case TYPE_REPO_ID:
	case TYPE_CHANGE_ID:
	case TYPE_CANDIDATE_ID:
	case TYPE_RUN_ID:
	case TYPE_LANDING_ID:
	case TYPE_RELEASE_ID:
	case TYPE_ENV_ID:
	case TYPE_ROLLOUT_ID: *(int64_t *)p = json_int(v, 0); return json_kind(v) == JSON_KIND_INT;
	}
	return false;
}

static const struct field *field_named(const struct kind *k, struct str name) {
	for (size_t i = 0; i < k->field_count; i++)
		if (str_eq(name, str_of(k->fields[i].name))) return &k->fields[i];
	return NULL;
}

bool event_parse(enum event_kind kind, int64_t time_ms, struct str body, struct arena *life,
                 struct event *out, struct err *e) {
	const struct kind *k = kind_of(kind);
	if (!k)
		return err_set(e, ERR_UNSUPPORTED, "event kind %d is not known here; a newer weir wrote it",
		               (int)kind);
	AUTO_JSON v = NULL;
	if (!json_parse(body, &v, e)) return err_context(e, "body of %s", k->name);
	if (json_kind(v) != JSON_KIND_OBJECT)
		return err_set(e, ERR_CORRUPT, "body of %s is no object", k->name);
	struct event parsed;
	memset(&parsed, 0, sizeof parsed);
	parsed.kind = kind;
	parsed.time_ms = time_ms;
	struct str key;
	struct json *value;
	for (void *it = NULL; json_next(v, &it, &key, &value);) {
		const struct field *f = field_named(k, key);
		if (!f)
			return err_set(e, ERR_UNSUPPORTED, "%s has a field %.40s that is not known here",
			               k->name, key.p);
		if (!take_field(&parsed, f, value, life))
			return err_set(e, ERR_CORRUPT, "field %s of %s is no %s", f->name, k->name,
			               type_names[f->type]);
	}
	*out = parsed;
	return true;
}

struct event event_copy(const struct event *e, struct arena *life) {
	struct event copy = *e;
	const struct kind *k = kind_of(e->kind);
	for (size_t i = 0; k && i < k->field_count; i++) {
		const struct field *f = &k->fields[i];
		if (f->type != TYPE_STR && f->type != TYPE_JSON) continue;
		struct str *s = (struct str *)(void *)((char *)&copy + f->offset);
		if (s->n) *s = arena_str(life, *s);
	}
	return copy;
}

void event_fields(enum event_kind kind,
                  void (*fn)(void *context, const char *name, const char *type), void *context) {
	const struct kind *k = kind_of(kind);
	for (size_t i = 0; k && i < k->field_count; i++)
		fn(context, k->fields[i].name, type_names[k->fields[i].type]);
}
