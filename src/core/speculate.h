// Between the state and the queue's policy (core/queue.h): which candidates should exist now.
//
// A candidate is a path: its change, or a batch of them (core/batch.h), merged onto another
// candidate, or onto the tip. Its verdict says that these may land once those below them on the
// path have. The policy speaks of sets of changes that are assumed to land; here a set becomes the
// path through them in the order of the queue, and a step is issued when the one below it is built,
// because it needs its commit.
//
//   example: changes 7 and 8 meet (core/areas.h), tip T, 2 slots. 7 on T is issued; built, 8 on 7.
//   7 is red: it is rejected, 8 on 7 goes with it, and 8 on T is issued. Had 7 been likely to fail,
//   8 on T would have run beside 7 from the beginning.
//
// Changes that do not meet wait for nobody: 9 on T lands as soon as it is green. 7 on T goes on:
// its verdicts are found again on the new tip (candidate.again), by what its jobs really read. A
// path to a change that meets two which do not meet each other leads over a carrier: 8 on 7, built
// and not tested, so that 9 can stand on both. Batches are made of changes that meet: others share
// no job whose run could be saved, only the risk.
#pragma once
#include "core/state.h"

struct speculate_issue {
	struct member *members; // in the order in which they land
	size_t member_count;
	struct candidate_id base; // built; 0 = the tip
	bool carrier;
};

struct speculate_stop { // no longer worth its slots
	struct candidate_id candidate;
	enum reason reason;
};

struct speculate_plan {
	struct speculate_issue *issues;
	size_t issue_count;
	struct speculate_stop *stops;
	size_t stop_count;
};

void speculate_repo(const struct state *s, const struct repo *r, int64_t now_ms, size_t slots,
                    struct arena *life, struct speculate_plan *out);
