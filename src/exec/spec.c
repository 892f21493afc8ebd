#include "exec/spec.h"

#include "base/json.h"
#include "base/jsonw.h"

enum { ID_MAX = 64, LOWERS_MAX = 400 };

// The numbers: one row is a field, its name, its default.
#define NUMBERS(X)               \
	X(artifact_bytes, 2LL << 30) \
	X(artifact_files, 10000)     \
	X(cpu_milli, 0)              \
	X(disk_bytes, 20LL << 30)    \
	X(log_bytes, 64 << 20)       \
	X(log_line_bytes, 1 << 20)   \
	X(memory_bytes, 0)           \
	X(pids, 4096)                \
	X(scratch_bytes, 1 << 30)    \
	X(timeout_ms, 3600000)       \
	X(traced, 0)
#define LISTS(X) X(artifacts) X(coverage) X(lowers) X(results) X(secrets)
#define PAIRS(X) X(env) X(mounts)

static void put_strs(struct jsonw *w, const char *key, struct exec_strs list) {
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t i = 0; i < list.n; i++) jsonw_str(w, list.p[i]);
	jsonw_array_end(w);
}

static void put_pairs(struct jsonw *w, const char *key, struct exec_pairs list) {
	jsonw_key(w, key);
	jsonw_object(w);
	for (size_t i = 0; i < list.n; i++) {
		jsonw_key_str(w, list.p[i].name);
		jsonw_str(w, list.p[i].value);
	}
	jsonw_object_end(w);
}

void spec_json(const struct exec_spec *spec, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_s(&w, "command", spec->command);
	if (spec->etc.n) jsonw_key_s(&w, "etc", spec->etc);
	jsonw_key_s(&w, "folder", spec->folder);
	jsonw_key_s(&w, "id", spec->id);
	if (spec->layers_follow) jsonw_key_b(&w, "layers_follow", true);
	jsonw_key_b(&w, "network", spec->network);
#define X(field) put_strs(&w, #field, spec->field);
	LISTS(X)
#undef X
#define X(field) put_pairs(&w, #field, spec->field);
	PAIRS(X)
#undef X
#define X(field, otherwise) \
	if (spec->field) jsonw_key_i(&w, #field, spec->field);
	NUMBERS(X)
#undef X
	jsonw_object_end(&w);
}

static bool get_strs(const struct json *v, const char *key, struct arena *life,
                     struct exec_strs *out, struct err *e) {
	const struct json *list = json_get(v, key);
	size_t n = json_length(list);
	if (list && json_kind(list) != JSON_KIND_ARRAY)
		return err_set(e, ERR_INVALID, "%s is no list", key);
	*out = (struct exec_strs){n ? ARENA_ARRAY(life, struct str, n) : NULL, n};
	for (size_t i = 0; i < n; i++) {
		if (json_kind(json_at(list, i)) != JSON_KIND_STRING)
			return err_set(e, ERR_INVALID, "%s holds something that is no text", key);
		out->p[i] = arena_str(life, json_str(json_at(list, i)));
	}
	return true;
}

static bool get_pairs(const struct json *v, const char *key, struct arena *life,
                      struct exec_pairs *out, struct err *e) {
	const struct json *object = json_get(v, key);
	struct str name;
	struct json *value;
	size_t n = json_length(object), i = 0;
	if (object && json_kind(object) != JSON_KIND_OBJECT)
		return err_set(e, ERR_INVALID, "%s is no object", key);
	*out = (struct exec_pairs){n ? ARENA_ARRAY(life, struct exec_pair, n) : NULL, n};
	for (void *it = NULL; n && json_next(object, &it, &name, &value); i++) {
		if (json_kind(value) != JSON_KIND_STRING)
			return err_set(e, ERR_INVALID, "%s holds something that is no text", key);
		out->p[i] = (struct exec_pair){arena_str(life, name), arena_str(life, json_str(value))};
	}
	return true;
}

static bool is_id(struct str id) {
	if (id.n == 0 || id.n > ID_MAX || id.p[0] == '.') return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!good && c != '-' && c != '_' && c != '.') return false;
	}
	return true;
}

static bool has_nul(struct str s) {
	return s.n && memchr(s.p, 0, s.n);
}

// A path below the workspace: no "..", not absolute, no NUL.
static bool is_inside(struct str path) {
	if (has_nul(path) || (path.n && path.p[0] == '/')) return false;
	while (path.p)
		if (str_eq(str_cut(&path, '/'), STR(".."))) return false;
	return true;
}

