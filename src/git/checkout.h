// Files of a tree in a folder, for jobs: the bytes of the blobs exactly (no end-of-line conversion,
// no filters, no attributes), modes 0644 and 0755, links as links, submodules as empty folders, one
// modification time for everything, folders included. No .git, and trees that name one are refused.
#pragma once
#include "base/err.h"
#include "base/hash.h"

struct git_repo;

#define GIT_CHECKOUT_TIME_S INT64_C(946684800) // 2000-01-01T00:00:00Z

struct git_checkout {
	// uid/gid own all; used only where this process is root. (uid_t)-1 leaves the owner.
	unsigned uid, gid;
};

struct git_checkout_done {
	size_t files, folders, links, submodules, gone;
	uint64_t bytes;
};

// The whole tree (or a commit's) into `folder`, which must not exist or be empty; its parent
// exists. On an error what was written stays: remove the folder. ERR_INVALID: the tree cannot be
// files. ERR_LIMIT: a blob of more than GIT_BLOB_BYTES_MAX.
MUST_USE bool git_checkout_tree(struct git_repo *r, struct oid tree, const char *folder,
                                const struct git_checkout *how, struct git_checkout_done *done,
                                struct err *e);
// Only what turns a checkout of base into one of tree, as the upper of two overlayfs layers: what
// is gone is a whiteout (a character device 0/0, which an ordinary user may make since Linux 5.8).
// A folder in place of a file hides the file, so no opaque mark is needed. The same rules
// otherwise. base == tree gives an empty folder.
MUST_USE bool git_checkout_delta(struct git_repo *r, struct oid base, struct oid tree,
                                 const char *folder, const struct git_checkout *how,
                                 struct git_checkout_done *done, struct err *e);

enum { GIT_BLOB_BYTES_MAX = 512 << 20 };
