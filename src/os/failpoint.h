// Places where a test can have the process die, to see what a start makes of it:
//
//   WEIR_FAILPOINT=landing-before-cas:3    kills it (SIGKILL) when it comes there the third time
//
// Places: landing-before-intent, landing-before-cas, landing-after-cas, landing-told
// (git/landing.c); push-before-refs, push-before-answer (app/pushes.c); before-append.KIND and
// after-append.KIND, around the append of a turn that holds such an event:
// before-append.change.landed (app/turn.c). Unset, a place costs one comparison.
#pragma once
#include <stdbool.h>

extern const char *failpoint_armed; // what the environment said, NULL = nothing

void failpoint_arm(void); // reads the environment; once, at the start
void failpoint_reach(const char *place, const char *kind); // kind may be ""

static inline void failpoint(const char *place) {
	if (failpoint_armed) failpoint_reach(place, "");
}
