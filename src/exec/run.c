#include "exec/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/control.h"
#include "exec/mask.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum { OUTCOME_MAX = 4 << 20, LOOK_MS = 1000 };

struct path {
	char z[PATH_MAX + 64];
};

static struct path path_in(const char *folder, const char *name) {
	struct path p;
	snprintf(p.z, sizeof p.z, "%s/%s", folder, name);
	return p;
}

// ---------------------------------------------------------------- start

static const struct exec_secret *find_secret(const struct exec_secret *all, size_t count,
                                             struct str name) {
	for (size_t i = 0; i < count; i++)
		if (str_eq(all[i].name, name)) return &all[i];
	return NULL;
}

// A sealed file in memory with the values in the spec's order; -1 when there are none.
static bool pack_secrets(const struct exec_spec *spec, const struct exec_secret *all, size_t count,
                         int *fd, struct err *e) {
	AUTO_BUF bytes = {0};
	*fd = -1;
	if (spec->secrets.n == 0) return true;
	if (spec->secrets.n > MASK_SECRETS_MAX)
		return err_set(e, ERR_LIMIT, "a job has at most %d secrets", MASK_SECRETS_MAX);
	for (size_t i = 0; i < spec->secrets.n; i++) {
		struct str name = spec->secrets.p[i];
		const struct exec_secret *s = find_secret(all, count, name);
		if (!s) return err_set(e, ERR_INVALID, "secret " STR_FMT " has no value", STR_ARG(name));
		if (!mask_check(s->value, e)) return err_context(e, "secret " STR_FMT, STR_ARG(name));
		uint32_t length = (uint32_t)s->value.n;
		buf_add(&bytes, &length, sizeof length);
		buf_str(&bytes, s->value);
	}
	AUTO_FD memory = memfd_create("secrets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0 || !file_write_all(memory, buf_view(&bytes), e) ||
	    lseek(memory, 0, SEEK_SET) < 0)
		return err_set(e, ERR_IO, "cannot hand over the secrets: %s", strerror(errno));
	fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	explicit_bzero(bytes.p, bytes.n);
	*fd = file_keep(&memory);
	return true;
}

static bool find_leader(const char *programs, struct path *out, struct err *e) {
	char self[PATH_MAX];
	if (programs) {
		*out = path_in(programs, "weir-leader");
	} else {
		ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
		char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
		if (!slash) return err_set(e, ERR_IO, "cannot tell where this program lies");
		*slash = 0;
		*out = path_in(self, "weir-leader");
	}
	if (file_exists(out->z)) return true;
	return err_set(e, ERR_NOT_FOUND, "%s is not there; is weir installed in whole?", out->z);
}

static bool put_spec(const char *folder, const struct exec_spec *spec, struct err *e) {
	AUTO_BUF json = {0};
	AUTO_ARENA scratch = {0};
	struct exec_spec judged;
	spec_json(spec, &json);
	if (!spec_parse(buf_view(&json), &scratch, &judged, e)) return false;
	if (mkdir(folder, 0700))
		return err_set(e, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "cannot create %s: %s", folder,
		               strerror(errno));
	AUTO_FD fd = open(path_in(folder, "spec.json").z, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	                  0600);
	if (fd < 0) return err_set(e, ERR_IO, "cannot create spec.json: %s", strerror(errno));
	return file_write_all(fd, buf_view(&json), e);
}

static bool start(const struct exec_spec *spec, const char *folder,
                  const struct exec_secret *secrets, size_t secret_count, const char *programs,
                  int in, pid_t *leader, struct err *e) {
	struct path program;
	AUTO_FD values = -1;
	AUTO_FD lock = -1;
	if (!find_leader(programs, &program, e)) return false;
	if (!pack_secrets(spec, secrets, secret_count, &values, e)) return false;
	if (!put_spec(folder, spec, e)) return false;
	if (!file_lock(path_in(folder, "lock").z, &lock, e)) return false;
	AUTO_FD complaints = open(path_in(folder, "leader.err").z, O_WRONLY | O_CREAT | O_CLOEXEC,
	                          0600);
	const char *const argv[] = {program.z, folder, NULL};
	const char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	                           "LANG=C.UTF-8", NULL};
	const int pass[] = {lock, values};
	struct process_spec p = {PROCESS_SPEC_NONE, .argv = argv, .env = env, .pass = pass};
	p.pass_count = values >= 0 ? 2 : 1;
	p.in = in;
	p.err = complaints;
	p.new_session = true;
	return process_start(&p, leader, e);
}

bool exec_start(const struct exec_spec *spec, const char *folder, const struct exec_secret *secrets,
                size_t secret_count, const char *programs, pid_t *leader, struct err *e) {
	return start(spec, folder, secrets, secret_count, programs, -1, leader, e);
}

