// Everything that one started program became: a cgroup of its own where the machine lets us make
// one, else what can be found by its session, its descent and a mark in its environment. A program
// that clears its environment, leaves its session and forks twice escapes only where there is no
// cgroup.
#pragma once
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

// Makes the cgroup `name` beside this process's own one (version 2, also of a hybrid machine; else
// version 1's pids or freezer) and writes its folder, for process_spec.cgroup. False = there is
// none to have; not an error. One that is left over from before is used again.
bool tree_make(const char *name, struct buf *folder);
void tree_remove(const char *folder); // only an empty cgroup goes; NULL and "" are fine

// Whether a process of the tree still runs; arguments as of tree_kill.
bool tree_runs(const char *folder, pid_t leader, const char *mark);
// Kills with SIGKILL all of the tree and waits, at most 1 s, until none is left. `folder` may be ""
// or NULL; `leader` is the process that was started with new_session, 0 = unknown; `mark`
// ("NAME=value") stands in the environment of all. Returns how many processes were sent the signal.
size_t tree_kill(const char *folder, pid_t leader, const char *mark);
