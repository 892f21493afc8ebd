// What was asked of adapters and has no outcome yet, read from the state alone: intent is not fact.
//
// After a restart every item goes to its adapter again with the same ids, and the adapter adopts
// what already runs or finds out what became of it; so an adapter must take the same item any
// number of times. While the daemon lives it may be asked at any moment: what is listed is
// outstanding, what is not is settled, and a late answer to it is refused by apply_check.
//
//   item                               asked by              settled by
//   OUTBOX_CANDIDATE                   candidate.issued      candidate.built | refused | dropped
//   OUTBOX_RUN                         run.issued            run.finished | reused | stopped | lost
//   OUTBOX_RUN, cancel                 run.cancel_issued     the same
//   OUTBOX_LANDING                     landing.issued        change.landed | landing.failed
//   OUTBOX_ROLLOUT                     rollout.issued        rollout.finished
//   OUTBOX_ROLLOUT, cancel             rollout.cancel_issued the same
//
// A landing is settled by looking at the repository first (git/landing.h): the commit is in trunk
// -> change.landed, trunk is still `from` -> again, else -> landing.failed{found}.
#pragma once
#include "base/arena.h"
#include "core/state.h"

enum outbox_kind { OUTBOX_CANDIDATE, OUTBOX_LANDING, OUTBOX_RUN, OUTBOX_ROLLOUT };

struct outbox_item {
	enum outbox_kind kind;
	bool cancel; // a run or a rollout that was also asked to stop
	uint64_t id; // of the candidate, run, landing or rollout: what the outcome names
	struct repo_id repo;
	struct candidate_id candidate; // CANDIDATE, RUN, LANDING
	uint32_t job;                  // RUN: index in the candidate's plan
	struct oid from, to;           // LANDING
	struct env_id env;             // ROLLOUT
	struct release_id release, previous;
};

struct outbox_list { // candidates, landings, runs, rollouts; each by id of its row
	struct outbox_item *items;
	size_t count;
};

struct outbox_list outbox_pending(const struct state *s, struct arena *life);