bool exec_begin(const struct exec_spec *spec, const char *folder, const struct exec_secret *secrets,
                size_t secret_count, const char *programs, struct exec_begun *out, struct err *e) {
	struct exec_spec later = *spec;
	int ends[2];
	later.layers_follow = true;
	if (pipe2(ends, O_CLOEXEC))
		return err_set(e, ERR_IO, "cannot make a pipe: %s", strerror(errno));
	bool ok = start(&later, folder, secrets, secret_count, programs, ends[0], &out->leader, e);
	close(ends[0]);
	if (ok) out->layers = ends[1];
	else close(ends[1]);
	return ok;
}

bool exec_layers(struct exec_begun *begun, struct exec_strs lowers, int64_t traced, struct err *e) {
	AUTO_BUF json = {0};
	spec_layers_json(lowers, traced, &json);
	bool ok = file_write_all(begun->layers, buf_view(&json), e);
	bool gone = !ok && errno == EPIPE; // it could not begin, and its outcome says why
	file_close(&begun->layers);
	return ok || gone;
}

void exec_abandon(struct exec_begun *begun) {
	file_close(&begun->layers);
}

// ---------------------------------------------------------------- look

// The pid that the file names, if that very process is still alive in this boot.
static pid_t living_leader(const char *folder) {
	AUTO_BUF text = {0};
	char boot[37];
	uint64_t ticks, now;
	int64_t pid;
	if (!file_read(path_in(folder, "pid").z, 200, &text, NULL)) return 0;
	struct str rest = str_trim(buf_view(&text));
	if (!str_to_i64(str_cut(&rest, ' '), &pid) || !str_to_u64(str_cut(&rest, ' '), &ticks))
		return 0;
	clock_boot_id(boot);
	if (!str_eq(rest, str_of(boot)) || pid <= 1) return 0;
	return process_start_ticks((pid_t)pid, &now, NULL) && now == ticks ? (pid_t)pid : 0;
}

// The lock is the truth: it ends with the leader however that ends, and exists before the leader's
// first instruction. The pid file only says whom to watch.
static bool is_locked(const char *folder) {
	AUTO_FD fd = open(path_in(folder, "lock").z, O_RDWR | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
}

enum exec_state exec_look(const char *folder, pid_t *leader) {
	bool held = is_locked(
		folder); // before the outcome is looked for: a leader may write it just now
	if (leader) *leader = 0;
	if (file_exists(path_in(folder, "outcome.json").z)) return EXEC_OVER;
	if (!held) return EXEC_LOST;
	if (leader) *leader = living_leader(folder);
	return EXEC_RUNNING;
}

bool exec_read_outcome(const char *folder, struct arena *life, struct exec_outcome *out,
                       struct err *e) {
	AUTO_BUF text = {0};
	return file_read(path_in(folder, "outcome.json").z, OUTCOME_MAX, &text, e) &&
	       outcome_parse(buf_view(&text), life, out, e);
}

bool exec_wait(const char *folder, int64_t timeout_ms, enum exec_state *state, struct err *e) {
	int64_t until = clock_mono_us() + timeout_ms * 1000;
	for (;;) {
		pid_t leader;
		*state = exec_look(folder, &leader);
		if (*state != EXEC_RUNNING) break;
		int64_t left = timeout_ms < 0 ? LOOK_MS : (until - clock_mono_us()) / 1000;
		if (left <= 0) return err_set(e, ERR_TIMEOUT, "the run still goes on");
		AUTO_FD fd = leader ? process_pidfd(leader) : -1;
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int most = fd >= 0 ? LOOK_MS : 1;
		(void)poll(&wait, 1, left < most ? (int)left : most);
	}
	pid_t leader = living_leader(folder); // it may still be removing its cgroups; not ours: ECHILD
	if (leader) (void)waitpid(leader, NULL, 0);
	return true;
}

// ---------------------------------------------------------------- end

bool exec_cancel(const char *folder, struct err *e) {
	AUTO_BUF answer = {0};
	pid_t leader;
	if (control_ask(folder, "cancel", &answer, NULL)) return true;
	if (exec_look(folder, &leader) != EXEC_RUNNING) return true;
	if (leader && kill(leader, SIGTERM) == 0) return true;
	return err_set(e, ERR_BUSY, "the run is just starting; ask again");
}

static bool not_running(const char *folder, struct err *e) {
	return is_locked(folder) ? err_set(e, ERR_BUSY, "the run in %s still lives", folder) : true;
}

bool exec_drop_workspace(const char *folder, struct err *e) {
	return not_running(folder, e) && file_remove_tree(path_in(folder, "upper").z, e) &&
	       file_remove_tree(path_in(folder, "work").z, e);
}

bool exec_cleanup(const char *folder, struct err *e) {
	AUTO_BUF cgroups = {0};
	if (!not_running(folder, e)) return false;
	if (file_read(path_in(folder, "cgroup").z, 65536, &cgroups, NULL))
		(void)cgroup_remove_listed(buf_view(&cgroups));
	return file_remove_tree(folder, e);
}
