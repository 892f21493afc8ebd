#include "exec/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/file.h"

enum { ANSWER_MAX = 65536, ASK_SECONDS = 5 };

static struct sockaddr_un address_in(int folder) {
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/control", folder);
	return a;
}

bool control_open(int folder, struct control *c, struct err *e) {
	struct sockaddr_un a = address_in(folder);
	*c = (struct control){.listener = -1};
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, CONTROL_CLIENTS))
		return err_set(e, ERR_IO, "cannot make the run's socket: %s", strerror(errno));
	c->listener = file_keep(&fd);
	return true;
}

void control_accept(struct control *c) {
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->clients[i].fd) continue;
		c->clients[i] = (struct control_client){.fd = fd};
		return;
	}
	close(fd); // too many at once: they may ask again
}

static void hang_up(struct control *c, size_t client) {
	close(c->clients[client].fd);
	c->clients[client].fd = 0;
}

bool control_read(struct control *c, size_t client, struct str *line) {
	struct control_client *k = &c->clients[client];
	ssize_t n = read(k->fd, k->line + k->n, sizeof k->line - k->n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
	if (n > 0) k->n += (size_t)n;
	const char *end = memchr(k->line, '\n', k->n);
	if (end) {
		*line = (struct str){k->line, (size_t)(end - k->line)};
		return true;
	}
	if (n <= 0 || k->n == sizeof k->line) hang_up(c, client);
	return false;
}

void control_reply(struct control *c, size_t client, struct str text) {
	// A client that has gone does not hear it; there is nobody to tell.
	if (write(c->clients[client].fd, text.p, text.n) < 0) errno = 0;
	hang_up(c, client);
}

bool control_ask(const char *folder, const char *line, struct buf *answer, struct err *e) {
	AUTO_FD dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = address_in(dir);
	struct timeval limit = {.tv_sec = ASK_SECONDS};
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	}
	if (dir < 0 || fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
		return err_set(e, ERR_NOT_FOUND, "no leader answers in %s: %s", folder, strerror(errno));
	AUTO_BUF text = {0};
	buf_printf(&text, "%s\n", line);
	return file_write_all(fd, buf_view(&text), e) && file_read_fd(fd, ANSWER_MAX, answer, e);
}
