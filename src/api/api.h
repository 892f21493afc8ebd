// One door for web, command line and agents: a request names an operation (api/operations.h), the
// answer is bytes, now or later, and maybe a stream that goes on. Errors are
// {"error":{"code","text","next"}} with the status of err_http_status.
#pragma once
#include "api/host.h"
#include "api/operations.h"

enum { API_BODY_MAX = 1 << 20, API_PAGE = 50, API_PAGE_MAX = OPERATION_PAGE_MAX };

struct api {
	struct api_host host;
};

struct api_identity {
	struct str name; // "jonas", or who runs the server
	unsigned scopes; // of enum operation_scope; 0 = nobody
};

struct api_request {
	struct str method, path, query; // path as it came: "/api/v1/changes/12"
	struct str body;                // JSON object, or empty
	struct api_identity identity;
};

// More bytes, whenever it is asked. False: the end. True with nothing added: ask again after
// something was recorded, and each few seconds.
enum { API_STREAM_MS = 250 };
struct api_stream {
	bool polls; // nobody tells it that there is more: ask again in API_STREAM_MS
	bool (*more)(struct api_stream *s, struct buf *out);
	void (*close)(struct api_stream *s); // frees it
};

struct api_answer {
	int status;
	const char *type; // Content-Type
	struct buf body;
	struct api_stream *stream; // NULL = the body is all
	char file_name[128];       // for a download; "" = none
	char allow[40];            // of a 405: the methods that are
};

// Calls answer(context, ...) once, now or later. The receiver owns body and stream
// (api_answer_free).
typedef void api_answer_fn(void *context, struct api_answer *answer);
void api_call(struct api *api, const struct api_request *request, api_answer_fn *answer,
              void *context);
void api_answer_free(struct api_answer *a);
void api_error(const struct err *e, const char *next,
               struct api_answer *out); // fills in status, type, body

// Who has this bearer token: ERR_DENIED when nobody has it, or has it no more.
MUST_USE bool api_identify(struct api *api, struct str token, struct arena *life,
                           struct api_identity *out, struct err *e);
