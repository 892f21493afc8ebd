// The daemon's side of a supervisor: start or find it, send it a command, follow it. These calls
// block: from a worker thread. What commands and events look like stands in deploy/supervisor.h.
#pragma once
#include "base/json.h"

// Finds the supervisor of ENVFOLDER, or starts `program supervise ENVFOLDER`, and waits (at most 5
// s) until it takes commands. The folder must exist.
MUST_USE bool environment_ensure(const char *folder, const char *program, struct err *e);
// Sends one command (a JSON object without line ends) and waits for its answer, which may say
// "ok":false. An error here means that the outcome is unknown: send it again with the same id.
MUST_USE bool environment_command(const char *folder, struct str command, int64_t timeout_ms,
                                  struct json **answer, struct err *e);
// A descriptor from which lines of JSON come: first the status, then events. End of file: the
// supervisor is gone. For loop_watch; the caller closes it.
MUST_USE bool environment_watch(const char *folder, int *fd, struct err *e);
