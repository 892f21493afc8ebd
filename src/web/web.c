#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/note.h"
#include "page/asset.h"
#include "web/exchange.h"
#include "web/gitdoor.h"
#include "web/live.h"
#include "web/peer.h"
#include "web/site.h"

enum { CONNECTIONS_MAX = 4000, CONNECTION_BYTES = 32768, IDLE_S = 120, FLUSH_MS = 100 };

// ---------------------------------------------------------------- listening

bool web_listen(const char *address, int *out, struct err *e) {
	const char *colon = strrchr(address, ':');
	if (!colon || !colon[1])
		return err_set(e, ERR_INVALID, "\"%s\" is no address; write 127.0.0.1:8420", address);
	char host[128];
	uint64_t port; // getaddrinfo takes any number, modulo 65536
	if (!str_to_u64(str_of(colon + 1), &port) || port > UINT16_MAX)
		return err_set(e, ERR_INVALID, "\"%s\" is no address: a port is a number up to 65535",
		               address);
	size_t n = (size_t)(colon - address);
	if (n >= sizeof host) return err_set(e, ERR_INVALID, "\"%s\" is no address", address);
	memcpy(host, address, n);
	host[n] = 0;
	bool brackets = n > 2 && host[0] == '[' && host[n - 1] == ']';
	if (brackets) host[n - 1] = 0;
	const char *name = brackets ? host + 1 : host;
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
					*found = NULL;
	int failed = getaddrinfo(strcmp(name, "*") == 0 || !name[0] ? NULL : name, colon + 1, &hints,
	                         &found);
	if (failed)
		return err_set(e, ERR_INVALID, "\"%s\" is no address: %s", address, gai_strerror(failed));
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	          bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1024) == 0;
	int error = errno;
	freeaddrinfo(found);
	if (ok) {
		*out = fd;
		return true;
	}
	if (fd >= 0) close(fd);
	if (error == EADDRINUSE)
		return err_set(e, ERR_BUSY,
		               "another program listens on %s; take another port with --listen "
		               "(port 0: a free one)",
		               address);
	return err_set(e, ERR_IO, "cannot listen on %s: %s", address, strerror(error));
}

static void own_address(int fd, char *out, size_t size) {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} a = {0};
	socklen_t n = sizeof a;
	char text[64] = "127.0.0.1";
	unsigned port = 0;
	if (getsockname(fd, &a.any, &n) == 0) {
		peer_text(&a.any, text);
		port = ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
	}
	bool six = strchr(text, ':') != NULL;
	snprintf(out, size, six ? "[%s]:%u" : "%s:%u", text, port);
}

void web_url_of(int fd, bool tls, struct buf *out) {
	char own[128];
	own_address(fd, own, sizeof own);
	buf_printf(out, "http%s://%s", tls ? "s" : "", own);
}

// ---------------------------------------------------------------- who is there

static void judge_peer(struct exchange *x) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(x->connection,
	                                                             MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info || !info->client_addr || !fd) return;
	const struct sockaddr *peer = info->client_addr;
	struct sockaddr_storage local = {0};
	socklen_t n = sizeof local;
	uid_t uid;
	peer_text(peer, x->peer_text);
	if (!x->web->rules.ambient || !peer_is_loopback(peer) ||
	    getsockname(fd->connect_fd, (struct sockaddr *)&local, &n) != 0)
		return;
	x->access.same_user = peer_uid(peer, (const struct sockaddr *)&local, &uid) &&
	                      (uid == geteuid() || uid == 0);
}

// What a trusted proxy says about its client. The last address is the one that it saw itself.
static void judge_forwarded(struct exchange *x) {
	struct str by = exchange_sent(x, "X-Forwarded-For");
	x->access.forwarded = by.p || exchange_sent(x, "Forwarded").p ||
	                      exchange_sent(x, "X-Real-IP").p;
	const char *trusted = x->web->options.trusted_proxy;
	if (!trusted || strcmp(trusted, x->peer_text) != 0) return;
	x->access.forwarded = true; // nobody behind a proxy is known by a socket
	const char *comma = by.p ? memrchr(by.p, ',', by.n) : NULL;
	struct str last = str_trim(comma ? str_from(by, (size_t)(comma - by.p) + 1) : by);
	if (!last.n || last.n >= sizeof x->peer_text) return;
	memcpy(x->peer_text, last.p, last.n);
	x->peer_text[last.n] = 0;
}

static bool is_api(struct str path) {
	return str_starts(path, STR("/api/")) || str_eq(path, STR("/metrics")) ||
	       str_eq(path, STR("/healthz"));
}

static void refused(struct exchange *x, const struct err *e, int status, const char *next) {
	if (is_api(x->path) || gitdoor_is(x->path)) exchange_error(x, e, next, status);
	else site_notice(x, status, STR("Refused:"), str_of(e->text), str_of(next));
}

static bool declared_too_large(const struct exchange *x) {
	struct str length = exchange_sent(x, "Content-Length");
	uint64_t bytes;
	return length.n && (!str_to_u64(length, &bytes) || bytes > API_BODY_MAX);
}

