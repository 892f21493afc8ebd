// Rollouts: a release goes to the supervisor of its environment, a process of its own that outlives
// the daemon.
#pragma once
#include "app/daemon.h"

MUST_USE bool rollouts_open(struct daemon *d, struct rollouts **out, struct err *e);
void rollouts_close(struct rollouts *set);
void rollouts_start(struct rollouts *set, struct rollout_id id); // ends in rollout.finished
void rollouts_cancel(struct rollouts *set, struct rollout_id id);
// The log of the service that is live there (deploy/servicelog.h), or, when none ever was, of the
// last that was tried; STR_NONE when there is none.
struct str rollouts_log(const struct rollouts *set, struct env_id id, struct arena *life);
