// What every job here meets beside its own workspace: the tools of the machine, and the /etc that
// jobs see. Looked at again from time to time, on a worker: it takes a walk over folders.
#pragma once
#include "app/daemon.h"

struct machine {
	struct digest toolchain; // exec/toolchain.h
	struct str etc;          // exec/etc.h; lives until the next look: copy it
	// private
	struct daemon *daemon;
	struct loop_timer *timer;
	struct arena life;
};

// Looks once. An error: nothing can run.
MUST_USE bool machine_open(struct daemon *d, struct machine **out, struct err *e);
void machine_close(struct machine *m); // NULL is fine
