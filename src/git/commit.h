// Commits: reading what one says, writing one, and how two are related.
#pragma once
#include "base/arena.h"
#include "git/object.h"

struct git_person {
	struct str name, email; // valid UTF-8; "" where the commit has none
	int64_t time_s;         // since 1970 UTC
	int zone_minutes;       // east of UTC
};

struct git_commit {
	struct oid oid, tree;
	struct oid *parents;
	size_t parent_count;
	struct git_person author, committer;
	struct str title;     // first line of the message; "(no title)" when empty
	struct str message;   // title and body
	struct str change_id; // value of a Change-Id trailer in the last paragraph, or empty
};

// Texts live in `life` and are UTF-8: bytes that are not, become U+FFFD; NUL and what follows it is
// dropped. ERR_LIMIT: a commit of more than 1 MB. ERR_INVALID: not a commit.
MUST_USE bool git_commit_read(struct git_repo *r, struct oid oid, struct arena *life,
                              struct git_commit *out, struct err *e);
bool git_commit_parse(struct str bytes, struct arena *life, struct git_commit *out);

// Writes a commit durably. Names lose what git cannot hold (newlines, angle brackets); the same
// arguments give the same oid.
MUST_USE bool git_commit_write(struct git_repo *r, const struct git_commit *commit, struct oid *out,
                               struct err *e);

// Whether `old` can be reached from `new` (also when they are the same).
MUST_USE bool git_commit_is_ancestor(struct git_repo *r, struct oid old, struct oid new, bool *out,
                                     struct err *e);
// The same for an `old` that stands a few commits below `new` on a straight line, which is what
// most questions are about: asks no process. False says nothing.
MUST_USE bool git_commit_is_near_ancestor(struct git_repo *r, struct oid old, struct oid new,
                                          bool *out, struct err *e);
// Commits of head that base does not have, base none = all; at most `most` + 1 are counted.
MUST_USE bool git_commit_count(struct git_repo *r, struct oid base, struct oid head, size_t most,
                               size_t *out, struct err *e);
// Their ids, oldest first. ERR_LIMIT when more than `most`.
MUST_USE bool git_commit_list(struct git_repo *r, struct oid base, struct oid head, size_t most,
                              struct arena *life, struct oid **list, size_t *count, struct err *e);
// What the commit changes, as a name that survives a rebase (git patch-id --stable); none for an
// empty one.
MUST_USE bool git_commit_patch_id(struct git_repo *r, struct oid commit, struct oid *out,
                                  struct err *e);
