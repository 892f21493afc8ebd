// A small HTTP service to deploy in tests; it depends on libc only. One poll loop, keep-alive, GET
// and POST; every answer names the release in X-Release. Misbehaves as told:
//   service --port N [--mode ok|red|hang|late-red|exit|deaf|spawn] [--after MS]
//   ok        healthy, leaves at SIGTERM after answering what it has
//   red       /healthz answers 503
//   late-red  /healthz answers 503 from --after ms on
//   hang      answers nothing at all from --after ms on (with 0: from the first traffic that is not
//   /healthz) crash     exits with 3 after --after ms deaf      ignores SIGTERM spawn     leaves a
//   child behind that ignores SIGTERM and left its session
// GET /slow answers after 300 ms. POST answers with the length of the body.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1000, BYTES = 32768, SLOW_MS = 300 };

struct connection {
	int fd;
	size_t n;
	long long slow_until; // 0 = none
	char bytes[BYTES];
};

static struct connection *all[CONNECTIONS];
static int count;
static volatile sig_atomic_t leaving;
static const char *mode = "ok", *release;
static long long after_ms, started_ms;

static long long now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void on_term(int signal) {
	(void)signal;
	leaving = 1;
}

static bool is(const char *name) {
	return !strcmp(mode, name);
}

static bool is_late(void) {
	return now_ms() - started_ms >= after_ms;
}

static void answer(struct connection *c, int status, const char *body) {
	char text[1024];
	int n = snprintf(text, sizeof text,
	                 "HTTP/1.1 %d X\r\nX-Release: %s\r\nContent-Length: %zu\r\n%s\r\n%s", status,
	                 release, strlen(body), leaving ? "Connection: close\r\n" : "", body);
	if (send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n) c->n = 0;
}

// Handles one whole request, if there is one: false = wait for more.
static bool handle(struct connection *c) {
	c->bytes[c->n] = 0;
	char *end = strstr(c->bytes, "\r\n\r\n"), *length = strcasestr(c->bytes, "\r\ncontent-length:");
	if (!end || c->slow_until) return false;
	size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	size_t all_n = (size_t)(end + 4 - c->bytes) + body;
	if (c->n < all_n) return false;
	char text[200];
	bool health = !strncmp(c->bytes, "GET /healthz ", 13);
	if (is("hang") && is_late() && !(after_ms == 0 && health)) return false;
	if (health) {
		bool red = is("red") || (is("late-red") && is_late());
		answer(c, red ? 503 : 200, red ? "red" : "green");
	} else if (!strncmp(c->bytes, "POST ", 5)) {
		snprintf(text, sizeof text, "%zu\n", body);
		answer(c, 200, text);
	} else if (!strncmp(c->bytes, "GET /slow ", 10)) {
		c->slow_until = now_ms() + SLOW_MS;
	} else {
		snprintf(text, sizeof text, "hello from %s\n", release);
		answer(c, 200, text);
	}
	memmove(c->bytes, c->bytes + all_n, c->n - all_n);
	c->n -= all_n;
	return true;
}

static void serve(struct connection *c, bool readable) {
	if (readable) {
		ssize_t n = recv(c->fd, c->bytes + c->n, BYTES - 1 - c->n, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			close(c->fd);
			c->fd = -1;
			return;
		}
		if (n > 0) c->n += (size_t)n;
	}
	if (c->slow_until && now_ms() >= c->slow_until) {
		c->slow_until = 0;
		answer(c, 200, "slow\n");
	}
	while (c->n && handle(c)) {}
}

static void take(int listener) {
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;
	if (fd < 0) return;
	if (count == CONNECTIONS) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	struct connection *c = calloc(1, sizeof *c);
	c->fd = fd;
	all[count++] = c;
}

static int listen_on(int port) {
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 1024)) {
		fprintf(stderr, "cannot listen on port %d: %s\n", port, strerror(errno));
		exit(1);
	}
	return fd;
}

static void spawn(void) {
	if (fork()) return;
	setsid();
	if (fork()) _exit(0);
	signal(SIGTERM, SIG_IGN);
	for (;;) pause();
}

int main(int argc, char **argv) {
	int port = 0;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--port")) port = atoi(argv[i + 1]);
		if (!strcmp(argv[i], "--mode")) mode = argv[i + 1];
		if (!strcmp(argv[i], "--after")) after_ms = atoll(argv[i + 1]);
	}
	release = getenv("WEIR_RELEASE") ? getenv("WEIR_RELEASE") : "none";
	started_ms = now_ms();
	signal(SIGTERM, is("deaf") ? SIG_IGN : on_term);
	if (is("spawn")) spawn();
	int listener = listen_on(port);
	printf("release %s serves on %d as uid %d\n", release, port, (int)getuid());
	fflush(stdout);
	while (!leaving || count) {
		struct pollfd fds[CONNECTIONS + 1] = {{leaving ? -1 : listener, POLLIN, 0}};
		for (int i = 0; i < count; i++) fds[i + 1] = (struct pollfd){all[i]->fd, POLLIN, 0};
		int known = count;
		poll(fds, (nfds_t)count + 1, 10);
		if (is("crash") && is_late()) return 3;
		if (fds[0].revents) take(listener);
		for (int i = 0; i < known; i++) {
			struct connection *c = all[i];
			serve(c, fds[i + 1].revents != 0);
			if (leaving && c->fd >= 0 && !c->n && !c->slow_until) {
				close(c->fd);
				c->fd = -1;
			}
		}
		for (int i = 0; i < count; i++)
			if (all[i]->fd < 0) {
				free(all[i]);
				all[i--] = all[--count];
			}
	}
	return 0;
}
