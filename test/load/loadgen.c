// A closed-loop HTTP load generator that counts what goes wrong apart, never tries anything twice,
// and knows which release answered (X-Release). Four kinds of clients, as many of each: GET and
// POST, on kept and fresh connections.
//   loadgen --to PORT [--clients N] [--seconds S] [--rate PER_SECOND] [--timeout MS] [--path /p]
// Runs until S seconds or SIGTERM/SIGINT, then prints one JSON object:
//   requests, ok, rps, failed = refused + reset + closed + truncated + timeout + proxy_5xx +
//   malformed, service_5xx closed     a kept connection was closed by the other side when the next
//   request was already sent proxy_5xx  without X-Release: not the service's own answer, as
//   service_5xx is releases   of each: count, first_ms, last_ms (wall clock of the answers)
//   slowest_us, and by kind: requests, failed
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 16384, RELEASES = 4096, KINDS = 4, BODY = 700 };
enum fault { REFUSED, RESET, CLOSED, TRUNCATED, TIMEOUT, PROXY_5XX, MALFORMED, FAULTS };
static const char *const fault_names[FAULTS] = {"refused", "reset",     "closed",   "truncated",
                                                "timeout", "proxy_5xx", "malformed"};
static const char *const kind_names[KINDS] = {"get_kept", "post_kept", "get_fresh", "post_fresh"};

struct client {
	int fd, kind; // kind bit 0: POST, bit 1: fresh
	bool busy;    // a request is under way
	size_t n, sent;
	long long began_us;
	char bytes[BYTES];
};

struct seen {
	char name[80];
	long long count, first_ms, last_ms;
};

static int port = 80, clients = 4, poller;
static double seconds = 1e9, rate;
static long long timeout_us = 5000000, requests, ok, service_5xx, faults[FAULTS], slowest_us;
static long long by_kind[KINDS], failed_by_kind[KINDS];
static struct seen releases[RELEASES];
static int release_count;
static const char *path = "/";
static volatile sig_atomic_t stop;

static long long clock_us(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void on_signal(int number) {
	(void)number;
	stop = 1;
}

static void drop(struct client *c) {
	if (c->fd >= 0) close(c->fd);
	c->fd = -1;
}

static void fault(struct client *c, enum fault f) {
	faults[f]++;
	failed_by_kind[c->kind]++;
	c->busy = false;
	drop(c);
}

static void fault_of_errno(struct client *c, int number, bool kept) {
	if (number == ECONNREFUSED) fault(c, REFUSED);
	else if (kept && c->n == 0 && (number == EPIPE || number == ECONNRESET)) fault(c, CLOSED);
	else fault(c, RESET);
}

static void send_some(struct client *c) {
	char text[1200];
	bool post = c->kind & 1;
	int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: load\r\n%s%s",
	                 post ? "POST" : "GET", path, c->kind & 2 ? "Connection: close\r\n" : "",
	                 post ? "Content-Length: 700\r\n\r\n" : "\r\n");
	if (post) {
		memset(text + n, 'x', BODY);
		n += BODY;
	}
	ssize_t done = send(c->fd, text + c->sent, (size_t)n - c->sent, MSG_NOSIGNAL);
	if (done < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
	if (done < 0) {
		fault_of_errno(c, errno, !(c->kind & 2));
		return;
	}
	c->sent += (size_t)done;
	if (c->sent == (size_t)n) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
		epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
		c->sent = SIZE_MAX; // all
	}
}

static void begin(struct client *c) {
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct epoll_event e = {.events = EPOLLOUT, .data.ptr = c};
	int on = 1;
	c->busy = true;
	c->n = c->sent = 0;
	c->began_us = clock_us(CLOCK_MONOTONIC);
	requests++;
	by_kind[c->kind]++;
	if (c->fd >= 0) {
		epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e);
		send_some(c);
		return;
	}
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) {
		fault_of_errno(c, errno, false);
		return;
	}
	epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &e);
}

static void note_release(const char *name, size_t n) {
	long long now = clock_us(CLOCK_REALTIME) / 1000;
	int i = 0;
	while (i < release_count && (strncmp(releases[i].name, name, n) || releases[i].name[n])) i++;
	if (i == RELEASES || n >= sizeof releases[0].name) return;
	if (i == release_count) {
		memcpy(releases[i].name, name, n);
		releases[i].first_ms = now;
		release_count++;
	}
	releases[i].count++;
	releases[i].last_ms = now;
}

