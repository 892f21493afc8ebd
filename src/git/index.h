// What weir reads from a git index (gitformat-index(5)) instead of asking git. Pure.
#pragma once
#include "base/hash.h"

// The tree that it stands for, when git noted it there (extension TREE). False when it does not
// say, is of another version than 2 or 3, or is not an index: ask git then.
bool git_index_tree(struct str index, size_t oid_bytes, struct oid *out);
// A name for its entries (paths, modes, blobs, flags) without what stat says of the files: the same
// name, the same tree. False as above.
bool git_index_content(struct str index, size_t oid_bytes, struct digest *out);
