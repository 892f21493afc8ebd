#include "os/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { PASS_MAX = 16, FIRST_FREE = 64, READ_BYTES = 64 * 1024 };

static bool find_program(const char *name, struct buf *out) {
	if (strchr(name, '/')) {
		buf_cstr(out, name);
		return access(name, X_OK) == 0;
	}
	const char *path = getenv("PATH");
	struct str rest = str_of(path ? path : "/usr/local/bin:/usr/bin:/bin");
	while (rest.p) {
		struct str folder = str_cut(&rest, ':');
		buf_reset(out);
		buf_str(out, folder.n ? folder : STR("."));
		buf_printf(out, "/%s", name);
		if (access(out->p, X_OK) == 0) return true;
	}
	return false;
}

struct launch {
	const struct process_spec *spec;
	const char *program;
	pid_t parent;
	int given[3 + PASS_MAX], count; // what becomes descriptor 0, 1, 2, ...
	int *failed;                    // errno of the child's last step, in memory that we share
	const char *born; // the cgroup in which it is there from its first instruction, NULL = none
};

// Moving a process by cgroup.procs waits for every process of the machine that forks or ends, 10 ms
// and more. Two ways do not: in version 1 a thread that moves itself (tasks; this process has only
// one), in version 2 to be born there (launch_into).
static bool join_cgroup(const char *folder) {
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int tasks = dir < 0 ? -1 : openat(dir, "tasks", O_WRONLY | O_CLOEXEC);
	if (tasks < 0 && dir >= 0) tasks = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return tasks >= 0 && write(tasks, "0", 1) == 1;
}

// The system calls themselves: libc's versions would change every thread of the parent,
// whose memory we share.
static bool drop_to(uid_t uid, gid_t gid) {
	return syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, gid, gid, gid) == 0 &&
	       syscall(SYS_setresuid, uid, uid, uid) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

// In the child, after vfork: system calls only. The wanted descriptors are first moved out of the
// way, so that no dup2 overwrites one that is still needed. Returns errno of what failed.
static int become(const struct launch *l) {
	const struct process_spec *spec = l->spec;
	int moved[3 + PASS_MAX], count = l->count;
	for (int i = 0; i < count; i++) {
		moved[i] = fcntl(l->given[i], F_DUPFD_CLOEXEC, FIRST_FREE);
		if (moved[i] < 0) return errno;
	}
	for (int i = 0; i < count; i++)
		if (dup2(moved[i], i) < 0) return errno;
	if (syscall(SYS_close_range, (unsigned)count, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */)) return errno;
	if (spec->new_session) setsid();
	if (spec->cgroup && spec->cgroup != l->born && !join_cgroup(spec->cgroup)) return errno;
	for (const char *const *more = spec->cgroups; more && *more; more++)
		if (*more != l->born && !join_cgroup(*more)) return errno;
	if (spec->cwd && chdir(spec->cwd)) return errno;
	if (spec->uid && !drop_to(spec->uid, spec->gid)) return errno;
	if (spec->die_with_parent) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != l->parent) return ESRCH;
	}
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	char *const *env = (char *const *)(uintptr_t)(spec->env ? spec->env
	                                                        : (const char *const *)environ);
	execve(l->program, (char *const *)(uintptr_t)spec->argv, env);
	return errno;
}

// vfork in a function of its own, so that nothing of the caller lives in a register across it.
// NOLINTBEGIN(*insecureAPI.vfork,*unix.Vfork): what become() calls is safe there, and no copy is as
// fast
__attribute__((noinline)) static pid_t launch(struct launch *l) {
	pid_t child = vfork();
	if (child == 0) {
		*l->failed = become(l);
		_exit(127);
	}
	return child;
}
// NOLINTEND(*insecureAPI.vfork,*unix.Vfork)

static const char *find_version_2(const struct process_spec *spec) {
	AUTO_BUF path = {0};
	const char *found = spec->cgroup;
	for (const char *const *more = spec->cgroups; !found && more && *more; more++) {
		buf_reset(&path);
		buf_printf(&path, "%s/tasks", *more);
		if (access(path.p, F_OK) != 0) found = *more;
	}
	if (!found || found != spec->cgroup) return found;
	buf_printf(&path, "%s/tasks", found);
	return access(path.p, F_OK) != 0 ? found : NULL;
}

