// What a run left behind becomes objects, and its outcome a fact.
#pragma once
#include "base/arena.h"
#include "core/event.h"
#include "exec/outcome.h"

struct ingest { // digests of stored objects; none = there was no such thing
	struct digest log, artifacts, results, coverage;
};

// Stores log, artifacts, results and coverage of a run folder, and `inputs` (what the run read,
// STR_NONE = not known), all durable when it returns. Blocks.
MUST_USE bool ingest_folder(const char *objects, const char *folder, struct str inputs,
                            const struct exec_outcome *o, struct ingest *out, struct err *e);
// The event that an outcome means for a run (run.finished, run.stopped or run.lost). key, inputs
// and toolchain of a run.finished are the caller's.
struct event ingest_event(struct run_id run, const struct exec_outcome *o,
                          const struct ingest *stored, struct arena *life);
