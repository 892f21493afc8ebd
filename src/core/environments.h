// Rows of environments and releases: what events do to them. Changed by apply only.
#pragma once
#include "core/state.h"

// Trunk's plan names these environments now: new names get the next ids in the order of their
// names; a name that is gone keeps its row, undefined.
void environments_define(struct state *s, struct repo_id repo, struct str plan);
void environments_rollout_issued(struct state *s, const struct event_rollout_issued *e);
void environments_rollout_finished(struct state *s, const struct event_rollout_finished *e);
// Where a rollback leads: the newest release that ran here before and is not blocked; 0 = none.
struct release_id environments_back(const struct state *s, const struct env *env);
void environments_deploy_requested(struct state *s, const struct event_deploy_requested *e);
void environments_release_made(struct state *s, const struct event_release_made *e);
