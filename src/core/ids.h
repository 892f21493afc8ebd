// Numbers that name things. One struct each, so that a run can't be passed where a change is meant.
// Each kind is one sequence per server, from 1; 0 means none.
#pragma once
#include <stdint.h>

struct repo_id {
	uint64_t v;
};
struct change_id {
	uint64_t v;
};
struct candidate_id {
	uint64_t v;
};
struct run_id {
	uint64_t v;
};
struct landing_id {
	uint64_t v;
};
struct release_id {
	uint64_t v;
};
struct env_id {
	uint64_t v;
};
struct rollout_id {
	uint64_t v;
};
