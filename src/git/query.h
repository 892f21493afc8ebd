// What others ask about a repository: sizes, paths, files, refs. For single commits see
// git/commit.h.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct git_repo;

// A push brings at most this many commits that the target does not have: a change is meant to be
// small.
enum { GIT_CHANGE_COMMITS_MAX = 1000 };

struct git_size {
	uint64_t files, lines_added, lines_deleted; // binary files count as files only
};
// From tree or commit `base` (none = from nothing) to `head`.
MUST_USE bool git_query_size(struct git_repo *r, struct oid base, struct oid head,
                             struct git_size *out, struct err *e);
// Files that differ, sorted, as bytes. ERR_LIMIT when more than `most`.
MUST_USE bool git_query_paths(struct git_repo *r, struct oid base, struct oid head, size_t most,
                              struct arena *life, struct str **paths, size_t *count, struct err *e);
// A unified diff for people, renames followed, at most `most` bytes; *cut says that there is more.
MUST_USE bool git_query_diff(struct git_repo *r, struct oid base, struct oid head, size_t most,
                             struct buf *out, bool *cut, struct err *e);
// Appends a file of a commit or tree. ERR_NOT_FOUND: no such path. ERR_INVALID: not a file.
// ERR_LIMIT: longer than `most`.
MUST_USE bool git_query_file(struct git_repo *r, struct oid commit, struct str path, size_t most,
                             struct buf *out, struct err *e);
MUST_USE bool git_query_tree(struct git_repo *r, struct oid commit, struct oid *tree,
                             struct err *e);
// The best common ancestor, none when there is none.
MUST_USE bool git_query_base(struct git_repo *r, struct oid a, struct oid b, struct oid *out,
                             struct err *e);

struct git_ref {
	struct str name; // full, e.g. "refs/heads/main"
	struct oid oid;
};
// Refs that begin with `prefix` ("refs/heads/"; whole parts), sorted by name.
MUST_USE bool git_query_refs(struct git_repo *r, const char *prefix, struct arena *life,
                             struct git_ref **refs, size_t *count, struct err *e);
