// weir status: all that moves, or one change; once, watched, or waited for.
#pragma once
#include "cli/cli.h"

extern const struct cli_command watch_commands[]; // ends with {0}
