// The fact run.started: when the run's process began, and how long it had waited for a slot.
#pragma once
#include "conf/plan.h"
#include "store/read.h"

struct runstart {
	const struct read_run *run;
	const struct read_candidate *candidate;
	const struct conf_job *job;
	const char *folder; // of a run that was found there; NULL = it began just now
};
// False: its process never began.
MUST_USE bool runstart_event(struct store *s, const struct runstart *q, struct event *out);
