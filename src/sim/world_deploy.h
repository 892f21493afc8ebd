// Environments: a supervisor that outlives the daemon carries out rollouts, each once by its id:
// the new release starts beside the old one, and traffic is switched when it is green.
#pragma once
#include "sim/world.h"

void world_deploy_ask(struct world *w, const struct event_rollout_issued *e,
                      struct gitmodel_tree tree);
void world_deploy_cancel(struct world *w, struct rollout_id rollout);
void world_deploy_tick(struct world *w);
bool world_deploy_running(const struct world *w, uint64_t env, uint64_t *release);
