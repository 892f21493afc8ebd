// Runners: each run has a leader that outlives the daemon. Asked again with the same id it is
// adopted, never started twice.
#pragma once
#include "sim/world.h"

// plan: what the candidate's tree says; the run's verdict follows from the tree.
void world_runs_ask(struct world *w, struct run_id run, uint32_t job, struct oid tree,
                    struct str plan);
void world_runs_cancel(struct world *w, struct run_id run);
void world_runs_recorded(struct world *w, const struct event *e); // an event that is durable now
uint64_t world_runs_live(const struct world *w); // processes, whatever anybody believes
void world_runs_gossip(struct world *w); // now and then, a report about a run that never was
