#include "api/call.h"

#include <stdlib.h>

#include "api/urltext.h"
#include "base/json.h"

// ---------------------------------------------------------------- parameters

static bool set(struct call *c, size_t i, struct str text, struct err *e) {
	const struct operation_param *p = &c->operation->params[i];
	c->text[i] = text;
	c->given[i] = true;
	switch (p->type) {
	case OPERATION_TYPE_TEXT: return true;
	case OPERATION_TYPE_INT:
		if (str_to_i64(text, &c->number[i]) && c->number[i] >= 0) return true;
		return err_set(e, ERR_INVALID, "%s is not a number: \"" STR_FMT "\"", p->name,
		               STR_ARG(str_slice(text, 0, text.n < 60 ? text.n : 60)));
	case OPERATION_TYPE_NTH:
		if (str_to_i64(text, &c->number[i]) && c->number[i] >= 1) return true;
		return err_set(e, ERR_INVALID, "%s is a number from 1, not \"" STR_FMT "\"", p->name,
		               STR_ARG(str_slice(text, 0, text.n < 60 ? text.n : 60)));
	case OPERATION_TYPE_PAGE:
		if (str_to_i64(text, &c->number[i]) && c->number[i] >= 1 &&
		    c->number[i] <= OPERATION_PAGE_MAX)
			return true;
		return err_set(e, ERR_INVALID, "%s is a number from 1 to %d, not \"" STR_FMT "\"", p->name,
		               OPERATION_PAGE_MAX, STR_ARG(str_slice(text, 0, text.n < 60 ? text.n : 60)));
	case OPERATION_TYPE_FLAG:
		c->number[i] = str_eq(text, STR("1")) || str_eq(text, STR("true")) || !text.n;
		if (c->number[i] || str_eq(text, STR("0")) || str_eq(text, STR("false"))) return true;
		return err_set(e, ERR_INVALID, "%s is neither true nor false", p->name);
	}
	return true;
}

static bool read_query(struct call *c, struct str query, struct err *e) {
	struct urltext_pairs pairs;
	if (!urltext_pairs(query, &c->life, &pairs, e)) return false;
	for (size_t i = 0; i < pairs.n; i++) {
		ptrdiff_t at = operation_param_index(c->operation, pairs.p[i].name);
		if (at < 0 || c->operation->params[at].in != OPERATION_IN_QUERY)
			return err_set(e, ERR_INVALID, "no parameter is called \"" STR_FMT "\" here",
			               STR_ARG(pairs.p[i].name));
		if (!set(c, (size_t)at, pairs.p[i].value, e)) return false;
	}
	return true;
}

static bool set_json(struct call *c, size_t i, const struct json *v, struct err *e) {
	const struct operation_param *p = &c->operation->params[i];
	enum json_kind kind = json_kind(v);
	if (kind == JSON_KIND_NULL) return true;
	if (p->type == OPERATION_TYPE_TEXT && kind == JSON_KIND_STRING)
		return set(c, i, arena_str(&c->life, json_str(v)), e);
	if (kind == JSON_KIND_INT && p->type == OPERATION_TYPE_INT)
		return set(c, i, arena_printf(&c->life, "%lld", (long long)json_int(v, 0)), e);
	if (p->type == OPERATION_TYPE_FLAG && kind == JSON_KIND_BOOL)
		return set(c, i, json_bool(v, false) ? STR("1") : STR("0"), e);
	return err_set(e, ERR_INVALID, "%s must be %s", p->name,
	               p->type == OPERATION_TYPE_TEXT   ? "a string"
	               : p->type == OPERATION_TYPE_FLAG ? "true or false"
	                                                : "a whole number");
}

static bool read_body(struct call *c, struct str body, struct err *e) {
	if (!str_trim(body).n) return true;
	AUTO_JSON document = NULL;
	if (!json_parse(body, &document, e)) return err_context(e, "the body is not JSON");
	if (json_kind(document) != JSON_KIND_OBJECT)
		return err_set(e, ERR_INVALID, "the body is not a JSON object");
	struct str key;
	struct json *value;
	for (void *it = NULL; json_next(document, &it, &key, &value);) {
		ptrdiff_t at = operation_param_index(c->operation, key);
		if (at < 0 || c->operation->params[at].in != OPERATION_IN_BODY)
			return err_set(e, ERR_INVALID, "no key is called \"" STR_FMT "\" here", STR_ARG(key));
		if (!set_json(c, (size_t)at, value, e)) return false;
	}
	return true;
}

bool call_read(struct call *c, const struct api_request *q,
               const struct str segments[OPERATION_PARAMS_MAX], struct err *e) {
	const struct operation *o = c->operation;
	for (size_t i = 0; i < o->param_count; i++) {
		if (o->params[i].in != OPERATION_IN_PATH) continue;
		struct str text;
		if (!urltext_decode(segments[i], false, &c->life, &text))
			return err_set(e, ERR_INVALID, "%s is not percent-encoded UTF-8", o->params[i].name);
		if (!set(c, i, text, e)) return false;
	}
	if (!read_query(c, q->query, e) || !read_body(c, q->body, e)) return false;
	for (size_t i = 0; i < o->param_count; i++)
		if (o->params[i].required && (!c->given[i] || !c->text[i].n))
			return err_set(e, ERR_INVALID, "%s is missing: %s", o->params[i].name,
			               o->params[i].doc);
	return true;
}

