#include "git/plumb.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum {
	IDLE_MOST = 3,
	USES_MOST = 2000, // merge-tree keeps every commit it parsed
	ANSWER_WITHIN_MS = 300000,
	LINE_MOST = 1 << 20,
	KEPT_BYTES = 1 << 20, // of memory, by an idle one
	READ_BYTES = 64 * 1024,
	BODY_FD = 3,
};

static void end_child(struct git_plumb *p) {
	struct process_status status;
	struct err e;
	file_close(&p->to);
	file_close(&p->from);
	if (p->pid > 0) {
		// A healthy child ends at the end of its input; a broken one may be stuck.
		if (p->broken) kill(p->pid, SIGKILL);
		(void)!process_wait(p->pid, 2000, &status, &e);
	}
	file_close(&p->errors);
	file_close(&p->body);
	buf_free(&p->in);
	free(p);
}

static const char *const *argv_of(enum git_plumb_kind kind) {
	static const char *const read_argv[] = {"git", "cat-file", "--batch-command", NULL};
	static const char *const merge_argv[] = {"stdbuf", "-o0", "git", "merge-tree", "--stdin", NULL};
	static const char *const write_argv[] = {"git",          "hash-object",   "-t", "commit", "-w",
	                                         "--no-filters", "--stdin-paths", NULL};
	static const char *const branches_argv[] = {"git", "update-ref", "--stdin", NULL};
	static const char *const own_argv[] = {"git",        "-c",      "core.hooksPath=/dev/null",
	                                       "update-ref", "--stdin", NULL};
	switch (kind) {
	case GIT_PLUMB_READ: return read_argv;
	case GIT_PLUMB_MERGE: return merge_argv;
	case GIT_PLUMB_WRITE: return write_argv;
	case GIT_PLUMB_BRANCHES: return branches_argv;
	case GIT_PLUMB_OWN_REFS: return own_argv;
	}
	abort();
}

static struct git_plumb *start(struct git_repo *r, enum git_plumb_kind kind, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct git_child_env env;
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	struct git_plumb *p = calloc(1, sizeof *p);
	if (!p) abort();
	*p = (struct git_plumb){.repo = r, .kind = kind, .to = -1, .from = -1, .body = -1};
	p->errors = memfd_create("git-errors", MFD_CLOEXEC);
	if (kind == GIT_PLUMB_WRITE) p->body = memfd_create("git-object", MFD_CLOEXEC);
	// A socket and not a pipe towards the child: writing to a dead one is an error, not a signal.
	if (p->errors < 0 || (kind == GIT_PLUMB_WRITE && p->body < 0) || pipe2(out, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in)) {
		err_set(e, ERR_IO, "cannot talk to git: %s", strerror(errno));
		file_close(&out[0]);
		file_close(&out[1]);
		end_child(p);
		return NULL;
	}
	git_child_env(&env, &scratch, r, false);
	int lock = r->home->lock;
	int pass[2] = {p->body >= 0 ? p->body : lock, lock}; // the body is descriptor BODY_FD
	size_t pass_count = (p->body >= 0) + (size_t)(lock >= 0);
	struct process_spec spec = {
		.argv = argv_of(kind),
		.env = env.list,
		.in = in[0],
		.out = out[1],
		.err = p->errors,
		.pass = pass,
		.pass_count = pass_count,
		.new_session = true,
		.die_with_parent = true,
	};
	bool ok = process_start(&spec, &p->pid, e);
	file_close(&in[0]);
	file_close(&out[1]);
	p->to = in[1];
	p->from = out[0];
	if (ok) return p;
	end_child(p);
	return NULL;
}

static bool is_alive(const struct git_plumb *p) {
	struct pollfd fd = {.fd = p->from, .events = POLLIN};
	return poll(&fd, 1, 0) == 0; // idle: neither bytes nor the end
}

bool git_plumb_take(struct git_repo *r, enum git_plumb_kind kind, struct git_plumb **out,
                    struct err *e) {
	for (;;) {
		pthread_mutex_lock(&r->lock);
		struct git_plumb *p = r->idle[kind];
		if (p) r->idle[kind] = p->next;
		unsigned generation = r->generation;
		pthread_mutex_unlock(&r->lock);
		if (!p) {
			p = start(r, kind, e);
			if (!p) return false;
			p->generation = generation;
			*out = p;
			return true;
		}
		if (is_alive(p)) {
			*out = p;
			return true;
		}
		p->broken = true;
		end_child(p);
	}
}

void git_plumb_give(struct git_plumb **given) {
	struct git_plumb *p = *given;
	if (!p) return;
	*given = NULL;
	struct git_repo *r = p->repo;
	if (p->taken != p->in.n || p->pending) p->broken = true;
	pthread_mutex_lock(&r->lock);
	size_t idle = 0;
	for (struct git_plumb *q = r->idle[p->kind]; q; q = q->next) idle++;
	bool keep = !p->broken && p->generation == r->generation && ++p->uses < USES_MOST &&
	            idle < IDLE_MOST;
	if (keep) {
		if (p->in.cap > KEPT_BYTES) buf_free(&p->in);
		buf_reset(&p->in);
		p->taken = 0;
		p->next = r->idle[p->kind];
		r->idle[p->kind] = p;
	}
	pthread_mutex_unlock(&r->lock);
	if (!keep) end_child(p);
}

