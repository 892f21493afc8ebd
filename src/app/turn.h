// The daemon's turn: facts in, one durable append, commands and answers out.
//
//   turn_submit ... turn_submit      facts and requests gather in the inbox
//        |
//   before the loop waits: each is checked and applied, then decide runs until it is silent
//        |
//   ONE store_append of all events of the turn
//        |-- ok:     on_event for each event in order (adapters act), then each submitter gets its
//        answer
//        '-- failed: nothing of the turn leaves the process. The state is thrown away and replayed
//        from the log,
//                    every submitter is refused, and weir is read-only until an append works again
//                    (tried each second); then on_event is not repeated: on_recovered asks for the
//                    outbox instead.
//
// ARCHITECTURE lets the process re-execute itself on a failed append; replaying inside the same
// process gives the same state with the same code and keeps the listening sockets.
#pragma once
#include "core/decide.h"
#include "os/loop.h"
#include "store/store.h"

struct turn;

// What the turn tells the rest of the daemon, on the loop's thread.
struct turn_hooks {
	void *context;
	void (*on_event)(void *context, uint64_t seq,
	                 const struct event *e);           // it is durable; act on it
	void (*on_turn)(void *context, uint64_t last_seq); // after all of these
	void (*on_recovered)(void *context); // writable again: ask core/outbox.h what is outstanding
	void (*on_read_only)(void *context); // release the reserve so that the recovery can be written
};

MUST_USE bool turn_open(struct loop *l, struct store *store, const struct turn_hooks *hooks,
                        struct turn **out, struct err *e);
void turn_close(struct turn *t);

// Looks at the state at the submission's place in the turn and completes the event (ids of new
// things).
enum turn_fill {
	TURN_GO,
	TURN_NOTHING,
	TURN_REFUSE
}; // NOTHING: done with ok, no event; REFUSE: *why is filled
typedef enum turn_fill turn_fill_fn(void *context, const struct state *s, struct event *e,
                                    struct err *why);
// applied: the event as recorded, NULL when ok with TURN_NOTHING or when refused. Called once,
// after durability.
typedef void turn_done_fn(void *context, bool ok, const struct err *why,
                          const struct event *applied);
// Copies the event; its time is set by the turn. fill and done may be NULL.
void turn_submit(struct turn *t, const struct event *e, turn_fill_fn *fill, turn_done_fn *done,
                 void *context);

const struct state *turn_state(const struct turn *t);
const char *turn_read_only(const struct turn *t); // why nothing can be appended, NULL = all is well
uint64_t turn_seq(const struct turn *t);          // newest durable event
int64_t turn_now(struct turn *t); // what an event of now would carry (app/turnclock.h)
