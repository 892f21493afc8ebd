// Every order and every outcome for a few changes: what a thousand seeds miss. A depth-first walk
// over all that may happen next, with the digests of states already seen.
//
// At each step the world offers: a push, a new revision, a withdrawal, an outcome of anything that
// outbox_pending names (so each step is also the one after a restart), the silent half of a landing
// (the ref has moved, nobody knows), somebody else's push to trunk, a rollback. After each step the
// log is replayed and compared: a crash there changes nothing.
#pragma once
#include "base/err.h"

struct explore_options {
	int changes; // at most 4
	int jobs;    // of each candidate: 0, 1 or 2 (the second needs the first)
	int slots;
	int revisions, withdrawals, lost, foreign, rollbacks; // how many of each may happen
	bool priorities;                                      // later changes go ahead of earlier ones
	bool doubts;  // a red run may be a flake (core/flakes.h)
	bool apart;   // a candidate may turn out to touch what no other touches
	bool crashes; // replay and compare at each step
	uint64_t states_max;
};

struct explore_result {
	uint64_t states, steps, ends; // distinct states; steps taken; states in which nothing is left
	int depth;                    // of the longest story
	bool whole;                   // false: stopped at states_max
};

// False = a promise was broken: *why says which, and by what steps.
MUST_USE bool explore_run(const struct explore_options *o, struct explore_result *out,
                          struct err *why);
