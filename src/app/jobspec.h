// From a job of a plan to what exec runs: the same for the daemon and for `weir run`, so that both
// get the same key.
#pragma once
#include "base/arena.h"
#include "conf/plan.h"
#include "exec/key.h"
#include "exec/spec.h"

struct jobspec_facts {       // what becomes WEIR_* in the environment, beside the job's own env
	struct str repo, target; // "" in weir run
};

// Fills everything but lowers and mounts; texts borrow the plan. id: unique on the machine.
void jobspec_fill(const struct conf_plan *plan, const struct conf_job *job, struct str id,
                  const struct jobspec_facts *facts, struct arena *life, struct exec_spec *out);
// The inputs object of a whole tree (commit: only for jobs with `git: true`, else none); of a job
// with `inputs:` the tree is the subset that it is given (git/subset.h).
struct str jobspec_inputs(const struct conf_job *job, struct oid tree, struct oid commit,
                          struct arena *life);
// The basis of the verdict's key (exec/key.h). needs: artifacts of the jobs it needs, in the order
// of job->needs.
struct digest jobspec_basis(const struct conf_plan *plan, const struct conf_job *job,
                            const struct exec_spec *spec, const struct digest *needs,
                            size_t need_count, struct digest toolchain, enum key_trust trust);
// Whether a verdict of this job may be taken for another run of the same key: not when it may look
// outside.
bool jobspec_is_reusable(const struct conf_job *job);
// How many of the layers are traced: `tree` of them (the last ones) for a job whose reads say what
// its verdict depends on, else 0. What lies above the tree (.git, submodules) comes from elsewhere.
int64_t jobspec_traced(const struct conf_job *job, size_t tree);
