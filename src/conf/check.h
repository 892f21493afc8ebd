// What only the whole plan shows: artifacts that nobody or two make, addresses that meet, and what
// is allowed but probably not meant.
#pragma once
#include "conf/draft.h"

void check_plan(const struct draft *draft, const struct conf_plan *plan, struct arena *scratch,
                struct conf_diagnostics *d);
