// Matrix and shards become jobs of their own: "test (gcc, 12) 2/4".
#pragma once
#include "conf/draft.h"

// Fills plan->jobs, draft_job.first and .count. False: too many of them, told to d, plan->jobs is
// empty.
MUST_USE bool expand_jobs(struct draft *draft, struct arena *life, struct conf_plan *plan,
                          struct conf_diagnostics *d);
