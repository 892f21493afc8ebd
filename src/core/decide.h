// Policy: what should be done now, from the state alone. Called every turn; there is no queue of
// pending work and no flag that could be forgotten, so a lost wake-up costs nothing. Replay never
// calls it.
//
// Facts decide, policies propose: a change lands when its candidate stands on the tip and every job
// that must pass has a recorded verdict; core/speculate.h only chooses which candidates and runs
// exist.
#pragma once
#include "core/state.h"

struct decide_list { // in the order in which they were applied; texts and rows live in the arena
	struct event *events;
	size_t count, cap;
	struct arena *life;
	bool restless; // the policy wanted one thing and then another, and was asked no more: a bug
};

// Adds to `list` what follows from the state, applying each event to *s as it is added. now_ms:
// this turn's time, not before s->now_ms. Ends silent: a second call adds nothing, unless the list
// is restless. Asserts a bound on the number of events.
void decide_turn(struct state *s, int64_t now_ms, struct decide_list *list);

// When decide must be asked again although nothing happened: ms since 1970, or -1.
int64_t decide_deadline(const struct state *s);

// For decide's own parts: applies the event and adds it.
void decide_add(struct state *s, struct decide_list *list, struct event *e);
