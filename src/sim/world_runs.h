// Runners: each run has a leader that outlives the daemon. Asked again with the same id it is
// adopted, never started twice.
#pragma once
#include "sim/world.h"

struct world_ask {
	struct run_id run;
	uint32_t job;
	struct gitmodel_tree tree; // the verdict follows from it
	bool lookup;
	uint64_t change, revision;
};
void world_runs_ask(struct world *w, const struct world_ask *q);
void world_runs_cancel(struct world *w, struct run_id run);
void world_runs_recorded(struct world *w, const struct event *e); // an event that is durable now
uint64_t world_runs_live(const struct world *w); // processes, whatever anybody believes
void world_runs_gossip(struct world *w); // now and then, a report about a run that never was
