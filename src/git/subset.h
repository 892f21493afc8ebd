// A tree of only those files of another that match: what a job with `inputs:` is given to see.
#pragma once
#include "git/tree.h"

// patterns: base/glob.h, from the root. The tree becomes an object of r. A submodule stands for
// itself. Blocks.
MUST_USE bool git_subset_make(struct git_repo *r, struct oid tree, const struct str *patterns,
                              size_t n, struct oid *out, struct err *e);
// Whether `subset` is what git_subset_make gives, without making it.
MUST_USE bool git_subset_is(struct git_reader *reader, struct oid tree, const struct str *patterns,
                            size_t n, struct oid subset, bool *is, struct err *e);