static bool judge_layers(struct exec_strs lowers, int64_t traced, struct err *e) {
	if (traced < 0 || (uint64_t)traced > lowers.n)
		return err_set(e, ERR_INVALID, "traced is not from 0 to the number of lowers");
	if (lowers.n == 0 || lowers.n > LOWERS_MAX)
		return err_set(e, ERR_INVALID, "lowers has %zu folders, not 1 to %d", lowers.n, LOWERS_MAX);
	for (size_t i = 0; i < lowers.n; i++)
		if (!lowers.p[i].n || lowers.p[i].p[0] != '/' || has_nul(lowers.p[i]))
			return err_set(e, ERR_INVALID, "lowers holds a path that is not absolute");
	return true;
}

static bool judge(const struct exec_spec *s, struct err *e) {
	if (!is_id(s->id))
		return err_set(e, ERR_INVALID, "id is empty, too long or has odd characters");
	if (!s->command.n || has_nul(s->command))
		return err_set(e, ERR_INVALID, "command is empty or holds a NUL byte");
	if (!is_inside(s->folder)) return err_set(e, ERR_INVALID, "folder leads out of the workspace");
	if (s->etc.n && (s->etc.p[0] != '/' || has_nul(s->etc)))
		return err_set(e, ERR_INVALID, "etc is no absolute path");
	if (s->layers_follow && s->lowers.n)
		return err_set(e, ERR_INVALID, "lowers are given and are to follow");
	if (!s->layers_follow && !judge_layers(s->lowers, s->traced, e)) return false;
	for (size_t i = 0; i < s->env.n; i++) {
		struct str name = s->env.p[i].name;
		if (!name.n || memchr(name.p, '=', name.n) || has_nul(name) || has_nul(s->env.p[i].value))
			return err_set(e, ERR_INVALID, "env holds a name or value that no environment can");
	}
	for (size_t i = 0; i < s->secrets.n; i++) {
		struct str name = s->secrets.p[i];
		if (!is_id(name)) return err_set(e, ERR_INVALID, "secrets holds a name that is none");
	}
	for (size_t i = 0; i < s->mounts.n; i++) {
		struct exec_pair m = s->mounts.p[i];
		if (!m.name.n || !is_inside(m.name) || !m.value.n || m.value.p[0] != '/' ||
		    has_nul(m.value))
			return err_set(e, ERR_INVALID, "mounts holds a path that leads out of the workspace");
	}
	return true;
}

bool spec_parse(struct str json, struct arena *life, struct exec_spec *out, struct err *e) {
	AUTO_JSON v = NULL;
	struct exec_spec s = {0};
	if (!json_parse(json, &v, e)) return false;
	s.command = arena_str(life, json_get_str(v, "command"));
	s.etc = arena_str(life, json_get_str(v, "etc"));
	s.folder = arena_str(life, json_get_str(v, "folder"));
	s.id = arena_str(life, json_get_str(v, "id"));
	s.network = json_get_bool(v, "network", false);
	s.layers_follow = json_get_bool(v, "layers_follow", false);
#define X(field) \
	if (!get_strs(v, #field, life, &s.field, e)) return false;
	LISTS(X)
#undef X
#define X(field) \
	if (!get_pairs(v, #field, life, &s.field, e)) return false;
	PAIRS(X)
#undef X
#define X(field, otherwise)                                                 \
	s.field = json_get_int(v, #field, 0);                                   \
	if (s.field < 0) return err_set(e, ERR_INVALID, #field " is negative"); \
	if (s.field == 0) s.field = (otherwise);
	NUMBERS(X)
#undef X
	if (!judge(&s, e)) return false;
	*out = s;
	return true;
}

void spec_layers_json(struct exec_strs lowers, int64_t traced, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	put_strs(&w, "lowers", lowers);
	jsonw_key_i(&w, "traced", traced);
	jsonw_object_end(&w);
}

bool spec_layers_parse(struct str json, struct arena *life, struct exec_spec *out, struct err *e) {
	AUTO_JSON v = NULL;
	struct exec_strs lowers = {0};
	if (!json_parse(json, &v, e)) return false;
	int64_t traced = json_get_int(v, "traced", 0);
	if (!get_strs(v, "lowers", life, &lowers, e) || !judge_layers(lowers, traced, e)) return false;
	out->lowers = lowers;
	out->traced = traced;
	return true;
}
