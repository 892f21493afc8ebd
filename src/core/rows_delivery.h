// Rows of the state's tables (core/rows.h): releases and where they run.
#pragma once
#include "core/rows.h"

enum {
	STATE_HISTORY = 8,
	STATE_BLOCKS_MAX = 500 // of one environment; beyond, the oldest release is forgotten
};

struct release {
	struct release_id id;
	struct repo_id repo;
	struct change_id change;
	struct oid commit;
};

struct block { // a release that an environment takes only by force
	struct release_id release;
	struct env_id env;
};

struct env {
	struct env_id id;
	struct repo_id repo;
	struct release_id history[STATE_HISTORY]; // [0] runs now, [1] ran before, 0 = none
	struct release_id
		floor; // releases up to here were tried: none of them goes out by itself again
	struct release_id requested;
	struct rollout_id rollout; // under way, 0 = none
	struct release_id rollout_release;
	struct name name;
	uint8_t defined; // trunk's weir.yml names it
	uint8_t rollback_wanted, unhealthy, cancelling, rollout_is_rollback;
};
