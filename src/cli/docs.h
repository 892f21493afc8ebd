// Commands about commands: help, manual, completion.
#pragma once
#include "cli/cli.h"

extern const struct cli_command docs_commands[]; // ends with {0}
