// One probe of a service after another: HTTP GET of its health path on 127.0.0.1, healthy = 2xx or
// 3xx; or, without a path, that it accepts a connection. A probe never waits for another, and there
// is one at a time.
#pragma once
#include "base/str.h"
#include "os/loop.h"

struct health;
// `why` explains a failure ("GET /healthz answered 503"); "" when healthy. Called from the loop;
// may stop.
typedef void health_fn(void *context, bool healthy, const char *why);

struct health *health_new(struct loop *l, health_fn *fn, void *context);
// Probes now and then every interval_ms (from start to start, or later if one takes longer).
// Borrows nothing.
void health_start(struct health *h, uint16_t port, struct str path, int64_t interval_ms,
                  int64_t timeout_ms);
void health_set_interval(struct health *h, int64_t interval_ms);
void health_stop(struct health *h); // a probe under way is given up
void health_free(struct health *h);