void git_plumb_rest(struct git_repo *r) {
	struct git_plumb *all = NULL;
	pthread_mutex_lock(&r->lock);
	r->generation++;
	for (int kind = 0; kind < GIT_PLUMB_KINDS; kind++) {
		while (r->idle[kind]) {
			struct git_plumb *p = r->idle[kind];
			r->idle[kind] = p->next;
			p->next = all;
			all = p;
		}
	}
	pthread_mutex_unlock(&r->lock);
	while (all) {
		struct git_plumb *next = all->next;
		end_child(all);
		all = next;
	}
}

// The child is gone: what it said last explains why.
static bool gone(struct git_plumb *p, struct err *e) {
	AUTO_BUF text = {0};
	struct err ignored;
	struct process_status status = {PROCESS_SIGNALLED, 0};
	const char *const *argv = argv_of(p->kind);
	const char *verb = p->kind == GIT_PLUMB_MERGE ? argv[3] : argv[1];
	p->broken = true;
	file_close(&p->to);
	if (p->pid > 0 && process_wait(p->pid, 2000, &status, &ignored)) p->pid = 0;
	lseek(p->errors, 0, SEEK_SET);
	(void)!file_read_fd(p->errors, 1 << 20, &text, &ignored);
	struct str words = str_trim(buf_view(&text));
	for (size_t i = words.n; i > 0; i--) {
		if (words.p[i - 1] != '\n') continue;
		words = str_from(words, i);
		break;
	}
	if (str_starts(words, STR("fatal: "))) words = str_from(words, 7);
	if (words.n) return err_set(e, ERR_UNAVAILABLE, "git %s: " STR_FMT, verb, STR_ARG(words));
	return err_set(e, ERR_UNAVAILABLE, "git %s ended (%s %d)", verb,
	               status.end == PROCESS_EXITED ? "status" : "signal", status.code);
}

bool git_plumb_send(struct git_plumb *p, struct str bytes, struct err *e) {
	while (bytes.n) {
		ssize_t n = send(p->to, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return gone(p, e);
		bytes = str_from(bytes, (size_t)n);
	}
	return true;
}

// Reads once, into p->in. What was taken is dropped first.
static bool fill(struct git_plumb *p, struct err *e) {
	if (p->taken && p->in.p) {
		memmove(p->in.p, p->in.p + p->taken, p->in.n - p->taken);
		p->in.n -= p->taken;
		p->taken = 0;
	}
	struct pollfd fd = {.fd = p->from, .events = POLLIN};
	int64_t until = clock_mono_us() + ANSWER_WITHIN_MS * INT64_C(1000);
	for (;;) {
		int64_t left = (until - clock_mono_us()) / 1000;
		int ready = poll(&fd, 1, left > 0 ? (int)left : 0);
		if (ready < 0 && errno == EINTR) continue;
		if (ready <= 0) {
			p->broken = true;
			return err_set(e, ERR_TIMEOUT, "git %s took too long", argv_of(p->kind)[1]);
		}
		char *room = buf_grow(&p->in, READ_BYTES);
		ssize_t n = read(p->from, room, READ_BYTES);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) return gone(p, e);
		p->in.n += (size_t)n;
		return true;
	}
}

bool git_plumb_until(struct git_plumb *p, char end, struct str *out, struct err *e) {
	size_t seen = 0;
	for (;;) {
		const char *start = p->in.p ? p->in.p + p->taken : NULL;
		size_t have = p->in.n - p->taken;
		const char *at = start && have > seen ? memchr(start + seen, end, have - seen) : NULL;
		if (at) {
			*out = (struct str){start, (size_t)(at - start)};
			p->taken += out->n + 1;
			return true;
		}
		seen = have;
		if (have > LINE_MOST) {
			p->broken = true;
			return err_set(e, ERR_LIMIT, "git answers more than %d bytes in a line", LINE_MOST);
		}
		if (!fill(p, e)) return false;
	}
}

bool git_plumb_bytes(struct git_plumb *p, size_t n, struct str *out, struct err *e) {
	while (p->in.n - p->taken < n)
		if (!fill(p, e)) return false;
	*out = (struct str){p->in.p + p->taken, n};
	p->taken += n;
	return true;
}

bool git_plumb_skip(struct git_plumb *p, uint64_t n, struct err *e) {
	while (n) {
		size_t have = p->in.n - p->taken;
		size_t now = have < n ? have : (size_t)n;
		p->taken += now;
		n -= now;
		if (n && !fill(p, e)) return false;
	}
	return true;
}
