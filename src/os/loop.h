// The event loop (libuv underneath): descriptors, timers, signals, and slow work on a small pool of
// threads whose result comes back to the loop's thread. One loop a process; everything runs on its
// thread except the `work` function of loop_work.
#pragma once
#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_timer;
typedef void loop_fn(void *context);

MUST_USE bool loop_open(struct loop **out, struct err *e);
void loop_close(struct loop *l); // waits for work under way
void loop_run(struct loop *l);   // until loop_stop
void loop_stop(struct loop *l);
int64_t loop_now_ms(struct loop *l); // monotonic

// Calls on_ready on the loop's thread whenever fd is readable (or writable). Free with
// loop_unwatch.
struct loop_watch *loop_watch(struct loop *l, int fd, bool readable, bool writable,
                              loop_fn *on_ready, void *context);
void loop_unwatch(struct loop_watch *w);
struct loop_timer *loop_timer(struct loop *l, loop_fn *on_due, void *context);
void loop_timer_set(struct loop_timer *t, int64_t in_ms); // in_ms < 0 disarms; fires once
void loop_timer_free(struct loop_timer *t);
void loop_on_signal(struct loop *l, int signal, loop_fn *on_signal, void *context);
void loop_before_wait(struct loop *l, loop_fn *fn,
                      void *context); // called before each wait for descriptors
// Runs work(context) on a pool thread, then done(context) on the loop's thread. The pool has
// UV_THREADPOOL_SIZE threads.
void loop_work(struct loop *l, loop_fn *work, loop_fn *done, void *context);
size_t loop_working(const struct loop *l); // works whose done was not called yet

// A lane runs at most `most` works at once, the others wait in order: for work that lasts, so that
// it never takes the whole pool from work that it waits for itself.
struct loop_lane;
struct loop_lane *loop_lane(struct loop *l, size_t most);
void loop_lane_work(struct loop_lane *lane, loop_fn *work, loop_fn *done, void *context);
void loop_lane_free(
	struct loop_lane *lane); // nothing under way in it, or after loop_close; NULL is fine
