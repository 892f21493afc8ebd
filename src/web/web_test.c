// The HTTP server on loopback, asked by raw sockets. With the argument "serve" it is the server of
// the browser tests (test/web): commands come on standard input, one a line, and each is answered
// by a line.
#include "web/web.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "api/playground.h"
#include "base/json.h"
#include "base/unit.h"
#include "web/access.h"
#include "web/gitdoor.h"
#include "web/peer.h"

// ---------------------------------------------------------------- a server

struct server {
	struct playground *p;
	struct loop *loop;
	struct web *web;
	char own[64];
	uint16_t port;
	struct web_options options;
	void (*script)(struct server *s);
};

static void serve_git(void *context, const struct web_git_request *q, web_git_fn *done,
                      void *done_context) {
	(void)context;
	int pipes[2];
	AUTO_BUF text = {0};
	AUTO_BUF body = {0};
	struct err e;
	if (q->body >= 0) assert_ok(file_read_fd(q->body, 1 << 20, &body, &e), e);
	buf_printf(&text, STR_FMT " " STR_FMT "?" STR_FMT " by " STR_FMT " %zu bytes\n",
	           STR_ARG(q->method), STR_ARG(q->path), STR_ARG(q->query), STR_ARG(q->pusher), body.n);
	assert_int_equal(pipe(pipes), 0);
	assert_ok(file_write_all(pipes[1], buf_view(&text), &e), e);
	close(pipes[1]);
	struct web_git_header type = {STR("Content-Type"), STR("application/x-git-test")};
	done(done_context, true, &(struct web_git_answer){200, &type, 1, STR("begun "), pipes[0]},
	     NULL);
}

static void notified(void *context) {
	struct server *s = context;
	web_notify(s->web);
}

static void server_open(struct server *s) {
	struct err e;
	AUTO_BUF url = {0};
	s->p = playground_open();
	playground_repository(s->p);
	assert_ok(loop_open(&s->loop, &e), e);
	assert_ok(web_listen("127.0.0.1:0", &s->options.listen_fd, &e), e);
	web_url_of(s->options.listen_fd, false, &url);
	snprintf(s->own, sizeof s->own, "%s", url.p + strlen("http://"));
	s->port = (uint16_t)atoi(strrchr(s->own, ':') + 1);
	s->options.spool = s->p->folder;
	assert_ok(web_open(s->loop, &s->options, &s->p->host, &(struct web_git){NULL, serve_git},
	                   &s->web, &e),
	          e);
	s->p->notify = notified;
	s->p->notify_context = s;
}

static void server_close(struct server *s) {
	web_close(&s->web);
	loop_close(s->loop);
	playground_close(s->p);
}

static void client(void *context) {
	struct server *s = context;
	s->script(s);
}

static void client_done(void *context) {
	struct server *s = context;
	loop_stop(s->loop);
}

// Runs the script on another thread while the server serves.
static void with_server(struct server *s, void (*script)(struct server *s)) {
	s->script = script;
	server_open(s);
	playground_push(s->p, "Count <b>redirects</b>");
	playground_push(s->p, "Cache links fail:test");
	loop_work(s->loop, client, client_done, s);
	loop_run(s->loop);
	server_close(s);
}

// ---------------------------------------------------------------- a client

static int dial(const struct server *s) {
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons(s->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) abort();
	return fd;
}

static void send_all(int fd, const char *text, size_t n) {
	while (n) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);
		if (sent <= 0) return;
		text += sent;
		n -= (size_t)sent;
	}
}

// Sends and reads to the end; the request should say Connection: close.
static char *talk(const struct server *s, const char *request) {
	static char answer[4 << 20];
	int fd = dial(s);
	size_t n = 0;
	send_all(fd, request, strlen(request));
	for (ssize_t got;
	     n < sizeof answer - 1 && (got = recv(fd, answer + n, sizeof answer - 1 - n, 0)) > 0;)
		n += (size_t)got;
	answer[n] = 0;
	close(fd);
	return answer;
}

// cmocka may fail on its own thread only.
static int failures;

// method, path, more header lines (each with \r\n), body
static char *ask(const struct server *s, const char *method, const char *path, const char *headers,
                 const char *body) {
	AUTO_BUF request = {0};
	buf_printf(&request, "%s %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n", method,
	           path, strlen(body));
	if (!strstr(headers, "Host:")) buf_printf(&request, "Host: %s\r\n", s->own);
	buf_printf(&request, "%s\r\n%s", headers, body);
	return talk(s, request.p);
}

