// What on a machine helps or hinders weir: each finding says what, and what to do. The command
// shows those of this machine and those that the server has of its own.
#pragma once
#include "cli/cli.h"

extern const struct cli_command doctor_commands[]; // ends with {0}

// {"findings":[{"level","next","text","what"}]}, level: ok, warn, bad; next is null unless
// there is something to do. `folder` is where data lies or will lie. Starts a few short programs:
// blocks up to some seconds.
void doctor_examine(const char *folder, struct buf *json);
