// Rows of candidates and their jobs: how they come, and when they may go.
#pragma once
#include "core/state.h"

// The candidate now stands as `commit` with this plan: its jobs wait, those of `skipped` (a JSON
// list of indices) are skipped. `plan` must have passed plans_check.
void candidates_build(struct state *s, struct candidate *c, const struct event_candidate_built *e);
// The change, a member of `landing`, is about to become trunk: those that stood on it go on without
// it below them, and of the others those that touch what it touches are refuted.
void candidates_follow(struct state *s, const struct candidate *landing,
                       const struct change *landed);
// Who stood on the old one stands on the new one, which is of the same change.
void candidates_replace(struct state *s, struct candidate_id old, struct candidate_id by);
// It is trunk now. Its nightly jobs go on from the day on which the one before it last ran them, so
// that a landing does not begin a night of its own.
void candidates_land(struct state *s, struct candidate *c);
// Removes what nobody needs: dropped ones without a live run; landed ones that are not the newest
// of their repository, once their release is made, or none of their jobs after landing ever began.
void candidates_sweep(struct state *s);
// What the verdicts of its required jobs say so far; *failed: the index of a job that failed.
enum candidates_verdict { CANDIDATES_OPEN, CANDIDATES_PASSED, CANDIDATES_FAILED };
enum candidates_verdict candidates_verdict(const struct state *s, const struct candidate *c,
                                           size_t *failed);
bool candidates_is_open(const struct candidate *c); // neither landed nor dropped
bool candidates_has_runs(const struct state *s, struct candidate_id id);
const struct candidate *candidates_newest_landed(const struct state *s,
                                                 struct repo_id repo); // NULL = none known
