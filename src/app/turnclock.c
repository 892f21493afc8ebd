#include "app/turnclock.h"

struct turnclock turnclock_from(int64_t log_ms, int64_t mono_us) {
	return (struct turnclock){.time_us = log_ms * 1000, .mono_us = mono_us};
}

int64_t turnclock_now(struct turnclock *c, int64_t wall_ms, int64_t mono_us) {
	int64_t elapsed = mono_us - c->mono_us, slow = c->time_us + elapsed / 10 * 9;
	// What the division left over is counted the next time.
	c->mono_us = mono_us - elapsed % 10;
	c->time_us = wall_ms * 1000 > slow ? wall_ms * 1000 : slow;
	return c->time_us / 1000;
}

int64_t turnclock_fell_behind(struct turnclock *c, int64_t wall_ms) {
	int64_t by = c->time_us / 1000 - wall_ms;
	bool before = c->behind;
	c->behind = by > TURNCLOCK_FAR_MS;
	return c->behind && !before ? by : 0;
}
