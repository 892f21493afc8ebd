#include "exec/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { REMOVE_TRIES = 20, KILL_TRIES = 200, CPU_PERIOD_US = 100000 };

const char *cgroup_kind_name(enum cgroup_kind kind) {
	return kind == CGROUP_V2 ? "v2" : kind == CGROUP_V1 ? "v1" : "none";
}

// ---------------------------------------------------------------- small files

static bool put(const char *folder, const char *file, const char *text) {
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", folder, file);
	AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

static bool put_number(const char *folder, const char *file, int64_t number) {
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)number);
	return put(folder, file, text);
}

static bool get(const char *folder, const char *file, struct buf *out) {
	char path[PATH_MAX];
	buf_reset(out);
	if (!folder) return false;
	snprintf(path, sizeof path, "%s/%s", folder, file);
	return file_read(path, 1 << 20, out, NULL);
}

// "KEY NUMBER" among lines, or the only number of the file when key is NULL.
static int64_t get_number(const char *folder, const char *file, const char *key) {
	AUTO_BUF text = {0};
	int64_t number = -1;
	if (!get(folder, file, &text)) return -1;
	for (struct str rest = buf_view(&text); rest.p;) {
		struct str line = str_cut(&rest, '\n');
		if (!key) return str_to_i64(str_trim(line), &number) ? number : -1;
		if (str_eq(str_cut(&line, ' '), str_of(key)) && str_to_i64(str_trim(line), &number)) break;
	}
	return number;
}

// ---------------------------------------------------------------- making

// The path of this process in the hierarchy that has `controller` ("" = version 2): "ID:a,b:/PATH"
// lines.
static bool own_path(struct str own, const char *controller, struct str *path) {
	while (own.p) {
		struct str line = str_cut(&own, '\n');
		(void)str_cut(&line, ':');
		struct str names = str_cut(&line, ':');
		if (!*controller && names.n == 0 && line.n) {
			*path = line;
			return true;
		}
		while (*controller && names.p) {
			if (!str_eq(str_cut(&names, ','), str_of(controller))) continue;
			*path = line;
			return true;
		}
	}
	return false;
}

static const char *child_of(struct arena *life, const char *root, const char *below,
                            struct str path, struct str id) {
	if (str_eq(path, STR("/"))) path = STR_NONE;
	struct str folder = arena_printf(life, "%s%s" STR_FMT "/weir-" STR_FMT, root, below,
	                                 STR_ARG(path), STR_ARG(id));
	return mkdir(folder.p, 0755) == 0 || errno == EEXIST ? folder.p : NULL;
}

static void keep(struct cgroup *g, const char *folder) {
	size_t n = 0;
	while (g->folders[n]) n++;
	if (n < CGROUP_FOLDERS) g->folders[n] = folder;
}

static const char *make_v1(struct cgroup *g, const char *root, struct str own,
                           const char *controller, struct str id, struct arena *life) {
	struct str path;
	char below[32];
	snprintf(below, sizeof below, "/%s", controller);
	if (!own_path(own, controller, &path)) return NULL;
	const char *folder = child_of(life, root, below, path, id);
	if (folder) keep(g, folder);
	return folder;
}

static void limit_v2(struct cgroup *g, struct cgroup_limits limits) {
	char text[64];
	snprintf(text, sizeof text, "%lld %d", (long long)limits.cpu_milli * CPU_PERIOD_US / 1000,
	         CPU_PERIOD_US);
	if (limits.memory_bytes && put_number(g->memory, "memory.max", limits.memory_bytes)) {
		g->enforced.memory_bytes = limits.memory_bytes;
		(void)put(g->memory, "memory.swap.max", "0");
		(void)put(g->memory, "memory.oom.group", "0");
	}
	if (limits.cpu_milli && put(g->cpu, "cpu.max", text)) g->enforced.cpu_milli = limits.cpu_milli;
	if (limits.pids && put_number(g->pids, "pids.max", limits.pids)) g->enforced.pids = limits.pids;
}

static void limit_v1(struct cgroup *g, struct cgroup_limits limits) {
	if (limits.memory_bytes && g->memory &&
	    put_number(g->memory, "memory.limit_in_bytes", limits.memory_bytes)) {
		g->enforced.memory_bytes = limits.memory_bytes;
		(void)put_number(g->memory, "memory.memsw.limit_in_bytes", limits.memory_bytes);
	}
	if (limits.cpu_milli && g->cpu && put_number(g->cpu, "cpu.cfs_period_us", CPU_PERIOD_US) &&
	    put_number(g->cpu, "cpu.cfs_quota_us", limits.cpu_milli * CPU_PERIOD_US / 1000))
		g->enforced.cpu_milli = limits.cpu_milli;
	if (limits.pids && g->pids && put_number(g->pids, "pids.max", limits.pids))
		g->enforced.pids = limits.pids;
}

static bool has_controllers(const char *folder) {
	AUTO_BUF text = {0};
	bool memory = false, pids = false;
	if (!get(folder, "cgroup.controllers", &text)) return false;
	struct str names = str_trim(buf_view(&text));
	while (names.p) {
		struct str name = str_cut(&names, ' ');
		memory = memory || str_eq(name, STR("memory"));
		pids = pids || str_eq(name, STR("pids"));
	}
	return memory && pids;
}

