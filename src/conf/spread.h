// Jobs with `each:` become a job for each file of the tree that it names: a test suite becomes many
// small jobs, and a change runs again only those that read what it changed. Done when the tree is
// known; a plan in the log that decides a candidate is spread already, trunk's own is not.
//
//   each: ['testes/*.lua'] "test gc.lua" with WEIR_EACH=testes/gc.lua, "test sort.lua", ...
#pragma once
#include "conf/plan.h"

bool spread_wanted(const struct conf_plan *plan);
// paths: all files of the tree, from its root. Borrows from the plan and the paths. ERR_INVALID: no
// file matches, or a name would be too long or another's; ERR_LIMIT: more than CONF_JOBS_MAX jobs.
MUST_USE bool spread_jobs(const struct conf_plan *plan, const struct str *paths, size_t count,
                          struct arena *life, struct conf_plan **out, struct err *e);
