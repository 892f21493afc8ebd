// From a pushed commit to the fact change.proposed: who wrote it, how large it is, which change it
// belongs to.
#pragma once
#include "app/daemon.h"
#include "git/receive.h"

struct propose {
	struct daemon_repo *repo;
	struct str target; // branch
	struct oid head;
	struct oid tip;   // of the target, none = it does not exist yet
	struct str topic; // as pushed; "" = none
	struct str title; // "" = the commit's
	struct str pusher;
	int64_t priority;
	bool draft, pipeline_scope;
};

// Blocks (git). Refuses what can't be a change, in a sentence for the pusher: ERR_INVALID no
// commit, no common history; ERR_CONFLICT nothing new; ERR_LIMIT too many commits. *out lacks
// change and revision (propose_identify).
MUST_USE bool propose_judge(const struct propose *p, struct arena *life, struct event *out,
                            struct err *e);
// Which change and revision this is; e gets the ids in any case. The same head again is
// TURN_NOTHING, unless it is a draft no more (or now one), which is a revision, or the pusher names
// another priority for what is queued, which is the same revision.
enum turn_fill propose_identify(const struct state *s, bool names_priority, struct event *e);
// "high", "normal", "low" or a number from -100 to 100.
MUST_USE bool propose_priority(struct str text, int64_t *out, struct err *e);
