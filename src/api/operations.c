#include "api/operations.h"

#include "base/jsonw.h"

#define PARAM(IN, NAME, TYPE, REQUIRED, text) \
	{.name = #NAME,                           \
	 .doc = text,                             \
	 .in = OPERATION_IN_##IN,                 \
	 .type = OPERATION_TYPE_##TYPE,           \
	 .required = REQUIRED},
#define OPERATION(NAME, handler, METHOD, path, SCOPE, ANSWER, cli, doc) \
	static const struct operation_param params_##handler[] = {          \
		OPERATION_PARAMS_##handler(PARAM){.name = NULL}};
OPERATION_TABLE(OPERATION)
#undef OPERATION

static const struct operation rows[] = {
#define OPERATION(NAME, handler, METHOD, url, SCOPE, ANSWER, command, text) \
	{OPERATION_##NAME,                                                      \
	 #handler,                                                              \
	 #METHOD,                                                               \
	 url,                                                                   \
	 OPERATION_SCOPE_##SCOPE,                                               \
	 OPERATION_##ANSWER,                                                    \
	 command,                                                               \
	 text,                                                                  \
	 params_##handler,                                                      \
	 ARRAY_LEN(params_##handler) - 1},
	OPERATION_TABLE(OPERATION)
#undef OPERATION
};

const struct operation *operation_at(enum operation_id id) {
	return &rows[id];
}

ptrdiff_t operation_param_index(const struct operation *o, struct str name) {
	for (size_t i = 0; i < o->param_count; i++)
		if (str_eq(name, str_of(o->params[i].name))) return (ptrdiff_t)i;
	return -1;
}

static bool matches(const struct operation *o, struct str path,
                    struct str segments[OPERATION_PARAMS_MAX]) {
	struct str pattern = str_of(o->path);
	while (pattern.p && path.p) {
		struct str want = str_cut(&pattern, '/'), got = str_cut(&path, '/');
		if (want.n && want.p[0] == '{') {
			if (!got.n) return false;
			ptrdiff_t index = operation_param_index(o, str_slice(want, 1, want.n - 1));
			if (index >= 0) segments[index] = got;
		} else if (!str_eq(want, got)) return false;
	}
	return !pattern.p && !path.p;
}

bool operation_route(struct str method, struct str path, const struct operation **out,
                     struct str segments[OPERATION_PARAMS_MAX], struct err *e) {
	bool known = false;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		struct str found[OPERATION_PARAMS_MAX] = {0};
		if (!matches(&rows[i], path, found)) continue;
		known = true;
		if (!str_eq(method, str_of(rows[i].method))) continue;
		*out = &rows[i];
		memcpy(segments, found, sizeof found);
		return true;
	}
	if (known)
		return err_set(e, ERR_UNSUPPORTED, STR_FMT " is not a method of this address",
		               STR_ARG(method));
	return err_set(e, ERR_NOT_FOUND, "no such address; /api/v1/openapi.json lists all of them");
}

void operation_methods(struct str path, struct buf *out) {
	struct str ignored[OPERATION_PARAMS_MAX];
	for (size_t i = 0; i < OPERATION_COUNT; i++)
		if (matches(&rows[i], path, ignored))
			buf_printf(out, "%s%s%s", out->n ? ", " : "", rows[i].method,
			           strcmp(rows[i].method, "GET") == 0 ? ", HEAD" : "");
}

// ---------------------------------------------------------------- scopes

static const struct {
	const char *name;
	enum operation_scope scope;
} scopes[] = {
	{"read", OPERATION_SCOPE_READ},         {"propose", OPERATION_SCOPE_PROPOSE},
	{"operate", OPERATION_SCOPE_OPERATE},   {"admin", OPERATION_SCOPE_ADMIN},
	{"pipeline", OPERATION_SCOPE_PIPELINE},
};

bool operation_scopes_parse(struct str text, unsigned *out, struct err *e) {
	unsigned set = 0;
	for (struct str rest = text; rest.p;) {
		struct str word = str_trim(str_cut(&rest, ','));
		size_t i = 0;
		while (i < ARRAY_LEN(scopes) && !str_eq(word, str_of(scopes[i].name))) i++;
		if (i == ARRAY_LEN(scopes))
			return err_set(e, ERR_INVALID,
			               "\"" STR_FMT
			               "\" is no scope; there are read, propose, operate, admin, pipeline",
			               STR_ARG(word));
		set |= (unsigned)scopes[i].scope;
	}
	if (!set)
		return err_set(e, ERR_INVALID,
		               "no scope is named; there are read, propose, operate, admin, pipeline");
	*out = set;
	return true;
}

bool operation_allows(unsigned set, enum operation_scope needed) {
	if (set & OPERATION_SCOPE_ADMIN) set |= OPERATION_SCOPE_PROPOSE | OPERATION_SCOPE_OPERATE;
	if (set & (OPERATION_SCOPE_PROPOSE | OPERATION_SCOPE_OPERATE)) set |= OPERATION_SCOPE_READ;
	return (set & (unsigned)needed) == (unsigned)needed;
}

void operation_scopes_text(unsigned set, struct buf *out) {
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (set & (unsigned)scopes[i].scope)
			buf_printf(out, "%s%s", out->n ? "," : "", scopes[i].name);
}

const char *operation_scope_name(enum operation_scope scope) {
	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (scopes[i].scope == scope) return scopes[i].name;
	return "";
}

// ---------------------------------------------------------------- OpenAPI 3.1

bool operation_type_is_number(enum operation_type type) {
	return type == OPERATION_TYPE_INT || type == OPERATION_TYPE_NTH || type == OPERATION_TYPE_PAGE;
}

static const char *type_name(enum operation_type type) {
	return operation_type_is_number(type) ? "integer"
	       : type == OPERATION_TYPE_FLAG  ? "boolean"
	                                      : "string";
}

static void write_schema(struct jsonw *w, const struct operation_param *p) {
	jsonw_object(w);
	if (p->type == OPERATION_TYPE_PAGE) jsonw_key_i(w, "maximum", OPERATION_PAGE_MAX);
	if (p->type == OPERATION_TYPE_PAGE || p->type == OPERATION_TYPE_NTH)
		jsonw_key_i(w, "minimum", 1);
	jsonw_key_z(w, "type", type_name(p->type));
	jsonw_object_end(w);
}

static void write_params(struct jsonw *w, const struct operation *o) {
	jsonw_key(w, "parameters");
	jsonw_array(w);
	for (size_t i = 0; i < o->param_count; i++) {
		const struct operation_param *p = &o->params[i];
		if (p->in == OPERATION_IN_BODY) continue;
		jsonw_object(w);
		jsonw_key_z(w, "description", p->doc);
		jsonw_key_z(w, "in", p->in == OPERATION_IN_PATH ? "path" : "query");
		jsonw_key_z(w, "name", p->name);
		jsonw_key_b(w, "required", p->required);
		jsonw_key(w, "schema");
		write_schema(w, p);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void write_body(struct jsonw *w, const struct operation *o) {
	bool any = false, required = false;
	for (size_t i = 0; i < o->param_count; i++) {
		any |= o->params[i].in == OPERATION_IN_BODY;
		required |= o->params[i].in == OPERATION_IN_BODY && o->params[i].required;
	}
	if (!any) return;
	jsonw_key(w, "requestBody");
	jsonw_object(w);
	jsonw_key(w, "content");
	jsonw_object(w);
	jsonw_key(w, "application/json");
	jsonw_object(w);
	jsonw_key(w, "schema");
	jsonw_object(w);
	jsonw_key_b(w, "additionalProperties", false);
	jsonw_key(w, "properties");
	jsonw_object(w);
	for (size_t i = 0; i < o->param_count; i++) {
		const struct operation_param *p = &o->params[i];
		if (p->in != OPERATION_IN_BODY) continue;
		jsonw_key(w, p->name);
		jsonw_object(w);
		jsonw_key_z(w, "description", p->doc);
		jsonw_key_z(w, "type", type_name(p->type));
		jsonw_object_end(w);
	}
	jsonw_object_end(w);
	jsonw_key(w, "required");
	jsonw_array(w);
	for (size_t i = 0; i < o->param_count; i++)
		if (o->params[i].in == OPERATION_IN_BODY && o->params[i].required)
			jsonw_cstr(w, o->params[i].name);
	jsonw_array_end(w);
	jsonw_key_z(w, "type", "object");
	jsonw_object_end(w);
	jsonw_object_end(w);
	jsonw_object_end(w);
	jsonw_key_b(w, "required", required);
	jsonw_object_end(w);
}

static void write_answer(struct jsonw *w, const char *status, const char *doc, const char *type,
                         const char *ref) {
	jsonw_key(w, status);
	jsonw_object(w);
	jsonw_key(w, "content");
	jsonw_object(w);
	jsonw_key(w, type);
	jsonw_object(w);
	if (ref) {
		jsonw_key(w, "schema");
		jsonw_object(w);
		jsonw_key_z(w, "$ref", ref);
		jsonw_object_end(w);
	}
	jsonw_object_end(w);
	jsonw_object_end(w);
	jsonw_key_z(w, "description", doc);
	jsonw_object_end(w);
}

static void write_operation(struct jsonw *w, const struct operation *o) {
	static const char *const types[] = {"application/json", "text/plain", "application/x-ndjson",
	                                    "application/octet-stream"};
	AUTO_BUF method = {0};
	for (const char *c = o->method; *c; c++) buf_char(&method, (char)(*c + ('a' - 'A')));
	jsonw_key(w, method.p);
	jsonw_object(w);
	jsonw_key_z(w, "operationId", o->name);
	write_params(w, o);
	write_body(w, o);
	jsonw_key(w, "responses");
	jsonw_object(w);
	write_answer(w, "200", o->doc, types[o->answer],
	             o->id == OPERATION_CHANGE ? "#/components/schemas/Change" : NULL);
	write_answer(w, "default", "what is wrong, and what to do next", "application/json",
	             "#/components/schemas/Error");
	jsonw_object_end(w);
	jsonw_key(w, "security");
	jsonw_array(w);
	if (o->scope != OPERATION_SCOPE_NONE) {
		jsonw_object(w);
		jsonw_key(w, "token");
		jsonw_array(w);
		jsonw_cstr(w, operation_scope_name(o->scope));
		jsonw_array_end(w);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_key_z(w, "summary", o->doc);
	if (o->cli[0]) jsonw_key_z(w, "x-command", o->cli);
	jsonw_object_end(w);
}

// A path stands once, with all its methods, although its rows may be apart.
static void write_paths(struct jsonw *w) {
	jsonw_key(w, "paths");
	jsonw_object(w);
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		bool first = true;
		for (size_t k = 0; k < i; k++) first = first && strcmp(rows[k].path, rows[i].path) != 0;
		if (!first) continue;
		jsonw_key(w, rows[i].path);
		jsonw_object(w);
		for (size_t k = i; k < OPERATION_COUNT; k++)
			if (strcmp(rows[k].path, rows[i].path) == 0) write_operation(w, &rows[k]);
		jsonw_object_end(w);
	}
	jsonw_object_end(w);
}

static const char components[] =
	"{\"schemas\":{\"Error\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{"
	"\"error\":{\"type\":\"object\","
	"\"required\":[\"code\",\"text\"],\"properties\":{\"code\":{\"type\":\"string\"},\"text\":{"
	"\"type\":\"string\"},"
	"\"next\":{\"type\":[\"string\",\"null\"]}}}}},"
	"\"Change\":{\"type\":\"object\",\"required\":[\"id\",\"revision\",\"repo\",\"title\","
	"\"author\",\"head\",\"state\","
	"\"reason\",\"candidate\",\"landed_commit\",\"jobs\",\"times\"],\"properties\":{\"id\":{"
	"\"type\":\"integer\"},"
	"\"revision\":{\"type\":\"integer\"},\"repo\":{\"type\":\"string\"},\"title\":{\"type\":"
	"\"string\"},"
	"\"author\":{\"type\":\"string\"},\"head\":{\"type\":\"string\"},\"state\":{\"enum\":["
	"\"proposed\",\"queued\",\"testing\","
	"\"landing\",\"landed\",\"rejected\",\"withdrawn\"]},\"reason\":{\"type\":[\"object\",\"null\"]"
	",\"properties\":{"
	"\"code\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"},\"stays_queued\":{\"type\":"
	"\"boolean\"}}},"
	"\"candidate\":{\"type\":[\"object\",\"null\"],\"properties\":{\"commit\":{\"type\":\"string\"}"
	",\"tree\":{\"type\":\"string\"}}},"
	"\"landed_commit\":{\"type\":[\"string\",\"null\"]},\"jobs\":{\"type\":\"array\",\"items\":{"
	"\"type\":\"object\",\"properties\":{"
	"\"name\":{\"type\":\"string\"},\"state\":{\"enum\":[\"waiting\",\"running\",\"passed\","
	"\"failed\",\"skipped\",\"stopped\","
	"\"lost\"]},\"reused\":{\"type\":\"boolean\"},\"duration_ms\":{\"type\":[\"integer\",\"null\"]}"
	","
	"\"tests\":{\"type\":\"integer\"},\"tests_failed\":{\"type\":\"integer\"},"
	"\"failed_tests\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"failures\":{"
	"\"description\":"
	"\"of one change, not in lists: the same tests with the first line of what each said, and "
	"where\","
	"\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{"
	"\"type\":\"string\"},\"message\":{\"type\":\"string\"},\"file\":{\"type\":\"string\"},"
	"\"line\":{\"type\":\"integer\"}}}}}}},\"times\":{\"type\":\"object\",\"properties\":{"
	"\"proposed\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"},\"queued\":{\"type\":["
	"\"string\",\"null\"],"
	"\"format\":\"date-time\"},\"landed\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
	","
	"\"deployed\":{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}}}}}},"
	"\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":"
	"\"weir token create NAME "
	"--scopes read,propose; on loopback, the user who runs the server needs none\"}}}";

void operation_openapi(const char *server_url, const char *version, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key(&w, "components");
	jsonw_raw(&w, str_of(components));
	jsonw_key(&w, "info");
	jsonw_object(&w);
	jsonw_key_z(&w, "title", "weir");
	jsonw_key_z(&w, "version", version);
	jsonw_object_end(&w);
	jsonw_key_z(&w, "openapi", "3.1.0");
	write_paths(&w);
	jsonw_key(&w, "servers");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_key_z(&w, "url", server_url);
	jsonw_object_end(&w);
	jsonw_array_end(&w);
	jsonw_object_end(&w);
}
