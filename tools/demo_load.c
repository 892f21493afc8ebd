// The traffic of `make demo`: a closed loop of clients that follow a short link, half of them on
// kept connections, half on fresh ones; nothing is tried twice.
//   demo_load PORT PATH CLIENTS REQUESTS_PER_SECOND
// Until SIGTERM, then prints one JSON object:
//   requests       that were sent
//   answered       by the service itself: complete, with its Server header, below 500
//   service_5xx    that the service itself answered; first_5xx_ms, last_5xx_ms: wall clock
//   failed         refused, reset, cut short, timed out, or answered by somebody else: `faults`
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 64, ANSWER_MAX = 16384, TIMEOUT_MS = 5000 };
enum verdict { ANSWERED, SERVICE_5XX, REFUSED, CUT_SHORT, TIMED_OUT, NOT_THE_SERVICE, VERDICTS };

static const char *const names[VERDICTS] = {"answered",  "service_5xx", "refused",
                                            "cut_short", "timed_out",   "not_the_service"};
static atomic_llong counts[VERDICTS], first_5xx_ms, last_5xx_ms;
static volatile sig_atomic_t stopping;
static int port, clients;
static double per_second;
static char request_kept[512], request_fresh[512];

static long long now_ms(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void on_signal(int number) {
	(void)number;
	stopping = 1;
}

static int dial(void) {
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
	close(fd);
	return -1;
}

// The other side may end a kept connection while nothing is asked: that is no failure.
static bool usable(int fd) {
	struct pollfd p = {fd, POLLIN, 0};
	return fd >= 0 && poll(&p, 1, 0) == 0;
}

// Whether the whole answer is there; its status and whether the service itself gave it.
static bool whole(const char *bytes, size_t n, int *status, bool *own, bool *closes) {
	const char *end = strstr(bytes, "\r\n\r\n"), *length = strcasestr(bytes, "\r\ncontent-length:"),
			   *server = strcasestr(bytes, "\r\nserver: shortlink/"),
			   *close_header = strcasestr(bytes, "\r\nconnection: close");
	if (!end || sscanf(bytes, "HTTP/1.%*d %d", status) != 1) return false;
	*own = server && server < end;
	*closes = close_header && close_header < end;
	size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	return n >= (size_t)(end + 4 - bytes) + body;
}

static enum verdict ask(int fd, const char *request, bool *closes) {
	char bytes[ANSWER_MAX + 1];
	size_t n = 0, size = strlen(request);
	long long until = now_ms(CLOCK_MONOTONIC) + TIMEOUT_MS;
	if (send(fd, request, size, MSG_NOSIGNAL) != (ssize_t)size) return CUT_SHORT;
	for (;;) {
		struct pollfd p = {fd, POLLIN, 0};
		long long left = until - now_ms(CLOCK_MONOTONIC);
		if (left <= 0) return TIMED_OUT;
		if (poll(&p, 1, (int)left) <= 0) continue;
		ssize_t got = read(fd, bytes + n, ANSWER_MAX - n);
		if (got <= 0) return CUT_SHORT;
		n += (size_t)got;
		bytes[n] = 0;
		int status = 0;
		bool own = false;
		if (!whole(bytes, n, &status, &own, closes)) continue;
		if (!own) return NOT_THE_SERVICE;
		return status >= 500 ? SERVICE_5XX : ANSWERED;
	}
}

static void count(enum verdict v) {
	atomic_fetch_add(&counts[v], 1);
	if (v != SERVICE_5XX) return;
	long long now = now_ms(CLOCK_REALTIME), never = 0;
	atomic_compare_exchange_strong(&first_5xx_ms, &never, now);
	atomic_store(&last_5xx_ms, now);
}

static void *client(void *number) {
	bool fresh = (size_t)number % 2;
	long long pause_ms = (long long)(1000 * clients / per_second);
	int fd = -1;
	while (!stopping) {
		long long began = now_ms(CLOCK_MONOTONIC);
		bool closes = false;
		if (!usable(fd)) {
			if (fd >= 0) close(fd);
			fd = dial();
		}
		enum verdict v = fd < 0 ? REFUSED : ask(fd, fresh ? request_fresh : request_kept, &closes);
		count(v);
		if (fd >= 0 && (fresh || closes || v > SERVICE_5XX)) {
			close(fd);
			fd = -1;
		}
		long long left = began + pause_ms - now_ms(CLOCK_MONOTONIC);
		if (left > 0) poll(NULL, 0, (int)left);
	}
	if (fd >= 0) close(fd);
	return NULL;
}

int main(int argc, char **argv) {
	pthread_t threads[CLIENTS_MAX];
	if (argc != 5) return 2;
	port = atoi(argv[1]);
	clients = atoi(argv[3]);
	per_second = atof(argv[4]);
	if (clients < 1 || clients > CLIENTS_MAX || per_second <= 0) return 2;
	const char *form = "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n";
	snprintf(request_kept, sizeof request_kept, form, argv[2], port, "");
	snprintf(request_fresh, sizeof request_fresh, form, argv[2], port, "Connection: close\r\n");
	signal(SIGTERM, on_signal);
	signal(SIGINT, SIG_IGN); // Ctrl-C of the terminal is for the driver
	for (long i = 0; i < clients; i++)
		if (pthread_create(&threads[i], NULL, client, (void *)i) != 0) return 1;
	for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);

	long long sum = 0, failed = 0;
	for (int i = 0; i < VERDICTS; i++) sum += counts[i];
	for (int i = REFUSED; i < VERDICTS; i++) failed += counts[i];
	printf("{\"requests\":%lld,\"answered\":%lld,\"service_5xx\":%lld,\"failed\":%lld,\"first_5xx_"
	       "ms\":"
	       "%lld,\"last_5xx_ms\":%lld,\"faults\":{",
	       sum, (long long)counts[ANSWERED], (long long)counts[SERVICE_5XX], failed,
	       (long long)first_5xx_ms, (long long)last_5xx_ms);
	for (int i = REFUSED; i < VERDICTS; i++)
		printf("%s\"%s\":%lld", i == REFUSED ? "" : ",", names[i], (long long)counts[i]);
	puts("}}");
	return 0;
}
