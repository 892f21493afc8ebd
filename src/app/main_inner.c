// weir-inner: the first program inside the sandbox. It reads the job from a descriptor, lays the
// secrets out, takes away from itself what no job needs (Landlock, then seccomp) and becomes the
// job's shell. Static, so that it runs whatever the sandbox holds.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/inner_job.h"
#include "exec/inner_landlock.h"
#include "exec/inner_seccomp.h"

enum { ENV_MAX = 4096, WRITABLE_MAX = 32, JOB_MAX = 16 << 20 };

static char *env[ENV_MAX + 1];
static size_t env_count;
static const char *writable[WRITABLE_MAX];
static size_t writable_count;

static void report(const char *bytes, size_t n) {
	while (n) {
		ssize_t wrote = write(INNER_REPORT_FD, bytes, n);
		if (wrote < 0 && errno == EINTR) continue;
		if (wrote <= 0) return; // the leader is gone, and with it this sandbox
		bytes += wrote;
		n -= (size_t)wrote;
	}
}

static _Noreturn void fail(const char *what, const char *name) {
	char text[512];
	int n = snprintf(text, sizeof text, "E%s%s%s: %s", what, name ? " " : "", name ? name : "",
	                 strerror(errno));
	report(text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
	_exit(127);
}

static void *read_job(size_t *n) {
	struct stat st;
	if (fstat(INNER_JOB_FD, &st) || st.st_size < 0 || st.st_size > JOB_MAX) fail("job", NULL);
	size_t size = (size_t)st.st_size;
	char *bytes = malloc(size + 1);
	if (!bytes) fail("memory", NULL);
	for (*n = 0; *n < size;) {
		ssize_t got = pread(INNER_JOB_FD, bytes + *n, size - *n, (off_t)*n);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) fail("job", NULL);
		*n += (size_t)got;
	}
	close(INNER_JOB_FD);
	return bytes;
}

static void add_env(char *assignment) {
	errno = E2BIG;
	if (env_count == ENV_MAX) fail("environment", NULL);
	env[env_count++] = assignment;
}

static void set_secret(const char *name, const char *value) {
	size_t name_n = strlen(name), value_n = strlen(value);
	int folder = open(INNER_SECRETS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd < 0 || strchr(name, '/')) fail("secret", name);
	if (write(fd, value, value_n) != (ssize_t)value_n) fail("secret", name);
	close(fd);
	close(folder);
	char *assignment = malloc(name_n + value_n + 2);
	if (!assignment) fail("memory", NULL);
	stpcpy(stpcpy(stpcpy(assignment, name), "="), value);
	add_env(assignment);
}

static void set_limit(const char *bytes) {
	uint64_t pair[2];
	memcpy(pair, bytes, sizeof pair);
	const __rlimit_resource_t which = (__rlimit_resource_t)pair[0];
	struct rlimit now, wanted = {.rlim_cur = (rlim_t)pair[1], .rlim_max = (rlim_t)pair[1]};
	if (getrlimit(which, &now)) fail("limit", NULL);
	if (wanted.rlim_max > now.rlim_max) wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
	if (setrlimit(which, &wanted)) fail("limit", NULL);
}

// The workspace may be mounted after the sandbox has come up.
static void wait_for_workspace(void) {
	char byte;
	ssize_t n;
	do n = read(INNER_REPORT_FD, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1) _exit(127); // the leader is gone or gave up
}

static void take(struct inner_job job, char **command, const char **folder) {
	struct inner_record r;
	while (inner_job_next(&job, &r)) {
		char *text = (char *)(uintptr_t)r.bytes;
		if (r.tag == INNER_COMMAND) *command = text;
		else if (r.tag == INNER_FOLDER) *folder = text;
		else if (r.tag == INNER_ENV) add_env(text);
		else if (r.tag == INNER_SECRET) set_secret(text, text + strlen(text) + 1);
		else if (r.tag == INNER_LIMIT) set_limit(text);
		else if (writable_count < WRITABLE_MAX) writable[writable_count++] = text;
	}
}

int main(void) {
	size_t n;
	struct inner_job job;
	char *command = NULL;
	const char *folder = "/";
	umask(022);
	void *bytes = read_job(&n);
	errno = EINVAL;
	if (!inner_job_open(bytes, n, &job)) fail("job", NULL);
	take(job, &command, &folder);
	if (!command) fail("command", NULL);
	wait_for_workspace();
	if (chdir(folder)) fail("working directory", folder);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("no_new_privs", NULL);
	int version = inner_landlock_apply(writable, writable_count);
	if (version < 0) fail("Landlock", NULL);
	if (!inner_seccomp_apply()) fail("seccomp", NULL);
	if (syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */)) fail("descriptors", NULL);
	char started[2] = {'S', (char)('0' + (version > 9 ? 9 : version))};
	report(started, sizeof started);
	char *argv[] = {(char[]){"sh"}, (char[]){"-e"}, (char[]){"-c"}, command, NULL};
	execve("/bin/sh", argv, env);
	fail("/bin/sh", NULL);
}
