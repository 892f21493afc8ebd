// Whether an earlier `weir run` answers a job of this one.
#pragma once
#include "app/localrun_jobs.h"

// Artifacts of the jobs that it needs, which have passed; returns how many.
size_t localrun_reuse_needs(const struct localrun *l, const struct localrun_job *j,
                            struct digest *out);
// The tree that it is given, and its inputs if all of that counts; no tree: why says why not.
void localrun_reuse_narrow(struct localrun *l, struct localrun_job *j);
// Fills in the basis of its verdict's key.
void localrun_reuse_basis(struct localrun *l, struct localrun_job *j);
// True: the earlier run's artifacts, log, results and inputs are the job's. False: why says why
// not.
MUST_USE bool localrun_reuse_find(struct localrun *l, struct localrun_job *j);
