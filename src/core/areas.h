// What changes touch, as numbers: each job whose inputs a change altered, as far as the job's last
// run tells, and each file that it altered. Two changes that have no number in common commute: no
// job sees both, and git merges them in either order; they need not wait for each other.
//
// A prediction only: it says who waits for whom and which runs go on when trunk moves. What lands
// is a tree whose every job has a verdict by what the job really read (app/reuse.h).
//
//   example: job lib reads lib/, job app reads lib/ and app/. Changes 7 (lib/a.c), 8 (app/b.c), 9
//   (doc/c.md): 7 and 8 meet in app; 9 meets nobody and lands when its own jobs are done.
#pragma once
#include "core/state.h"

enum { AREAS_MAX = 500 }; // of a change; one with more touches everything

uint32_t areas_of_file(struct str path);
// Takes candidate.built's `affects` as what the change touches.
void areas_set(struct state *s, struct change *c, struct str affects);
void areas_forget(struct state *s, struct change *c);
// Other jobs, another answer: of a repository that has a new plan.
void areas_forget_all(struct state *s, struct repo_id repo);
// What was predicted turned out wrong: of this revision it is not believed again. Else a change
// whose jobs read more than thought would be sent back by each landing.
void areas_distrust(struct state *s, struct change *c);
bool areas_has_job(const struct state *s, const struct change *c, struct str job);
uint64_t areas_of_job(struct str job);
bool areas_has(const struct state *s, const struct change *c, uint64_t number);
bool areas_meet(const struct state *s, const struct change *a, const struct change *b);

// Of one repository: a goes first. Less than 0, 0 or more, as qsort wants it.
int areas_compare(const struct change *a, const struct change *b);

// The queued changes of a repository in the order in which they may land.
struct areas_order {
	const struct change **list;
	size_t n, words;
	uint64_t **before; // of each: those it has to wait for. Nobody waits for a draft
};
void areas_order(const struct state *s, struct repo_id repo, struct arena *life,
                 struct areas_order *out);