// A daemon that cgroup_delegate has moved sits in .../daemon; its runs are siblings of that.
static struct str without_leaf(struct str path) {
	return str_ends(path, STR("/daemon")) ? str_slice(path, 0, path.n - 7) : path;
}

struct cgroup cgroup_create(const char *root, struct str own, struct str id,
                            struct cgroup_limits limits, struct arena *life) {
	struct cgroup g = {.kind = CGROUP_NONE};
	struct str path;
	char hybrid[PATH_MAX], all[PATH_MAX];
	snprintf(all, sizeof all, "%s/cgroup.controllers", root);
	snprintf(hybrid, sizeof hybrid, "%s/unified/cgroup.procs", root);
	bool unified = file_exists(all), beside = file_exists(hybrid);
	if ((unified || beside) && own_path(own, "", &path))
		g.kill = child_of(life, root, unified ? "" : "/unified", without_leaf(path), id);
	if (g.kill) keep(&g, g.kill);
	if (unified) {
		if (!g.kill || !has_controllers(g.kill)) {
			(void)cgroup_remove(&g);
			return (struct cgroup){.kind = CGROUP_NONE};
		}
		g.kind = CGROUP_V2;
		g.memory = g.cpu = g.pids = g.kill;
		limit_v2(&g, limits);
		return g;
	}
	g.memory = make_v1(&g, root, own, "memory", id, life);
	g.cpu = make_v1(&g, root, own, "cpu", id, life);
	g.pids = make_v1(&g, root, own, "pids", id, life);
	if (g.memory || g.cpu || g.pids) g.kind = CGROUP_V1;
	limit_v1(&g, limits);
	return g;
}

// ---------------------------------------------------------------- use and end

struct cgroup_use cgroup_read(const struct cgroup *g) {
	struct cgroup_use use = {-1, -1, 0, 0};
	bool v2 = g->kind == CGROUP_V2;
	use.memory_peak_bytes = get_number(g->memory, v2 ? "memory.peak" : "memory.max_usage_in_bytes",
	                                   NULL);
	use.cpu_us = v2 ? get_number(g->cpu, "cpu.stat", "usage_usec") : -1;
	use.oom_kills = get_number(g->memory, v2 ? "memory.events" : "memory.oom_control", "oom_kill");
	use.pids_refused = get_number(g->pids, "pids.events", "max");
	if (use.oom_kills < 0) use.oom_kills = 0;
	if (use.pids_refused < 0) use.pids_refused = 0;
	return use;
}

static size_t kill_members(const char *folder) {
	AUTO_BUF text = {0};
	size_t count = 0;
	if (!get(folder, "cgroup.procs", &text)) return 0;
	for (struct str rest = buf_view(&text); rest.p;) {
		int64_t pid;
		if (!str_to_i64(str_cut(&rest, '\n'), &pid) || pid <= 1) continue;
		kill((pid_t)pid, SIGKILL);
		count++;
	}
	return count;
}

void cgroup_kill(const struct cgroup *g) {
	if (g->kill && put(g->kill, "cgroup.kill", "1")) return;
	// Killed processes fork no more, so this ends; the pids limit bounds how often.
	for (int i = 0; i < KILL_TRIES && g->folders[0]; i++)
		if (kill_members(g->folders[0]) == 0) return;
}

bool cgroup_remove(const struct cgroup *g) {
	bool gone = true;
	for (size_t i = 0; i < CGROUP_FOLDERS && g->folders[i]; i++) {
		for (int try = 0; rmdir(g->folders[i]) && errno == EBUSY && try < REMOVE_TRIES; try++)
			clock_sleep_ms(1);
		gone = gone && !file_exists(g->folders[i]);
	}
	return gone;
}

void cgroup_list(const struct cgroup *g, struct buf *out) {
	for (size_t i = 0; i < CGROUP_FOLDERS && g->folders[i]; i++)
		buf_printf(out, "%s\n", g->folders[i]);
}

bool cgroup_remove_listed(struct str lines) {
	struct cgroup g = {.kind = CGROUP_NONE};
	AUTO_ARENA scratch = {0};
	while (lines.p) {
		struct str line = str_cut(&lines, '\n');
		if (str_contains(line, STR("/weir-"))) keep(&g, arena_cstr(&scratch, line));
	}
	for (size_t i = 0; i < CGROUP_FOLDERS && g.folders[i]; i++) {
		if (!put(g.folders[i], "cgroup.kill", "1")) kill_members(g.folders[i]);
	}
	return cgroup_remove(&g);
}

bool cgroup_delegate(const char *root, struct str own) {
	struct str path;
	char folder[PATH_MAX], leaf[PATH_MAX], all[PATH_MAX];
	snprintf(all, sizeof all, "%s/cgroup.controllers", root);
	if (!file_exists(all) || !own_path(own, "", &path)) return false;
	if (str_ends(path, STR("/daemon"))) return true;
	if (str_eq(path, STR("/"))) return false; // the machine's root is not ours
	snprintf(folder, sizeof folder, "%s" STR_FMT, root, STR_ARG(path));
	int n = snprintf(leaf, sizeof leaf, "%s/daemon", folder);
	if (n >= (int)sizeof leaf || (mkdir(leaf, 0755) && errno != EEXIST)) return false;
	return put(leaf, "cgroup.procs", "0") &&
	       put(folder, "cgroup.subtree_control", "+memory +pids +cpu");
}
