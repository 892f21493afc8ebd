#include "deploy/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "os/file.h"

enum { UNSENT_MAX = 8 << 20, BACKLOG = 64 };

struct client {
	struct client *next;
	struct control *control;
	uint64_t id;
	int fd;
	bool watches, gone;
	struct buf in, out;
	struct loop_watch *watch;
};

struct control {
	struct loop *loop;
	control_fn *fn;
	void *context;
	int fd;
	uint64_t last_id;
	struct client *first;
	struct loop_watch *watch;
};

bool control_listen(const char *name, int *out, struct err *e) {
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (strlen(name) >= sizeof at.sun_path) return err_set(e, ERR_LIMIT, "%s is too long", name);
	memcpy(at.sun_path, name, strlen(name) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlink(name);
	mode_t before = umask(0177);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
	int number = errno;
	umask(before);
	if (!bound || listen(fd, BACKLOG)) {
		number = bound ? errno : number;
		file_close(&fd);
		return err_set(e, ERR_IO, "cannot listen on %s: %s", name, strerror(number));
	}
	*out = fd;
	return true;
}

static void on_ready(void *context);

static void watch(struct client *c) {
	loop_unwatch(c->watch);
	c->watch = loop_watch(c->control->loop, c->fd, true, c->out.n > 0, on_ready, c);
}

static void drop(struct client *c) {
	struct client **at = &c->control->first;
	while (*at != c) at = &(*at)->next;
	*at = c->next;
	loop_unwatch(c->watch);
	file_close(&c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

// Sends what goes at once. A client that left or does not read is marked, and dropped by its own
// callback.
static void flush(struct client *c) {
	bool waited = c->out.n > 0;
	size_t sent = 0;
	while (sent < c->out.n) {
		ssize_t n = send(c->fd, c->out.p + sent, c->out.n - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0 && errno != EAGAIN) c->gone = true;
		if (n < 0) break;
		sent += (size_t)n;
	}
	if (sent) {
		memmove(c->out.p, c->out.p + sent, c->out.n - sent);
		c->out.n -= sent;
	}
	if (c->out.n > UNSENT_MAX) c->gone = true;
	if (c->gone) (void)shutdown(c->fd, SHUT_RDWR);
	if (waited || c->out.n) watch(c);
}

static void say(struct client *c, struct str line) {
	buf_str(&c->out, line);
	buf_char(&c->out, '\n');
	flush(c);
}

static void refuse(struct client *c, const struct err *e) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	jsonw_object(&w);
	jsonw_key_b(&w, "ok", false);
	jsonw_key(&w, "error");
	jsonw_object(&w);
	jsonw_key_z(&w, "code", err_code_name(e->code));
	jsonw_key_z(&w, "text", e->text);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
	say(c, buf_view(&text));
}

static void hear(struct client *c, struct str line) {
	AUTO_JSON command = NULL;
	struct err e;
	if (!json_parse(line, &command, &e)) refuse(c, &e);
	else c->control->fn(c->control->context, c->id, command);
}

static void hear_lines(struct client *c) {
	size_t done = 0;
	for (;;) {
		struct str rest = str_from(buf_view(&c->in), done);
		size_t end = str_find_char(rest, '\n');
		if (end == rest.n) break;
		hear(c, str_slice(rest, 0, end));
		done += end + 1;
	}
	if (!done) return;
	memmove(c->in.p, c->in.p + done, c->in.n - done);
	explicit_bzero(c->in.p + c->in.n - done, done); // a command may have held secrets
	c->in.n -= done;
}

static void on_ready(void *context) {
	struct client *c = context;
	flush(c);
	ssize_t n = recv(c->fd, buf_grow(&c->in, 16384), 16384, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) c->gone = true;
	if (n > 0) {
		c->in.n += (size_t)n;
		hear_lines(c);
		struct err e;
		if (c->in.n > CONTROL_LINE_MAX) {
			err_set(&e, ERR_LIMIT, "a command has at most %d bytes", CONTROL_LINE_MAX);
			refuse(c, &e);
			c->gone = true;
		}
	}
	if (c->gone) drop(c);
}

static void on_connection(void *context) {
	struct control *control = context;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) return;
	struct client *c = calloc(1, sizeof *c);
	if (!c) abort();
	*c = (struct client){.next = control->first, .control = control, .fd = fd};
	c->id = ++control->last_id;
	control->first = c;
	watch(c);
}

struct control *control_new(struct loop *l, int fd, control_fn *fn, void *context) {
	struct control *c = calloc(1, sizeof *c);
	if (!c) abort();
	*c = (struct control){.loop = l, .fn = fn, .context = context, .fd = fd};
	c->watch = loop_watch(l, fd, true, false, on_connection, c);
	return c;
}

static struct client *find(struct control *c, uint64_t id) {
	struct client *client = c->first;
	while (client && client->id != id) client = client->next;
	return client;
}

void control_answer(struct control *c, uint64_t client, struct str line) {
	struct client *to = find(c, client);
	if (to) say(to, line);
}

void control_watch(struct control *c, uint64_t client) {
	struct client *to = find(c, client);
	if (to) to->watches = true;
}

void control_tell(struct control *c, struct str line) {
	for (struct client *to = c->first; to; to = to->next)
		if (to->watches && !to->gone) say(to, line);
}
