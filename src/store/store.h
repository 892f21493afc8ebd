// The event log: what happened, durable and in order, in FOLDER/weir.db (SQLite: WAL,
// synchronous=FULL).
//
//   events(seq, time_ms, kind, version, repo, entity, body, hash)
//
// seq counts from 1 without a gap. hash = SHA-256(hash of the event before, 32 zero bytes at first,
// then seq, time_ms, kind, version, repo as 8 bytes big endian, entity and body, each with its
// length in 8 bytes before it). An event is never rewritten. Beside it stand the projections
// (store/project.h): tables that are changed in the transaction of the append and can be made again
// from the log; and snapshots (store/snapshot.h).
//
// One process writes (it holds its own lock on FOLDER beside this); any number read, each over its
// own connection. A store belongs to one thread.
#pragma once
#include <sqlite3.h>

#include "core/event.h"

struct store;
enum store_mode { STORE_READ, STORE_WRITE };
enum { STORE_BODY_MAX = 32 * 1024 * 1024 }; // bytes of one event's body

// STORE_WRITE makes the folder and the database when missing and brings an older one up to date.
// ERR_UNSUPPORTED: a newer weir wrote it; ERR_INVALID: not weir's; ERR_NOT_FOUND: nothing to read;
// ERR_BUSY: locked for 2 s.
MUST_USE bool store_open(const char *folder, enum store_mode mode, struct store **owned,
                         struct err *e);
void store_close(struct store **owned); // NULL is fine
#define AUTO_STORE __attribute__((cleanup(store_close))) struct store *

struct store_head {
	uint64_t seq; // 0 = the log is empty
	int64_t time_ms;
	struct digest hash;
};
MUST_USE bool store_head(struct store *s, struct store_head *out, struct err *e);

// One transaction: all events and their projections are durable when it returns true, none when
// false, and the store stays usable. Times must not go back (assert). ERR_LIMIT: disk full, or a
// body over STORE_BODY_MAX; ERR_BUSY: another process writes; ERR_CONFLICT: another process wrote
// since. *first = seq of events[0].
MUST_USE bool store_append(struct store *s, const struct event *events, size_t n, uint64_t *first,
                           struct err *e);

// The event lives until fn returns. False from fn stops the replay, with e as fn filled it.
typedef bool store_fn(void *context, uint64_t seq, const struct event *event, struct err *e);
// from..to inclusive; to past the head is the head. One consistent view. ERR_CORRUPT: a gap, an
// event that can't be read; ERR_UNSUPPORTED: one of a newer weir.
MUST_USE bool store_replay(struct store *s, uint64_t from, uint64_t to, store_fn *fn, void *context,
                           struct err *e);
// The pages of the database, and every hash from the first event on. ERR_CORRUPT names the first
// event that does not fit.
MUST_USE bool store_verify(struct store *s, struct store_head *out, struct err *e);

// Makes the projections anew from the log, in one transaction.
MUST_USE bool store_rebuild(struct store *s, struct err *e);
// Compares them with what the log gives. ERR_CORRUPT names the table.
MUST_USE bool store_check_projections(struct store *s, struct err *e);

// For src/store: the connection.
sqlite3 *store_db(struct store *s);
const char *store_folder(const struct store *s);
