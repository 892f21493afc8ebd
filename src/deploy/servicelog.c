#include "deploy/servicelog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clocktext.h"
#include "os/clock.h"
#include "os/file.h"

enum { TAIL_BYTES = 256 * 1024, FLUSH_ROUNDS = 64 };

struct servicelog {
	char *pipe_path, *log_path;
	int pipe, file;
	int64_t bytes;
	struct buf line; // begun and without its end
	struct loop_watch *watch;
};

static char *copy(const char *z) {
	char *c = strdup(z);
	if (!c) abort();
	return c;
}

static void open_file(struct servicelog *s) {
	struct stat st;
	s->file = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	s->bytes = s->file >= 0 && fstat(s->file, &st) == 0 ? st.st_size : 0;
}

static void rotate(struct servicelog *s) {
	AUTO_BUF older = {0};
	buf_printf(&older, "%s.1", s->log_path);
	file_close(&s->file);
	(void)rename(s->log_path, older.p);
	open_file(s);
}

// A full disk costs lines of a log, never the service.
static void put(struct servicelog *s, struct str text) {
	AUTO_BUF out = {0};
	clocktext_rfc3339(&out, clock_wall_ms());
	buf_char(&out, ' ');
	buf_str(&out, text);
	buf_char(&out, '\n');
	if (s->bytes + (int64_t)out.n > SERVICELOG_BYTES) rotate(s);
	if (s->file >= 0 && file_write_all(s->file, buf_view(&out), NULL)) s->bytes += (int64_t)out.n;
}

static void take(struct servicelog *s, struct str bytes) {
	while (bytes.n) {
		size_t end = str_find_char(bytes, '\n'), room = SERVICELOG_LINE - s->line.n;
		bool whole = end < bytes.n;
		if (end > room) {
			end = room;
			whole = false;
		}
		buf_str(&s->line, str_slice(bytes, 0, end));
		bytes = str_from(bytes, end + (whole ? 1 : 0));
		if (!whole && s->line.n < SERVICELOG_LINE) return;
		put(s, buf_view(&s->line));
		buf_reset(&s->line);
	}
}

static bool copy_some(struct servicelog *s) {
	char bytes[64 * 1024];
	ssize_t n = read(s->pipe, bytes, sizeof bytes);
	if (n > 0) take(s, (struct str){bytes, (size_t)n});
	return n > 0;
}

static void on_readable(void *context) {
	(void)copy_some(context);
}

bool servicelog_open(struct loop *l, const char *pipe_path, const char *log_path, uid_t owner,
                     struct servicelog **out, struct err *e) {
	if (mkfifo(pipe_path, 0600) && errno != EEXIST)
		return err_set(e, ERR_IO, "cannot make the pipe %s: %s", pipe_path, strerror(errno));
	if (owner && chown(pipe_path, owner, owner))
		return err_set(e, ERR_IO, "cannot give away %s: %s", pipe_path, strerror(errno));
	int pipe = open(pipe_path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (pipe < 0) return err_set(e, ERR_IO, "cannot open %s: %s", pipe_path, strerror(errno));
	(void)fcntl(pipe, F_SETPIPE_SZ, 1 << 20); // room for what is said while no supervisor reads
	struct servicelog *s = calloc(1, sizeof *s);
	if (!s) abort();
	s->pipe_path = copy(pipe_path);
	s->log_path = copy(log_path);
	s->pipe = pipe;
	open_file(s);
	s->watch = loop_watch(l, pipe, true, false, on_readable, s);
	*out = s;
	return true;
}

int servicelog_writer(const struct servicelog *s) {
	return open(s->pipe_path, O_RDWR | O_CLOEXEC);
}

void servicelog_line(struct servicelog *s, const char *format, ...) {
	AUTO_BUF text = {0};
	va_list args;
	va_start(args, format);
	buf_cstr(&text, "[weir] ");
	buf_vprintf(&text, format, args);
	va_end(args);
	put(s, buf_view(&text));
}

void servicelog_close(struct servicelog *s) {
	if (!s) return;
	for (int round = 0; round < FLUSH_ROUNDS && copy_some(s); round++) {}
	if (s->line.n) put(s, buf_view(&s->line));
	(void)unlink(s->pipe_path);
	loop_unwatch(s->watch);
	file_close(&s->pipe);
	file_close(&s->file);
	buf_free(&s->line);
	free(s->pipe_path);
	free(s->log_path);
	free(s);
}

static void read_end(const char *path, struct buf *out) {
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st)) return;
	if (st.st_size > TAIL_BYTES) (void)lseek(fd, -TAIL_BYTES, SEEK_END);
	(void)!file_read_fd(fd, TAIL_BYTES, out, NULL);
}

void servicelog_tail(const char *log_path, size_t lines, struct buf *out) {
	AUTO_BUF older = {0};
	AUTO_BUF text = {0};
	buf_printf(&older, "%s.1", log_path);
	read_end(older.p, &text);
	read_end(log_path, &text);
	size_t start = text.n, found = 0;
	while (start > 0) {
		if (text.p[start - 1] == '\n' && start < text.n && ++found == lines) break;
		if (text.n - start >= TAIL_BYTES) break;
		start--;
	}
	buf_str(out, str_from(buf_view(&text), start));
}

struct aged {
	struct str path;
	struct timespec written;
};

static int newest_first(const void *a, const void *b) {
	const struct timespec *x = &((const struct aged *)a)->written,
						  *y = &((const struct aged *)b)->written;
	if (x->tv_sec != y->tv_sec) return x->tv_sec < y->tv_sec ? 1 : -1;
	return (x->tv_nsec < y->tv_nsec) - (x->tv_nsec > y->tv_nsec);
}

void servicelog_tidy(const char *folder, size_t most,
                     bool (*in_use)(const void *context, struct str name), const void *context) {
	AUTO_ARENA life = {0};
	struct str *names;
	size_t all, n = 0;
	if (!file_list(folder, &life, &names, &all, NULL) || all <= most) return;
	struct aged *logs = ARENA_ARRAY(&life, struct aged, all);
	for (size_t i = 0; i < all; i++) {
		struct str path = arena_printf(&life, "%s/" STR_FMT, folder, STR_ARG(names[i]));
		struct stat st;
		if (in_use(context, names[i]) || lstat(path.p, &st) || !S_ISREG(st.st_mode)) continue;
		logs[n++] = (struct aged){path, st.st_mtim};
	}
	qsort(logs, n, sizeof *logs, newest_first);
	for (size_t i = most; i < n; i++) unlink(logs[i].path.p);
}
