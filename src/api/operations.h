// The operations (operations.def.h) as a table to iterate: routes, scopes, parameters, words for
// people.
#pragma once
#include "api/operations.def.h"
#include "base/buf.h"
#include "base/err.h"

enum operation_id {
#define OPERATION(NAME, handler, METHOD, path, SCOPE, ANSWER, cli, doc) OPERATION_##NAME,
	OPERATION_TABLE(OPERATION)
#undef OPERATION
		OPERATION_COUNT
};

// A token has a set of them. admin includes propose and operate; each of these includes read.
enum operation_scope {
	OPERATION_SCOPE_NONE = 0,
	OPERATION_SCOPE_READ = 1,
	OPERATION_SCOPE_PROPOSE = 2,  // push, withdraw, retry
	OPERATION_SCOPE_OPERATE = 4,  // deploy, roll back, cancel
	OPERATION_SCOPE_ADMIN = 8,    // repositories, tokens, secrets, keys, webhooks
	OPERATION_SCOPE_PIPELINE = 16 // changes may take jobs out of weir.yml, name new submodule URLs
};
enum { OPERATION_SCOPE_ALL = 31 };

enum operation_answer { OPERATION_JSON, OPERATION_TEXT, OPERATION_LINES, OPERATION_FILE };
enum operation_in { OPERATION_IN_PATH, OPERATION_IN_QUERY, OPERATION_IN_BODY };
enum operation_type {
	OPERATION_TYPE_INT,
	OPERATION_TYPE_NTH,  // an integer from 1
	OPERATION_TYPE_PAGE, // an integer, 1 to OPERATION_PAGE_MAX
	OPERATION_TYPE_TEXT,
	OPERATION_TYPE_FLAG
};

enum { OPERATION_PAGE_MAX = 1000 };

bool operation_type_is_number(enum operation_type type);

struct operation_param {
	const char *name, *doc;
	enum operation_in in;
	enum operation_type type;
	bool required;
};

struct operation {
	enum operation_id id;
	const char *name;   // "changes_get": operationId of OpenAPI
	const char *method; // "GET" "POST" "PUT" "DELETE"
	const char *path;   // "/api/v1/changes/{id}"
	enum operation_scope scope;
	enum operation_answer answer;
	const char *cli; // "weir status ID", "" = none
	const char *doc; // one sentence, without capital and full stop
	const struct operation_param *params;
	size_t param_count;
};

enum { OPERATION_PARAMS_MAX = 8 };

// The methods of the address, "GET, POST"; nothing when there is no such address.
void operation_methods(struct str path, struct buf *out);
const struct operation *operation_at(enum operation_id id);
// Index of the parameter, or -1.
ptrdiff_t operation_param_index(const struct operation *o, struct str name);

// Finds the operation of a request. path: without query, still percent-encoded; a segment's text
// goes to segments[parameter index] as it is. ERR_NOT_FOUND: no such path; ERR_UNSUPPORTED: the
// path has other methods (405).
MUST_USE bool operation_route(struct str method, struct str path, const struct operation **out,
                              struct str segments[OPERATION_PARAMS_MAX], struct err *e);

// "read,propose" <-> set. Parsing: ERR_INVALID names what is no scope.
MUST_USE bool operation_scopes_parse(struct str text, unsigned *scopes, struct err *e);
bool operation_allows(unsigned scopes, enum operation_scope needed);
void operation_scopes_text(unsigned set, struct buf *out);    // "read,propose": each once
const char *operation_scope_name(enum operation_scope scope); // "read"; "" for none

void operation_openapi(const char *server_url, const char *version, struct buf *out);
