// What a command says of itself, for a terminal.
#pragma once
#include "cli/cli.h"

void help_overview(const struct cli *cli, struct ink *out); // every command in a line
void help_command(const struct cli_command *c, struct ink *out);
// The commands that begin with this word ("token"); false when there is none.
bool help_family(const struct cli *cli, const char *word, struct ink *out);
// What follows `weir` on a usage line: "log ID JOB [--follow]".
void help_usage(const struct cli_command *c, struct buf *out);