// A child with a copy of our memory instead of a share in it, born in a cgroup of version 2. -1
// where the kernel or the folder does not let us; nothing happened then.
static pid_t launch_into(struct launch *l, const char *folder) {
	// cppcheck-suppress invalidFunctionArg ; -1 goes with MAP_ANONYMOUS
	int *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	                   0);
	AUTO_FD group = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (shared == MAP_FAILED) return -1;
	int *own = l->failed;
	struct clone_args args = {.flags = CLONE_INTO_CGROUP | CLONE_VFORK,
	                          .exit_signal = SIGCHLD,
	                          .cgroup = (unsigned)group};
	l->failed = shared;
	l->born = folder;
	pid_t child = group < 0 ? -1 : (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (child == 0) {
		*shared = become(l);
		_exit(127);
	}
	*own = *shared;
	l->failed = own;
	l->born = NULL;
	munmap(shared, sizeof *shared);
	return child;
}

static pid_t launch_anyhow(struct launch *l) {
	sigset_t all, before;
	const char *version_2 = find_version_2(l->spec);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t child = version_2 ? launch_into(l, version_2) : -1;
	if (child < 0) child = launch(l);
	if (child < 0) *l->failed = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return child;
}

bool process_start(const struct process_spec *spec, pid_t *pid, struct err *e) {
	AUTO_BUF program = {0};
	if (!find_program(spec->argv[0], &program))
		return err_set(e, ERR_NOT_FOUND, "program %s is not installed", spec->argv[0]);
	if (spec->pass_count > PASS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d descriptors", PASS_MAX);
	AUTO_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0) return err_set(e, ERR_IO, "cannot open /dev/null: %s", strerror(errno));
	int failed = 0;
	struct launch l = {
		.spec = spec,
		.failed = &failed,
		.program = program.p,
		.parent = getpid(),
		.given = {spec->in < 0 ? null : spec->in, spec->out < 0 ? null : spec->out,
	              spec->err < 0 ? null : spec->err},
		.count = 3 + (int)spec->pass_count,
	};
	for (size_t i = 0; i < spec->pass_count; i++) l.given[3 + i] = spec->pass[i];
	pid_t child = launch_anyhow(&l);
	if (child < 0)
		return err_set(e, ERR_IO, "cannot start %s: %s", spec->argv[0], strerror(failed));
	if (failed) {
		waitpid(child, NULL, 0);
		return err_set(e, failed == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot start %s: %s",
		               spec->argv[0], strerror(failed));
	}
	*pid = child;
	return true;
}

int process_pidfd(pid_t pid) {
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool reap(pid_t pid, struct process_status *out, struct err *e) {
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, ERR_IO, "cannot wait for process %d: %s", (int)pid, strerror(errno));
	bool exited = WIFEXITED(status);
	*out = (struct process_status){exited ? PROCESS_EXITED : PROCESS_SIGNALLED,
	                               exited ? WEXITSTATUS(status) : WTERMSIG(status)};
	return true;
}

static void kill_child(pid_t pid) {
	if (getpgid(pid) == pid) kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
}

bool process_wait(pid_t pid, int64_t timeout_ms, struct process_status *out, struct err *e) {
	bool timed_out = false;
	if (timeout_ms >= 0) {
		AUTO_FD fd = process_pidfd(pid);
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t until = clock_mono_us() + timeout_ms * 1000;
		for (;;) {
			int64_t left = (until - clock_mono_us()) / 1000;
			int n = poll(&p, 1, left > 0 ? (int)left : 0);
			if (n < 0 && errno == EINTR) continue;
			timed_out = n == 0;
			break;
		}
		if (timed_out) kill_child(pid);
	}
	if (!reap(pid, out, e)) return false;
	if (timed_out) out->end = PROCESS_TIMED_OUT;
	return true;
}

void process_output_free(struct process_output *o) {
	buf_free(&o->out);
	buf_free(&o->err);
}

struct pump {
	int in, out, err; // our ends; -1 once done
	struct str input;
	size_t most;
	int64_t until_us; // 0 = for ever
};

enum pump_end { PUMP_DONE, PUMP_LIMIT, PUMP_TIMEOUT };

static bool take(int *fd, struct buf *into, size_t most) {
	char *room = buf_grow(into, READ_BYTES);
	ssize_t n = read(*fd, room, READ_BYTES);
	if (n > 0) {
		into->n += (size_t)n;
		into->p[into->n] = 0;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		file_close(fd);
	}
	return into->n <= most;
}

