// Runs: a job of a candidate becomes a workspace, a look-up of an earlier verdict, a sandboxed
// process that outlives the daemon, and at last the fact of what came out.
#pragma once
#include "app/daemon.h"

MUST_USE bool runs_open(struct daemon *d, struct runs **out, struct err *e);
void runs_close(struct runs *set);
// Starts it, or adopts what an earlier daemon started with the same id. Ends in run.finished,
// run.reused, run.stopped or run.lost.
void runs_start(struct runs *set, struct run_id id);
void runs_cancel(struct runs *set, struct run_id id);
// Removes from the cache what no run needs. Blocks; on any thread.
void runs_tidy(struct runs *set);
// The folder of a run that is under way, for its live log; STR_NONE when it is not.
struct str runs_folder(const struct runs *set, struct run_id id, struct arena *life);
