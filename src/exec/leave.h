// After the job: what it leaves behind goes into the run's folder and the outcome. Artifacts only
// when it passed; results and coverage also when it did not.
#pragma once
#include "exec/collect.h"
#include "exec/outcome.h"

struct leave {
	const struct exec_spec *spec;
	const char *run;
	int work; // the workspace's root
	const struct mask *mask;
	struct arena *life;
	struct exec_outcome *outcome; // may turn from passed to failed
};

void leave_collect(struct leave *l);
