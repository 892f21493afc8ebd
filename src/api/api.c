#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/call.h"

static call_handler *const handlers[] = {
#define OPERATION(NAME, handler, METHOD, path, SCOPE, ANSWER, cli, doc) \
	[OPERATION_##NAME] = handler,
	OPERATION_TABLE(OPERATION)
#undef OPERATION
};

void api_answer_free(struct api_answer *a) {
	buf_free(&a->body);
	if (a->stream) a->stream->close(a->stream);
	*a = (struct api_answer){0};
}

void api_error(const struct err *e, const char *next, struct api_answer *out) {
	*out = (struct api_answer){.status = err_http_status(e->code), .type = "application/json"};
	struct jsonw w = jsonw_to(&out->body);
	jsonw_object(&w);
	jsonw_key(&w, "error");
	jsonw_object(&w);
	jsonw_key_z(&w, "code", err_code_name(e->code));
	jsonw_key_z(&w, "next", next);
	jsonw_key_s(&w, "text", str_of(e->text));
	jsonw_object_end(&w);
	jsonw_object_end(&w);
}

static bool may(const struct api *api, const struct operation *o, const struct api_identity *who,
                struct err *e, const char **next, int *status) {
	if (!operation_allows(who->scopes, o->scope)) {
		*status = who->scopes ? 403 : 401;
		*next = who->scopes ? "ask for a token with that scope: weir token create"
		                    : "send Authorization: Bearer TOKEN (WEIR_TOKEN for weir)";
		return err_set(e, ERR_DENIED, "this needs the scope %s", operation_scope_name(o->scope));
	}
	const struct api_host *h = &api->host;
	const char *why = h->read_only(h->context);
	bool urgent = o->scope == OPERATION_SCOPE_OPERATE && h->records && h->records(h->context);
	if (why && strcmp(o->method, "GET") != 0 && !urgent) {
		*next = "weir tries again each second; see weir doctor";
		return err_set(e, ERR_UNAVAILABLE, "weir is read-only: %s", why);
	}
	return true;
}

void api_call(struct api *api, const struct api_request *request, api_answer_fn *answer,
              void *context) {
	struct err e = {0};
	const char *next = NULL;
	int status = 0;
	struct str segments[OPERATION_PARAMS_MAX] = {0};
	struct call *c = calloc(1, sizeof *c);
	if (!c) abort();
	*c = (struct call){.api = api,
	                   .host = &api->host,
	                   .store = api->host.store,
	                   .done = answer,
	                   .context = context,
	                   .answer = {.status = 200, .type = "application/json"}};
	if (request->body.n > API_BODY_MAX)
		err_set(&e, ERR_LIMIT, "a body has at most %d bytes", API_BODY_MAX);
	else if (operation_route(request->method, request->path, &c->operation, segments, &e)) {
		c->identity = (struct api_identity){arena_str(&c->life, request->identity.name),
		                                    request->identity.scopes};
		if (may(api, c->operation, &request->identity, &e, &next, &status) &&
		    call_read(c, request, segments, &e)) {
			handlers[c->operation->id](c);
			return;
		}
		if (!next) next = "/api/v1/openapi.json describes each parameter";
	} else if (e.code == ERR_UNSUPPORTED) status = 405;
	api_error(&e, next, &c->answer);
	if (status == 405) {
		AUTO_BUF methods = {0};
		operation_methods(request->path, &methods);
		snprintf(c->answer.allow, sizeof c->answer.allow, "%s", methods.p);
	}
	if (status) c->answer.status = status;
	call_finish(c);
}

bool api_identify(struct api *api, struct str token, struct arena *life, struct api_identity *out,
                  struct err *e) {
	struct read_token found;
	struct err why = {0};
	if (!read_token(api->host.store, digest_of(token), life, &found, &why)) {
		if (why.code != ERR_NOT_FOUND) {
			if (e) *e = why;
			return false;
		}
		return err_set(e, ERR_DENIED, "nobody has this token, or it was revoked");
	}
	if (found.expires_ms && found.expires_ms <= api->host.now_ms(api->host.context))
		return err_set(e, ERR_DENIED, "the token of " STR_FMT " has expired", STR_ARG(found.name));
	unsigned scopes;
	if (!operation_scopes_parse(found.scopes, &scopes, e)) return false;
	*out = (struct api_identity){found.name, scopes};
	return true;
}
