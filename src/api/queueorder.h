// The order in which open changes land, from the state: by repository, then priority, then arrival.
#pragma once
#include "base/arena.h"
#include "core/state.h"

struct queueorder {
	const struct change **p; // queued ones, also those under test
	size_t n;
};

struct queueorder queueorder_of(const struct state *s, struct repo_id repo,
                                struct arena *life); // repo 0 = all
// How many it has to wait for (core/areas.h); -1 = it is not in the queue.
int64_t queueorder_ahead(const struct state *s, struct change_id id);
