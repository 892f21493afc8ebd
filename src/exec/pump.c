#include "exec/pump.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "exec/disk.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum {
	BLOCK = 1 << 18,
	PARTIAL_MS = 200,    // a line without end is shown after this time
	WATCH_MS = 250,      // disk: at least so long between two looks,
	WATCH_SHARE = 20,    // and at most a twentieth of the time spent looking
	RESERVE_PERCENT = 5, // of the file system
	EARLY_MAX = 2000,
};

enum { OUT, ERR, REPORT, CHILD, SIGNALS, LISTENER, CLIENTS, FDS = CLIENTS + CONTROL_CLIENTS };

struct flow {
	struct pump *p;
	struct mask_stream streams[2];
	struct buf block, masked;
	int64_t next_watch_us, partial_us; // partial: when it has to be shown, 0 = nothing to show
	int64_t deadline_us;
	bool stopped;
};

static int64_t log_ms(const struct pump *p) {
	return (clock_mono_us() - p->started_us) / 1000;
}

// ---------------------------------------------------------------- output

static void log_bytes(struct flow *f, int which, struct str bytes, bool last) {
	struct pump *p = f->p;
	buf_reset(&f->masked);
	mask_feed(&f->streams[which], bytes, &f->masked);
	if (last) mask_end(&f->streams[which], &f->masked);
	runlog_add(p->log, which ? RUNLOG_ERR : RUNLOG_OUT, buf_view(&f->masked), log_ms(p));
	if (which && !p->running_us && p->early.n < EARLY_MAX) buf_str(&p->early, buf_view(&f->masked));
}

// One block at most; false: the pipe is closed.
static bool take_output(struct flow *f, int which, int fd) {
	ssize_t n = read(fd, f->block.p, BLOCK);
	if (n < 0) return errno == EAGAIN || errno == EINTR;
	log_bytes(f, which, (struct str){f->block.p, (size_t)n}, n == 0);
	return n > 0;
}

static void take_report(struct pump *p) {
	char text[600];
	ssize_t n = read(p->sandbox->report, text, sizeof text);
	if (n < 0) return;
	if (n == 0) {
		file_close(&p->sandbox->report);
		return;
	}
	struct str bytes = {text, (size_t)n};
	if (!p->running_us && bytes.n >= 2 && bytes.p[0] == 'S') {
		p->running_us = clock_mono_us();
		p->landlock = bytes.p[1] - '0';
		bytes = str_from(bytes, 2);
	}
	buf_str(&p->answer, bytes);
}

// ---------------------------------------------------------------- limits

static void stop(struct flow *f, enum pump_stop why) {
	if (f->stopped) return;
	f->stopped = true;
	f->p->stop = why;
}

static void watch_disk(struct flow *f, int64_t now) {
	uint64_t free_bytes, total;
	if (now < f->next_watch_us) return;
	int64_t used = disk_used(f->p->upper);
	if (used > f->p->spec->disk_bytes) stop(f, PUMP_DISK);
	if (file_space(f->p->upper, &free_bytes, &total, NULL) &&
	    free_bytes < total / 100 * RESERVE_PERCENT)
		stop(f, (uint64_t)used >= total / 100 * RESERVE_PERCENT ? PUMP_FILLED : PUMP_RESERVE);
	if (f->stopped) f->p->disk_bytes = used;
	int64_t spent = clock_mono_us() - now, pause = spent * WATCH_SHARE,
			least = WATCH_MS * INT64_C(1000);
	f->next_watch_us = now + (pause > least ? pause : least);
}

// What failed between two looks on a disk that is full did so perhaps because of that.
static void look_last(struct flow *f) {
	struct pump *p = f->p;
	if (p->stop != PUMP_ENDED || !WIFEXITED(p->status) || !WEXITSTATUS(p->status)) return;
	f->stopped = false;
	f->next_watch_us = 0;
	watch_disk(f, clock_mono_us());
}

static int wait_ms(const struct flow *f, int64_t now) {
	int64_t until = f->deadline_us < f->next_watch_us ? f->deadline_us : f->next_watch_us;
	if (f->partial_us && f->partial_us < until) until = f->partial_us;
	return until <= now ? 0 : (int)((until - now) / 1000) + 1;
}

// ---------------------------------------------------------------- control

static void answer_client(struct flow *f, size_t client) {
	struct str line;
	struct control *c = f->p->control;
	if (!control_read(c, client, &line)) return;
	if (str_eq(line, STR("cancel"))) {
		stop(f, PUMP_CANCELLED);
		control_reply(c, client, STR("{\"ok\":true}\n"));
		return;
	}
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	jsonw_object(&w);
	if (str_eq(line, STR("status"))) {
		jsonw_key_i(&w, "elapsed_ms", log_ms(f->p));
		jsonw_key_z(&w, "state", f->p->running_us ? "running" : "starting");
	} else {
		jsonw_key_z(&w, "error", "the words are: cancel, status");
	}
	jsonw_object_end(&w);
	buf_char(&text, '\n');
	control_reply(c, client, buf_view(&text));
}

