#include "exec/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/traceview.h"
#include "os/file.h"
#include "os/process.h"

enum { TREE = 3, DEVICE, CONTROL, RECORD, KEPT, END_MS = 60000 };
enum { BROKEN = 2, TOO_MANY, NO_ROOM }; // how the server ends

// The device may be missing, closed to us, or known to a kernel without FUSE.
static bool mount_view(int device, const char *at, struct err *e) {
	char options[160];
	snprintf(options, sizeof options,
	         "fd=%d,rootmode=40000,user_id=%u,group_id=%u,allow_other,default_permissions", device,
	         (unsigned)geteuid(), (unsigned)getegid());
	if (mount("weir", at, "fuse", MS_NODEV | MS_NOSUID | MS_RDONLY, options) == 0) return true;
	return err_set(e, ERR_UNSUPPORTED, "cannot mount a FUSE file system: %s", strerror(errno));
}

// Moved out of the way first: one may have the number of another.
static bool place_descriptors(const int from[KEPT - TREE]) {
	int high[KEPT - TREE];
	for (int i = 0; i < KEPT - TREE; i++)
		if ((high[i] = fcntl(from[i], F_DUPFD, 64)) < 0) return false;
	for (int i = 0; i < KEPT - TREE; i++)
		if (dup2(high[i], TREE + i) < 0) return false;
	return syscall(SYS_close_range, (unsigned)KEPT, ~0U, 0U) == 0;
}

static void serve(const int descriptors[KEPT - TREE], pid_t leader) {
	struct err e = {0};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "weir-view");
	if (getppid() != leader || !place_descriptors(descriptors)) _exit(BROKEN);
	if (traceview_serve(TREE, DEVICE, CONTROL, RECORD, &e)) _exit(0);
	fprintf(stderr, "tracing: %s\n", e.text);
	_exit(e.code == ERR_LIMIT ? TOO_MANY : e.code == ERR_NO_ROOM ? NO_ROOM : BROKEN);
}

// Like fork, but no signal tells of its end, and only a wait that names it with __WCLONE sees it:
// whoever waits for all of a job's processes does not wait for this one.
static pid_t start_server(const int descriptors[KEPT - TREE]) {
	pid_t self = getpid(), pid = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
	if (pid == 0) serve(descriptors, self);
	return pid;
}

bool trace_start(const char *tree, const char *at, const char *record, struct trace *out,
                 struct err *e) {
	int ends[2] = {-1, -1};
	*out = (struct trace){.control = -1};
	AUTO_FD device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return err_set(e, ERR_UNSUPPORTED, "cannot open /dev/fuse: %s", strerror(errno));
	AUTO_FD from = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD to = open(record, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (from < 0 || to < 0)
		return err_set(e, file_write_code(errno), "cannot open %s: %s", from < 0 ? tree : record,
		               strerror(errno));
	if (!mount_view(device, at, e)) {
		unlink(record);
		return false;
	}
	if (pipe2(ends, O_CLOEXEC)) return err_set(e, ERR_IO, "no pipe: %s", strerror(errno));
	AUTO_FD told = ends[0];
	out->control = ends[1];
	out->pid = start_server((int[]){from, device, told, to});
	if (out->pid > 0) return true;
	file_close(&out->control);
	return err_set(e, ERR_IO, "cannot start the server of the view: %s", strerror(errno));
}

bool trace_end(struct trace *t, struct err *e) {
	int status = 0;
	pid_t pid = t->pid;
	if (!pid) return true;
	t->pid = 0;
	AUTO_FD end = process_pidfd(pid);
	struct pollfd over = {end, POLLIN, 0};
	file_close(&t->control);
	if (end < 0 || poll(&over, 1, END_MS) != 1) kill(pid, SIGKILL);
	pid_t ended = waitpid(pid, &status, (int)__WCLONE);
	if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
	if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == NO_ROOM)
		return err_set(e, ERR_NO_ROOM, "the record of what the job read found no room");
	if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == TOO_MANY)
		return err_set(e, ERR_LIMIT, "it asked for too many names");
	return err_set(e, ERR_IO, "the server of the workspace's files ended early");
}
