// The daemon in the simulated world: the real core, driven as src/app does, one turn at a time:
//
//   facts -> apply_check -> apply_event -> decide_turn -> one append -> commands -> answers
//
// The log is a list that a crash does not touch; everything else is gone with a crash, at any of
// the points between two steps, and comes back by replay and outbox_pending. Every durable event
// goes through the invariants and then into the witness.
#pragma once
#include "core/decide.h"
#include "sim/invariant.h"
#include "sim/world.h"

enum daemon_crash {
	DAEMON_LIVES,
	DAEMON_DIES_BEFORE_APPEND,
	DAEMON_DIES_AFTER_APPEND,
	DAEMON_DIES_IN_DISPATCH, // some commands went out
	DAEMON_DIES_BEFORE_ANSWERS,
	DAEMON_DIES_IN_ANSWERS, // some were answered
	DAEMON_CRASHES
};

struct daemon {
	struct world *world;
	struct state state;
	struct table log; // struct event
	struct arena log_texts, turn;
	struct witness witness;
	struct invariant_world asks;
	struct digest durable; // of the state at the end of the log
	uint64_t append_at;    // where the newest append began
	bool up, replays;
	int64_t down_until_ms, asked_again_ms;
	enum daemon_crash dies;             // in the coming turn that writes something
	const struct invariant_row *broken; // the first promise that did not hold
	struct err why;
	uint64_t turns, refused;
};

void daemon_init(struct daemon *d, struct world *w,
                 uint32_t slots); // an empty log, and the first start
void daemon_free(struct daemon *d);
void daemon_turn(struct daemon *d);
// When it wants to be woken although nothing is due in the world.
int64_t daemon_next_ms(const struct daemon *d);
bool daemon_is_idle(struct daemon *d); // up, nothing outstanding, nothing queued
void daemon_check_at_rest(struct daemon *d, bool quiet);