static void feed(struct pump *p) {
	ssize_t n = write(p->in, p->input.p, p->input.n);
	if (n >= 0) p->input = str_from(p->input, (size_t)n);
	else if (errno != EINTR && errno != EAGAIN) p->input = STR_NONE; // the child does not want more
	if (p->input.n == 0) file_close(&p->in);
}

static enum pump_end pump(struct pump *p, struct process_output *o) {
	while (p->in >= 0 || p->out >= 0 || p->err >= 0) {
		struct pollfd fds[3] = {{p->in, POLLOUT, 0}, {p->out, POLLIN, 0}, {p->err, POLLIN, 0}};
		int64_t left = p->until_us ? (p->until_us - clock_mono_us()) / 1000 : -1;
		if (p->until_us && left <= 0) return PUMP_TIMEOUT;
		if (poll(fds, 3, (int)left) < 0 && errno != EINTR) abort();
		if (fds[0].revents) feed(p);
		if (fds[1].revents && !take(&p->out, &o->out, p->most)) return PUMP_LIMIT;
		if (fds[2].revents && !take(&p->err, &o->err, p->most)) return PUMP_LIMIT;
	}
	return PUMP_DONE;
}

bool process_run(const struct process_spec *given, struct str input, size_t most,
                 int64_t timeout_ms, struct process_output *out, struct err *e) {
	int in[2] = {-1, -1}, so[2] = {-1, -1}, se[2] = {-1, -1};
	struct process_spec spec = *given;
	pid_t pid;
	bool ok = false;
	if (pipe2(in, O_CLOEXEC) || pipe2(so, O_CLOEXEC) || pipe2(se, O_CLOEXEC)) {
		err_set(e, ERR_IO, "cannot make a pipe: %s", strerror(errno));
		goto out;
	}
	spec.in = in[0];
	spec.out = so[1];
	spec.err = se[1];
	if (!process_start(&spec, &pid, e)) goto out;
	file_close(&in[0]);
	file_close(&so[1]);
	file_close(&se[1]);
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	if (input.n == 0) file_close(&in[1]);
	struct pump p = {in[1], so[0], se[0],
	                 input, most,  timeout_ms < 0 ? 0 : clock_mono_us() + timeout_ms * 1000};
	enum pump_end end = pump(&p, out);
	in[1] = p.in;
	so[0] = p.out;
	se[0] = p.err;
	if (end != PUMP_DONE) kill_child(pid);
	int64_t left = p.until_us ? (p.until_us - clock_mono_us()) / 1000 : -1;
	ok = process_wait(pid, p.until_us && left < 0 ? 0 : left, &out->status, e);
	if (ok && end == PUMP_LIMIT)
		ok = err_set(e, ERR_LIMIT, "%s wrote more than %zu bytes", spec.argv[0], most);
	if (ok && end == PUMP_TIMEOUT) out->status.end = PROCESS_TIMED_OUT;
out:
	for (int i = 0; i < 2; i++) {
		file_close(&in[i]);
		file_close(&so[i]);
		file_close(&se[i]);
	}
	return ok;
}

bool process_start_ticks(pid_t pid, uint64_t *ticks, struct err *e) {
	char path[64];
	AUTO_BUF text = {0};
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!file_read(path, 4096, &text, e)) return false;
	const char *close = text.n ? strrchr(text.p, ')') : NULL; // the name may hold anything
	struct str rest = str_of(close ? close + 1 : "");
	for (int field = 2; field < 22; field++) (void)str_cut(&rest, ' ');
	if (!str_to_u64(str_cut(&rest, ' '), ticks))
		return err_set(e, ERR_CORRUPT, "%s is not understood", path);
	return true;
}

static bool holds(pid_t pid, const struct stat *file) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *dir = opendir(path);
	if (!dir) return false;
	bool found = false;
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		struct stat st;
		found = entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		        st.st_dev == file->st_dev && st.st_ino == file->st_ino;
	}
	closedir(dir);
	return found;
}

size_t process_kill_holders(const char *path) {
	struct stat file;
	size_t killed = 0;
	DIR *proc = stat(path, &file) ? NULL : opendir("/proc");
	if (!proc) return 0;
	for (struct dirent *entry; (entry = readdir(proc));) {
		int64_t pid;
		if (!str_to_i64(str_of(entry->d_name), &pid) || pid == getpid()) continue;
		if (!holds((pid_t)pid, &file)) continue;
		killed += kill((pid_t)pid, SIGKILL) == 0;
	}
	closedir(proc);
	return killed;
}
