// One request and its answer, from the first header to the last byte; and the server that they
// belong to. For src/web.
//
//   RECEIVING -> (answer at once, or) ASKED: the connection is suspended -> ANSWERED -> sending; a
//   stream that has nothing to say is suspended, too, and waits in web->waiting for exchange_wake
#pragma once
#include <microhttpd.h>
#include <sys/socket.h>

#include "web/access.h"
#include "web/web.h"

enum exchange_state { EXCHANGE_RECEIVING, EXCHANGE_ASKED, EXCHANGE_ANSWERED };

struct exchange {
	struct web *web; // NULL once the server is gone before the answer
	struct MHD_Connection *connection;
	struct arena life;
	struct str method, path, query; // path and query as they came, percent-encoded
	struct access_request access;
	struct api_identity who;
	struct sockaddr_storage peer;
	char peer_text[64];
	struct buf body;
	int spool; // -1, or where the body of a git request is
	int64_t spooled;
	bool judged, too_large, suspended, waits, pending, in_handler;
	enum exchange_state state;
	struct api_answer answer;
	struct web_git_header headers[24]; // beside the usual ones
	size_t header_count;
	bool page; // HTML of ours: gets the content security policy
	struct buf out;
	size_t sent; // of `out`
};

struct live;
struct web {
	struct loop *loop;
	struct api api;
	struct web_git git;
	bool has_git, tls, public_tls, closing, running;
	struct access_rules rules;
	struct web_options options;
	char own_host[128], public_host[256], policy[512];
	char said[200]; // by libmicrohttpd, last
	struct MHD_Daemon *daemon;
	struct loop_watch *watch;
	struct loop_timer *run, *tick;
	bool tick_set;
	int64_t tick_at, flushed_ms;
	struct exchange **waiting;
	size_t waiting_count, waiting_cap;
	struct exchange **asked; // pending answers, so that web_close can let go of them
	size_t asked_count, asked_cap;
	struct live *live;
};

// Takes over body and stream. Called once for each request; resumes the connection if it was
// suspended.
void exchange_answer(struct exchange *x, struct api_answer *answer);
void exchange_error(struct exchange *x, const struct err *e, const char *next,
                    int status);                                      // JSON; status 0 = by code
void exchange_html(struct exchange *x, int status, struct buf *html); // takes the bytes
void exchange_redirect(struct exchange *x, const char *url);          // 303
void exchange_header(struct exchange *x, const char *name, struct str value); // copied
void exchange_wake(struct exchange *x);                                       // its stream has more
struct str exchange_sent(const struct exchange *x,
                         const char *name); // request header; p == NULL = not sent
// An answer that comes later: between these two the exchange may lose its connection, but stays.
void exchange_pend(struct exchange *x);
bool exchange_resolve(struct exchange *x); // false: nobody waits any more, the exchange is gone

// For web.c: what libmicrohttpd calls.
struct exchange *exchange_new(struct web *w, const char *uri);
enum MHD_Result exchange_respond(struct exchange *x);
void exchange_free(struct exchange *x);
