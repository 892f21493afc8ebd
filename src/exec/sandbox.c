#include "exec/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "exec/inner_job.h"
#include "exec/root.h"
#include "os/file.h"
#include "os/process.h"

enum { PIPE_BYTES = 1 << 20, ARGS_FD = 3, INFO_FD = 6, GO_FD = 7, FILES_MAX = 65536 };

static const char *const writable[] = {"/work", "/tmp", "/var/tmp", "/home/job", "/dev", "/proc"};

// ---------------------------------------------------------------- the job for weir-inner

static void record(struct buf *b, enum inner_tag tag, const void *bytes, size_t n) {
	uint32_t length = (uint32_t)n;
	buf_char(b, (char)tag);
	buf_add(b, &length, sizeof length);
	buf_add(b, bytes, n);
}

static void record_text(struct buf *b, enum inner_tag tag, struct str text) {
	AUTO_BUF z = {0};
	buf_str(&z, text);
	buf_char(&z, 0);
	record(b, tag, z.p, z.n);
}

static void record_env(struct buf *b, struct str name, struct str value) {
	AUTO_BUF z = {0};
	buf_printf(&z, STR_FMT "=" STR_FMT, STR_ARG(name), STR_ARG(value));
	record_text(b, INNER_ENV, buf_view(&z));
}

static void record_limit(struct buf *b, int which, int64_t value) {
	uint64_t pair[2] = {(uint64_t)which, (uint64_t)value};
	record(b, INNER_LIMIT, pair, sizeof pair);
}

static bool overridden(const struct exec_spec *spec, const char *name) {
	for (size_t i = 0; i < spec->env.n; i++)
		if (str_eq(spec->env.p[i].name, str_of(name))) return true;
	return false;
}

static void put_env(struct buf *b, const struct exec_spec *spec) {
	static const struct {
		const char *name, *value;
	} fixed[] = {
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	             ":/usr/local/go/bin"}, // where Go's own archive is unpacked to
		{"HOME", SANDBOX_HOME},
		{"TMPDIR", "/tmp"},
		{"LANG", "C.UTF-8"},
		{"USER", "job"},
		{"LOGNAME", "job"},
		{"SHELL", "/bin/sh"},
		{"CI", "1"},
	};
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!overridden(spec, fixed[i].name))
			record_env(b, str_of(fixed[i].name), str_of(fixed[i].value));
	for (size_t i = 0; i < spec->env.n; i++)
		record_env(b, spec->env.p[i].name, spec->env.p[i].value);
}

static void put_job(struct buf *b, const struct exec_spec *spec, const struct exec_secret *secrets,
                    const struct cgroup *group) {
	AUTO_BUF folder = {0};
	buf_cstr(b, INNER_MAGIC);
	record_text(b, INNER_COMMAND, spec->command);
	buf_printf(&folder, "%s%s" STR_FMT, SANDBOX_WORK, spec->folder.n ? "/" : "",
	           STR_ARG(spec->folder));
	record_text(b, INNER_FOLDER, buf_view(&folder));
	put_env(b, spec);
	for (size_t i = 0; i < spec->secrets.n; i++) {
		AUTO_BUF pair = {0};
		buf_str(&pair, secrets[i].name);
		buf_char(&pair, 0);
		buf_str(&pair, secrets[i].value);
		record_text(b, INNER_SECRET, buf_view(&pair));
	}
	record_limit(b, RLIMIT_CORE, 0);
	record_limit(b, RLIMIT_FSIZE, spec->disk_bytes);
	record_limit(b, RLIMIT_NOFILE, FILES_MAX);
	// Where no cgroup counts, the kernel counts processes in the sandbox's user namespace, and
	// memory only for each process apart.
	if (!group->enforced.pids) record_limit(b, RLIMIT_NPROC, spec->pids);
	if (!group->enforced.memory_bytes && spec->memory_bytes)
		record_limit(b, RLIMIT_DATA, spec->memory_bytes);
	for (size_t i = 0; i < ARRAY_LEN(writable); i++)
		record_text(b, INNER_WRITABLE, str_of(writable[i]));
}

// ---------------------------------------------------------------- bubblewrap's arguments

static void arg(struct buf *b, const char *text) {
	buf_add(b, text, strlen(text) + 1);
}

static void args(struct buf *b, const char *const *list) {
	while (*list) arg(b, *list++);
}
#define ARGS(b, ...) args((b), (const char *const[]){__VA_ARGS__, NULL})

