#include "deploy/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hash.h"
#include "deploy/runtime.h"
#include "deploy/servicelog.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"
#include "os/process.h"

enum {
	LISTEN_FD = 3,
	UP_POLL_MS = 5,
	LASTED_MS = 1000,
	BACKOFF_FIRST_MS = 50,
	BACKOFF_MOST_MS = 5000
};
enum { BACKLOG = 4096, PEM_BYTES_MAX = 1 << 20 };
static const char socket_name[] =
	"haproxy.sock"; // in the working directory: paths of sockets are short
static const char config_name[] = "haproxy.cfg";
static const char usual_path[] = "/usr/sbin/haproxy"; // not in the PATH of ordinary users
static const char *const slot_names[PROXY_SLOTS] = {"blue", "green"};

// One process and what it was started for.
struct haproxy {
	struct proxy *owner;
	struct child *child;
	int listen_fd;
	struct buf key; // listen address and TLS files with their digest
	bool tls;
};

struct proxy {
	struct loop *loop;
	struct children *children;
	const char *folder;
	proxy_fn *fn;
	void *context;
	struct haproxy *now, *old; // old: still serves until `now` is up
	bool up, ending, fell_back;
	int64_t started_ms, backoff_ms;
	struct servicelog *log;
	struct loop_timer *timer; // asks whether it is up, or starts it again
	struct proxy_plan plan;
};

static bool ask(struct str commands, struct buf *answer, struct err *e) {
	return runtime_ask(socket_name, commands, answer, e);
}

void proxy_config(const struct proxy_plan *plan, struct str tls_pem, bool as_root,
                  struct buf *out) {
	buf_printf(out,
	           "# Written by weir; changes are lost.\n"
	           "global\n"
	           "  nbthread 2\n"
	           "  stats socket unix@%s mode 600 level admin expose-fd listeners\n"
	           "  hard-stop-after 60s\n",
	           socket_name);
	if (as_root) buf_printf(out, "  uid %d\n  gid %d\n", PROXY_UID, PROXY_UID);
	buf_cstr(out, "defaults\n"
	              "  mode http\n"
	              "  timeout connect 100ms\n" // also the pause between retries
	              "  timeout client 60s\n"
	              "  timeout server 60s\n"
	              "  timeout http-request 30s\n"
	              "  timeout http-keep-alive 60s\n"
	              "  timeout queue 5s\n"
	              "  timeout tunnel 1h\n"
	              "  retries 10\n" // 1 s: as long as a crashed instance needs to come back
	              "  option redispatch 1\n"
	              "  retry-on conn-failure empty-response\n"
	              "  http-reuse safe\n"
	              "  option idle-close-on-response\n"
	              "  option forwardfor\n"
	              "frontend fe\n");
	buf_printf(out, "  bind fd@%d", LISTEN_FD);
	if (tls_pem.n) buf_printf(out, " ssl crt " STR_FMT " alpn h2,http/1.1", STR_ARG(tls_pem));
	buf_cstr(out, "\n"
	              "  http-request disable-l7-retry unless { method GET HEAD OPTIONS }\n"
	              "  http-request set-header X-Forwarded-Proto https if { ssl_fc }\n"
	              "  http-request set-header X-Forwarded-Proto http unless { ssl_fc }\n"
	              "  default_backend app\n"
	              "backend app\n"
	              "  balance roundrobin\n"
	              "  default-server pool-purge-delay 2s\n");
	for (int slot = 0; slot < PROXY_SLOTS; slot++)
		for (int n = 0; n < SPEC_INSTANCES_MAX; n++) {
			const struct proxy_server *s = &plan->servers[slot][n];
			bool ready = s->port && s->duty == PROXY_READY;
			buf_printf(out, "  server %s%d 127.0.0.1:%u%s\n", slot_names[slot], n,
			           s->port ? s->port : 1, ready ? "" : " disabled");
		}
}

static struct haproxy *haproxy_new(struct proxy *p, int listen_fd, struct str key, bool tls) {
	struct haproxy *h = calloc(1, sizeof *h);
	if (!h) abort();
	*h = (struct haproxy){.owner = p, .listen_fd = listen_fd, .tls = tls};
	buf_str(&h->key, key);
	return h;
}

// The file belongs to the certificate, so that a bad one never stands in the way of the one before
// it.
static void pem_path(struct str key, struct buf *out) {
	(void)str_cut(&key, ' ');
	buf_printf(out, "run/tls-" STR_FMT ".pem", STR_ARG(key));
}

static void haproxy_free(struct haproxy *h) {
	if (!h) return;
	file_close(&h->listen_fd);
	buf_free(&h->key);
	free(h);
}