#define assert_status(answer, wanted) assert_status_at(answer, wanted, __FILE__, __LINE__)
static void assert_status_at(const char *answer, int wanted, const char *file, int line) {
	int got = strlen(answer) > 12 ? atoi(answer + 9) : 0;
	if (got == wanted) return;
	fprintf(stderr, "%s:%d: want %d:\n%.600s\n", file, line, wanted, answer);
	failures++;
}
#define assert_has(answer, text) \
	holds(strstr(answer, text) != NULL, answer, #text, __FILE__, __LINE__)
#define assert_holds(truth) holds(truth, "", #truth, __FILE__, __LINE__)
static void holds(bool truth, const char *answer, const char *what, const char *file, int line) {
	if (truth) return;
	fprintf(stderr, "%s:%d: not so: %s\n%.600s\n", file, line, what, answer);
	failures++;
}

// ---------------------------------------------------------------- tests over sockets

static void pages(struct server *s) {
	char *a = ask(s, "GET", "/", "", "");
	assert_status(a, 200);
	assert_has(a, "Content-Security-Policy: default-src 'none'; style-src 'sha256-");
	assert_has(a, "Cache-Control: no-store");
	assert_has(a, "Moving now");
	assert_status(ask(s, "GET", "/queue", "", ""), 200);
	assert_status(ask(s, "GET", "/environments", "", ""), 200);
	assert_status(ask(s, "GET", "/environment/production", "", ""), 200);
	a = ask(s, "GET", "/change/1", "", "");
	assert_status(a, 200);
	assert_has(a, "Count &lt;b&gt;redirects");
	assert_holds(!strstr(a, "<b>redirects"));
	assert_has(a, "int64_t now_ms);"); // the diff
	a = ask(s, "GET", "/change/2", "", "");
	assert_has(a, "delete_then_follow");
	assert_has(a, "test/http_test.c:212");
	assert_has(a, "&lt;script&gt;alert(1)");
	a = ask(s, "GET", "/change/2/log/test", "", "");
	assert_status(a, 200);
	assert_has(a, "id=\"L2\"");
	assert_status(ask(s, "GET", "/change/99", "", ""), 404);
	assert_status(ask(s, "GET", "/change/2/log/nope", "", ""), 404);
	assert_status(ask(s, "GET", "/environment/nope", "", ""), 404);
	assert_status(ask(s, "GET", "/nope", "", ""), 404);
	assert_status(ask(s, "GET", "/change/1/log/%zz", "", ""), 404);
	assert_has(ask(s, "GET", "/go?q=%232", "", ""), "Location: /change/2");
	assert_status(ask(s, "GET", "/go?q=zzzz", "", ""), 404);
	assert_status(ask(s, "HEAD", "/", "", ""), 200);
	assert_status(ask(s, "DELETE", "/", "", ""), 405);
	assert_has(ask(s, "DELETE", "/", "", ""), "Allow: GET, HEAD");
	assert_has(ask(s, "DELETE", "/api/v1/changes", "", ""), "Allow: GET");
}

static void doors(struct server *s) {
	char *a = ask(s, "GET", "/", "Host: evil.example\r\n", "");
	assert_status(a, 403);
	assert_has(a, "is not a name of this server");
	assert_status(ask(s, "GET", "/api/v1/status", "Host: evil.example:8420\r\n", ""), 403);
	assert_status(ask(s, "GET", "/git/shortlink.git/info/refs", "Host: evil.example\r\n", ""), 403);
	a = ask(s, "GET", "/api/v1/status", "Origin: http://evil.example\r\n", "");
	assert_status(a, 403);
	assert_has(a, "may not ask this server");
	assert_status(ask(s, "POST", "/api/v1/changes/2/retry", "Origin: null\r\n", ""), 403);
	assert_status(ask(s, "POST", "/api/v1/changes/2/retry", "Sec-Fetch-Site: cross-site\r\n", ""),
	              403);
	assert_status(ask(s, "GET", "/api/v1/status", "", ""), 200);
	assert_status(ask(s, "GET", "/api/v1/status", "X-Forwarded-For: 1.2.3.4\r\n", ""), 401);
	assert_status(ask(s, "GET", "/", "X-Forwarded-For: 1.2.3.4\r\n", ""), 401);
	assert_status(ask(s, "GET", "/api/v1/status", "Authorization: Bearer wrong\r\n", ""), 401);
	assert_status(ask(s, "GET", "/", "Cookie: weir=stale\r\n", ""),
	              200); // still the user of this machine
	assert_status(talk(s, "GET / HTTP/1.0\r\n\r\n"), 403);
}

static void tokens(struct server *s) {
	char headers[512], token[128] = "";
	char *a = ask(s, "POST", "/api/v1/tokens", "", "{\"name\":\"ci\",\"scopes\":\"read\"}");
	assert_status(a, 200);
	char *at = strstr(a, "weir_");
	assert_holds(at != NULL);
	if (!at) return;
	memcpy(token, at, 69);
	snprintf(headers, sizeof headers, "X-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer %s\r\n",
	         token);
	assert_status(ask(s, "GET", "/api/v1/status", headers, ""), 200);
	assert_status(ask(s, "POST", "/api/v1/changes/2/retry", headers, ""), 403);
	char body[256];
	snprintf(body, sizeof body, "token=%s", token);
	a = ask(s, "POST", "/login", "X-Forwarded-For: 1.2.3.4\r\n", body);
	assert_status(a, 303);
	assert_has(a, "HttpOnly; SameSite=Strict");
	snprintf(headers, sizeof headers, "X-Forwarded-For: 1.2.3.4\r\nCookie: a=b; weir=%s\r\n",
	         token);
	assert_status(ask(s, "GET", "/change/1", headers, ""), 200);
	assert_status(ask(s, "POST", "/login", "", "token=no"), 401);
}

static void forms(struct server *s) {
	char body[256], csrf[65] = "";
	assert_status(ask(s, "POST", "/change/2", "", "do=retry"), 403);
	assert_status(ask(s, "POST", "/change/2", "", "do=retry&csrf=00"), 403);
	char *at = strstr(ask(s, "GET", "/change/2", "", ""), "name=\"csrf\" value=\"");
	assert_holds(at != NULL);
	if (!at) return;
	memcpy(csrf, at + strlen("name=\"csrf\" value=\""), 64);
	snprintf(body, sizeof body, "do=withdraw&csrf=%s", csrf);
	char *done = ask(s, "POST", "/change/2", "", body);
	assert_has(done, "Location: /change/2");
	if (!strstr(done, "Location"))
		fprintf(stderr, "%s\n", strstr(done, "<main") ? strstr(done, "<main") : "");
	assert_has(ask(s, "GET", "/change/2", "", ""), "Withdrawn at");
	snprintf(body, sizeof body, "do=rollback&csrf=%s", csrf);
	char *a = ask(s, "POST", "/environment/production", "", body);
	assert_status(a, 409);
	assert_has(a, "no earlier release");
	snprintf(body, sizeof body, "do=explode&csrf=%s", csrf);
	assert_status(ask(s, "POST", "/change/2", "", body), 404);
}

static void limits(struct server *s) {
	AUTO_BUF big = {0};
	memset(buf_grow(&big, 2 << 20), 'x', 2 << 20);
	big.n = 2 << 20;
	buf_char(&big, 0);
	char *a = ask(s, "POST", "/api/v1/repos", "", big.p);
	assert_status(a, 413);
	assert_has(a, "at most 1048576 bytes");
	assert_status(ask(s, "POST", "/api/v1/repos", "", "{\"name\":"), 400);
	big.p[60000] = 0;
	AUTO_BUF url = {0};
	buf_printf(&url, "/change/%s", big.p);
	int status = atoi(ask(s, "GET", url.p, "", "") + 9);
	assert_holds(status == 414 || status == 431);
	s->p->read_only = "the disk is full";
	assert_status(ask(s, "POST", "/api/v1/changes/2/retry", "", ""), 503);
	assert_status(ask(s, "GET", "/healthz", "", ""), 503);
	assert_has(ask(s, "GET", "/", "", ""), "Read-only:</strong> the disk is full");
	assert_status(ask(s, "POST", "/git/shortlink.git/git-receive-pack", "", "x"), 503);
	assert_status(ask(s, "GET", "/git/shortlink.git/info/refs?service=git-upload-pack", "", ""),
	              200);
}

static void git(struct server *s) {
	char *a = ask(s, "POST", "/git/shortlink.git/git-upload-pack", "", "0123456789");
	assert_status(a, 200);
	assert_has(a, "application/x-git-test");
	assert_has(a, "begun ");
	assert_has(a, "POST /shortlink.git/git-upload-pack? by local 10 bytes");
	assert_has(ask(s, "GET", "/git/a.git/info/refs?service=git-receive-pack",
	               "X-Real-IP: 1.1.1.1\r\n", ""),
	           "WWW-Authenticate: Basic");
}

static size_t read_until(int fd, char *into, size_t most, const char *what) {
	size_t n = 0;
	for (ssize_t got; n < most - 1 && (got = recv(fd, into + n, most - 1 - n, 0)) > 0;) {
		n += (size_t)got;
		into[n] = 0;
		if (strstr(into, what)) return n;
	}
	return 0;
}

static void push_late(void *context) {
	struct server *s = context;
	playground_push(s->p, "Pushed while you watch");
}

static void nothing(void *context) {
	(void)context;
}

static void live(struct server *s) {
	enum { CLIENTS = 50 };
	static char text[1 << 20];
	int fds[CLIENTS];
	char request[256];
	snprintf(request, sizeof request, "GET /live?page=%%2F HTTP/1.1\r\nHost: %s\r\n\r\n", s->own);
	for (int i = 0; i < CLIENTS; i++) send_all(fds[i] = dial(s), request, strlen(request));
	assert_holds(read_until(fds[0], text, sizeof text, "event: put") > 0);
	loop_work(s->loop, nothing, push_late, s);
	for (int i = 0; i < CLIENTS; i++) {
		assert_holds(read_until(fds[i], text, sizeof text, "Pushed while you watch") > 0);
		close(fds[i]);
	}
	assert_status(ask(s, "GET", "/live?page=queue", "", ""), 400);
	int fd = dial(s); // gone before its first byte: must not matter
	send_all(fd, request, strlen(request));
	close(fd);
	fd = dial(s);
	snprintf(request, sizeof request,
	         "GET /api/v1/events?follow=1&from=1 HTTP/1.1\r\nHost: %s\r\n\r\n", s->own);
	send_all(fd, request, strlen(request));
	assert_holds(read_until(fd, text, sizeof text, "change.landed") > 0);
	close(fd);
}

#define OVER_SOCKETS(name)                  \
	static void name##_hold(void **state) { \
		(void)state;                        \
		struct server s = {0};              \
		failures = 0;                       \
		with_server(&s, name);              \
		assert_int_equal(failures, 0);      \
	}
