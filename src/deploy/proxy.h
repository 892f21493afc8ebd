// The HAProxy of one environment: two slots of servers behind one listening socket, steered through
// its runtime socket only. weir's own probes decide which server is ready: a server that HAProxy is
// told is ready gets traffic before HAProxy's first check of it could fail.
//
// The listening socket belongs to the supervisor and is handed to HAProxy as descriptor 3. So
// connections queue in the kernel while a dead HAProxy is replaced, instead of being refused; a
// supervisor that adopts a running HAProxy fetches the socket back out of it.
//
// The owner only ever says what it wants (proxy_want); the difference to what HAProxy does is sent
// as one batch: first maintenance and addresses of changed servers, then those that become ready,
// last those that stop. A new HAProxy gets the wanted state in its configuration. Thus doing it
// twice is harmless.
#pragma once
#include "deploy/children.h"
#include "deploy/spec.h"

enum { PROXY_SLOTS = 2, PROXY_UID = 61002 };

enum proxy_duty { PROXY_MAINT, PROXY_DRAIN, PROXY_READY }; // no traffic, ends what it has, traffic

struct proxy_server {
	uint16_t port; // on 127.0.0.1; 0 = no such server
	enum proxy_duty duty;
};
struct proxy_plan {
	struct proxy_server servers[PROXY_SLOTS][SPEC_INSTANCES_MAX];
};

struct proxy;
enum proxy_news { PROXY_STARTED, PROXY_UP, PROXY_EXITED };
typedef void proxy_fn(void *context, enum proxy_news news, const char *why);

// `folder` is ENVFOLDER and the working directory. Starts nothing.
struct proxy *proxy_new(struct loop *l, struct children *children, const char *folder, proxy_fn *fn,
                        void *context);
// Listens as spec says and starts HAProxy; if one runs already with another listen or tls, the new
// one takes over and the old one ends by itself. The same listen and tls: nothing happens.
// ERR_CONFLICT: address taken.
MUST_USE bool proxy_listen(struct proxy *p, const struct spec *spec, struct err *e);
bool proxy_is_running(const struct proxy *p); // or being started
bool proxy_is_up(const struct proxy *p);      // it answers
bool proxy_fell_back(
	const struct proxy *p); // the last proxy_listen failed after all; the one before serves
// Remembers the plan, and applies it if HAProxy is up: false = not applied, it will be when it
// comes up.
MUST_USE bool proxy_want(struct proxy *p, const struct proxy_plan *plan, struct err *e);
// Requests that a slot's servers have under way.
MUST_USE bool proxy_sessions(struct proxy *p, int slot, int64_t *out, struct err *e);
MUST_USE bool proxy_cut(struct proxy *p, int slot, struct err *e); // ends them
void proxy_end(struct proxy *p);                                   // SIGTERM; for good
// For the record: what the next supervisor needs to adopt it.
void proxy_json(const struct proxy *p, struct jsonw *w);
bool proxy_adopt(struct proxy *p, const struct json *v); // false = it does not run any more

// The configuration file, for tests as well.
void proxy_config(const struct proxy_plan *plan, struct str tls_pem, bool as_root, struct buf *out);
