#include "app/runstart.h"

#include <sys/stat.h>

#include "os/clock.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static int64_t later(int64_t a, int64_t b) {
	return a > b ? a : b;
}

static bool waits_for(const struct runstart *q, const struct read_run *other) {
	if (other->id.v >= q->run->id.v) return false;
	if (other->job == q->run->job) return true; // an earlier attempt
	for (size_t i = 0; i < q->job->needs.n; i++)
		if (q->job->needs.p[i] == other->job) return true;
	return false;
}

// When nothing but a free slot was missing.
static int64_t ready_ms(struct store *s, const struct runstart *q) {
	AUTO_ARENA scratch = {0};
	struct read_runs runs = {0};
	struct err e;
	int64_t ready = q->candidate->built_ms;
	if (q->job->when != CONF_WHEN_CHANGE) ready = later(ready, q->candidate->ended_ms);
	if (q->job->when == CONF_WHEN_NIGHTLY)
		ready = later(ready, q->run->issued_ms - q->run->issued_ms % DAY_MS);
	if ((q->job->needs.n || q->run->attempt > 1) &&
	    !read_runs_of_candidate(s, q->candidate->id, &scratch, &runs, &e))
		return q->run->issued_ms;
	for (size_t i = 0; i < runs.n; i++)
		if (waits_for(q, &runs.p[i])) ready = later(ready, runs.p[i].ended_ms);
	return ready;
}

// A leader's first deed is to write its pid.
static int64_t begun_ms(const char *folder) {
	AUTO_ARENA scratch = {0};
	struct stat st;
	if (stat(arena_printf(&scratch, "%s/pid", folder).p, &st)) return 0;
	return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
}

bool runstart_event(struct store *s, const struct runstart *q, struct event *out) {
	int64_t begun = q->folder ? begun_ms(q->folder) : clock_wall_ms();
	int64_t wait = q->run->issued_ms - ready_ms(s, q);
	if (!begun) return false;
	*out = (struct event){.kind = EVENT_RUN_STARTED,
	                      .run_started = {.run = q->run->id,
	                                      .slot_wait_ms = later(wait, 0),
	                                      // the wall clock may have jumped meanwhile
	                                      .begun_ms = later(begun, q->run->issued_ms)}};
	return true;
}
