// The processes a supervisor answers for: those it started, and those it adopted from a supervisor
// that died. Each is told apart from a later process with the same pid by its start time. As a
// subreaper the supervisor also gets orphans of its services; they are reaped and forgotten.
#pragma once
#include <sys/types.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "os/loop.h"

struct child;
struct children;

// What is written down about a process, so that the next supervisor finds it. pid 0 = none.
struct child_id {
	pid_t pid;
	uint64_t ticks; // os/process.h
};

// How it ended; known is false for an adopted process: only its parent learns that.
struct child_end {
	bool known, by_signal;
	int code;
};
typedef void child_fn(void *context, struct child_end end);

struct children *children_new(struct loop *l); // becomes subreaper and takes SIGCHLD
// Watches a process just started by os/process.h. on_end is called once, later, never from inside
// this call.
struct child *children_own(struct children *all, pid_t pid, child_fn *on_end, void *context);
// NULL if that very process does not run any more.
struct child *children_adopt(struct children *all, struct child_id id, child_fn *on_end,
                             void *context);
struct child_id child_id(const struct child *c);
void child_signal(const struct child *c, int signal); // to its process group
void child_forget(struct child *c); // no call any more; the process itself is left alone
void child_end_text(struct child_end end, struct buf *out); // "exited with status 3"
void child_id_json(struct jsonw *w, struct child_id id);
struct child_id child_id_from_json(const struct json *v);