// `address` is HOST:PORT, the host without brackets and empty for every address.
static bool open_listener(struct str address, int *out, struct err *e) {
	AUTO_BUF host = {0};
	size_t colon = address.n;
	while (colon > 0 && address.p[colon - 1] != ':') colon--;
	buf_str(&host, str_slice(address, 0, colon ? colon - 1 : 0));
	AUTO_BUF port = {0};
	buf_str(&port, str_from(address, colon));
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                         .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found;
	int on = 1;
	if (!host.n) hints.ai_family = AF_INET;
	if (getaddrinfo(host.n ? host.p : NULL, port.p, &hints, &found))
		return err_set(e, ERR_INVALID, "listen: " STR_FMT " is no address", STR_ARG(address));
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	          bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
	int number = errno;
	freeaddrinfo(found);
	if (!ok) {
		file_close(&fd);
		return err_set(e, number == EADDRINUSE ? ERR_CONFLICT : ERR_IO,
		               "cannot listen on " STR_FMT ": %s", STR_ARG(address), strerror(number));
	}
	*out = fd;
	return true;
}

static void on_end(void *context, struct child_end end);

static bool start(struct proxy *p, struct err *e) {
	AUTO_BUF config = {0};
	if (!p->log && !servicelog_open(p->loop, "run/haproxy.pipe", "log/haproxy.log", 0, &p->log, e))
		return false;
	AUTO_FD log = servicelog_writer(p->log);
	struct str key = buf_view(&p->now->key), address = str_cut(&key, ' ');
	AUTO_BUF pem = {0};
	if (p->now->tls) pem_path(buf_view(&p->now->key), &pem);
	pid_t pid;
	if (p->now->listen_fd < 0 && !open_listener(address, &p->now->listen_fd, e)) return false;
	proxy_config(&p->plan, buf_view(&pem), geteuid() == 0, &config);
	if (!file_write_atomic(config_name, buf_view(&config), 0600, e)) return false;
	const char *argv[] = {access(usual_path, X_OK) ? "haproxy" : usual_path, "-db", "-f",
	                      config_name, NULL};
	struct process_spec spec = {
		PROCESS_SPEC_NONE, .argv = argv,        .pass = &p->now->listen_fd,
		.pass_count = 1,   .new_session = true,
	};
	spec.out = spec.err = log;
	if (!process_start(&spec, &pid, e)) return false;
	p->now->child = children_own(p->children, pid, on_end, p->now);
	p->up = false;
	p->started_ms = loop_now_ms(p->loop);
	loop_timer_set(p->timer, UP_POLL_MS);
	p->fn(p->context, PROXY_STARTED, "");
	return true;
}

// The new one died before it was up: what served before goes on serving.
static void fall_back(struct proxy *p, const char *why) {
	haproxy_free(p->now);
	p->now = p->old;
	p->old = NULL;
	p->up = p->fell_back = true;
	loop_timer_set(p->timer, -1);
	p->fn(p->context, PROXY_EXITED, why);
}

// At once the first time; one that does not last is started again with growing pauses.
static void start_again(struct proxy *p, const char *why) {
	struct err e;
	if (loop_now_ms(p->loop) - p->started_ms >= LASTED_MS) p->backoff_ms = 0;
	p->up = false;
	p->fn(p->context, PROXY_EXITED, why);
	if (p->backoff_ms == 0 && start(p, &e)) {
		p->backoff_ms = BACKOFF_FIRST_MS;
		return;
	}
	p->backoff_ms = p->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : p->backoff_ms * 2;
	loop_timer_set(p->timer, p->backoff_ms ? p->backoff_ms : BACKOFF_FIRST_MS);
}

static void on_end(void *context, struct child_end end) {
	struct haproxy *h = context;
	struct proxy *p = h->owner;
	AUTO_BUF why = {0};
	buf_cstr(&why, "HAProxy ");
	child_end_text(end, &why);
	h->child = NULL;
	if (h != p->now) { // it was replaced, and left as asked
		if (h == p->old) p->old = NULL;
		haproxy_free(h);
	} else if (!p->ending) {
		note(NOTE_WARN, "%s; its last words are in log/haproxy.log", why.p);
		if (p->old) fall_back(p, why.p);
		else start_again(p, why.p);
	}
}

static bool answers_as(struct child_id id) {
	AUTO_BUF answer = {0};
	AUTO_BUF wanted = {0};
	buf_printf(&wanted, "\nPid: %d\n", (int)id.pid);
	return ask(STR("show info"), &answer, NULL) &&
	       str_contains(buf_view(&answer), buf_view(&wanted));
}

