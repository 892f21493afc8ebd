// The commands that are a part of the daemon's program: what needs the log, the sandbox or a role
// of the daemon.
#pragma once
#include "cli/cli.h"

const struct cli_command *roles_all(size_t *count);
