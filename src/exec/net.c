#include "exec/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"

enum { READY_MS = 10000 };

bool net_start(pid_t child, pid_t *slirp, struct err *e) {
	char pid[16], users[64];
	int ready[2];
	snprintf(pid, sizeof pid, "%d", (int)child);
	snprintf(users, sizeof users, "/proc/%d/ns/user", (int)child);
	if (pipe2(ready, O_CLOEXEC))
		return err_set(e, ERR_IO, "cannot make a pipe: %s", strerror(errno));
	const char *const argv[] = {"slirp4netns",
	                            "--configure",
	                            "--mtu=65520",
	                            "--disable-host-loopback",
	                            "--enable-seccomp",
	                            "--ready-fd=3",
	                            "--userns-path",
	                            users,
	                            pid,
	                            "tap0",
	                            NULL};
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct process_spec p = {PROCESS_SPEC_NONE, .argv = argv,    .env = env,
	                         .pass = &ready[1], .pass_count = 1, .die_with_parent = true};
	bool ok = process_start(&p, slirp, e);
	close(ready[1]);
	struct pollfd wait = {.fd = ready[0], .events = POLLIN};
	char byte;
	if (ok && (poll(&wait, 1, READY_MS) != 1 || read(ready[0], &byte, 1) != 1))
		ok = err_set(e, ERR_IO, "slirp4netns gave the job no network");
	close(ready[0]);
	return ok;
}
