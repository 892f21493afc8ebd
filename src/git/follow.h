// A repository that lives elsewhere and that weir lands into: its branches stand in ours below
// refs/follow/ (trunk as well), and a landing is a push with a lease. Uses the daemon's own HOME,
// ssh agent and git configuration, and never asks a person; protocols: https, http, ssh, git, file.
#pragma once
#include "git/landing.h"
#include "git/query.h"

// Brings refs/follow/* up to date, gone branches included. ERR_UNAVAILABLE: the server cannot be
// reached (git's own words). At most one fetch of a repository at a time.
MUST_USE bool git_follow_fetch(struct git_repo *r, const char *url, struct err *e);
// Branches as fetched whose name matches the pattern (base/glob.h), names without refs/follow/.
MUST_USE bool git_follow_branches(struct git_repo *r, struct str pattern, struct arena *life,
                                  struct git_ref **branches, size_t *count, struct err *e);
// Lands there: push --force-with-lease=trunk:tip candidate:trunk, only forward. When the answer is
// lost the server is asked where trunk is. States as git_landing_land; ERR_DENIED or
// ERR_UNAVAILABLE: trunk there is still the tip.
MUST_USE bool git_follow_land(struct git_repo *r, const char *url, const char *trunk,
                              struct oid tip, struct oid candidate, struct git_landing_result *out,
                              struct err *e);
// Where trunk is there, for recovery: fetches, then like git_landing_recover.
MUST_USE bool git_follow_recover(struct git_repo *r, const char *url, const char *trunk,
                                 struct oid tip, struct oid candidate,
                                 struct git_landing_result *out, struct err *e);
