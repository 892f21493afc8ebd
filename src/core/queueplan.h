// What the parts of the queue's policy share while they make one plan (core/queue.h). Private to
// core/queue*.c.
#pragma once
#include "core/queue.h"

struct queueplan_change {
	double success;  // what is believed now
	double sure;     // probability of the likely path
	double end_ms;   // when it will be decided, expected
	double own_ms;   // when its own candidate on the likely path ends, or would
	double known_ms; // when more will be known of it: a running candidate's end, else its own
	uint32_t *tries; // that still speak for it
	uint32_t try_count;
	uint64_t *likely, *after;
	bool covered; // there is a candidate on the likely path
	bool tested;  // and it has ended
	enum { QUEUEPLAN_UNASKED, QUEUEPLAN_STARTS, QUEUEPLAN_WAITS } waits; // of one not covered
};

struct queueplan {
	const struct queue_view *view;
	struct arena *life;
	struct queue_plan *out;
	size_t n, words, free, over; // free: slots; over: more run than there are slots
	struct queueplan_change *changes;
	uint64_t *need; // changes without a candidate on the likely path
	bool *stopped;  // of each try
	bool hotfix_starts;
	uint64_t **inside; // of each try: members and base
};

// In the loops over all pairs of changes; no number here is none.
static inline double queueplan_max(double a, double b) {
	return a > b ? a : b;
}

static inline double queueplan_min(double a, double b) {
	return a < b ? a : b;
}

// A candidate that is worth less is stopped when slots are short; best: how sure the surest path is
// that waits for one.
static inline double queueplan_stop_below(double best) {
	return queueplan_min(.1, best / 4);
}

uint64_t *queueplan_set(const struct queueplan *q); // empty
void queueplan_start(struct queueplan *q, const uint64_t *members, const uint64_t *base);
// Whether there is a candidate that still speaks for change i on the path `assumed` (a part of
// before(i)).
bool queueplan_has_path(const struct queueplan *q, size_t i, const uint64_t *assumed);

void queueplan_find_need(struct queueplan *q); // step 2
void queuebatch_start(struct queueplan *q);    // step 4 under load
// How sure the surest path is of those that could start now.
double queuebatch_surest(const struct queueplan *q);
void queuehedge_start(struct queueplan *q); // step 5
