// Between the state and the queue's policy (core/queue.h): which candidates should exist now.
//
// A candidate is a path: its change merged onto another candidate, or onto the tip. Its verdict
// says that the change may land once those below it on the path have. The policy speaks of sets of
// changes that are assumed to land; here a set becomes the path through them in the order of the
// queue, and a step is issued when the one below it is built, because it needs its commit.
//
// Each change is thought to depend on all before it: what lands is the very tree that was tested. A
// change that touches nothing of what others' jobs read is tested again on the new tip all the
// same, and its jobs' verdicts are found to hold (app/reuse.h), which takes milliseconds.
//
//   example: changes 7 and 8, tip T, 2 slots. 7 on T is issued; built, 8 on 7. 7 is red: it is
//   rejected, 8 on 7 goes with it, and 8 on T is issued. Had 7 been likely to fail, 8 on T would
//   have run beside 7 from the beginning.
#pragma once
#include "core/state.h"

struct speculate_issue {
	struct change_id change;
	struct candidate_id base; // built; 0 = the tip
};

struct speculate_plan {
	struct speculate_issue *issues;
	size_t issue_count;
	struct candidate_id *stops; // no longer worth their slots
	size_t stop_count;
};

// The queued changes of a repository in the order in which they may land. Drafts land never: nobody
// waits for them.
size_t speculate_order(const struct state *s, struct repo_id repo, struct arena *life,
                       const struct change ***out);
void speculate_repo(const struct state *s, const struct repo *r, int64_t now_ms, size_t slots,
                    struct arena *life, struct speculate_plan *out);
