// The one thing weir reads from a git index: the tree that it stands for, when git noted it there
// (extension TREE, gitformat-index(5)). Pure.
#pragma once
#include "base/hash.h"

// False when the index does not say, is of another version than 2 or 3, or is not an index: ask git
// then.
bool git_index_tree(struct str index, size_t oid_bytes, struct oid *out);
