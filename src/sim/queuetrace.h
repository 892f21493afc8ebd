// A trace for the benchmark of queue policies: changes as they arrive, and what is true of them.
//
//   {"changes":[{"arrival_s":0.0,"duration_s":480,"ok":true,"areas":[3,7],"p_success":0.93}],
//    "real_conflicts":[[0,4]]}
//
// A change may also have "flake" (0 unless said), how often a run of it fails for nothing, and
// "priority" (0 unless said), with which it goes ahead of undecided changes of a lower one. One
// with a priority has no real conflicts: which of the two breaks would depend on the policy.
//
// In order of arrival. Two changes potentially conflict iff their areas meet. A change fails iff it
// is not ok, or a change that arrived earlier and really conflicts with it has landed. p_success is
// a prediction of whether it lands in the end; policies see it and the duration, never ok and
// real_conflicts.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { QUEUETRACE_CHANGES_MAX = 100000, QUEUETRACE_AREAS_MAX = 64 }; // areas of one change

struct queuetrace_change {
	int64_t arrival_ms, duration_ms;
	double success, flake;
	int32_t priority;
	bool ok;
	const uint32_t *areas;
	size_t area_count;
	const uint32_t *conflicts; // earlier changes, ascending
	size_t conflict_count;
};

struct queuetrace {
	struct queuetrace_change *changes;
	size_t n;
};

// The error says which change, and what is wrong with it.
MUST_USE bool queuetrace_read(struct str text, struct arena *life, struct queuetrace *out,
                              struct err *e);
void queuetrace_write(const struct queuetrace *t, struct buf *out);

struct queuetrace_shape { // merge-queue traces as the papers on SubmitQueue describe them
	size_t changes;
	double per_hour;   // Poisson arrivals
	uint32_t areas;    // a change touches one of them, or two
	int64_t median_ms; // durations: lognormal
	double bad;        // share of changes that are not ok
	double conflicts;  // of two whose areas meet, how often they really conflict
	double accuracy;   // of the prediction
	double flake;      // of each run of each change
	double urgent;     // share of changes with priority 1
	uint64_t seed;
};
extern const struct queuetrace_shape queuetrace_usual;
void queuetrace_make(const struct queuetrace_shape *shape, struct arena *life,
                     struct queuetrace *out);
bool queuetrace_meet(const struct queuetrace_change *a, const struct queuetrace_change *b); // areas
// What becomes of each change, which no policy may alter: in order of arrival.
void queuetrace_outcomes(const struct queuetrace *t, bool *lands);
