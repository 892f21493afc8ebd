// The working tree as a tree object, for `weir run`: tracked files as they are on disk plus
// untracked ones that are not ignored (what `git add -A` would commit, with the person's own git
// configuration). The repository is not touched: index and new objects stand in a folder of ours.
#pragma once
#include "git/repo.h"

struct git_snapshot {
	struct oid tree;
	struct git_repo
		*repo;       // reads the tree (git/checkout.h, git/query.h); close it with git_repo_close
	struct oid head; // commit that is checked out; none in a repository without one
	struct str root; // top folder of the working tree, in `life`
};

// where: any folder of the working tree. folder: made if missing; holds index and objects, may be
// kept for the next time, only one snapshot at a time may use it. ERR_NOT_FOUND: `where` is in no
// working tree.
MUST_USE bool git_snapshot_take(struct git_home *h, const char *where, const char *folder,
                                struct arena *life, struct git_snapshot *out, struct err *e);
// The trees of earlier snapshots, only read.
MUST_USE bool git_snapshot_open(struct git_home *h, const char *where, const char *folder,
                                struct git_repo **out, struct err *e);
