#include "os/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { ROUNDS = 100, ROUND_MS = 10 };

// /proc/self/cgroup has lines "id:controllers:path"; version 2 is "0::path".
static bool own_path(const char *controllers, struct buf *out) {
	AUTO_BUF text = {0};
	if (!file_read("/proc/self/cgroup", 65536, &text, NULL)) return false;
	struct str rest = buf_view(&text);
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');
		(void)str_cut(&line, ':');
		if (!str_eq(str_cut(&line, ':'), str_of(controllers))) continue;
		buf_str(out, line);
		return true;
	}
	return false;
}

bool tree_make(const char *name, struct buf *folder) {
	static const struct {
		const char *mount, *controllers;
	} places[] = {
		{"/sys/fs/cgroup", ""},
		{"/sys/fs/cgroup/unified", ""},
		{"/sys/fs/cgroup/pids", "pids"},
		{"/sys/fs/cgroup/freezer", "freezer"},
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		AUTO_BUF path = {0};
		buf_cstr(&path, places[i].mount);
		if (!own_path(places[i].controllers, &path)) continue;
		AUTO_BUF procs = {0};
		buf_printf(&procs, "%s/cgroup.procs", path.p);
		if (access(procs.p, F_OK)) continue; // another version is mounted there
		buf_printf(&path, "%s%s", path.p[path.n - 1] == '/' ? "" : "/", name);
		if (mkdir(path.p, 0755) && errno != EEXIST) continue;
		buf_reset(&procs);
		buf_printf(&procs, "%s/cgroup.procs", path.p);
		if (access(procs.p, W_OK)) continue;
		buf_str(folder, buf_view(&path));
		return true;
	}
	return false;
}

void tree_remove(const char *folder) {
	if (folder && folder[0]) (void)rmdir(folder);
}

// Signal 0 only counts.
static size_t kill_cgroup(const char *folder, int signal) {
	AUTO_BUF path = {0};
	AUTO_BUF procs = {0};
	size_t killed = 0;
	buf_printf(&path, "%s/cgroup.procs", folder);
	if (!file_read(path.p, 16 << 20, &procs, NULL)) return 0;
	struct str rest = buf_view(&procs);
	while (rest.p) {
		int64_t pid;
		if (!str_to_i64(str_cut(&rest, '\n'), &pid) || pid <= 1) continue;
		killed += kill((pid_t)pid, signal) == 0;
	}
	return killed;
}

// Session of a process that still runs, -1 for none or one that only waits to be reaped.
static pid_t running_session(pid_t pid) {
	char path[64];
	AUTO_BUF text = {0};
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!file_read(path, 4096, &text, NULL) || !text.n) return -1;
	const char *close = strrchr(text.p, ')');
	int session;
	char state;
	if (!close || sscanf(close + 1, " %c %*d %*d %d", &state, &session) != 2) return -1;
	return state == 'Z' || state == 'X' ? -1 : session;
}

static bool has_mark(pid_t pid, struct str mark) {
	char path[64];
	AUTO_BUF text = {0};
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	if (!file_read(path, 4 << 20, &text, NULL)) return false;
	struct str rest = buf_view(&text);
	while (rest.p)
		if (str_eq(str_cut(&rest, 0), mark)) return true;
	return false;
}

static size_t kill_found(pid_t leader, struct str mark, int signal) {
	size_t killed = 0;
	DIR *proc = opendir("/proc");
	if (!proc) return 0;
	for (struct dirent *entry; (entry = readdir(proc));) {
		int64_t number;
		if (!str_to_i64(str_of(entry->d_name), &number) || number == getpid()) continue;
		pid_t pid = (pid_t)number, session = running_session(pid);
		if (session < 0) continue;
		if ((leader > 0 && session == leader) || (mark.n && has_mark(pid, mark)))
			killed += kill(pid, signal) == 0;
	}
	closedir(proc);
	return killed;
}

static size_t kill_tree(const char *folder, pid_t leader, const char *mark, int signal) {
	if (folder && folder[0]) return kill_cgroup(folder, signal);
	return kill_found(leader, str_of(mark), signal);
}

bool tree_runs(const char *folder, pid_t leader, const char *mark) {
	return kill_tree(folder, leader, mark, 0) > 0;
}

size_t tree_kill(const char *folder, pid_t leader, const char *mark) {
	size_t killed = 0;
	for (int round = 0; round < ROUNDS; round++) {
		size_t now = kill_tree(folder, leader, mark, SIGKILL);
		killed = now > killed ? now : killed;
		if (now == 0) break;
		clock_sleep_ms(ROUND_MS);
	}
	return killed;
}
