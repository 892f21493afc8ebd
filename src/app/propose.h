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
// A turn_fill_fn: which change and revision this is. The same head again is TURN_NOTHING, with the
// ids filled in *e, and *context (a struct event *, may be NULL) set to it.
enum turn_fill propose_identify(void *context, const struct state *s, struct event *e,
                                struct err *why);
// "high", "normal", "low" or a number from -100 to 100.
MUST_USE bool propose_priority(struct str text, int64_t *out, struct err *e);
