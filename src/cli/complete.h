// weir complete KIND: what the shells' completions offer for a word, one a line. Silent when there
// is no server: a completion must never print an error into a command line.
#pragma once
#include "cli/cli.h"

extern const struct cli_command complete_commands[];
