// A sample of the verdicts that would be reused is not: the job runs all the same, and what it
// gives is compared. So a wrong reuse, or a job that answers the same inputs in two ways, does not
// stay unseen. Counted in the tables' tallies, shown by /metrics, doctor and `weir cache stat`.
#pragma once
#include "core/event.h"

struct recheck {
	struct run_id of; // whose verdict would have held; 0 = nothing is checked
	struct digest artifacts;
};
enum { RECHECK_VARIED = 1, RECHECK_DIFFERED = 2 }; // run.finished's differs

// percent of all runs, by their number: the same ones after a restart.
bool recheck_due(struct run_id run, int percent);
// Fills in what the event says of it. The earlier run had passed.
void recheck_judge(const struct recheck *r, struct event_run_finished *out);
