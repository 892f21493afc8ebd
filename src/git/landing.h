// The move of trunk, and the other refs that weir writes. One ref a transaction, compare-and-swap,
// fsynced.
//
// Beside REPO.git stands REPO.landing with "OLD NEW REF\n" while a landing is under way: the
// reference-transaction hook refuses any other move of trunk, by whomever. Landings of one
// repository exclude each other.
#pragma once
#include "base/err.h"
#include "base/hash.h"

struct git_repo;

enum git_landing {
	GIT_LANDED,    // the ref is (or was already) the candidate, or has gone on from it
	GIT_NOT_YET,   // the ref is still the tip: landing may be tried (again)
	GIT_ELSEWHERE, // the ref is neither: somebody else moved it
};

struct git_landing_result {
	enum git_landing state;
	struct oid tip; // where the ref is now; none = it does not exist
};

// Moves branch `ref` ("refs/heads/main") from tip to candidate; tip none creates it. Only forward:
// ERR_CONFLICT when the tip is no ancestor of the candidate. States: LANDED or ELSEWHERE; an error
// means that the ref was not moved, or (ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_IO) that
// git_landing_recover has to tell.
MUST_USE bool git_landing_land(struct git_repo *r, const char *ref, struct oid tip,
                               struct oid candidate, struct git_landing_result *out, struct err *e);
// What became of a landing whose end nobody saw. After git_home_recover when the daemon was dead.
MUST_USE bool git_landing_recover(struct git_repo *r, const char *ref, struct oid tip,
                                  struct oid candidate, struct git_landing_result *out,
                                  struct err *e);

// refs/changes/ID/REVISION = head. Idempotent; ERR_CONFLICT when it is another commit already.
MUST_USE bool git_landing_write_change(struct git_repo *r, uint64_t change, uint64_t revision,
                                       struct oid head, struct err *e);
// refs/candidates/ID = commit, which keeps the candidate from garbage collection (hidden from
// everybody).
MUST_USE bool git_landing_keep(struct git_repo *r, uint64_t change, struct oid commit,
                               struct err *e);
MUST_USE bool git_landing_drop(struct git_repo *r, uint64_t change, struct err *e);
// Any ref but a branch: to `new` (none deletes it), whatever it is now. Idempotent.
MUST_USE bool git_landing_set(struct git_repo *r, const char *ref, struct oid new, struct err *e);
