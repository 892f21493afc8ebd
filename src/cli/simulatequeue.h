// weir simulate queue, weir simulate trace: the benchmark of queue policies (sim/queuemodel.h).
#pragma once
#include "cli/cli.h"

extern const struct cli_command simulatequeue_commands[]; // ends with {0}
