// The benchmark of queue policies: a trace (sim/queuetrace.h), some executors, and a policy that is
// asked after each event. What lands follows from verdicts by fixed rules, the same for all:
//
//   - A candidate is members on an assumed base, one executor, its longest member's duration times
//     1 + 0.05 for each further member. Its tree is what has landed when it starts, its base and
//     its members. It is red iff a member or its base holds a change that fails in that tree. One
//     that is stopped has lost its work.
//   - A verdict decides only members, and only when the changes before them that conflict turned
//     out as assumed. Green lands each such member. Red rejects one iff every other change in it
//     has landed.
//   - Runs may fail for nothing (flakes), and never pass for nothing. Who knows of flakes lets a
//   red
//     candidate decide only when that many reds of one tree are less likely than FAKED_MAX; running
//     it again takes a tenth of its time, for only what failed is run.
//   - Conflicting changes are decided in order of arrival, except (early) that one goes ahead when
//     each possible outcome of the undecided ones before it has a finished verdict of its own, all
//     the same; at most EARLY_MAX of them.
//
// The policy sees predictions and durations, never the truth; the oracle alone is given it.
#pragma once
#include "core/queue.h"
#include "sim/queuetrace.h"

enum { QUEUEMODEL_EARLY_MAX = 4 };
#define QUEUEMODEL_AGAIN .1
#define QUEUEMODEL_FAKED_MAX 1e-5

// A policy of the benchmark: as queue_decide, with a memory of its own that starts as zeroes.
struct queuemodel_memory {
	double window;           // of optimistic
	size_t landed, rejected; // of all changes so far; the policy keeps what it saw of them
	size_t seen_landed, seen_rejected;
};
typedef void queuemodel_policy(const struct queue_view *view, struct queuemodel_memory *memory,
                               struct arena *life, struct queue_plan *plan);

struct queuemodel_options {
	queuemodel_policy *policy;
	struct queue_knobs knobs;
	size_t executors;
	bool early;      // decisions before all that came before are decided
	bool told;       // the policy's predictions are the truth
	bool again;      // red candidates that may be flakes are run again
	bool calibrated; // predictions are corrected by what became of earlier ones
	double reuse;    // share of each candidate's duration that needs no run
};

struct queuemodel_candidate {
	const uint32_t *members, *base; // ascending
	size_t member_count, base_count;
	int64_t began_ms, ended_ms;
	bool stopped, passed;
	uint32_t reds, greens; // its runs, when it was not stopped
};

struct queuemodel_slot { // one run: an executor's time
	uint32_t candidate;
	int64_t began_ms, ended_ms;
};

struct queuemodel_decision {
	uint32_t change;
	bool landed;
	int64_t at_ms;
	const uint32_t *candidates; // those that justify it
	size_t candidate_count;
};

struct queuemodel_result {
	struct queuemodel_candidate *candidates;
	size_t candidate_count;
	struct queuemodel_decision *decisions; // in order of time
	size_t decision_count;
	struct queuemodel_slot *slots;
	size_t slot_count;
	size_t stopped, landed, again; // again: runs of a red one
	int64_t executor_ms;
	int64_t plan_calls;
};

// False when the policy leaves changes undecided with nothing running.
MUST_USE bool queuemodel_run(const struct queuetrace *t, const struct queuemodel_options *options,
                             struct arena *life, struct queuemodel_result *out, struct err *e);
