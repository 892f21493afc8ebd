#include "app/turn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/turnclock.h"
#include "base/clocktext.h"
#include "core/apply.h"
#include "core/state_pack.h"
#include "os/clock.h"
#include "os/failpoint.h"
#include "os/note.h"
#include "store/snapshot.h"

enum {
	RETRY_MS = 1000,
	SNAPSHOT_EVENTS = 10000,
	LOOK_MS = 60000 // a deadline is of the wall clock, which may jump while the loop sleeps
};

struct entry {
	struct event event;
	turn_fill_fn *fill;
	turn_done_fn *done;
	void *context;
};

struct answer {
	turn_done_fn *done;
	void *context;
	size_t event; // index in the turn's list, NO_EVENT = none
	bool ok;
	struct err why;
};
#define NO_EVENT SIZE_MAX

struct inbox {
	struct entry *entries;
	size_t count, cap;
	struct arena texts;
};

struct turn {
	struct loop *loop;
	struct store *store;
	struct turn_hooks hooks;
	struct state state;
	struct turnclock clock;
	struct inbox inbox, working; // two, so that submissions during a turn wait for the next
	struct arena life;           // of one turn
	struct loop_timer *timer;
	uint64_t seq, snapshot_seq;
	bool running, decide_wanted, retrying;
	char read_only[sizeof((struct err *)0)->text + 40];
};

static bool apply_replayed(void *context, uint64_t seq, const struct event *event, struct err *e) {
	struct turn *t = context;
	if (!apply_check(&t->state, event, e))
		return err_context(e, "event %llu (%s) does not fit the events before it",
		                   (unsigned long long)seq, event_name(event->kind));
	apply_event(&t->state, event);
	t->seq = seq;
	return true;
}

// From the newest snapshot of this layout, if there is a good one; `weir audit` replays everything.
static bool replay(struct turn *t, struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF bytes = {0};
	struct err none;
	uint64_t seq = 0;
	state_free(&t->state);
	state_init(&t->state);
	if (!snapshot_get(t->store, state_pack_layout(&scratch), &seq, &bytes, &none) ||
	    !state_pack_read(&t->state, buf_view(&bytes)))
		seq = 0;
	t->seq = t->snapshot_seq = seq;
	return store_replay(t->store, seq + 1, UINT64_MAX, apply_replayed, t, e);
}

static void take_snapshot(struct turn *t) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF bytes = {0};
	struct err e;
	if (t->seq - t->snapshot_seq < SNAPSHOT_EVENTS) return;
	state_pack(&t->state, &bytes);
	if (!snapshot_put(t->store, t->seq, state_pack_layout(&scratch), buf_view(&bytes), &e))
		note(NOTE_WARN, "snapshot: %s", e.text);
	t->snapshot_seq = t->seq;
}

static void on_prepare(void *context);
static void on_timer(void *context);

bool turn_open(struct loop *l, struct store *store, const struct turn_hooks *hooks,
               struct turn **out, struct err *e) {
	struct turn *t = calloc(1, sizeof *t);
	if (!t) abort();
	t->loop = l;
	t->store = store;
	t->hooks = *hooks;
	state_init(&t->state);
	if (!replay(t, e)) {
		state_free(&t->state);
		free(t);
		return false;
	}
	t->clock = turnclock_from(t->state.now_ms, clock_mono_us());
	t->timer = loop_timer(l, on_timer, t);
	loop_before_wait(l, on_prepare, t);
	t->decide_wanted = true;
	*out = t;
	return true;
}

static void inbox_free(struct inbox *box) {
	free(box->entries);
	arena_free(&box->texts);
}

void turn_close(struct turn *t) {
	if (!t) return;
	loop_timer_free(t->timer);
	inbox_free(&t->inbox);
	inbox_free(&t->working);
	arena_free(&t->life);
	state_free(&t->state);
	free(t);
}

void turn_submit(struct turn *t, const struct event *e, turn_fill_fn *fill, turn_done_fn *done,
                 void *context) {
	struct inbox *box = &t->inbox;
	if (box->count == box->cap) {
		box->cap = box->cap ? box->cap * 2 : 64;
		box->entries = realloc(box->entries, box->cap * sizeof *box->entries);
		if (!box->entries) abort();
	}
	box->entries[box->count++] = (struct entry){event_copy(e, &box->texts), fill, done, context};
	loop_timer_set(t->timer, 0); // wakes a loop that is about to wait
}

static void tell(const struct answer *a, const struct decide_list *list) {
	if (!a->done) {
		// A fact that came late or twice: normal after a restart, worth a look otherwise.
		if (!a->ok) note(NOTE_WARN, "a fact was refused: %s", a->why.text);
		return;
	}
	a->done(a->context, a->ok, a->ok ? NULL : &a->why,
	        a->event == NO_EVENT ? NULL : &list->events[a->event]);
}

// One submission: its event is applied, or its refusal noted.
static struct answer take(struct turn *t, struct entry *entry, int64_t now,
                          struct decide_list *list) {
	struct answer a = {.done = entry->done, .context = entry->context, .event = NO_EVENT};
	struct event *e = &entry->event;
	e->time_ms = now;
	enum turn_fill filled = entry->fill ? entry->fill(entry->context, &t->state, e, &a.why)
	                                    : TURN_GO;
	if (filled == TURN_NOTHING) a.ok = true;
	if (filled != TURN_GO || !apply_check(&t->state, e, &a.why)) return a;
	struct event kept = event_copy(e, &t->life);
	decide_add(&t->state, list, &kept);
	a.event = list->count - 1;
	a.ok = true;
	return a;
}

static void say_read_only(struct turn *t, const struct err *why) {
	snprintf(t->read_only, sizeof t->read_only, "%s; weir tries again each second", why->text);
}

