// weir stop ENV: ends an environment's services, its HAProxy and its supervisor, which otherwise
// outlive the daemon.
#pragma once
#include "cli/cli.h"

int stop_command(struct cli *cli);
