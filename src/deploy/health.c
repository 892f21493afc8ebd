#include "deploy/health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/file.h"

enum { ANSWER_BYTES = 64 };

enum stage { STAGE_OFF, STAGE_PAUSE, STAGE_CONNECT, STAGE_ANSWER };

struct health {
	struct loop *loop;
	health_fn *fn;
	void *context;
	struct loop_timer *timer; // the pause, or the limit of the probe
	struct loop_watch *watch;
	enum stage stage;
	int fd;
	uint16_t port;
	struct buf path;
	int64_t interval_ms, timeout_ms, began_ms;
	char answer[ANSWER_BYTES];
	size_t answer_n;
};

static void drop(struct health *h) {
	loop_unwatch(h->watch);
	h->watch = NULL;
	file_close(&h->fd);
}

static void pause_until_next(struct health *h) {
	int64_t left = h->began_ms + h->interval_ms - loop_now_ms(h->loop);
	h->stage = STAGE_PAUSE;
	loop_timer_set(h->timer, left > 0 ? left : 0);
}

static void finish(struct health *h, bool healthy, const char *why) {
	drop(h);
	pause_until_next(h);
	h->fn(h->context, healthy, why);
}

static void fail_errno(struct health *h, const char *what, int number) {
	char why[200];
	snprintf(why, sizeof why, "%s on port %u: %s", what, h->port, strerror(number));
	finish(h, false, why);
}

static void judge(struct health *h) {
	char why[200];
	int code = 0;
	h->answer[h->answer_n] = 0;
	bool http = sscanf(h->answer, "HTTP/%*1[12].%*1[01] %3d", &code) == 1;
	bool healthy = http && code >= 200 && code < 400;
	if (http) snprintf(why, sizeof why, "GET %.100s answered %d", h->path.p, code);
	else snprintf(why, sizeof why, "GET %.100s: the answer is not HTTP", h->path.p);
	finish(h, healthy, healthy ? "" : why);
}

static void on_ready(void *context);

static void ask(struct health *h) {
	AUTO_BUF request = {0};
	int number = 0;
	socklen_t n = sizeof number;
	getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &number, &n);
	if (number) {
		fail_errno(h, "cannot connect", number);
		return;
	}
	if (!h->path.n) {
		finish(h, true, "");
		return;
	}
	buf_printf(&request,
	           "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: weir\r\n"
	           "Accept: */*\r\nConnection: close\r\n\r\n",
	           h->path.p, h->port);
	if (send(h->fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n) {
		fail_errno(h, "cannot send", errno);
		return;
	}
	h->stage = STAGE_ANSWER;
	h->answer_n = 0;
	loop_unwatch(h->watch);
	h->watch = loop_watch(h->loop, h->fd, true, false, on_ready, h);
}

static void hear(struct health *h) {
	ssize_t n = recv(h->fd, h->answer + h->answer_n, ANSWER_BYTES - 1 - h->answer_n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n < 0) {
		fail_errno(h, "no answer", errno);
		return;
	}
	h->answer_n += (size_t)n;
	bool enough = h->answer_n >= 12 || memchr(h->answer, '\n', h->answer_n);
	if (n == 0 && !enough) finish(h, false, "the connection was closed without an answer");
	else if (enough) judge(h);
}

static void on_ready(void *context) {
	struct health *h = context;
	if (h->stage == STAGE_CONNECT) ask(h);
	else if (h->stage == STAGE_ANSWER) hear(h);
}

static void begin(struct health *h) {
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(h->port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	h->began_ms = loop_now_ms(h->loop);
	h->stage = STAGE_CONNECT;
	h->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0 || (connect(h->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)) {
		fail_errno(h, "cannot connect", errno);
		return;
	}
	loop_timer_set(h->timer, h->timeout_ms);
	h->watch = loop_watch(h->loop, h->fd, false, true, on_ready, h);
}

static void on_due(void *context) {
	struct health *h = context;
	char why[200];
	if (h->stage == STAGE_PAUSE) {
		begin(h);
	} else if (h->stage != STAGE_OFF) {
		snprintf(why, sizeof why, "no answer on port %u within %lld ms", h->port,
		         (long long)h->timeout_ms);
		finish(h, false, why);
	}
}

struct health *health_new(struct loop *l, health_fn *fn, void *context) {
	struct health *h = calloc(1, sizeof *h);
	if (!h) abort();
	h->loop = l;
	h->fn = fn;
	h->context = context;
	h->fd = -1;
	h->timer = loop_timer(l, on_due, h);
	return h;
}

void health_start(struct health *h, uint16_t port, struct str path, int64_t interval_ms,
                  int64_t timeout_ms) {
	health_stop(h);
	h->port = port;
	buf_reset(&h->path);
	buf_str(&h->path, path);
	h->interval_ms = interval_ms;
	h->timeout_ms = timeout_ms;
	h->stage = STAGE_PAUSE;
	loop_timer_set(h->timer, 0);
}

void health_set_interval(struct health *h, int64_t interval_ms) {
	if (h->interval_ms == interval_ms) return;
	h->interval_ms = interval_ms;
	if (h->stage == STAGE_PAUSE) pause_until_next(h);
}

void health_stop(struct health *h) {
	drop(h);
	h->stage = STAGE_OFF;
	loop_timer_set(h->timer, -1);
}

void health_free(struct health *h) {
	if (!h) return;
	health_stop(h);
	loop_timer_free(h->timer);
	buf_free(&h->path);
	free(h);
}
