// Limits and the end of a run's whole process tree, by what the machine offers: version 2 with
// controllers; else version 1 controllers (memory, cpu, pids), with a version 2 folder beside them
// where there is one, for cgroup.kill; else nothing. A run's cgroups are children of the one weir
// runs in, named weir-ID.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
const char *cgroup_kind_name(enum cgroup_kind kind); // "none" "v1" "v2"

enum { CGROUP_FOLDERS = 4 };

struct cgroup_limits { // 0 = no limit
	int64_t memory_bytes, cpu_milli, pids;
};

struct cgroup {
	enum cgroup_kind kind;
	struct cgroup_limits enforced;           // 0 where the machine could not
	const char *folders[CGROUP_FOLDERS + 1]; // NULL-terminated: for process_spec.cgroups
	const char *memory, *cpu, *pids, *kill;  // those of them that do this, or NULL
};

struct cgroup_use {
	int64_t memory_peak_bytes, cpu_us; // -1 = not known
	int64_t oom_kills, pids_refused;
};

// `root` is /sys/fs/cgroup, `own` the text of /proc/self/cgroup. Where nothing may be made:
// CGROUP_NONE.
struct cgroup cgroup_create(const char *root, struct str own, struct str id,
                            struct cgroup_limits limits, struct arena *life);
struct cgroup_use cgroup_read(const struct cgroup *g);
void cgroup_kill(
	const struct cgroup *g); // SIGKILL to all that is in it, also to what forks meanwhile
bool cgroup_remove(const struct cgroup *g); // false: still busy, try again later
// The folders, one a line, for who has to clean up after a leader that was killed; and that
// cleaning.
void cgroup_list(const struct cgroup *g, struct buf *out);
bool cgroup_remove_listed(struct str lines);

// Version 2 allows limits only for children of a cgroup without processes: moves this process into
// a child named "daemon" and turns the controllers on. For the daemon, once, at its start; needs a
// delegated cgroup (Delegate=yes). False: it is not ours to do, runs go without limits or with
// version 1.
bool cgroup_delegate(const char *root, struct str own);
