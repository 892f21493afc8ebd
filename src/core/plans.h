// The plans that the state knows: for each, the jobs with their names, needs and times to run, read
// once from the canonical JSON that an event carries. The same plan is kept once and counted.
#pragma once
#include "core/state.h"

// Adds a use of the plan, reading `json` when it is new. False when json is no plan in canonical
// form.
MUST_USE bool plans_use(struct state *s, struct digest digest, struct str json, struct err *e);
void plans_drop(struct state *s, struct digest digest); // one use less; the last one frees the rows
// Whether json is a plan that plans_use takes.
MUST_USE bool plans_check(struct str json, struct err *e);
// Calls fn for each environment's name.
MUST_USE bool plans_environments(struct str json, void (*fn)(void *context, struct str name),
                                 void *context, struct err *e);
