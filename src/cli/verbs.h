// The table of commands that ask a server.
#pragma once
#include "cli/verb.h"

// All of them as commands, in the order of help.
void verbs_commands(struct arena *life, const struct cli_command **out, size_t *n);
int verbs_run(struct cli *cli); // runs cli->command by its row
