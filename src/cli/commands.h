// The commands of this folder, and all of them in the order of the help.
#pragma once
#include "cli/cli.h"

#define COMMANDS_VERSION "0.1.0"

// Own commands and `extra` ones (by whatever name the same, extra wins), sorted by group.
void commands_all(const struct cli_command *extra, size_t n, struct arena *life,
                  const struct cli_command *const **all, size_t *count);
