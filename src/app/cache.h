// `weir cache stat|verify|gc`: what earlier verdicts there are to reuse, what that saved, and
// whether they can be trusted. Of a server's data folder and of that of `weir run`, whichever there
// are.
#pragma once
#include "cli/cli.h"

int cache_stat(struct cli *cli);
int cache_verify(struct cli *cli);
int cache_gc(struct cli *cli);
