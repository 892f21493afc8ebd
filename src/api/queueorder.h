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
// Those, in order, at most QUEUEORDER_WAITS_MAX.
enum { QUEUEORDER_WAITS_MAX = 20 };
struct queueorder queueorder_waits(const struct state *s, struct change_id id, struct arena *life);
// Why one waits for the other, for people: "both touch job app".
struct str queueorder_why(const struct state *s, const struct change *a, const struct change *b,
                          struct arena *life);