static void on_due(void *context) {
	struct proxy *p = context;
	struct err e;
	if (p->ending || !p->now) return;
	if (!p->now->child) {
		if (start(p, &e)) return;
		note(NOTE_ERROR, "%s", e.text);
		p->backoff_ms = BACKOFF_MOST_MS;
		loop_timer_set(p->timer, p->backoff_ms);
		return;
	}
	if (!answers_as(child_id(p->now->child))) {
		loop_timer_set(p->timer, UP_POLL_MS);
		return;
	}
	p->up = true;
	if (p->old) { // it ends with its last connection, or by hard-stop-after
		AUTO_BUF pem = {0};
		if (p->old->tls && !str_eq(buf_view(&p->old->key), buf_view(&p->now->key))) {
			pem_path(buf_view(&p->old->key), &pem);
			(void)unlink(pem.p); // it has read it
		}
		child_signal(p->old->child, SIGUSR1);
		p->old = NULL;
	}
	p->fn(p->context, PROXY_UP, "");
}

struct proxy *proxy_new(struct loop *l, struct children *children, const char *folder, proxy_fn *fn,
                        void *context) {
	struct proxy *p = calloc(1, sizeof *p);
	if (!p) abort();
	*p = (struct proxy){
		.loop = l, .children = children, .folder = folder, .fn = fn, .context = context};
	p->timer = loop_timer(l, on_due, p);
	return p;
}

// The certificate's chain and the key in one file, the form that every HAProxy reads.
static bool join_pem(const struct spec *spec, struct buf *key, struct err *e) {
	AUTO_BUF pem = {0};
	if (!spec->tls_cert.n) return true;
	if (!file_read(spec->tls_cert.p, PEM_BYTES_MAX, &pem, e)) return err_context(e, "tls: cert");
	buf_char(&pem, '\n');
	if (!file_read(spec->tls_key.p, PEM_BYTES_MAX, &pem, e)) return err_context(e, "tls: key");
	struct digest digest = digest_of(buf_view(&pem));
	buf_char(key, ' ');
	buf_hex(key, digest.b, sizeof digest.b);
	AUTO_BUF path = {0};
	pem_path(buf_view(key), &path);
	return file_write_atomic(path.p, buf_view(&pem), 0600, e);
}

bool proxy_listen(struct proxy *p, const struct spec *spec, struct err *e) {
	AUTO_BUF key = {0};
	int fd = -1;
	buf_printf(&key, STR_FMT ":%u", STR_ARG(spec->host), spec->port);
	size_t address = key.n;
	p->fell_back = false;
	if (p->old) return err_set(e, ERR_BUSY, "another HAProxy is taking over");
	if (!join_pem(spec, &key, e)) return false;
	if (p->now && str_eq(buf_view(&p->now->key), buf_view(&key))) return true;
	struct str now_key = p->now ? buf_view(&p->now->key) : STR_NONE;
	bool same_address = str_eq(str_cut(&now_key, ' '), str_slice(buf_view(&key), 0, address));
	if (p->now && same_address && p->now->listen_fd >= 0)
		fd = fcntl(p->now->listen_fd, F_DUPFD_CLOEXEC, 3);
	else if (!open_listener(str_slice(buf_view(&key), 0, address), &fd, e)) return false;
	struct haproxy *before = p->now;
	bool was_up = p->up;
	p->now = haproxy_new(p, fd, buf_view(&key), spec->tls_cert.n > 0);
	if (before && before->child) p->old = before;
	if (!start(p, e)) {
		haproxy_free(p->now);
		p->now = before;
		p->old = NULL;
		p->up = was_up;
		return false;
	}
	if (!p->old) haproxy_free(before);
	return true;
}

bool proxy_is_running(const struct proxy *p) {
	return p->now != NULL;
}

bool proxy_fell_back(const struct proxy *p) {
	return p->fell_back;
}

bool proxy_is_up(const struct proxy *p) {
	return p->up;
}

static const struct runtime_server *find(const struct runtime_server *list, size_t count,
                                         const char *name) {
	for (size_t i = 0; i < count; i++)
		if (str_eq(list[i].name, str_of(name))) return &list[i];
	return NULL;
}

static enum proxy_duty duty_of(const struct runtime_server *s) {
	return s->maintenance ? PROXY_MAINT : s->drain ? PROXY_DRAIN : PROXY_READY;
}

