// A weir server, asked over HTTP (libcurl) by the table of operations. Which one: WEIR_URL; else
// what the nearest .weir/url here or above says, as long as that is on this machine; else the
// default address. A token goes only where the user sent it: one in ~/.config/weir/token never to a
// server that a checkout names.
#pragma once
#include "api/operations.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

#define REMOTE_DEFAULT_URL "http://127.0.0.1:8420"

struct remote;

MUST_USE bool remote_open(struct arena *life, struct remote **out, struct err *e);
void remote_close(struct remote *r);            // NULL is fine
const char *remote_url(const struct remote *r); // without a slash at the end

// values[i] belongs to params[i] of the operation; p == NULL = not given. Flags are "true" or
// "false". ERR_UNAVAILABLE: no server there. What the server refuses keeps its text; *next (in
// `life` of remote_open) is what it says to do, NULL = nothing.
MUST_USE bool remote_ask(struct remote *r, enum operation_id id, const struct str *values,
                         struct buf *body, const char **next, struct err *e);

// The same for an answer that may never end: take(context, bytes) for each piece, false ends it.
typedef bool remote_take(void *context, struct str bytes);
MUST_USE bool remote_stream(struct remote *r, enum operation_id id, const struct str *values,
                            remote_take *take, void *context, const char **next, struct err *e);

// ---- the parts, for tests
// "METHOD address", address and body of a request.
void remote_request(const struct operation *o, const struct str *values, struct buf *path,
                    struct buf *body);
bool remote_is_loopback(struct str url); // its host is 127.x.y.z, ::1 or localhost
// The error in a body that the server sent with this status.
void remote_error(long status, struct str body, struct arena *life, const char **next,
                  struct err *e);
