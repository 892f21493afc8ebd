#include "app/room.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/dispatch.h"
#include "app/host.h"
#include "os/file.h"
#include "os/note.h"
#include "store/reserve.h"

enum { LOOK_MS = 1000, RUN_PART = 20 };
static const uint64_t FULL_BYTES = RESERVE_BYTES, AGAIN_BYTES = RESERVE_BYTES * 5 / 2;

struct room {
	struct daemon *daemon;
	struct loop_timer *timer;
	bool full, held; // held: the reserve
	bool waiting;    // a run was not started
	char why[400], why_runs_wait[400];
};

static void set_full(struct room *r, bool full) {
	if (r->full == full) return;
	r->full = full;
	note(full ? NOTE_WARN : NOTE_INFO, "%s",
	     full ? r->why : "there is room on the disk again; changes are taken");
	host_notify(r->daemon->host, turn_seq(r->daemon->turn)); // open pages say so
}

static void set_waiting(struct room *r, bool waiting) {
	if (r->waiting == waiting) return;
	r->waiting = waiting;
	host_notify(r->daemon->host, turn_seq(r->daemon->turn));
}

static void release(struct room *r) {
	struct err e;
	if (!r->held) return;
	if (!reserve_release(r->daemon->data, &e)) note(NOTE_WARN, "the reserve on disk: %s", e.text);
	r->held = false;
}

static void restore(struct room *r) {
	struct err e;
	if (r->held) return;
	r->held = reserve_restore(r->daemon->data, &e);
	if (!r->held) note(NOTE_WARN, "the reserve on disk: %s", e.text);
}

// Free bytes; all there can be when the disk does not tell.
static uint64_t look(struct room *r, uint64_t *total) {
	uint64_t left;
	struct err e;
	*total = 0;
	if (!file_space(r->daemon->data, &left, total, &e)) return UINT64_MAX;
	if (left < FULL_BYTES && !r->full) {
		snprintf(r->why, sizeof r->why,
		         "less than %llu MB are left on the disk of %s, so no new changes are taken; make "
		         "room there, and weir goes on by itself",
		         (unsigned long long)FULL_BYTES >> 20, r->daemon->data);
		release(r);
		set_full(r, true);
	} else if (left >= AGAIN_BYTES) {
		restore(r);
		set_full(r, false);
	} else if (left >= FULL_BYTES && r->held) {
		set_full(r, false);
	}
	return left;
}

static void on_due(void *context) {
	struct room *r = context;
	uint64_t total, left;
	// Released by the turn, which could not write.
	if (turn_read_only(r->daemon->turn)) r->held = false;
	left = look(r, &total);
	if (r->waiting && left >= total / RUN_PART && !turn_read_only(r->daemon->turn)) {
		set_waiting(r, false);
		note(NOTE_INFO, "there is room on the disk again; runs start");
		dispatch_outbox(r->daemon);
	}
	loop_timer_set(r->timer, LOOK_MS);
}

const char *room_full(struct room *r) {
	uint64_t total;
	if (!r->full) (void)look(r, &total);
	return r->full ? r->why : NULL;
}

bool room_for_run(struct room *r) {
	uint64_t total, left = look(r, &total);
	if (left >= total / RUN_PART) return true;
	if (!r->waiting) note(NOTE_WARN, "%s: runs wait until there is room", r->why_runs_wait);
	set_waiting(r, true);
	return false;
}

const char *room_runs_wait(const struct room *r) {
	return r->waiting ? r->why_runs_wait : NULL;
}

struct room *room_open(struct daemon *d) {
	struct room *r = calloc(1, sizeof *r);
	if (!r) abort();
	r->daemon = d;
	r->held = reserve_is_held(d->data);
	snprintf(r->why_runs_wait, sizeof r->why_runs_wait, "less than 5 %% of the disk of %s is free",
	         d->data);
	r->timer = loop_timer(d->loop, on_due, r);
	loop_timer_set(r->timer, LOOK_MS);
	return r;
}

void room_close(struct room *r) {
	if (!r) return;
	loop_timer_free(r->timer);
	free(r);
}
