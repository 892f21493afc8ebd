#include "deploy/children.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

struct child {
	struct child *next;
	struct children *all;
	struct child_id id;
	child_fn *on_end; // NULL = forgotten, kept until reaped
	void *context;
	int pidfd; // -1 unless adopted
	struct loop_watch *watch;
};

struct children {
	struct loop *loop;
	struct child *first;
};

static void remove_child(struct child *c) {
	struct child **at = &c->all->first;
	while (*at != c) at = &(*at)->next;
	*at = c->next;
	loop_unwatch(c->watch);
	file_close(&c->pidfd);
	free(c);
}

static void ended(struct child *c, struct child_end end) {
	child_fn *fn = c->on_end;
	void *context = c->context;
	remove_child(c);
	if (fn) fn(context, end);
}

// The only place that reaps, so no status is lost to somebody else.
static void on_sigchld(void *context) {
	struct children *all = context;
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct child *c = all->first;
		while (c && (c->id.pid != pid || c->pidfd >= 0)) c = c->next;
		if (!c) continue;
		bool by_signal = WIFSIGNALED(status);
		ended(c, (struct child_end){true, by_signal,
		                            by_signal ? WTERMSIG(status) : WEXITSTATUS(status)});
	}
}

static void on_pidfd(void *context) {
	ended(context, (struct child_end){false, false, 0});
}

struct children *children_new(struct loop *l) {
	struct children *all = calloc(1, sizeof *all);
	if (!all) abort();
	all->loop = l;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	loop_on_signal(l, SIGCHLD, on_sigchld, all);
	return all;
}

static struct child *add(struct children *all, struct child_id id, child_fn *on_end,
                         void *context) {
	struct child *c = calloc(1, sizeof *c);
	if (!c) abort();
	*c = (struct child){all->first, all, id, on_end, context, -1, NULL};
	all->first = c;
	return c;
}

struct child *children_own(struct children *all, pid_t pid, child_fn *on_end, void *context) {
	struct child_id id = {pid, 0};
	(void)!process_start_ticks(pid, &id.ticks, NULL); // a child not yet reaped keeps its entry
	return add(all, id, on_end, context);
}

struct child *children_adopt(struct children *all, struct child_id id, child_fn *on_end,
                             void *context) {
	uint64_t ticks;
	if (id.pid <= 0) return NULL;
	int pidfd = process_pidfd(id.pid); // first: what it names can not change any more
	struct pollfd ended_already = {.fd = pidfd, .events = POLLIN};
	if (pidfd < 0 || !process_start_ticks(id.pid, &ticks, NULL) || ticks != id.ticks ||
	    poll(&ended_already, 1, 0) != 0) {
		file_close(&pidfd);
		return NULL;
	}
	struct child *c = add(all, id, on_end, context);
	c->pidfd = pidfd;
	c->watch = loop_watch(all->loop, c->pidfd, true, false, on_pidfd, c);
	return c;
}

struct child_id child_id(const struct child *c) {
	return c ? c->id : (struct child_id){0, 0};
}

void child_signal(const struct child *c, int signal) {
	if (!c) return;
	struct pollfd over = {.fd = c->pidfd, .events = POLLIN};
	if (c->pidfd >= 0 && poll(&over, 1, 0) != 0) return; // its number may be somebody else's by now
	if (getpgid(c->id.pid) == c->id.pid) kill(-c->id.pid, signal);
	else kill(c->id.pid, signal);
}

void child_forget(struct child *c) {
	if (!c) return;
	if (c->pidfd >= 0) remove_child(c);
	else c->on_end = NULL;
}

void child_end_text(struct child_end end, struct buf *out) {
	if (!end.known) buf_cstr(out, "ended");
	else if (end.by_signal)
		buf_printf(out, "was ended by signal %d (%s)", end.code, strsignal(end.code));
	else buf_printf(out, "exited with status %d", end.code);
}

void child_id_json(struct jsonw *w, struct child_id id) {
	jsonw_object(w);
	jsonw_key_i(w, "pid", id.pid);
	jsonw_key_i(w, "ticks", (int64_t)id.ticks);
	char boot[37];
	clock_boot_id(boot); // both numbers begin again with each boot
	jsonw_key_z(w, "boot", boot);
	jsonw_object_end(w);
}

struct child_id child_id_from_json(const struct json *v) {
	char boot[37];
	clock_boot_id(boot);
	if (!str_eq(json_get_str(v, "boot"), str_of(boot))) return (struct child_id){0, 0};
	return (struct child_id){(pid_t)json_get_int(v, "pid", 0),
	                         (uint64_t)json_get_int(v, "ticks", 0)};
}
