// Shell completion from the table of commands: subcommands, options, choices, files; ids, jobs and
// environments are asked of the server (hidden `weir complete KIND`).
#pragma once
#include "cli/cli.h"

void completion_bash(const struct cli *cli, struct buf *out);
void completion_zsh(const struct cli *cli, struct buf *out);
void completion_fish(const struct cli *cli, struct buf *out);
