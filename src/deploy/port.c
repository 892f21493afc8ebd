#include "deploy/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "os/clock.h"
#include "os/file.h"

enum { LOWEST = 20000, USUAL_EPHEMERAL = 32768, TRIES = 200 };

static bool can_bind(int family, const void *address, socklen_t n) {
	AUTO_FD fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	if (fd < 0) return true; // no such family here: nobody listens in it either
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
	           sizeof on); // old connections that linger don't count
	if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	return bind(fd, address, n) == 0 || errno != EADDRINUSE;
}

bool port_is_free(uint16_t port) {
	struct sockaddr_in every = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 every6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	return can_bind(AF_INET, &every, sizeof every) && can_bind(AF_INET6, &every6, sizeof every6);
}

static uint16_t upper_end(void) {
	AUTO_BUF text = {0};
	unsigned low = 0;
	if (!file_read("/proc/sys/net/ipv4/ip_local_port_range", 100, &text, NULL) ||
	    sscanf(text.p, "%u", &low) != 1 || low < LOWEST + 1000 || low > 65535)
		return USUAL_EPHEMERAL;
	return (uint16_t)low;
}

static bool is_taken(const uint16_t *taken, size_t count, uint16_t port) {
	for (size_t i = 0; i < count; i++)
		if (taken[i] == port) return true;
	return false;
}

bool port_pick(const uint16_t *taken, size_t taken_count, uint16_t *out, struct err *e) {
	unsigned span = upper_end() - LOWEST;
	for (int i = 0; i < TRIES; i++) {
		uint32_t random;
		clock_random(&random, sizeof random);
		uint16_t port = (uint16_t)(LOWEST + random % span);
		if (is_taken(taken, taken_count, port) || !port_is_free(port)) continue;
		*out = port;
		return true;
	}
	return err_set(e, ERR_UNAVAILABLE, "found no free port between %d and %u", LOWEST,
	               LOWEST + span);
}
