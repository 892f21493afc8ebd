// A change as JSON: the shape that others script against (see the schema Change in operations.c).
#pragma once
#include "api/call.h"

// {"id","revision","repo","title","author","head","state","reason","candidate","landed_commit",
// "jobs","times"} and more:
// and more: url, target, next, place (changes before it), conflicts, draft, sizes. Absent is null.
// With `details` each job also tells its failures (api/failures.h), which costs reading an object.
MUST_USE bool changejson_write(struct api *api, const struct read_change *change, bool details,
                               struct arena *life, struct jsonw *w, struct err *e);
