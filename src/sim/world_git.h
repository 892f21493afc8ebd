// git's side: trial merges, and landings as git/landing does them: a child process compares and
// swaps one ref; asked again, it first looks what became of the earlier one.
#pragma once
#include "sim/world.h"

void world_git_ask_candidate(struct world *w, const struct event_candidate_issued *e,
                             int64_t issued_ms);
void world_git_ask_landing(struct world *w, const struct event_landing_issued *e, bool recovering);
void world_git_tick(struct world *w); // children move refs
void world_git_recover(
	struct world *w); // before anything is asked: no child, no lock of a dead daemon
void world_git_disturb(struct world *w); // somebody pushes to trunk past weir
struct gitmodel_tree world_git_edit(struct world *w, struct gitmodel_tree tree, bool good);
