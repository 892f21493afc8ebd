#include "app/housekeeping.h"

#include <stdlib.h>

#include "app/runs.h"
#include "os/clock.h"
#include "os/note.h"
#include "store/collect.h"

enum { HOUR_MS = 3600 * 1000, HOURS_A_NIGHT = 24, JUMP_MS = 5 * 60 * 1000 };

struct housekeeping {
	struct daemon *daemon;
	struct loop_timer *timer;
	struct git_repo **repos; // of the round under way
	size_t count;
	int hour; // of rounds; the first one is a full one, or a daemon that restarts daily never has
	          // any
	int64_t offset_ms; // of the wall clock to the monotonic one, at the end of the last round
	bool jumped;       // the wall clock, since then
};

static int64_t offset(void) {
	return clock_wall_ms() - clock_mono_us() / 1000;
}

static void collect(const struct daemon *d) {
	AUTO_STORE store = NULL;
	AUTO_OBJECTS objects = NULL;
	struct collect_result done;
	struct err e;
	struct collect_policy policy = {.now_ms = clock_wall_ms(), COLLECT_POLICY_USUAL};
	// On a connection of its own: what is put meanwhile is younger than the hour of grace.
	if (!store_open(d->data, STORE_READ, &store, &e) || !object_store_open(d->data, &objects, &e) ||
	    !collect_run(store, objects, policy, &done, &e) || !object_tidy(objects, &e)) {
		note(NOTE_WARN, "collecting old objects: %s", e.text);
		return;
	}
	if (done.removed)
		note(NOTE_INFO, "%llu old objects removed, %llu bytes freed",
		     (unsigned long long)done.removed, (unsigned long long)done.removed_bytes);
}

static void round_work(void *context) {
	struct housekeeping *h = context;
	bool full = h->hour % HOURS_A_NIGHT == 0;
	struct err e;
	for (size_t i = 0; i < h->count; i++)
		if (!git_repo_maintain(h->repos[i], full, &e))
			note(NOTE_WARN, "%s: %s", git_repo_path(h->repos[i]), e.text);
	if (h->jumped) return;
	runs_tidy(h->daemon->runs);
	if (full) collect(h->daemon);
}

static void round_done(void *context) {
	struct housekeeping *h = context;
	free(h->repos);
	h->repos = NULL;
	h->offset_ms = offset();
	if (!h->jumped) h->hour++; // else the same again, with an hour's certainty
	loop_timer_set(h->timer, HOUR_MS);
}

static void on_due(void *context) {
	struct housekeeping *h = context;
	struct daemon *d = h->daemon;
	if (d->stopping) return;
	// Age is what tells an object that nobody names from one that is about to be named. After a
	// jump of the clock everything looks a day old.
	h->jumped = llabs(offset() - h->offset_ms) > JUMP_MS;
	if (h->jumped) note(NOTE_WARN, "the clock jumped; old objects are collected an hour later");
	h->count = d->repo_count;
	h->repos = calloc(h->count + 1, sizeof(struct git_repo *));
	if (!h->repos) abort();
	for (size_t i = 0; i < h->count; i++) h->repos[i] = d->repos[i]->git;
	loop_work(d->loop, round_work, round_done, h);
}

// What a crash or an earlier version left need not wait an hour.
static void tidy_work(void *context) {
	const struct housekeeping *h = context;
	runs_tidy(h->daemon->runs);
}

static void tidied(void *context) {
	struct housekeeping *h = context;
	loop_timer_set(h->timer, HOUR_MS);
}

struct housekeeping *housekeeping_open(struct daemon *d) {
	struct housekeeping *h = calloc(1, sizeof *h);
	if (!h) abort();
	h->daemon = d;
	h->offset_ms = offset();
	h->timer = loop_timer(d->loop, on_due, h);
	loop_work(d->loop, tidy_work, tidied, h);
	return h;
}

void housekeeping_close(struct housekeeping *h) {
	if (!h) return;
	loop_timer_free(h->timer);
	free(h);
}