// Headers have come. False: it is answered already.
static bool begin(struct exchange *x, struct MHD_Connection *connection, const char *method) {
	struct err e = {0};
	x->connection = connection;
	x->method = arena_str(&x->life, str_of(method));
	judge_peer(x);
	judge_forwarded(x);
	x->access.method = x->method;
	x->access.host = exchange_sent(x, "Host");
	x->access.origin = exchange_sent(x, "Origin");
	x->access.fetch_site = exchange_sent(x, "Sec-Fetch-Site");
	x->access.authorization = exchange_sent(x, "Authorization");
	x->access.cookie = exchange_sent(x, "Cookie");
	x->access.is_git = gitdoor_is(x->path);
	if (!access_origin(&x->web->rules, &x->access, &e))
		refused(x, &e, 403, "open weir by its own address");
	else if (!access_identity(&x->web->rules, &x->web->api, &x->access, &x->life, &x->who, &e))
		refused(x, &e, e.code == ERR_DENIED ? 401 : err_http_status(e.code),
		        "weir token create NAME --scopes read,propose");
	else if (gitdoor_is(x->path)) return gitdoor_begin(x);
	else if (declared_too_large(x)) {
		x->too_large = true;
		err_set(&e, ERR_LIMIT, "a body has at most %d bytes", API_BODY_MAX);
		refused(x, &e, err_http_status(e.code), NULL);
	} else return true;
	return false;
}

// ---------------------------------------------------------------- one request

static void called(void *context, struct api_answer *a) {
	struct exchange *x = context;
	if (exchange_resolve(x)) exchange_answer(x, a);
	else api_answer_free(a);
}

static void dispatch(struct exchange *x) {
	bool head = str_eq(x->method, STR("HEAD"));
	if (gitdoor_is(x->path)) gitdoor_answer(x);
	else if (is_api(x->path)) {
		exchange_pend(x);
		api_call(&x->web->api,
		         &(struct api_request){.method = head ? STR("GET") : x->method,
		                               .path = x->path,
		                               .query = x->query,
		                               .body = buf_view(&x->body),
		                               .identity = x->who},
		         called, x);
	} else site_answer(x);
}

static void take_body(struct exchange *x, struct str bytes) {
	struct err e = {0};
	if (x->too_large || x->state == EXCHANGE_ANSWERED)
		return; // read to the end, so that the client hears the answer
	bool ok = true;
	if (gitdoor_is(x->path)) ok = gitdoor_body(x, bytes, &e);
	else if (x->body.n + bytes.n > API_BODY_MAX)
		ok = err_set(&e, ERR_LIMIT, "a body has at most %d bytes", API_BODY_MAX);
	else buf_str(&x->body, bytes);
	if (ok) return;
	x->too_large = true;
	refused(x, &e, err_http_status(e.code), NULL);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request) {
	(void)url;
	(void)version;
	struct web *w = context;
	struct exchange *x = *request;
	if (w->closing) return MHD_NO;
	if (!x->judged) {
		x->judged = true;
		if (begin(x, connection, method)) return MHD_YES;
		if (x->too_large) return exchange_respond(x); // without hearing the rest
		return x->state == EXCHANGE_ANSWERED ? MHD_YES : MHD_NO;
	}
	if (*size) {
		take_body(x, (struct str){data, *size});
		*size = 0;
		return MHD_YES;
	}
	if (x->state == EXCHANGE_RECEIVING) {
		x->state = EXCHANGE_ASKED;
		dispatch(x);
		if (x->state == EXCHANGE_ASKED) {
			x->suspended = true;
			MHD_suspend_connection(connection);
			return MHD_YES;
		}
	}
	return exchange_respond(x);
}

static void *begin_uri(void *context, const char *uri, struct MHD_Connection *connection) {
	(void)connection;
	return exchange_new(context, uri);
}

static void completed(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code) {
	(void)context;
	(void)connection;
	(void)code;
	struct exchange *x = *request;
	*request = NULL;
	if (!x) return;
	x->connection = NULL;
	if (!x->pending) exchange_free(x); // else whoever answers finds nobody and frees it
}

// ---------------------------------------------------------------- in the loop

static void run(void *context) {
	struct web *w = context;
	MHD_UNSIGNED_LONG_LONG ms;
	if (w->running || !w->daemon) return;
	w->running = true;
	MHD_run(w->daemon);
	w->running = false;
	if (MHD_get_timeout(w->daemon, &ms) == MHD_YES)
		loop_timer_set(w->run, ms > 60000 ? 60000 : (int64_t)ms);
	else loop_timer_set(w->run, -1);
}

static void wake_all(struct web *w, bool polling_only) {
	for (size_t i = w->waiting_count; i > 0; i--) {
		if (i > w->waiting_count) continue;
		struct exchange *x = w->waiting[i - 1];
		if (!polling_only || !x->answer.stream || x->answer.stream->polls) exchange_wake(x);
	}
}

