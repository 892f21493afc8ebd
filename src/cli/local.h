// Commands that read and write files here: check, init, schema.
#pragma once
#include "cli/cli.h"

extern const struct cli_command local_commands[]; // ends with {0}
