// What all repositories of one data folder share: the folder, the lock that marks our git children,
// and the hook program. Every function of src/git blocks and may be called from several threads at
// once; a child that serves several calls lives as long as the thread that started it, so call from
// threads that stay.
#pragma once
#include "base/arena.h"
#include "base/err.h"

struct git_home;

// data: the data folder (made by others); NULL for work without a server (snapshots), where there
// is nothing to recover. hook: path of the program weir-hook; NULL = repositories made here get no
// hooks (tests).
MUST_USE bool git_home_open(const char *data, const char *hook, struct git_home **out,
                            struct err *e);
void git_home_close(struct git_home *h); // after all its repositories

// What a daemon does before it reads any ref: kills the git children that a dead daemon left (they
// hold DATA/git.lock open) and waits until they are gone, then removes the lock files of theirs
// below DATA/repos/*.git. Never call it with children of this process alive. Counts may be NULL.
MUST_USE bool git_home_recover(struct git_home *h, size_t *killed, size_t *locks_removed,
                               struct err *e);