// What must be said so that HAProxy does as planned; empty = it does.
static bool difference(const struct proxy_plan *plan, struct buf *batch, struct err *e) {
	static const char *const words[] = {"maint", "drain", "ready"};
	AUTO_BUF answer = {0};
	AUTO_BUF first = {0};
	AUTO_BUF ready = {0};
	AUTO_BUF last = {0};
	AUTO_ARENA scratch = {0};
	struct runtime_server *list;
	size_t count;
	if (!ask(STR("show servers state app"), &answer, e) ||
	    !runtime_parse_servers(buf_view(&answer), &scratch, &list, &count, e))
		return false;
	for (int slot = 0; slot < PROXY_SLOTS; slot++)
		for (int n = 0; n < SPEC_INSTANCES_MAX; n++) {
			struct proxy_server want = plan->servers[slot][n];
			char name[16];
			snprintf(name, sizeof name, "%s%d", slot_names[slot], n);
			const struct runtime_server *is = find(list, count, name);
			if (!is) return err_set(e, ERR_CORRUPT, "HAProxy knows no server %s", name);
			if (!want.port) want.duty = PROXY_MAINT;
			bool moves = want.port && want.port != is->port;
			if (moves)
				buf_printf(&first,
				           "set server app/%s state maint;"
				           "set server app/%s addr 127.0.0.1 port %u;",
				           name, name, want.port);
			if (moves ? want.duty == PROXY_MAINT : want.duty == duty_of(is)) continue;
			buf_printf(want.duty == PROXY_READY ? &ready : &last, "set server app/%s state %s;",
			           name, words[want.duty]);
		}
	buf_str(batch, buf_view(&first));
	buf_str(batch, buf_view(&ready));
	buf_str(batch, buf_view(&last));
	return true;
}

static bool apply(struct proxy *p, struct err *e) {
	AUTO_BUF batch = {0};
	AUTO_BUF answer = {0};
	AUTO_BUF still = {0};
	if (!difference(&p->plan, &batch, e)) return false;
	if (!batch.n) return true;
	if (!ask(buf_view(&batch), &answer, e) || !difference(&p->plan, &still, e)) return false;
	if (still.n)
		return err_set(e, ERR_CORRUPT, "HAProxy did not follow: %.200s: %.200s", still.p, answer.p);
	return true;
}

bool proxy_want(struct proxy *p, const struct proxy_plan *plan, struct err *e) {
	p->plan = *plan;
	if (!p->up) return err_set(e, ERR_UNAVAILABLE, "HAProxy is not up");
	return apply(p, e);
}

bool proxy_sessions(struct proxy *p, int slot, int64_t *out, struct err *e) {
	AUTO_BUF answer = {0};
	if (!p->up) return err_set(e, ERR_UNAVAILABLE, "HAProxy is not up");
	return ask(STR("show stat app 4 -1"), &answer, e) &&
	       runtime_parse_sessions(buf_view(&answer), str_of(slot_names[slot]), out, e);
}

bool proxy_cut(struct proxy *p, int slot, struct err *e) {
	AUTO_BUF batch = {0};
	AUTO_BUF answer = {0};
	if (!p->up) return err_set(e, ERR_UNAVAILABLE, "HAProxy is not up");
	for (int n = 0; n < SPEC_INSTANCES_MAX; n++)
		if (p->plan.servers[slot][n].port)
			buf_printf(&batch, "shutdown sessions server app/%s%d;", slot_names[slot], n);
	return !batch.n || ask(buf_view(&batch), &answer, e);
}

void proxy_end(struct proxy *p) {
	if (p->ending) return;
	p->ending = true;
	p->up = false;
	loop_timer_set(p->timer, -1);
	if (p->now) child_signal(p->now->child, SIGTERM);
	if (p->old) child_signal(p->old->child, SIGTERM);
	if (p->now) file_close(&p->now->listen_fd);
}

void proxy_json(const struct proxy *p, struct jsonw *w) {
	const struct haproxy *h = p->old ? p->old : p->now; // one that is not up yet may never be
	jsonw_object(w);
	if (h) jsonw_key_s(w, "key", buf_view(&h->key));
	jsonw_key(w, "process");
	child_id_json(w, child_id(h ? h->child : NULL));
	jsonw_key_b(w, "tls", h && h->tls);
	jsonw_object_end(w);
}

// The near end of what HAProxy listens on; needs the right to trace it (same user, or root).
static int fetch_listener(pid_t pid) {
	AUTO_FD pidfd = process_pidfd(pid);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, LISTEN_FD, 0);
	if (fd < 0) note(NOTE_WARN, "cannot get HAProxy's listening socket: %s", strerror(errno));
	return fd;
}

bool proxy_adopt(struct proxy *p, const struct json *v) {
	struct child_id id = child_id_from_json(json_get(v, "process"));
	struct err e;
	struct haproxy *h = haproxy_new(p, -1, json_get_str(v, "key"), json_get_bool(v, "tls", false));
	h->child = children_adopt(p->children, id, on_end, h);
	if (!h->child) {
		haproxy_free(h);
		return false;
	}
	h->listen_fd = fetch_listener(id.pid);
	if (!servicelog_open(p->loop, "run/haproxy.pipe", "log/haproxy.log", 0, &p->log, &e))
		note(NOTE_WARN, "%s", e.text);
	p->now = h;
	p->started_ms = loop_now_ms(p->loop);
	loop_timer_set(p->timer, 0);
	return true;
}