OVER_SOCKETS(pages)
OVER_SOCKETS(doors)
OVER_SOCKETS(tokens)
OVER_SOCKETS(forms)
OVER_SOCKETS(limits)
OVER_SOCKETS(git)
OVER_SOCKETS(live)

// ---------------------------------------------------------------- tests without a server

static struct sockaddr_storage address(const char *text, uint16_t port) {
	struct sockaddr_storage a = {0};
	struct sockaddr_in *four = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&a;
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
	}
	return a;
}

static void the_kernel_names_the_peer(void **state) {
	(void)state;
	struct str table = STR(
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
		"timeout inode\n"
		"   0: 0100007F:20E4 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        "
		"0 1 1\n"
		"   1: 0100007F:C350 0100007F:20E4 01 00000000:00000000 00:00000000 00000000  1000        "
		"0 2 1\n"
		"   2: 0100007F:C351 0100007F:20E4 06 00000000:00000000 03:00000000 00000000     0        "
		"0 0 3\n"
		"   3: 0000000000000000FFFF00000100007F:C352 0000000000000000FFFF00000100007F:20E4 01 "
		"00000000:00000000 00:00000000 00000000  1001 0 9\n"
		"   4: 00000000000000000000000001000000:C353 00000000000000000000000001000000:20E4 01 "
		"00000000:00000000 00:00000000 00000000  1002 0 9\n");
	static const struct {
		const char *peer, *local;
		uint16_t port;
		bool found;
		uid_t uid;
	} rows[] = {{"127.0.0.1", "127.0.0.1", 50000, true, 1000},
	            {"127.0.0.1", "127.0.0.1", 50001, false, 0},
	            {"127.0.0.1", "127.0.0.1", 49999, false, 0},
	            {"127.0.0.1", "127.0.0.1", 50002, true, 1001},
	            {"::1", "::1", 50003, true, 1002},
	            {"::ffff:127.0.0.1", "::ffff:127.0.0.1", 50000, true, 1000},
	            {"127.0.0.2", "127.0.0.1", 50000, false, 0}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sockaddr_storage peer = address(rows[i].peer, rows[i].port),
								local = address(rows[i].local, 8420);
		uid_t uid = 77;
		bool found = peer_find(table, (struct sockaddr *)&peer, (struct sockaddr *)&local, &uid);
		if (found != rows[i].found) print_error("row %zu\n", i);
		assert_int_equal(found, rows[i].found);
		if (found) assert_int_equal(uid, rows[i].uid);
	}
	struct sockaddr_storage far = address("10.0.0.1", 1), near = address("::ffff:127.9.9.9", 1);
	assert_false(peer_is_loopback((struct sockaddr *)&far));
	assert_true(peer_is_loopback((struct sockaddr *)&near));
}

