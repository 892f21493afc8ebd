// The jobs of a candidate as people see them: its plan joined with its newest runs.
#pragma once
#include "store/read.h"

enum jobs_state {
	JOBS_WAITING,
	JOBS_RUNNING,
	JOBS_PASSED,
	JOBS_FAILED,
	JOBS_SKIPPED,
	JOBS_STOPPED,
	JOBS_LOST
};

struct jobs_row {
	struct str name;
	enum jobs_state state;
	bool reused;
	bool after_landing;         // when: landed or nightly
	const struct read_run *run; // NULL = none yet
};

struct jobs {
	struct jobs_row *p;
	size_t n;
	struct read_candidate candidate;
};

const char *jobs_state_name(enum jobs_state state); // "waiting" "running" "passed" ...
// Of the candidate; id 0 gives none. Jobs after landing are listed once they have a run.
MUST_USE bool jobs_read(struct store *s, struct candidate_id id, struct arena *life,
                        struct jobs *out, struct err *e);
// The newest run of that name, or NULL.
const struct jobs_row *jobs_find(const struct jobs *jobs, struct str name);
// The changes that the candidate tests, but this one (core/batch.h).
size_t jobs_others(const struct read_candidate *c, struct change_id id, struct arena *life,
                   uint64_t **out);
