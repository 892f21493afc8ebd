// Trees as git stores them: entries, and what differs between two trees (without renames, exactly
// by bytes).
#pragma once
#include "base/arena.h"
#include "git/object.h"

enum git_mode {
	GIT_MODE_NONE = 0, // not there
	GIT_MODE_FOLDER = 0040000,
	GIT_MODE_FILE = 0100644,
	GIT_MODE_PROGRAM = 0100755,
	GIT_MODE_LINK = 0120000,
	GIT_MODE_MODULE = 0160000, // a submodule: oid is a commit of another repository
};

struct git_entry {
	struct str name; // bytes, borrowed from the tree
	enum git_mode mode;
	struct oid oid;
};

// Takes the next entry off *rest (the bytes of a tree). False at the end (*rest empty) or when the
// rest is not understood (*rest not empty). oid_bytes: 20 or 32.
bool git_tree_next(struct str *rest, size_t oid_bytes, struct git_entry *out);
// A name that may become a file: not empty, ".", "..", ".git" in any case, and without a slash.
bool git_tree_name_ok(struct str name);

struct git_difference {
	struct str path; // from the root, no slash in front
	enum git_mode before, after;
	struct oid old, new;
};

// What turns tree a into tree b; a none (n = 0) means everything of b. Parents stand before what is
// in them. A folder that is new, gone, or was something else stands in the list itself; so do all
// things in a new one, and with `each_gone` all in a folder that is gone. ERR_INVALID: names that
// may not become files. ERR_LIMIT: more than GIT_TREE_PATHS_MAX, deeper than GIT_TREE_DEPTH_MAX, or
// a path of more than 4,000 bytes.
struct git_differences {
	struct git_difference *list;
	size_t count, cap;
};
enum { GIT_TREE_PATHS_MAX = 2000000, GIT_TREE_DEPTH_MAX = 200, GIT_TREE_PATH_BYTES = 4000 };
MUST_USE bool git_tree_diff(struct git_reader *reader, struct oid a, struct oid b, bool each_gone,
                            struct arena *life, struct git_differences *out, struct err *e);

// Looks a path up in a tree. False with ERR_NOT_FOUND when nothing is there.
MUST_USE bool git_tree_find(struct git_reader *reader, struct oid tree, struct str path,
                            struct git_entry *out, struct err *e);
// The tree of a commit (or the tree itself).
MUST_USE bool git_tree_of(struct git_reader *reader, struct oid commit, struct oid *tree,
                          struct err *e);
