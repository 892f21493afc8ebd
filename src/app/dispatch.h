// Which adapter acts on which event, and what is asked again after a start.
#pragma once
#include "app/daemon.h"

void dispatch_event(void *daemon, uint64_t seq, const struct event *e);
// Everything that was asked and has no outcome goes to its adapter again, with the same ids.
void dispatch_outbox(void *daemon);
