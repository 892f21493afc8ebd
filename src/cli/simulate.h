// weir simulate faults: the simulator (src/sim) on every core, a share of the seeds each.
#pragma once
#include "cli/cli.h"

extern const struct cli_command simulate_commands[]; // ends with {0}
