// Trial merges, by git's own merge engine: what the merge of two commits would be, or why there is
// none. Attributes of the repository's files are not read (a bare repository has none): no merge
// drivers.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

struct git_repo;

struct git_conflict {
	struct str path; // UTF-8, bytes that are not become U+FFFD
	struct str kind; // git's word: "contents", "modify/delete", "binary", "file/directory" ...
	struct str text; // git's sentence, or empty
	struct str ours, theirs; // the conflicting lines of both sides, "…" between hunks; at most
	                         // GIT_CONFLICT_BYTES_MAX each; empty where git marks none in the file
};

struct git_merge {
	bool clean;
	struct oid tree; // also of a conflict: with marked files
	struct git_conflict *conflicts;
	size_t conflict_count; // at most GIT_CONFLICTS_MAX; conflict_files says how many there are
	size_t conflict_files;
};

enum { GIT_CONFLICTS_MAX = 50, GIT_CONFLICT_BYTES_MAX = 4096 };

// Merges theirs into ours in memory; trees and files it makes are written as objects. ERR_CONFLICT:
// the two have no common history. Texts live in `life`.
MUST_USE bool git_merge_try(struct git_repo *r, struct oid ours, struct oid theirs,
                            struct arena *life, struct git_merge *out, struct err *e);

// The conflicting lines of a file with git's markers. Pure.
void git_merge_sides(struct str marked, size_t most, struct arena *life, struct str *ours,
                     struct str *theirs);
