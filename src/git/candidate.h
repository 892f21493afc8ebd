// The candidate of a change on a tip: what trunk becomes when the change lands.
//
// When the tip is an ancestor of the head, the candidate is the head itself. Else it is a merge
// with two parents (tip, head), made by git's merge engine: author and author date are the
// change's, committer is weir, the committer date is the event's, the message is the title and
// "Change: ID". Same arguments, same commit.
#pragma once
#include "git/commit.h"
#include "git/merge.h"

struct git_candidate_meta {
	struct git_person author;
	struct str title;
	uint64_t change;
	int64_t time_ms; // of the event that asks for it
};

struct git_candidate {
	enum git_candidate_kind {
		GIT_CANDIDATE_READY,
		GIT_CANDIDATE_LANDED,   // the tip holds the head already: there is nothing to land
		GIT_CANDIDATE_CONFLICT, // merge.conflicts says where; commit and tree are none
	} kind;
	struct oid commit, tree;
	bool is_head;         // commit is the head: no merge was needed
	size_t files_changed; // between the tip and the candidate
	struct git_merge merge;
};

// tip none (n = 0) = the target branch does not exist yet. ERR_NOT_FOUND, ERR_INVALID: head is no
// commit here. ERR_CONFLICT: no common history. The candidate is kept from garbage collection only
// by git_landing_keep.
MUST_USE bool git_candidate_build(struct git_repo *r, struct oid tip, struct oid head,
                                  const struct git_candidate_meta *meta, struct arena *life,
                                  struct git_candidate *out, struct err *e);

// One commit over several that were built one on the other: parents (tip, last), last's tree. Its
// message names them all; author and committer are weir. metas[n - 1] is last's.
MUST_USE bool git_candidate_cover(struct git_repo *r, struct oid tip, struct git_candidate last,
                                  const struct git_candidate_meta *metas, size_t n,
                                  struct arena *life, struct oid *commit, struct err *e);