// A connection whose two ends may be different users; the one that connects is asked for.
static void the_kernel_knows_who_connected(void **state) {
	(void)state;
	uid_t other = geteuid() == 0 ? 1000 : geteuid();
	static const char *const hosts[] = {"127.0.0.1", "::1", "::ffff:127.0.0.1"};
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct sockaddr_storage local = address(hosts[i], 0), peer = {0};
		socklen_t n = sizeof local, peer_n = sizeof peer;
		uid_t uid = 77;
		int listener = socket(local.ss_family, SOCK_STREAM, 0);
		assert_int_equal(bind(listener, (struct sockaddr *)&local, n), 0);
		assert_int_equal(listen(listener, 1), 0);
		assert_int_equal(getsockname(listener, (struct sockaddr *)&local, &n), 0);
		assert_int_equal(seteuid(other), 0);
		int client = socket(local.ss_family, SOCK_STREAM, 0);
		assert_int_equal(seteuid(getuid()), 0);
		assert_int_equal(connect(client, (struct sockaddr *)&local, n), 0);
		int served = accept(listener, (struct sockaddr *)&peer, &peer_n);
		assert_true(peer_uid((struct sockaddr *)&peer, (struct sockaddr *)&local, &uid));
		assert_int_equal(uid, other);
		assert_true(peer_uid((struct sockaddr *)&local, (struct sockaddr *)&peer, &uid));
		assert_int_equal(uid, geteuid());
		close(client);
		assert_false(peer_uid((struct sockaddr *)&peer, (struct sockaddr *)&local, &uid));
		close(served);
		close(listener);
	}
}

