// From a commit to the plan that decides about it: weir.yml of its tree, with what trunk's weir.yml
// keeps required. Blocks (git); called on worker threads.
#pragma once
#include "base/arena.h"
#include "conf/plan.h"
#include "core/reason.h"
#include "git/object.h"
#include "git/repo.h"

struct pipeline {
	struct str plan; // canonical JSON of the plan that decides
	struct digest digest;
	struct str own; // of this commit's weir.yml alone: trunk's plan once it lands
	struct digest own_digest;
	struct str skipped; // JSON list of the indices of jobs that `paths:` excuses, "" = none
	struct str trunk;   // that its weir.yml names; main unless said
	struct str told;    // when bad-config: all diagnostics as text
};

// tip: trunk now (none = no trunk yet). pipeline_scope: the author may change the pipeline itself.
// False with *reason: no-config, bad-config (e tells the first diagnostics), or infrastructure.
MUST_USE bool pipeline_read(struct git_repo *r, struct oid commit, struct oid tip,
                            bool pipeline_scope, struct arena *life, struct pipeline *out,
                            enum reason *reason, struct err *e);
// Jobs with `each:` become one for each file of the tree (conf/spread.h).
MUST_USE bool pipeline_spread(struct git_reader *reader, struct oid tree, struct arena *life,
                              struct conf_plan **plan, struct err *e);
// Only the commit's own plan; the other fields of *out stay empty.
MUST_USE bool pipeline_read_own(struct git_repo *r, struct oid commit, struct arena *life,
                                struct pipeline *out, enum reason *reason, struct err *e);
