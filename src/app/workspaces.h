// The layers of a run's workspace, topmost first: artifacts of the jobs it needs, a delta of only
// the files that differ from a cached checkout, that checkout. Made on worker threads, used by the
// daemon and by `weir run` alike.
//
//   CACHE/base/GROUP/TREE/       whole checkouts; the newest of a group (a repository) is the base
//   of the next deltas CACHE/artifacts/DIGEST/      unpacked artifacts RUN.delta/ of one run,
//   beside its folder
//
// A checkout is never written to: jobs see it through overlayfs. Files belong to the jobs' uid
// where weir is root.
#pragma once
#include "base/arena.h"
#include "exec/spec.h"
#include "git/repo.h"

struct workspaces;

// cache: absolute; objects: the folder that holds objects/ (store/object.h).
struct workspaces *workspaces_new(const char *cache, const char *objects);
void workspaces_free(struct workspaces *w);

struct workspace_request {
	struct git_repo *git;
	const char *group; // repository's name
	struct oid tree;
	const char *run; // the run's folder, which need not exist
	const struct digest *artifacts;
	size_t artifact_count;
};
// Thread-safe. On an error nothing of it is left but complete cache entries.
MUST_USE bool workspaces_prepare(struct workspaces *w, const struct workspace_request *q,
                                 struct arena *life, struct exec_strs *lowers, struct err *e);
// The run is over: its delta goes, its layers may be removed.
void workspaces_done(struct workspaces *w, const char *run);

// At a start, before any run: finds the newest checkout of each group; then the runs of an earlier
// daemon that may still live, with their lowers.
void workspaces_find(struct workspaces *w);
void workspaces_adopt(struct workspaces *w, const char *run, const struct exec_strs *lowers);
// Removes what no run uses: half-made entries, checkouts that are not the newest of their group,
// unpacked artifacts whose last use is at least idle_ms ago. Thread-safe; runs start meanwhile.
void workspaces_sweep(struct workspaces *w, int64_t idle_ms);
enum { WORKSPACES_IDLE_MS = 24 * 3600 * 1000 };