static void went_wrong(struct turn *t, const struct err *why) {
	struct err e = {0};
	if (!t->read_only[0]) note(NOTE_ERROR, "read-only: %s", why->text);
	say_read_only(t, why);
	if (t->hooks.on_read_only) t->hooks.on_read_only(t->hooks.context);
	if (!replay(t, &e)) {
		note(NOTE_ERROR, "the log cannot be read back: %s", e.text);
		abort(); // started again, it replays or says why
	}
}

static void publish(struct turn *t, const struct decide_list *list, uint64_t first) {
	for (size_t i = 0; i < list->count; i++)
		t->hooks.on_event(t->hooks.context, first + i, &list->events[i]);
	if (list->count) t->hooks.on_turn(t->hooks.context, t->seq);
}

int64_t turn_now(struct turn *t) {
	int64_t wall = clock_wall_ms(), now = turnclock_now(&t->clock, wall, clock_mono_us());
	int64_t behind = turnclock_fell_behind(&t->clock, wall);
	AUTO_BUF text = {0};
	if (!behind) return now;
	clocktext_duration_text(&text, behind);
	note(
		NOTE_WARN,
		"this machine's clock is %s behind the log, because it was set back; events go on from the "
		"log's time, a little slower than real time, until the clock has caught up",
		text.p);
	return now;
}

static void add_passed_deadline(struct turn *t, int64_t now, struct decide_list *list) {
	int64_t deadline = decide_deadline(&t->state);
	if (deadline < 0 || now < deadline) return;
	decide_add(
		&t->state, list,
		&(struct event){.kind = EVENT_CLOCK_PASSED, .time_ms = now, .clock_passed = {deadline}});
}

static void refuse_all(struct answer *answers, size_t count, const struct err *why) {
	for (size_t i = 0; i < count; i++) {
		answers[i].ok = false;
		answers[i].event = NO_EVENT;
		answers[i].why = *why;
	}
}

// For tests that let the daemon die around an append (os/failpoint.h).
static void reach(const char *place, const struct decide_list *list) {
	for (size_t i = 0; failpoint_armed && i < list->count; i++)
		failpoint_reach(place, event_name(list->events[i].kind));
}

static void run_turn(struct turn *t) {
	struct inbox taken = t->inbox;
	struct decide_list list = {.life = &t->life};
	struct err e = {0};
	uint64_t first = 0;
	t->inbox = t->working;
	t->working = taken;
	int64_t now = turn_now(t);
	size_t count = taken.count;
	struct answer *answers = ARENA_ARRAY(&t->life, struct answer, count + 1);
	if (t->read_only[0]) {
		err_set(&e, ERR_UNAVAILABLE, "weir is read-only: %s", t->read_only);
		for (size_t i = 0; i < count; i++)
			answers[i] = (struct answer){.done = taken.entries[i].done,
			                             .context = taken.entries[i].context};
		refuse_all(answers, count, &e);
	} else {
		add_passed_deadline(t, now, &list);
		for (size_t i = 0; i < count; i++) answers[i] = take(t, &taken.entries[i], now, &list);
		decide_turn(&t->state, now, &list);
		if (list.restless)
			note(NOTE_ERROR, "the queue's policy came to no rest in one turn: please report this");
		reach("before-append.", &list);
		if (list.count && !store_append(t->store, list.events, list.count, &first, &e)) {
			went_wrong(t, &e);
			err_set(&e, ERR_UNAVAILABLE, "weir is read-only: %s", t->read_only);
			refuse_all(answers, count, &e);
			list.count = 0;
		} else if (list.count) {
			t->seq = first + list.count - 1;
			reach("after-append.", &list);
		}
	}
	publish(t, &list, first);
	take_snapshot(t);
	for (size_t i = 0; i < count; i++) tell(&answers[i], &list);
	t->working.count = 0;
	arena_reset(&t->working.texts);
	arena_reset(&t->life);
}

// Tries to write again: a clock event is a fact in any case.
static void try_to_recover(struct turn *t) {
	struct err e = {0};
	uint64_t first;
	struct event probe = {.kind = EVENT_CLOCK_PASSED, .time_ms = turn_now(t)};
	if (!store_append(t->store, &probe, 1, &first, &e)) {
		say_read_only(t, &e);
		return;
	}
	apply_event(&t->state, &probe);
	t->seq = first;
	t->read_only[0] = 0;
	note(NOTE_INFO, "writable again");
	t->decide_wanted = true;
	t->hooks.on_recovered(t->hooks.context);
}

static void on_timer(void *context) {
	struct turn *t = context;
	t->retrying = false;
	if (t->read_only[0]) try_to_recover(t);
}

static void on_prepare(void *context) {
	struct turn *t = context;
	if (t->running) return;
	t->running = true;
	int64_t deadline = decide_deadline(&t->state);
	bool due = deadline >= 0 && turn_now(t) >= deadline;
	while (t->inbox.count || t->decide_wanted || (due && !t->read_only[0])) {
		t->decide_wanted = false;
		due = false;
		run_turn(t);
	}
	deadline = decide_deadline(&t->state);
	if (t->read_only[0]) {
		if (!t->retrying) loop_timer_set(t->timer, RETRY_MS);
		t->retrying = true;
	} else if (deadline >= 0) {
		int64_t wait = deadline - turn_now(t) + 1;
		loop_timer_set(t->timer, wait < 0 ? 0 : wait < LOOK_MS ? wait : LOOK_MS);
	} else loop_timer_set(t->timer, -1);
	t->running = false;
}

const struct state *turn_state(const struct turn *t) {
	return &t->state;
}

const char *turn_read_only(const struct turn *t) {
	return t->read_only[0] ? t->read_only : NULL;
}

uint64_t turn_seq(const struct turn *t) {
	return t->seq;
}