static void tick(void *context) {
	struct web *w = context;
	int64_t now = loop_now_ms(w->loop);
	bool all = now - w->flushed_ms >= 5000;
	w->tick_set = false;
	if (all) w->flushed_ms = now;
	wake_all(w, !all);
	if (!w->waiting_count || w->tick_set) return;
	w->tick_set = true;
	w->tick_at = w->flushed_ms + 5000;
	loop_timer_set(w->tick, w->tick_at > now ? w->tick_at - now : 1);
}

void web_notify(struct web *w) {
	int64_t now = loop_now_ms(w->loop);
	if (!w->waiting_count) return;
	if (now - w->flushed_ms >= FLUSH_MS) {
		w->flushed_ms = now;
		wake_all(w, false);
		return;
	}
	int64_t at = w->flushed_ms + FLUSH_MS;
	w->flushed_ms = now - 5000; // the tick wakes everybody
	w->tick_set = true;
	w->tick_at = at;
	loop_timer_set(w->tick, at - now);
}

// ---------------------------------------------------------------- start and end

static void hash_source(struct str bytes, char out[64]) {
	struct digest d = digest_of(bytes);
	sodium_bin2base64(out, 64, d.b, sizeof d.b, sodium_base64_VARIANT_ORIGINAL);
}

static void make_policy(struct web *w) {
	char style[64], script[64];
	hash_source(asset_style(), style);
	hash_source(asset_script(), script);
	snprintf(w->policy, sizeof w->policy,
	         "default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; connect-src "
	         "'self'; form-action 'self'; "
	         "base-uri 'none'; frame-ancestors 'none'",
	         style, script);
}

static void make_rules(struct web *w) {
	const char *url = w->options.public_url, *slashes = url ? strstr(url, "://") : NULL;
	own_address(w->options.listen_fd, w->own_host, sizeof w->own_host);
	if (slashes) snprintf(w->public_host, sizeof w->public_host, "%s", slashes + 3);
	w->public_tls = url && str_starts(str_of(url), STR("https:"));
	char *slash = strchr(w->public_host, '/');
	if (slash) *slash = 0;
	w->rules = (struct access_rules){.public_host = str_of(w->public_host),
	                                 .own_host = str_of(w->own_host),
	                                 .ambient = !w->options.no_ambient};
	clock_random(w->rules.secret, sizeof w->rules.secret);
}

static void complain(void *context, const char *format, va_list args) PRINTF_LIKE(2, 0);
static void complain(void *context, const char *format, va_list args) {
	struct web *w = context;
	AUTO_BUF text = {0};
	buf_vprintf(&text, format, args);
	while (text.n && text.p[text.n - 1] == '\n') text.p[--text.n] = 0;
	snprintf(w->said, sizeof w->said, "%s", text.p ? text.p : "");
	note(NOTE_DEBUG, "http: %s", text.p ? text.p : "");
}

bool web_open(struct loop *l, const struct web_options *o, const struct api_host *host,
              const struct web_git *git, struct web **out, struct err *e) {
	struct web *w = calloc(1, sizeof *w);
	if (!w) abort();
	w->loop = l;
	w->options = *o;
	w->api.host = *host;
	w->tls = o->tls_cert && o->tls_key;
	w->has_git = git != NULL;
	if (git) w->git = *git;
	make_policy(w);
	make_rules(w);
	const struct MHD_OptionItem end = {MHD_OPTION_END, 0, NULL};
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, NULL}, {MHD_OPTION_HTTPS_MEM_KEY, 0, NULL}, end};
	memcpy(&tls[0].ptr_value, &o->tls_cert, sizeof(void *));
	memcpy(&tls[1].ptr_value, &o->tls_key, sizeof(void *));
	if (!w->tls) tls[0] = end;
	w->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (w->tls ? MHD_USE_TLS : 0U),
		0, NULL, NULL, handle, w, MHD_OPTION_EXTERNAL_LOGGER, complain, w, MHD_OPTION_LISTEN_SOCKET,
		o->listen_fd, MHD_OPTION_URI_LOG_CALLBACK, begin_uri, w, MHD_OPTION_NOTIFY_COMPLETED,
		completed, w, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_S, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		w->daemon ? MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		if (w->daemon) MHD_stop_daemon(w->daemon);
		err_set(e, w->tls ? ERR_INVALID : ERR_IO, "cannot start the HTTP server: %s", w->said);
		free(w);
		return false;
	}
	w->live = live_new(w);
	w->run = loop_timer(l, run, w);
	w->tick = loop_timer(l, tick, w);
	w->watch = loop_watch(l, info->epoll_fd, true, false, run, w);
	*out = w;
	return true;
}

void web_close(struct web **out) {
	struct web *w = *out;
	if (!w) return;
	w->closing = true;
	loop_unwatch(w->watch);
	wake_all(w, false);
	for (size_t i = 0; i < w->asked_count; i++) {
		struct exchange *x = w->asked[i];
		if (x->suspended) MHD_resume_connection(x->connection);
		x->suspended = false;
	}
	MHD_stop_daemon(w->daemon);
	for (size_t i = 0; i < w->asked_count; i++) w->asked[i]->web = NULL;
	loop_timer_free(w->run);
	loop_timer_free(w->tick);
	live_free(&w->live);
	free(w->waiting);
	free(w->asked);
	free(w);
	*out = NULL;
}
