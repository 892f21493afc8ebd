#include "exec/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

enum { READY_MS = 10000, LOOPBACK_MS = 2000, TABLE_BYTES_MAX = 1 << 20 };

// The user namespace that owns the network namespace: not the one the process is in, because
// bubblewrap's
// --disable-userns puts that one level deeper.
static int owner_of_network(pid_t child) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)child);
	AUTO_FD network = open(path, O_RDONLY | O_CLOEXEC);
	return network < 0 ? -1 : ioctl(network, NS_GET_USERNS);
}

// bubblewrap gives the sandbox its loopback and fails when slirp4netns, which does the same, is
// faster. It does not say when it is done, but the addresses of the network namespace do.
static void await_loopback(pid_t child) {
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/net/fib_trie", (int)child);
	for (int ms = 0; ms < LOOPBACK_MS; ms++) {
		AUTO_BUF table = {0};
		struct err gone;
		if (!file_read(path, TABLE_BYTES_MAX, &table, &gone)) return;
		if (str_contains(buf_view(&table), STR("127.0.0.1"))) return;
		clock_sleep_ms(1);
	}
}

bool net_start(pid_t child, pid_t *slirp, struct err *e) {
	char pid[16];
	int ready[2];
	snprintf(pid, sizeof pid, "%d", (int)child);
	if (access("/dev/net/tun", R_OK | W_OK))
		return err_set(e, ERR_DENIED,
		               "a job with network needs /dev/net/tun, which this user may not open");
	await_loopback(child);
	AUTO_FD owner = owner_of_network(child);
	if (owner < 0 || pipe2(ready, O_CLOEXEC))
		return err_set(e, ERR_IO, "cannot reach the sandbox's network: %s", strerror(errno));
	const char *const argv[] = {"slirp4netns",
	                            "--configure",
	                            "--mtu=65520",
	                            "--disable-host-loopback",
	                            "--enable-seccomp",
	                            "--ready-fd=3",
	                            "--userns-path=/proc/self/fd/4",
	                            pid,
	                            "tap0",
	                            NULL};
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	const int pass[] = {ready[1], owner};
	struct process_spec p = {PROCESS_SPEC_NONE, .argv = argv, .env = env, .pass = pass};
	p.pass_count = ARRAY_LEN(pass);
	p.die_with_parent = true;
	bool ok = process_start(&p, slirp, e);
	close(ready[1]);
	struct pollfd wait = {.fd = ready[0], .events = POLLIN};
	char byte;
	if (ok && (poll(&wait, 1, READY_MS) != 1 || read(ready[0], &byte, 1) != 1))
		ok = err_set(e, ERR_IO, "slirp4netns gave the job no network");
	close(ready[0]);
	return ok;
}
