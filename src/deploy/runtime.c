#include "deploy/runtime.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { ANSWER_BYTES_MAX = 1 << 20 };
enum {
	MAINT_BITS = 0x23,
	DRAIN_BITS = 0x18
}; // enum srv_admin of haproxy 2.6, include/haproxy/server-t.h
enum { COLUMN_NAME = 3, COLUMN_ADMIN = 6, COLUMN_PORT = 18, STAT_NAME = 1, STAT_SCUR = 4 };

static bool away(struct err *e, const char *what) {
	return err_set(e, ERR_UNAVAILABLE, "HAProxy's runtime socket: %s: %s", what, strerror(errno));
}

bool runtime_ask(const char *socket_path, struct str commands, struct buf *answer, struct err *e) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (strlen(socket_path) >= sizeof to.sun_path)
		return err_set(e, ERR_LIMIT, "the path %s is too long for a socket", socket_path);
	memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) return away(e, "connect");
	AUTO_BUF line = {0};
	buf_str(&line, commands);
	buf_char(&line, '\n');
	if (send(fd, line.p, line.n, MSG_NOSIGNAL) != (ssize_t)line.n) return away(e, "send");
	int64_t until = clock_mono_us() + INT64_C(1000) * RUNTIME_WAIT_MS;
	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = (until - clock_mono_us()) / 1000;
		if (left <= 0) return err_set(e, ERR_TIMEOUT, "HAProxy does not answer");
		if (poll(&ready, 1, (int)left) <= 0) continue;
		ssize_t n = recv(fd, buf_grow(answer, 16384), 16384, 0);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return away(e, "receive");
		if (n == 0) return true;
		answer->n += (size_t)n;
		answer->p[answer->n] = 0;
		if (answer->n > ANSWER_BYTES_MAX) return err_set(e, ERR_LIMIT, "HAProxy talks too much");
	}
}

static struct str field(struct str line, char separator, int index) {
	for (int i = 0; i < index; i++) (void)str_cut(&line, separator);
	return str_cut(&line, separator);
}

bool runtime_parse_servers(struct str answer, struct arena *life, struct runtime_server **out,
                           size_t *count, struct err *e) {
	size_t n = 0;
	struct runtime_server *list = ARENA_ARRAY(life, struct runtime_server, answer.n / 16 + 1);
	if (!str_starts(answer, STR("1\n# be_id be_name srv_id srv_name ")))
		return err_set(e, ERR_CORRUPT, "HAProxy's list of servers is not understood");
	while (answer.p) {
		struct str line = str_cut(&answer, '\n');
		int64_t admin, port;
		if (!line.n || line.p[0] == '#' || str_eq(line, STR("1"))) continue;
		if (!str_to_i64(field(line, ' ', COLUMN_ADMIN), &admin) ||
		    !str_to_i64(field(line, ' ', COLUMN_PORT), &port) || port < 0 || port > 65535)
			return err_set(e, ERR_CORRUPT, "HAProxy says of a server: " STR_FMT, STR_ARG(line));
		list[n++] = (struct runtime_server){arena_str(life, field(line, ' ', COLUMN_NAME)),
		                                    (uint16_t)port, admin & MAINT_BITS, admin & DRAIN_BITS};
	}
	*out = list;
	*count = n;
	return true;
}

bool runtime_parse_sessions(struct str answer, struct str prefix, int64_t *out, struct err *e) {
	int64_t sum = 0;
	if (!str_starts(answer, STR("# pxname,svname,qcur,qmax,scur,")))
		return err_set(e, ERR_CORRUPT, "HAProxy's numbers are not understood");
	while (answer.p) {
		struct str line = str_cut(&answer, '\n');
		int64_t now;
		if (!line.n || line.p[0] == '#') continue;
		if (!str_starts(field(line, ',', STAT_NAME), prefix)) continue;
		if (!str_to_i64(field(line, ',', STAT_SCUR), &now))
			return err_set(e, ERR_CORRUPT, "HAProxy's numbers: " STR_FMT, STR_ARG(line));
		sum += now;
	}
	*out = sum;
	return true;
}