// The whole answer is there, if it is: judge it. Bodies come with Content-Length.
static void judge(struct client *c) {
	int status;
	c->bytes[c->n] = 0;
	char *end = strstr(c->bytes, "\r\n\r\n");
	if (!end) return;
	char *length = strcasestr(c->bytes, "\r\ncontent-length:");
	char *release = strcasestr(c->bytes, "\r\nx-release: ");
	char *close_header = strcasestr(c->bytes, "\r\nconnection: close");
	size_t head = (size_t)(end + 4 - c->bytes);
	bool closes = close_header && close_header < end;
	if (sscanf(c->bytes, "HTTP/1.%*d %d", &status) != 1 || (!length && !closes)) {
		fault(c, MALFORMED);
		return;
	}
	if (length && c->n < head + strtoul(length + 17, NULL, 10)) return;
	if (release && release < end) note_release(release + 13, strcspn(release + 13, "\r"));
	if (status >= 500 && !release) {
		fault(c, PROXY_5XX);
		return;
	}
	if (status >= 500) service_5xx++;
	else if (status == 200 && (!(c->kind & 1) || !strncmp(end + 4, "700", 3))) ok++;
	else {
		fault(c, MALFORMED);
		return;
	}
	long long took = clock_us(CLOCK_MONOTONIC) - c->began_us;
	if (took > slowest_us) slowest_us = took;
	c->busy = false;
	if (closes || (c->kind & 2)) drop(c);
}

static void hear(struct client *c) {
	ssize_t n = recv(c->fd, c->bytes + c->n, BYTES - 1 - c->n, 0);
	if (n < 0 && errno == EAGAIN) return;
	if (!c->busy) { // the other side closed a connection that was idle: its right
		drop(c);
	} else if (n < 0) {
		fault_of_errno(c, errno, !(c->kind & 2));
	} else if (n == 0) {
		fault(c, c->n ? TRUNCATED : CLOSED);
	} else {
		c->n += (size_t)n;
		judge(c);
	}
}

static void on_event(struct client *c, unsigned events) {
	int number = 0;
	socklen_t size = sizeof number;
	if (c->fd < 0) return;
	if (c->sent == SIZE_MAX || !(events & (EPOLLOUT | EPOLLERR))) {
		hear(c);
		return;
	}
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &size);
	if (number) fault_of_errno(c, number, false);
	else send_some(c);
}

static void report(double took) {
	long long failed = 0;
	for (int f = 0; f < FAULTS; f++) failed += faults[f];
	printf("{\"requests\":%lld,\"ok\":%lld,\"failed\":%lld,\"service_5xx\":%lld,\"rps\":%.0f,"
	       "\"slowest_us\":%lld,\"seconds\":%.2f",
	       requests, ok, failed, service_5xx, (double)requests / took, slowest_us, took);
	for (int f = 0; f < FAULTS; f++) printf(",\"%s\":%lld", fault_names[f], faults[f]);
	for (int k = 0; k < KINDS; k++)
		printf(",\"%s\":{\"requests\":%lld,\"failed\":%lld}", kind_names[k], by_kind[k],
		       failed_by_kind[k]);
	printf(",\"releases\":{");
	for (int i = 0; i < release_count; i++)
		printf("%s\"%s\":{\"count\":%lld,\"first_ms\":%lld,\"last_ms\":%lld}", i ? "," : "",
		       releases[i].name, releases[i].count, releases[i].first_ms, releases[i].last_ms);
	printf("}}\n");
}

static void tend(struct client *list, long long began_us) {
	long long now = clock_us(CLOCK_MONOTONIC);
	double due = rate > 0 ? rate * (double)(now - began_us) / 1e6 : 1e18;
	static int first; // another one each time, or a limited rate would be all the first ones' share
	first = (first + 1) % (clients * KINDS);
	for (int i = 0; i < clients * KINDS; i++) {
		struct client *c = &list[(first + i) % (clients * KINDS)];
		if (c->busy && now - c->began_us > timeout_us) fault(c, TIMEOUT);
		if (!c->busy && !stop && (double)requests < due) begin(c);
	}
}

int main(int argc, char **argv) {
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--to")) port = atoi(argv[i + 1]);
		if (!strcmp(argv[i], "--clients")) clients = atoi(argv[i + 1]);
		if (!strcmp(argv[i], "--seconds")) seconds = atof(argv[i + 1]);
		if (!strcmp(argv[i], "--rate")) rate = atof(argv[i + 1]);
		if (!strcmp(argv[i], "--timeout")) timeout_us = atoll(argv[i + 1]) * 1000;
		if (!strcmp(argv[i], "--path")) path = argv[i + 1];
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	poller = epoll_create1(EPOLL_CLOEXEC);
	struct client *list = calloc((size_t)clients * KINDS, sizeof *list);
	for (int i = 0; i < clients * KINDS; i++) {
		list[i].fd = -1;
		list[i].kind = i % KINDS;
	}
	long long began_us = clock_us(CLOCK_MONOTONIC);
	for (;;) { // at the end what is under way is waited for
		long long now = clock_us(CLOCK_MONOTONIC);
		bool busy = false;
		if ((double)(now - began_us) / 1e6 >= seconds) stop = 1;
		tend(list, began_us);
		for (int i = 0; i < clients * KINDS; i++) busy |= list[i].busy;
		if (stop && !busy) break;
		struct epoll_event events[256];
		int n = epoll_wait(poller, events, 256, rate > 0 ? 1 : 10);
		for (int i = 0; i < n; i++) on_event(events[i].data.ptr, events[i].events);
	}
	report((double)(clock_us(CLOCK_MONOTONIC) - began_us) / 1e6);
	return 0;
}
