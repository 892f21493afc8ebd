// Many paths of one tree, looked up one after the other: the folders on the way to the last one are
// kept, so that paths in their order cost one read of each folder.
#pragma once
#include "git/tree.h"

struct git_lookup_folder {
	struct str name; // in the folder before
	struct buf bytes;
};

struct git_lookup { // zeroed but for the first two; git_lookup_free at the end
	struct git_reader *reader;
	struct oid tree;
	struct git_lookup_folder *folders; // [0] is the tree itself
	size_t depth, cap;
	struct arena life;
};
#define AUTO_LOOKUP __attribute__((cleanup(git_lookup_free))) struct git_lookup

// "." is the tree itself. Nothing there: mode GIT_MODE_NONE and true. The name is borrowed until
// the next call.
MUST_USE bool git_lookup_path(struct git_lookup *l, struct str path, struct git_entry *out,
                              struct err *e);
// The bytes of a folder that git_lookup_path has found, for git_tree_next; borrowed until the next
// call.
MUST_USE bool git_lookup_list(struct git_lookup *l, struct str path, struct str *bytes,
                              struct err *e);
void git_lookup_free(struct git_lookup *l);
