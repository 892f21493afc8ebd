// The time of the log. Wall clocks jump: somebody sets them, a machine boots with a wrong one. The
// log's time never goes back and never stands still, so that durations between events are real:
//
//   the wall clock is ahead      take it (also when it jumps forward)
//   the wall clock is behind     go on from the last answer by the monotonic clock, at nine tenths
//                                of its speed, until the wall clock has caught up: a minute's
//                                correction is worked off in ten minutes, a day's in ten days
//
// Pure: both clocks are passed in.
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct turnclock {
	int64_t time_us; // the last answer, since 1970 UTC
	int64_t mono_us; // of it
	bool behind;     // the wall clock was far behind the last answer
};

enum { TURNCLOCK_FAR_MS = 60000 };

// Goes on from the log's newest event; 0 = an empty log.
struct turnclock turnclock_from(int64_t log_ms, int64_t mono_us);
// Milliseconds, never less than the answer before.
int64_t turnclock_now(struct turnclock *c, int64_t wall_ms, int64_t mono_us);
// How far the wall clock is behind the last answer, in ms, when that is more than a minute and was
// not so before: worth a sentence. Otherwise 0.
int64_t turnclock_fell_behind(struct turnclock *c, int64_t wall_ms);
