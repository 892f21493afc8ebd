// Those who push: each has one change, pushes revisions of it, the same one twice, takes it back,
// tries again when it was rejected, and pushes anew when nobody answered. Some also deploy and roll
// back.
#pragma once
#include "sim/witness.h"
#include "sim/world.h"

void people_init(struct world *w, size_t count);
// Those whose time has come act; what they see of weir is what its log says.
void people_act(struct world *w, const struct witness *seen);
// The answer to a push: accepted as this revision, or not now.
void people_answer(struct world *w, uint32_t index, bool accepted, struct change_id change,
                   uint32_t revision, struct oid head);
bool people_all_pushed(const struct world *w);
