#include "exec/leader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clocktext.h"
#include "exec/collect.h"
#include "exec/leave.h"
#include "exec/net.h"
#include "exec/outcome.h"
#include "exec/pump.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum { SPEC_MAX = 16 << 20, SECRETS_MAX = 8 << 20, SHELL_SIGNAL = 128, SIGNALS = 64 };

struct leader {
	struct arena life;
	const char *folder; // absolute
	struct exec_spec spec;
	struct exec_secret *secrets;
	const struct mask *mask;
	struct runlog *log;
	struct control control;
	struct cgroup group;
	struct stage stage;
	struct sandbox sandbox;
	int signals;
	int64_t begun_us; // when the layers were known
	int64_t mark_us;  // when the last phase ended
	bool abandoned;
	struct exec_outcome outcome;
};

static const char *path_of(struct leader *l, const char *name) {
	return arena_printf(&l->life, "%s/%s", l->folder, name).p;
}

static void conclude(struct leader *l, enum exec_end end, const char *code, struct str text) {
	l->outcome.end = end;
	l->outcome.reason_code = arena_str(&l->life, str_of(code));
	l->outcome.reason_text = arena_str(&l->life, text);
}

// Microseconds since the last phase ended.
static int64_t lap(struct leader *l) {
	int64_t now = clock_mono_us(), spent = now - l->mark_us;
	l->mark_us = now;
	return spent;
}

// ---------------------------------------------------------------- before the job

// Not durable: if the machine goes down, the run has not happened.
static bool put_plain(const char *path, struct str text, struct err *e) {
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, file_write_code(errno), "cannot create %s: %s", path, strerror(errno));
	return file_write_all(fd, text, e);
}

static bool put_pid(struct leader *l, struct err *e) {
	uint64_t ticks;
	char boot[37], text[96];
	if (!process_start_ticks(getpid(), &ticks, e)) return false;
	clock_boot_id(boot);
	snprintf(text, sizeof text, "%d %llu %s\n", (int)getpid(), (unsigned long long)ticks, boot);
	return put_plain(path_of(l, "pid"), str_of(text), e);
}

