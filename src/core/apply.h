// What events do to the state. History lives here: apply is only ever extended, replay of an old
// log must give the old state. No policy: nothing is decided, only recorded.
#pragma once
#include "core/state.h"

// Whether the event is possible now. A refusal leaves the state alone and says why:
// ERR_CONFLICT it comes too late or twice, ERR_NOT_FOUND it names what is not there, ERR_INVALID it
// can never be right.
MUST_USE bool apply_check(const struct state *s, const struct event *e, struct err *why);
void apply_event(struct state *s, const struct event *e); // asserts what apply_check promises
