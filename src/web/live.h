// Live updates: /live?page=PATH is a stream of server-sent events. The server renders the page
// again when something was recorded (at most five times a second, once for all who look at it as
// the same person) and sends the regions whose bytes changed; a client that reads slowly gets the
// newest ones later, and nothing piles up for it.
//
//   event: put   data: {"html","name"}     a region, whole
//   event: log   data: "html"  id: LINE    lines of a log under way (page of a log; after=LINE, or
//   Last-Event-ID)
#pragma once
#include "web/exchange.h"

struct live *live_new(struct web *w);
void live_free(struct live **l); // after all streams are closed
void live_answer(struct exchange *x);