static void handle(struct flow *f, struct pollfd *fds) {
	struct pump *p = f->p;
	struct sandbox *s = p->sandbox;
	// The report before the output: what comes on stderr before it is not the job's.
	if (fds[REPORT].revents) take_report(p);
	if (fds[OUT].revents && !take_output(f, 0, s->out)) file_close(&s->out);
	if (fds[ERR].revents && !take_output(f, 1, s->err)) file_close(&s->err);
	if (fds[SIGNALS].revents) {
		struct signalfd_siginfo info;
		if (read(p->signals, &info, sizeof info) == (ssize_t)sizeof info) stop(f, PUMP_CANCELLED);
	}
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		if (fds[CLIENTS + i].revents) answer_client(f, i);
	if (fds[LISTENER].revents) control_accept(p->control);
}

static void set_fds(const struct pump *p, int child, struct pollfd *fds) {
	fds[OUT] = (struct pollfd){p->sandbox->out, POLLIN, 0};
	fds[ERR] = (struct pollfd){p->sandbox->err, POLLIN, 0};
	fds[REPORT] = (struct pollfd){p->sandbox->report, POLLIN, 0};
	fds[CHILD] = (struct pollfd){child, POLLIN, 0};
	fds[SIGNALS] = (struct pollfd){p->signals, POLLIN, 0};
	fds[LISTENER] = (struct pollfd){p->control->listener, POLLIN, 0};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		int fd = p->control->clients[i].fd;
		fds[CLIENTS + i] = (struct pollfd){fd ? fd : -1, POLLIN, 0};
	}
}

static void show(struct flow *f, int64_t now) {
	bool due = f->partial_us && now >= f->partial_us;
	runlog_flush(f->p->log, due, log_ms(f->p));
	if (!runlog_has_partial(f->p->log)) f->partial_us = 0;
	else if (!f->partial_us) f->partial_us = now + PARTIAL_MS * INT64_C(1000);
}

static void flow(struct flow *f) {
	struct pump *p = f->p;
	AUTO_FD child = process_pidfd(p->sandbox->pid);
	struct pollfd fds[FDS];
	while (!f->stopped) {
		int64_t now = clock_mono_us();
		set_fds(p, child, fds);
		if (poll(fds, FDS, wait_ms(f, now)) < 0 && errno != EINTR) break;
		handle(f, fds);
		now = clock_mono_us();
		show(f, now);
		watch_disk(f, now);
		if (now >= f->deadline_us) stop(f, PUMP_TIMEOUT);
		if (fds[CHILD].revents) stop(f, PUMP_ENDED);
	}
}

// ---------------------------------------------------------------- the end

static void kill_listed(struct str pids, pid_t spared) {
	while (pids.p) {
		int64_t pid;
		if (str_to_i64(str_cut(&pids, ' '), &pid) && pid > 1 && pid != spared)
			kill((pid_t)pid, SIGKILL);
	}
}

// The end of the sandbox's first process ends every process of its pid namespace; it is our child,
// or becomes it when bubblewrap dies first. So when no child is left nothing of the job lives, with
// or without cgroups.
int pump_kill_children(const struct cgroup *group, pid_t wanted, pid_t spared) {
	char path[64];
	int found = -1;
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	for (;;) {
		int status;
		AUTO_BUF pids = {0};
		cgroup_kill(group);
		if (file_read(path, 1 << 16, &pids, NULL)) kill_listed(buf_view(&pids), spared);
		// Who becomes our child later does so by the death of one that is killed now.
		pid_t pid = waitpid(-1, &status, 0);
		if (pid == wanted) found = status;
		if (pid < 0 && errno == ECHILD) return found;
	}
}

void pump_run(struct pump *p) {
	int64_t now = clock_mono_us();
	struct flow f = {.p = p,
	                 .streams = {{.mask = p->mask}, {.mask = p->mask}},
	                 .next_watch_us = now + WATCH_MS * INT64_C(1000),
	                 .deadline_us = now + p->spec->timeout_ms * 1000};
	buf_grow(&f.block, BLOCK);
	flow(&f);
	p->status = pump_kill_children(p->group, p->sandbox->pid, p->server);
	if (p->sandbox->report >= 0) take_report(p);
	while (p->sandbox->out >= 0)
		if (!take_output(&f, 0, p->sandbox->out)) file_close(&p->sandbox->out);
	while (p->sandbox->err >= 0)
		if (!take_output(&f, 1, p->sandbox->err)) file_close(&p->sandbox->err);
	look_last(&f);
	p->masked = f.streams[0].hits + f.streams[1].hits;
	buf_free(&f.block);
	buf_free(&f.masked);
}
