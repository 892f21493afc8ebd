// The HTTP server: pages, the API, server-sent events, git. libmicrohttpd inside the process's
// event loop, no thread of its own. Whoever asks is known by a bearer token (or the cookie of
// /login), or on loopback by the uid of its socket.
//
//   struct web_options o = {...};
//   web_listen("127.0.0.1:8420", &o.listen_fd, &e)    port 0 picks one
//   web_open(loop, &o, &host, &git, &web, &e)         host: api/host.h, copied; git may be NULL
//   web_notify(web)                                   after each turn that recorded something
//   web_close(&web)                                   before loop_close; the host answers no call
//   afterwards
#pragma once
#include "api/api.h"
#include "os/loop.h"

struct web;

struct web_options {
	int listen_fd;             // from web_listen; web_close closes it
	const char *spool;         // folder for request bodies of git (a file there has no name)
	const char *public_url;    // how people reach it, when not by its own address:
	                           // "https://weir.example.org"; or NULL
	const char *trusted_proxy; // IP address as inet_ntop writes it; its X-Forwarded-For is believed
	                           // and nobody who comes through it is known without a token; or NULL
	const char *tls_cert, *tls_key; // PEM texts; NULL = no TLS
	bool no_ambient;                // also loopback needs a token
};

// "127.0.0.1:8420", "[::1]:0", "*:80". ERR_BUSY: the port is taken; ERR_INVALID: no address.
MUST_USE bool web_listen(const char *address, int *fd, struct err *e);
// Where a listening socket is: "http://127.0.0.1:8420".
void web_url_of(int fd, bool tls, struct buf *out);

// A request for /git/...: the daemon answers it with `git http-backend`.
struct web_git_request {
	struct str method, path, query; // path behind "/git": "/NAME.git/info/refs"
	struct str content_type, content_encoding, git_protocol; // headers, may be empty
	struct str pusher, peer;                                 // who asks, and its address
	unsigned scopes; // of enum operation_scope, already checked for the kind
	bool pushes;
	int body; // a file with the request body, at its beginning; -1 = none. The server's: duplicate
	          // it to keep it
	int64_t body_bytes;
};
struct web_git_header {
	struct str name, value;
};
struct web_git_answer {
	int status;
	const struct web_git_header *headers;
	size_t header_count;
	struct str begun; // first bytes of the body that were read with the head
	int from; // pipe with the rest; the receiver closes it, also early when the client left. -1 =
	          // none
};
typedef void web_git_fn(void *context, bool ok, const struct web_git_answer *answer,
                        const struct err *e);
struct web_git {
	void *context;
	// On the loop's thread; must not block. Calls done(done_context, ...) there once, now or later.
	void (*serve)(void *context, const struct web_git_request *q, web_git_fn *done,
	              void *done_context);
};
enum { WEB_GIT_BODY_MAX = 512 << 20 };

MUST_USE bool web_open(struct loop *l, const struct web_options *o, const struct api_host *host,
                       const struct web_git *git, struct web **out, struct err *e);
void web_notify(struct web *w); // something was recorded: open pages and streams hear of it
void web_close(struct web **out);