static void hosts_and_origins(void **state) {
	(void)state;
	struct access_rules r = {.own_host = STR("127.0.0.1:8420"),
	                         .public_host = STR("weir.example.org")};
	static const struct {
		const char *host, *origin;
		bool ok;
	} rows[] = {{"127.0.0.1:8420", NULL, true},
	            {"localhost:8420", "http://localhost:8420", true},
	            {"[::1]:8420", NULL, true},
	            {"weir.example.org", "https://weir.example.org", true},
	            {"weir.example.org.evil.net", NULL, false},
	            {"localhost.evil.net", NULL, false},
	            {"127.0.0.1.evil.net", NULL, false},
	            {"", NULL, false},
	            {"[evil.net]", NULL, false},
	            {"[::]evil", NULL, false},
	            {"127.0.0.1:8420@evil", NULL, false},
	            {"127.0.0.1:8420", "http://127.0.0.1:9999", false},
	            {"127.0.0.1:8420", "null", false},
	            {"127.0.0.1:8420", "", false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		struct access_request q = {
			.method = STR("GET"), .host = str_of(rows[i].host), .origin = str_of(rows[i].origin)};
		if (access_origin(&r, &q, &e) != rows[i].ok) print_error("row %zu: %s\n", i, rows[i].host);
		assert_int_equal(access_origin(&r, &q, &e), rows[i].ok);
	}
}

static void addresses_to_listen_on(void **state) {
	(void)state;
	struct err e;
	int fd, second;
	AUTO_BUF url = {0};
	assert_refused(web_listen("nonsense", &fd, &e), e, ERR_INVALID);
	assert_refused(web_listen("not.an.address.invalid:80x", &fd, &e), e, ERR_INVALID);
	assert_refused(web_listen("127.0.0.1:65536", &fd, &e), e, ERR_INVALID);
	assert_refused(web_listen("127.0.0.1:-1", &fd, &e), e, ERR_INVALID);
	assert_ok(web_listen("127.0.0.1:0", &fd, &e), e);
	web_url_of(fd, false, &url);
	assert_true(str_starts(buf_view(&url), STR("http://127.0.0.1:")));
	assert_refused(web_listen(url.p + strlen("http://"), &second, &e), e, ERR_BUSY);
	close(fd);
}

static void pushes_are_told_from_fetches(void **state) {
	(void)state;
	assert_true(gitdoor_pushes(STR("/git/a.git/git-receive-pack"), STR("")));
	assert_true(gitdoor_pushes(STR("/git/a.git/info/refs"), STR("service=git-receive-pack")));
	assert_false(gitdoor_pushes(STR("/git/a.git/info/refs"), STR("service=git-upload-pack")));
}

// ---------------------------------------------------------------- the server of the browser tests

static struct run_id running_run(struct playground *p, struct str job, enum run_state wanted) {
	for (size_t i = 0; i < p->state.runs.count; i++) {
		const struct run *r = table_at(&p->state.runs, i);
		if (r->state == wanted && (!job.n || str_eq(playground_run(p, r->id).name, job)))
			return r->id;
	}
	return (struct run_id){0};
}

// push TITLE | start | finish | log TEXT | manual 0/1 | readonly TEXT | health 0/1 | service TEXT
static void command(struct server *s, struct str line) {
	struct playground *p = s->p;
	struct str rest = line, word = str_cut(&rest, ' ');
	struct err e = {0};
	if (str_eq(word, STR("push"))) {
		struct change_id id = playground_push(p, arena_cstr(&p->life, rest));
		printf("%llu\n", (unsigned long long)id.v);
	} else if (str_eq(word, STR("start")) || str_eq(word, STR("finish"))) {
		bool start = str_eq(word, STR("start"));
		struct run_id id = running_run(p, STR_NONE, start ? RUN_ISSUED : RUN_RUNNING);
		if (id.v && start) playground_start(p, id);
		else if (id.v) playground_finish(p, id);
		// NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): no array is NULL
		if (!start) unlink(p->live_log);
		playground_turn(p);
		printf("%llu\n", (unsigned long long)id.v);
	} else {
		if (str_eq(word, STR("manual"))) p->manual = str_eq(rest, STR("1"));
		if (str_eq(word, STR("health"))) p->no_health = str_eq(rest, STR("0"));
		if (str_eq(word, STR("readonly")))
			p->read_only = rest.n ? arena_cstr(&p->life, rest) : NULL;
		const char *path = str_eq(word, STR("log"))       ? p->live_log
		                   : str_eq(word, STR("service")) ? p->env_log
		                                                  : NULL;
		FILE *f = path ? fopen(path, "a") : NULL;
		if (f) fprintf(f, "%s" STR_FMT "\n", path == p->live_log ? "1 o " : "", STR_ARG(rest));
		if (f) fclose(f);
		web_notify(s->web);
		printf("ok\n");
	}
	(void)e;
	fflush(stdout);
}

static void input(void *context) {
	struct server *s = context;
	static char bytes[4096];
	static size_t n;
	ssize_t got = read(0, bytes + n, sizeof bytes - n);
	if (got <= 0) {
		loop_stop(s->loop);
		return;
	}
	n += (size_t)got;
	for (char *end; (end = memchr(bytes, '\n', n));) {
		command(s, (struct str){bytes, (size_t)(end - bytes)});
		n -= (size_t)(end + 1 - bytes);
		memmove(bytes, end + 1, n);
	}
}

static int serve(void) {
	struct server s = {0};
	server_open(&s);
	s.p->real_time = true;
	s.p->now_ms = clock_wall_ms();
	struct loop_watch *w = loop_watch(s.loop, 0, true, false, input, &s);
	printf("http://%s\n", s.own);
	fflush(stdout);
	loop_run(s.loop);
	loop_unwatch(w);
	server_close(&s);
	return 0;
}

int main(int argc, char **argv) {
	if (argc > 1 && strcmp(argv[1], "serve") == 0) return serve();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_names_the_peer),
		cmocka_unit_test(the_kernel_knows_who_connected),
		cmocka_unit_test(hosts_and_origins),
		cmocka_unit_test(addresses_to_listen_on),
		cmocka_unit_test(pushes_are_told_from_fetches),
		cmocka_unit_test(pages_hold),
		cmocka_unit_test(doors_hold),
		cmocka_unit_test(tokens_hold),
		cmocka_unit_test(forms_hold),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(git_hold),
		cmocka_unit_test(live_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
