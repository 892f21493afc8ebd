// How long tests are expected to take: the longest chain of a candidate's jobs, or their sum over
// the slots, whichever is more. A job that the change is not thought to touch is found again
// (core/areas.h) and takes no time; what is not known of one counts as the mean of the others.
#pragma once
#include "base/arena.h"
#include "core/state.h"

enum { FORECAST_UNKNOWN_MS = 600000 }; // of a candidate, before any job has passed

struct forecast_plan { // jobs of one plan
	struct digest digest;
	const struct plan *plan;
	int64_t *ms;
	uint64_t *numbers; // core/areas.h
};

struct forecast {
	const struct state *s;
	struct repo_id repo;
	size_t slots;
	struct arena *life;
	struct forecast_plan trunk; // the repository's own
};

void forecast_begin(struct forecast *f, const struct state *s, const struct repo *r, size_t slots,
                    struct arena *life);
// Milliseconds, at least a second: of the change, tested by itself; work: the sum of its jobs.
int64_t forecast_change_ms(const struct forecast *f, const struct change *c, int64_t *work_ms);
// Of the candidate: all of it, and what is left of it now.
void forecast_candidate(const struct forecast *f, const struct candidate *c, int64_t now_ms,
                        int64_t *whole_ms, int64_t *left_ms);
