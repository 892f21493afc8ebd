// Batches: changes that are tested, and land, together. A candidate is its change merged onto what
// it stands on; a batch merges others before it, its members, so that one run of each job speaks
// for all of them.
//
// Green, they land as one move of trunk, to the tree that was tested. Red, it says of nobody that
// he is to blame: it stays as evidence (core/queue.h) while its members are tested apart. Those
// that land leave it; what is then known of the last one left is looked for on the tip. A batch
// that could not be built is split: its members are tested one by one.
//
//   example: {7 8 9} red. 7 and 8 together are green and land; 9 is left, and red on the tip by the
//   very inputs of before: it is rejected, and no job of it ran alone.
#pragma once
#include "base/arena.h"
#include "core/state.h"

// At least 1. A member that landed or left is none any more.
size_t batch_size(const struct state *s, const struct candidate *c);
// In the order in which they land; the last one is the candidate's own change.
struct member batch_member(const struct state *s, const struct candidate *c, size_t i);
bool batch_has(const struct state *s, const struct candidate *c, struct change_id change);

// candidate.issued's `members`: of all but the last of these. Empty for one.
struct str batch_text(const struct member *members, size_t n, struct arena *life);
// The other way; false: it is no such list.
MUST_USE bool batch_read(struct str members, struct arena *life, struct member **out, size_t *n);
MUST_USE bool batch_check(const struct state *s, const struct event_candidate_issued *e,
                          struct err *why);
void batch_set(struct state *s, const struct candidate *c, struct str members);
// The change is no member any more; it is not the only one.
void batch_leave(struct state *s, struct candidate *c, struct change_id change);
void batch_forget(struct state *s, struct candidate_id candidate); // it is gone

// What is to be told when the landing that is under way in the repository has moved trunk:
// change.landed of member i, all of them in their order.
struct event batch_landed(const struct state *s, const struct repo *r, size_t i);