static bool read_secrets(struct leader *l, int fd, struct err *e) {
	AUTO_BUF bytes = {0};
	size_t n = l->spec.secrets.n, at = 0;
	if (n == 0) return true;
	if (n > MASK_SECRETS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d secrets", MASK_SECRETS_MAX);
	if (fd < 0) return err_set(e, ERR_INVALID, "the values of the secrets were not given");
	if (!file_read_fd(fd, SECRETS_MAX, &bytes, e)) return false;
	struct str *values = ARENA_ARRAY(&l->life, struct str, n);
	l->secrets = ARENA_ARRAY(&l->life, struct exec_secret, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t length;
		if (bytes.n - at < sizeof length)
			return err_set(e, ERR_INVALID, "a secret's value is missing");
		memcpy(&length, bytes.p + at, sizeof length);
		at += sizeof length;
		if (bytes.n - at < length) return err_set(e, ERR_INVALID, "a secret's value is cut off");
		values[i] = arena_str(&l->life, (struct str){bytes.p + at, length});
		at += length;
		l->secrets[i] = (struct exec_secret){l->spec.secrets.p[i], values[i]};
		if (!mask_check(values[i], e))
			return err_context(e, "secret " STR_FMT, STR_ARG(l->secrets[i].name));
	}
	l->mask = mask_new(values, n, &l->life);
	return true;
}

static bool prepare(struct leader *l, int secrets_fd, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_BUF own = {0};
	AUTO_BUF listed = {0};
	if (!put_pid(l, e)) return false;
	if (!file_read(path_of(l, "spec.json"), SPEC_MAX, &text, e)) return false;
	if (!spec_parse(buf_view(&text), &l->life, &l->spec, e)) return err_context(e, "spec.json");
	struct runlog_limits log = {(uint64_t)l->spec.log_bytes, (uint64_t)l->spec.log_line_bytes};
	if (!runlog_create(path_of(l, "log"), log, &l->log, e)) return false;
	if (!read_secrets(l, secrets_fd, e)) return false;
	AUTO_FD folder = open(l->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || !control_open(folder, &l->control, e)) return false;
	struct cgroup_limits limits = {l->spec.memory_bytes, l->spec.cpu_milli, l->spec.pids};
	if (file_read("/proc/self/cgroup", 65536, &own, NULL))
		l->group = cgroup_create("/sys/fs/cgroup", buf_view(&own), l->spec.id, limits, &l->life);
	l->outcome.cgroup = str_of(cgroup_kind_name(l->group.kind));
	l->outcome.memory_limit_bytes = l->spec.memory_bytes; // without a cgroup: of each process apart
	l->outcome.pids_limit = l->spec.pids;
	l->outcome.cpu_limit_milli = l->group.enforced.cpu_milli;
	cgroup_list(&l->group, &listed);
	return put_plain(path_of(l, "cgroup"), buf_view(&listed), e);
}

// weir-inner lies beside this program.
static const char *inner_path(struct leader *l, struct err *e) {
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	struct str path = {self, n > 0 && n < (ssize_t)sizeof self ? (size_t)n : 0};
	while (path.n && path.p[path.n - 1] != '/') path.n--;
	const char *inner = arena_printf(&l->life, STR_FMT "weir-inner", STR_ARG(path)).p;
	if (file_exists(inner)) return inner;
	err_set(e, ERR_NOT_FOUND, "%s is not installed", inner);
	return NULL;
}

static bool enough_space(struct leader *l, struct err *e) {
	uint64_t free_bytes, total;
	if (!file_space(l->folder, &free_bytes, &total, e)) return false;
	if (free_bytes >= total / 20) return true;
	return err_set(e, ERR_NO_ROOM, "less than 5 %% of the disk is free; no job starts");
}

static bool failed_to_begin(struct leader *l, struct err *e) {
	char said[400];
	ssize_t n = read(l->sandbox.err, said, sizeof said);
	struct str why = str_trim((struct str){said, n > 0 ? (size_t)n : 0});
	return err_set(e, ERR_IO, "the sandbox ended before it began%s" STR_FMT, why.n ? ": " : "",
	               STR_ARG(why));
}

static bool start_sandbox(struct leader *l, struct err *e) {
	if (!sandbox_start(&l->spec, l->secrets, &l->stage, &l->group, &l->sandbox, e)) return false;
	if (!l->spec.network) return true;
	pid_t child = sandbox_child(&l->sandbox), slirp;
	if (!child) return true; // bubblewrap failed, and says why on its stderr
	if (!net_start(child, &slirp, e)) return false;
	bool ok = write(l->sandbox.go, "g", 1) == 1;
	file_close(&l->sandbox.go);
	return ok || failed_to_begin(l, e);
}

// Blocks until the layers are told on standard input. False without an error: nobody will.
static bool wait_for_layers(struct leader *l, struct err *e) {
	AUTO_BUF json = {0};
	if (!l->spec.layers_follow) return true;
	if (!file_read_fd(STDIN_FILENO, SPEC_MAX, &json, e)) return false;
	l->abandoned = json.n == 0;
	if (l->abandoned) return false;
	l->begun_us = l->mark_us = clock_mono_us();
	l->outcome.started_ms = clock_wall_ms();
	return spec_layers_parse(buf_view(&json), &l->life, &l->spec, e);
}

// The sandbox comes up while somebody makes the layers, and while they are mounted.
static bool start(struct leader *l, const char *inner, struct err *e) {
	bool ok = stage_enter(&l->spec, l->folder, inner, &l->life, &l->stage, e) &&
	          start_sandbox(l, e) && wait_for_layers(l, e) &&
	          stage_mount_work(&l->spec, l->folder, &l->stage, e);
	l->outcome.phases_us.overlay = lap(l);
	if (ok) sandbox_go(&l->sandbox);
	return ok;
}

// ---------------------------------------------------------------- the verdict

static void fill_use(struct leader *l) {
	struct exec_outcome *o = &l->outcome;
	struct cgroup_use use = cgroup_read(&l->group);
	struct rusage all = {0};
	getrusage(RUSAGE_CHILDREN, &all);
	o->memory_peak_bytes = use.memory_peak_bytes >= 0 ? use.memory_peak_bytes
	                                                  : (int64_t)all.ru_maxrss * 1024;
	o->cpu_ms = use.cpu_us >= 0 ? use.cpu_us / 1000
	                            : (all.ru_utime.tv_sec + all.ru_stime.tv_sec) * 1000 +
	                                  (all.ru_utime.tv_usec + all.ru_stime.tv_usec) / 1000;
	o->hit_memory = use.oom_kills > 0;
	o->hit_pids = use.pids_refused > 0;
}

static void judge_exit(struct leader *l, int status) {
	struct exec_outcome *o = &l->outcome;
	if (!WIFEXITED(status)) {
		if (o->hit_memory) conclude(l, EXEC_KILLED, "oom", STR("the job ran out of its memory"));
		else conclude(l, EXEC_ERROR, "sandbox", STR("the sandbox was killed from outside"));
		return;
	}
	o->exit_code = WEXITSTATUS(status);
	if (o->exit_code > SHELL_SIGNAL && o->exit_code <= SHELL_SIGNAL + SIGNALS)
		o->signal = o->exit_code - SHELL_SIGNAL;
	o->hit_disk = o->signal == SIGXFSZ;
	struct str text = arena_printf(&l->life, "the job exited with status %d", (int)o->exit_code);
	if (o->signal)
		text = arena_printf(&l->life, "the job was ended by signal %d (%s)", (int)o->signal,
		                    strsignal((int)o->signal));
	if (o->exit_code == 0) conclude(l, EXEC_PASSED, "", STR_NONE);
	else if (o->hit_memory) conclude(l, EXEC_KILLED, "oom", STR("the job ran out of its memory"));
	else if (o->hit_disk) conclude(l, EXEC_KILLED, "disk", STR("the job wrote too large a file"));
	else if (o->hit_pids)
		conclude(l, EXEC_KILLED, "pids", STR("the job started too many processes"));
	else conclude(l, EXEC_FAILED, o->signal ? "signal" : "exit", text);
}

static void judge_start(struct leader *l, struct pump *p) {
	struct str said = str_trim(buf_view(&p->answer));
	if (said.n && said.p[0] == 'E') said = str_from(said, 1);
	if (str_starts(said, STR("working directory"))) {
		conclude(l, EXEC_FAILED, "working-directory", said);
		return;
	}
	if (!said.n) said = str_trim(buf_view(&p->early));
	if (!said.n) said = STR("it ended before the job began");
	conclude(l, EXEC_ERROR, "sandbox",
	         arena_printf(&l->life, "the sandbox did not start: " STR_FMT, STR_ARG(said)));
}

static void judge(struct leader *l, struct pump *p) {
	AUTO_BUF limit = {0};
	clocktext_duration_text(&limit, l->spec.timeout_ms);
	switch (p->stop) {
	case PUMP_TIMEOUT:
		conclude(l, EXEC_TIMEOUT, "timeout",
		         arena_printf(&l->life, "the job did not end within %s", limit.p));
		return;
	case PUMP_CANCELLED:
		conclude(l, EXEC_CANCELLED, "cancelled", STR("the run was cancelled"));
		return;
	case PUMP_DISK:
		l->outcome.hit_disk = true;
		conclude(l, EXEC_KILLED, "disk",
		         arena_printf(&l->life, "the job wrote more than %lld bytes",
		                      (long long)l->spec.disk_bytes));
		return;
	case PUMP_FILLED:
		l->outcome.hit_disk = true;
		conclude(l, EXEC_KILLED, "disk",
		         arena_printf(&l->life,
		                      "the job wrote %lld bytes, and less than 5 %% of the disk is free",
		                      (long long)p->disk_bytes));
		return;
	case PUMP_RESERVE:
		conclude(l, EXEC_ERROR, "no-space",
		         STR("less than 5 % of the disk is free; the job was stopped"));
		return;
	case PUMP_ENDED:
		if (!p->running_us || p->answer.n) judge_start(l, p);
		else judge_exit(l, p->status);
		return;
	}
}

// A server that died gave the job errors which were not its own.
static void end_trace(struct leader *l) {
	struct err e = {0};
	l->outcome.traced = l->stage.trace.pid > 0;
	l->outcome.untraced = str_of(l->stage.untraced);
	if (trace_end(&l->stage.trace, &e)) return;
	l->outcome.traced = false;
	l->outcome.untraced = arena_str(&l->life, str_of(e.text));
	unlink(path_of(l, TRACE_RECORD));
	if (e.code == ERR_LIMIT) return;
	conclude(l, EXEC_ERROR, e.code == ERR_NO_ROOM ? "no-space" : "trace", l->outcome.untraced);
}

static void run_job(struct leader *l, struct err *e) {
	struct pump p = {.spec = &l->spec,
	                 .upper = path_of(l, "upper"),
	                 .sandbox = &l->sandbox,
	                 .group = &l->group,
	                 .control = &l->control,
	                 .mask = l->mask,
	                 .log = l->log,
	                 .signals = l->signals,
	                 .status = -1};
	const char *inner = inner_path(l, e);
	if (!inner || !enough_space(l, e) || !start(l, inner, e)) {
		(void)pump_kill_children(&l->group, 0, l->stage.trace.pid);
		if (e->code == ERR_CONFLICT) conclude(l, EXEC_FAILED, "cache", str_of(e->text));
		else
			conclude(l, EXEC_ERROR, e->code == ERR_NO_ROOM ? "no-space" : "workspace",
			         str_of(e->text));
		end_trace(l);
		return;
	}
	p.server = l->stage.trace.pid;
	p.started_us = l->begun_us; // the time of the layers is not the job's
	pump_run(&p);
	int64_t running = p.running_us ? p.running_us : clock_mono_us();
	l->outcome.phases_us.sandbox = running - l->mark_us;
	l->mark_us = running;
	l->outcome.phases_us.run = lap(l);
	l->outcome.landlock = p.landlock;
	l->outcome.secrets_masked = (int64_t)p.masked;
	fill_use(l);
	judge(l, &p);
	struct leave leave = {.spec = &l->spec,
	                      .run = l->folder,
	                      .work = l->stage.work,
	                      .mask = l->mask,
	                      .life = &l->life,
	                      .outcome = &l->outcome};
	if (p.running_us) leave_collect(&leave);
	end_trace(l);
	l->outcome.phases_us.collect = lap(l);
	buf_free(&p.answer);
	buf_free(&p.early);
}

// ---------------------------------------------------------------- the whole

static void close_log(struct leader *l) {
	struct runlog_totals totals = {0};
	struct err e = {0};
	int64_t ms = (clock_mono_us() - l->begun_us) / 1000;
	if (!l->log) return;
	runlog_end_lines(l->log, ms);
	if (l->outcome.end != EXEC_PASSED) {
		runlog_add(l->log, RUNLOG_WEIR, l->outcome.reason_text, ms);
		runlog_add(l->log, RUNLOG_WEIR, STR("\n"), ms);
	}
	if (!runlog_close(l->log, ms, &totals, &e) && l->outcome.end == EXEC_PASSED)
		conclude(l, EXEC_ERROR, "log", str_of(e.text));
	l->outcome.log_bytes = (int64_t)totals.file_bytes;
	l->outcome.log_text_bytes = (int64_t)totals.text_bytes;
	l->outcome.log_dropped_bytes = (int64_t)totals.dropped_bytes;
}

static int catch_signals(void) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Taking down a mount namespace takes 10 ms, and the end of its last process waits for it. A child
// that ends right after us is that process, so whoever waits for the leader goes on at once.
static void leave_namespaces(void) {
	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC)) return;
	if (fork() == 0) {
		(void)dup2(ends[0], STDIN_FILENO);
		(void)syscall(SYS_close_range, 1u, ~0u, 0u);
		(void)!read(STDIN_FILENO, &byte, 1); // ends with the leader
		_exit(0);
	}
}

