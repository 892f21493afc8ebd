// What a run's verdict is valid for, kept in the run's folder while it runs: the machine's
// toolchain may be another one when a later daemon adopts the run.
#pragma once
#include "core/event.h"

struct runkey {
	struct digest basis, toolchain; // exec/key.h; none = the run counts, but is never reused
};

void runkey_write(const struct runkey *k, const char *folder);
void runkey_read(const char *folder, struct runkey *out); // none when there is nothing
// Fills in what the event says of it. inputs: the object (app/inputs.h).
void runkey_tell(const struct runkey *k, struct str inputs, struct event_run_finished *out);
