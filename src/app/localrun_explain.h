// `weir run --explain`: why each job ran or was reused, and what its verdict now depends on.
#pragma once
#include "app/localrun_jobs.h"
#include "cli/ink.h"

void localrun_explain_put(const struct localrun *l, struct ink *k);
// Why it ran, one sentence; "" = it was reused, or did not run.
struct str localrun_explain_why(const struct localrun_job *j);
