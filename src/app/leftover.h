// What runs left below DATA/runs that are over for the log: a daemon died between the two.
#pragma once
#include "app/daemon.h"

// names: what lies in DATA/runs. On a worker; a leader that still lives is told to stop.
void leftover_remove(struct daemon *d, const struct str *names, size_t count);