static void put_tmpfs(struct buf *b, const char *mode, const char *size, const char *path) {
	ARGS(b, "--perms", mode, "--size", size, "--tmpfs", path);
}

static void put_args(struct buf *b, const struct exec_spec *spec, const struct stage *stage) {
	char path[256], size[32];
	snprintf(size, sizeof size, "%lld", (long long)spec->scratch_bytes);
	ARGS(b, "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "61000", "--gid",
	     "61000");
	ARGS(b, "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "weir");
	snprintf(path, sizeof path, "%s/" ROOT_FOLDER, stage->folder);
	ARGS(b, "--dev-bind", path, "/", "--proc", "/proc");
	put_tmpfs(b, "1777", size, "/dev/shm");
	put_tmpfs(b, "1777", size, "/tmp");
	put_tmpfs(b, "1777", size, "/var/tmp");
	put_tmpfs(b, "0700", size, SANDBOX_HOME);
	put_tmpfs(b, "0700", "4194304", INNER_SECRETS);
	ARGS(b, "--chdir", "/", "--remount-ro", "/", "--info-fd", "6");
	if (spec->network) ARGS(b, "--block-fd", "7");
}

// ---------------------------------------------------------------- start

static int memory_file(const char *name, const struct buf *bytes) {
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) return -1;
	if (!file_write_all(fd, buf_view(bytes), NULL) || lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		file_close(&fd);
	return fd;
}

static void never_block(int fd) {
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

bool sandbox_start(const struct exec_spec *spec, const struct exec_secret *secrets,
                   const struct stage *stage, const struct cgroup *group, struct sandbox *out,
                   struct err *e) {
	AUTO_BUF job = {0};
	AUTO_BUF options = {0};
	int so[2], se[2], report[2], info[2], go[2] = {-1, -1};
	put_job(&job, spec, secrets, group);
	put_args(&options, spec, stage);
	AUTO_FD job_fd = memory_file("job", &job);
	AUTO_FD args_fd = memory_file("args", &options);
	if (job_fd < 0 || args_fd < 0 || pipe2(so, O_CLOEXEC) || pipe2(se, O_CLOEXEC) ||
	    pipe2(info, O_CLOEXEC) || (spec->network && pipe2(go, O_CLOEXEC)) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, report))
		return err_set(e, ERR_IO, "cannot make the pipes of the sandbox: %s", strerror(errno));
	fcntl(so[0], F_SETPIPE_SZ, PIPE_BYTES); // a chatty job waits less; the default does too
	fcntl(se[0], F_SETPIPE_SZ, PIPE_BYTES);
	const int pass[] = {args_fd, job_fd, report[1], info[1], go[0]};
	const char *const argv[] = {"/usr/bin/bwrap", "--args", "3", "/run/weir-inner", NULL};
	const char *const env[] = {NULL};
	bool root = geteuid() == 0;
	struct process_spec p = {
		PROCESS_SPEC_NONE,
		.argv = argv,
		.env = env,
		.cwd = "/",
		.cgroups = group->folders,
		.uid = root ? STAGE_UID : 0,
		.gid = root ? STAGE_UID : 0,
		.pass = pass,
		.pass_count = spec->network ? 5 : 4,
		.die_with_parent = true,
	};
	_Static_assert(ARGS_FD == 3 && INNER_JOB_FD == 4 && INNER_REPORT_FD == 5 && INFO_FD == 6 &&
	                   GO_FD == 7,
	               "the order of pass[]");
	p.out = so[1];
	p.err = se[1];
	bool ok = process_start(&p, &out->pid, e);
	close(so[1]);
	close(se[1]);
	close(info[1]);
	close(report[1]);
	file_close(&go[0]);
	if (!ok) return false; // the leader ends soon; so do its descriptors
	never_block(so[0]);
	never_block(se[0]);
	never_block(report[0]);
	out->out = so[0];
	out->err = se[0];
	out->report = report[0];
	out->info = info[0];
	out->go = go[1];
	return true;
}

void sandbox_go(struct sandbox *s) {
	(void)!send(s->report, "g", 1, MSG_NOSIGNAL);
}

pid_t sandbox_child(struct sandbox *s) {
	AUTO_BUF text = {0};
	AUTO_JSON v = NULL;
	if (s->info < 0 || !file_read_fd(s->info, 4096, &text, NULL)) return 0;
	file_close(&s->info);
	if (!json_parse(buf_view(&text), &v, NULL)) return 0;
	return (pid_t)json_get_int(v, "child-pid", 0);
}