static size_t index_of(const struct call *c, const char *name) {
	ptrdiff_t at = operation_param_index(c->operation, str_of(name));
	return at < 0 ? OPERATION_PARAMS_MAX : (size_t)at;
}

struct str call_text(const struct call *c, const char *name) {
	size_t i = index_of(c, name);
	return i < OPERATION_PARAMS_MAX && c->given[i] ? c->text[i] : STR_NONE;
}

int64_t call_int(const struct call *c, const char *name, int64_t otherwise) {
	size_t i = index_of(c, name);
	return i < OPERATION_PARAMS_MAX && c->given[i] ? c->number[i] : otherwise;
}

bool call_flag(const struct call *c, const char *name) {
	return call_int(c, name, 0) != 0;
}

size_t call_limit(const struct call *c) {
	return (size_t)call_int(c, "limit", API_PAGE);
}

// ---------------------------------------------------------------- the end

struct jsonw *call_json(struct call *c) {
	c->w = jsonw_to(&c->answer.body);
	return &c->w;
}

void call_finish(struct call *c) {
	if (c->answer.body.n && !c->answer.stream && strcmp(c->answer.type, "application/json") == 0)
		buf_char(&c->answer.body, '\n');
	c->done(c->context, &c->answer);
	arena_free(&c->life);
	free(c);
}

void call_fail(struct call *c, const struct err *e, const char *next) {
	api_answer_free(&c->answer);
	api_error(e, next, &c->answer);
	call_finish(c);
}

void call_done(void *context, bool ok, const struct event *applied, const struct err *e) {
	struct call *c = context;
	if (ok) c->applied(c, applied);
	else call_fail(c, e, NULL);
}

void call_submit(struct call *c, const struct event *e,
                 void (*applied)(struct call *c, const struct event *e)) {
	c->applied = applied;
	c->host->submit(c->host->context, e, call_done, c);
}

// ---------------------------------------------------------------- what parameters name

bool call_change(struct call *c, struct read_change *out) {
	struct err e = {0};
	struct change_id id = {(uint64_t)call_int(c, "id", 0)};
	if (read_change(c->store, id, &c->life, out, &e)) return true;
	if (e.code == ERR_NOT_FOUND)
		err_set(&e, ERR_NOT_FOUND, "there is no change %llu", (unsigned long long)id.v);
	call_fail(c, &e, e.code == ERR_NOT_FOUND ? "weir queue lists the open ones" : NULL);
	return false;
}

bool call_repo(struct call *c, struct repo_id *out) {
	struct err e = {0};
	struct str name = call_text(c, "repo");
	struct read_repo repo;
	*out = (struct repo_id){0};
	if (!name.n) return true;
	if (read_repo_named(c->store, name, &c->life, &repo, &e)) {
		*out = repo.id;
		return true;
	}
	if (e.code == ERR_NOT_FOUND)
		err_set(&e, ERR_NOT_FOUND, "there is no repository \"" STR_FMT "\"", STR_ARG(name));
	call_fail(c, &e, e.code == ERR_NOT_FOUND ? "weir repo list names all of them" : NULL);
	return false;
}

bool call_env(struct call *c, struct read_env *out) {
	struct err e = {0};
	struct repo_id repo;
	struct read_envs envs;
	struct str name = call_text(c, "env");
	if (!call_repo(c, &repo)) return false;
	if (!read_envs(c->store, repo, &c->life, &envs, &e)) {
		call_fail(c, &e, NULL);
		return false;
	}
	size_t found = 0;
	for (size_t i = 0; i < envs.n; i++) {
		if (!str_eq(envs.p[i].name, name)) continue;
		*out = envs.p[i];
		found++;
	}
	if (found == 1) return true;
	if (found)
		err_set(&e, ERR_CONFLICT, "%zu repositories have an environment \"" STR_FMT "\"", found,
		        STR_ARG(name));
	else err_set(&e, ERR_NOT_FOUND, "there is no environment \"" STR_FMT "\"", STR_ARG(name));
	call_fail(c, &e,
	          found ? "name the repository as well (repo)"
	                : "name it under environments: in trunk's weir.yml");
	return false;
}

bool call_release(struct call *c, struct repo_id repo, struct str name, struct read_release *out) {
	struct err e = {0};
	if (read_release_named(c->store, repo, name, &c->life, out, &e)) return true;
	call_fail(c, &e, "weir releases lists them");
	return false;
}

void call_key_oid(struct jsonw *w, const char *key, struct oid oid) {
	char text[OID_HEX_MAX + 1];
	oid_hex(oid, text);
	jsonw_key_z(w, key, text[0] ? text : NULL);
}

void call_key_text(struct jsonw *w, const char *key, struct str text) {
	jsonw_key(w, key);
	if (text.n) jsonw_str(w, text);
	else jsonw_null(w);
}
