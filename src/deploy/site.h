// One environment as its supervisor sees it: the releases that run, which of them has the traffic,
// the two slots of the proxy, and state.json, from which the next supervisor goes on.
//
// A switch of the traffic is written down before it is done, and what is written down is what the
// proxy is made to do, whenever it is asked: so a crash in between ends with the switch done, and
// doing it twice is harmless.
//
//   slot         blue: r7 active, ready       green: r6 kept, maint
//   deploy r8    blue: r7 active, ready       green: r8 starting, maint    r6 without a slot
//   switched     blue: r7 kept, drain→maint   green: r8 active, ready      r6 leaving
//   rollback     blue: r7 active, ready       green: r8 rolled back, drain→maint→leaving
#pragma once
#include "deploy/control.h"
#include "deploy/proxy.h"
#include "deploy/release.h"

enum { SITE_PROBE_FAST_MS = 100, SITE_PROBE_SLOW_MS = 1000, SITE_DONE_MAX = 64 };

struct site_slot {
	struct release *release; // NULL = empty
	int64_t drain_began_ms;  // 0 = it does not drain; monotonic
	int64_t drain_until_ms;  // then what is under way is cut
};

struct site_outcome {
	char *id, *answer; // answer is JSON
};

struct site {
	struct loop *loop;
	struct children *children;
	struct instance_home home;
	struct proxy *proxy;
	struct control *control;
	struct release *releases, *active, *kept;
	struct site_slot slots[PROXY_SLOTS];
	struct loop_timer *drain_timer, *hold_timer, *retry_timer, *sweep_timer;
	int64_t hold_ms,
		hold_until_ms; // of the active release; a failure before counts as the release's
	bool unhealthy;    // told, and not healthy again since
	int64_t cut;       // requests ended by weir, since the supervisor started
	struct site_outcome done[SITE_DONE_MAX]; // answers of the last commands, newest last
	size_t done_count;
	void (*on_change)(void *context); // something may have come nearer to what a command waits for
	void *change_context;
};

MUST_USE bool site_open(struct site *s, struct loop *l, const char *folder, struct err *e);
MUST_USE bool site_recover(struct site *s,
                           struct err *e); // reads state.json; a missing one is an empty site
void site_resume(struct site *s);          // starts what should run and does not
MUST_USE bool site_save(struct site *s, struct err *e);
void site_done(struct site *s, struct str id, struct str answer); // durable with the next site_save
const char *site_answer_of(const struct site *s, struct str id);  // NULL = not known

struct release *site_find(const struct site *s, struct str id);
struct release *site_add(struct site *s, const struct spec *spec, struct str id, struct str folder);
// Starts all instances (or only service.before) on free ports.
MUST_USE bool site_start(struct site *s, struct release *r, struct err *e);
MUST_USE bool site_start_before(struct site *s, struct release *r, struct err *e);
void site_stop(struct site *s, struct release *r); // takes it out of everything; not the active one
// A slot for r: its own, else the one that is not the active release's. ERR_BUSY while that one
// drains.
MUST_USE bool site_take_slot(struct site *s, struct release *r, struct err *e);
// Gives r the traffic; the one before drains and is kept, or leaves when rolled_back. Durable.
MUST_USE bool site_switch(struct site *s, struct release *r, bool rolled_back, struct err *e);
MUST_USE bool site_apply(struct site *s, struct err *e); // makes the proxy do as the site says
// Ends everything: what is under way first, then HAProxy, then the releases. Call it again at each
// change until it says true: all is gone.
bool site_close(struct site *s);
void site_status(const struct site *s, struct jsonw *w);
// One line for those who watch: {"at":…,"event":event, …}; `more` is further `"key":value,…` or "".
void site_tell(struct site *s, const char *event, const char *more, ...) PRINTF_LIKE(3, 4);
