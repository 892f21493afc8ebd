// A trace for `weir simulate queue` (sim/queuetrace.h) of what a queue has really had: the changes
// of a data folder that landed or were rejected by their jobs.
//
//   arrival     when the last revision was queued
//   duration    of its jobs along the longest way through their needs; what was reused counts as
//               long as it took when it ran
//   ok          it landed, or was red only on what another had landed meanwhile
//   areas       the folders that it touches, two levels deep; a file at the top is one of its own
//   p_success   what its author's changes before it have come to, drawn towards all authors'
//   conflicts   with the change that landed between its last green candidate and its red one, where
//               only one did whose areas meet: nobody has tried the others apart
//
// Withdrawn ones, and those that git could not merge, are left out, and how many is told.
#pragma once
#include "cli/cli.h"

int logtrace_command(struct cli *cli);