int leader_run(const char *folder, int lock_fd, int secrets_fd) {
	struct leader l = {.control = {.listener = -1}};
	struct err e = {0};
	AUTO_BUF text = {0};
	char full[PATH_MAX];
	if (lock_fd >= 0) fcntl(lock_fd, F_SETFD, FD_CLOEXEC);
	if (secrets_fd >= 0) fcntl(secrets_fd, F_SETFD, FD_CLOEXEC);
	if (!realpath(folder, full)) return 2;
	l.folder = full;
	l.begun_us = l.mark_us = clock_mono_us();
	l.outcome.started_ms = clock_wall_ms();
	l.outcome.exit_code = -1;
	l.outcome.cgroup = STR("none");
	umask(022);
	const struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none); // its memory holds secrets
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	l.signals = catch_signals();
	bool ok = prepare(&l, secrets_fd, &e);
	l.outcome.phases_us.prepare = lap(&l);
	if (ok) run_job(&l, &e);
	else conclude(&l, EXEC_ERROR, "spec", str_of(e.text));
	close_log(&l);
	l.outcome.duration_ms = (clock_mono_us() - l.begun_us) / 1000;
	outcome_json(&l.outcome, &text);
	buf_char(&text, '\n');
	// A power cut may take it: then the run is lost, and done again.
	ok = l.abandoned || file_replace(path_of(&l, "outcome.json"), buf_view(&text), 0600, &e);
	bool gone = cgroup_remove(&l.group); // else its name in the folder tells the next one to look
	if (l.abandoned && gone) ok = file_remove_tree(l.folder, &e);
	arena_free(&l.life);
	file_close(&lock_fd); // nothing of the run lives any more
	leave_namespaces();
	return ok ? 0 : 1;
}
