#include "deploy/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum { START_MS = 5000, PING_MS = 2000, ANSWER_BYTES_MAX = 16 << 20, OUTPUT_BYTES_MAX = 65536 };

// Through /proc, because a socket's path has at most 107 bytes and the folder's may be longer.
static bool dial(const char *folder, int *out, struct err *e) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	AUTO_FD dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/control", dir);
	if (dir < 0 || fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) {
		file_close(&fd);
		return err_set(e, ERR_UNAVAILABLE, "no supervisor answers in %s: %s", folder,
		               strerror(errno));
	}
	*out = fd;
	return true;
}

static bool send_line(int fd, struct str line, struct err *e) {
	AUTO_BUF text = {0};
	buf_str(&text, line);
	buf_char(&text, '\n');
	size_t sent = 0;
	bool ok = true;
	while (ok && sent < text.n) {
		ssize_t n = send(fd, text.p + sent, text.n - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) ok = err_set(e, ERR_UNAVAILABLE, "the supervisor left: %s", strerror(errno));
		else sent += (size_t)n;
	}
	explicit_bzero(text.p, text.n); // it may have held secrets
	return ok;
}

static bool read_line(int fd, int64_t timeout_ms, struct buf *out, struct err *e) {
	int64_t until = clock_mono_us() + timeout_ms * 1000;
	while (!out->n || out->p[out->n - 1] != '\n') {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = (until - clock_mono_us()) / 1000;
		if (left <= 0)
			return err_set(e, ERR_TIMEOUT, "no answer from the supervisor within %lld ms",
			               (long long)timeout_ms);
		if (poll(&ready, 1, left > INT32_MAX ? INT32_MAX : (int)left) <= 0) continue;
		ssize_t n = recv(fd, buf_grow(out, 65536), 65536, 0);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return err_set(e, ERR_UNAVAILABLE, "the supervisor left before it answered");
		out->n += (size_t)n;
		if (out->n > ANSWER_BYTES_MAX) return err_set(e, ERR_LIMIT, "the answer has no end");
	}
	return true;
}

bool environment_command(const char *folder, struct str command, int64_t timeout_ms,
                         struct json **answer, struct err *e) {
	AUTO_FD fd = -1;
	AUTO_BUF line = {0};
	return dial(folder, &fd, e) && send_line(fd, command, e) &&
	       read_line(fd, timeout_ms, &line, e) && json_parse(buf_view(&line), answer, e);
}

static bool is_there(const char *folder) {
	AUTO_JSON answer = NULL;
	return environment_command(folder, STR("{\"do\":\"ping\"}"), PING_MS, &answer, NULL);
}

bool environment_ensure(const char *folder, const char *program, struct err *e) {
	int64_t until = clock_mono_us() + INT64_C(1000) * START_MS;
	const char *argv[] = {program, "supervise", folder, NULL};
	if (is_there(folder)) return true;
	AUTO_OUTPUT output = {0};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv, .new_session = true};
	if (!process_run(&spec, STR_NONE, OUTPUT_BYTES_MAX, START_MS, &output, e)) return false;
	bool ended_well = output.status.end == PROCESS_EXITED && output.status.code == 0;
	do { // also when somebody else has just started one
		if (is_there(folder)) return true;
		clock_sleep_ms(20);
	} while (clock_mono_us() < until && (ended_well || output.status.code == 1));
	struct str said = str_trim(buf_view(&output.err));
	if (!said.n) said = STR("its last words are in log/supervisor.log");
	return err_set(e, ERR_UNAVAILABLE, "the supervisor of %s does not start: " STR_FMT, folder,
	               STR_ARG(said));
}

bool environment_watch(const char *folder, int *out, struct err *e) {
	int fd = -1;
	if (!dial(folder, &fd, e)) return false;
	if (!send_line(fd, STR("{\"do\":\"watch\"}"), e)) {
		file_close(&fd);
		return false;
	}
	*out = fd;
	return true;
}
