// One call of an operation, while it lasts: parameters, memory, the answer that grows. Ends in
// call_finish or call_fail, exactly once; the call is gone then. For the handlers of src/api only.
#pragma once
#include "api/api.h"
#include "base/jsonw.h"
#include "store/read.h"

struct call {
	struct api *api;
	const struct api_host *host;
	struct store *store;
	const struct operation *operation;
	struct api_identity identity;
	struct arena life;
	struct str text[OPERATION_PARAMS_MAX]; // as given, decoded
	int64_t number[OPERATION_PARAMS_MAX];
	bool given[OPERATION_PARAMS_MAX];
	struct api_answer answer; // 200 and application/json unless said
	api_answer_fn *done;
	void *context;
	struct jsonw w;
	void (*applied)(struct call *c, const struct event *e); // of call_submit
};

typedef void call_handler(struct call *c);
#define OPERATION(NAME, handler, METHOD, path, SCOPE, ANSWER, cli, doc) \
	void handler(struct call *c);
OPERATION_TABLE(OPERATION)
#undef OPERATION

// Fills in the parameters. False: *e says which one is wrong.
MUST_USE bool call_read(struct call *c, const struct api_request *q,
                        const struct str segments[OPERATION_PARAMS_MAX], struct err *e);
struct str call_text(const struct call *c, const char *name); // STR_NONE when not given
int64_t call_int(const struct call *c, const char *name, int64_t otherwise);
bool call_flag(const struct call *c, const char *name);
size_t call_limit(const struct call *c); // of a page

struct jsonw *call_json(struct call *c); // writes the answer's body
void call_finish(struct call *c);
void call_fail(struct call *c, const struct err *e,
               const char *next); // next: what to do, NULL = nothing
// Records the event; then `applied` writes the answer and finishes. Refused: call_fail.
void call_submit(struct call *c, const struct event *e,
                 void (*applied)(struct call *c, const struct event *e));
// The same for what the host does by itself: pass as its done function with the call as context.
void call_done(void *context, bool ok, const struct event *applied, const struct err *e);

// The things that parameters name. False: the call has failed.
MUST_USE bool call_change(struct call *c, struct read_change *out);
MUST_USE bool call_repo(struct call *c, struct repo_id *out); // parameter repo; not given = 0
MUST_USE bool call_env(struct call *c, struct read_env *out);
MUST_USE bool call_release(struct call *c, struct repo_id repo, struct str name,
                           struct read_release *out);

void call_key_oid(struct jsonw *w, const char *key, struct oid oid);   // null when none
void call_key_text(struct jsonw *w, const char *key, struct str text); // null when empty
