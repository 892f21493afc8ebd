// The way out for a job with `network: true`: slirp4netns gives the sandbox's own network namespace
// a user-mode interface (10.0.2.100, DNS at 10.0.2.3). The host's loopback stays out of reach.
#pragma once
#include <sys/types.h>

#include "base/err.h"

// `child` is a process in the sandbox. Blocks until the interface is up (at most ten seconds).
// ERR_NOT_FOUND: the program is not installed.
MUST_USE bool net_start(pid_t child, pid_t *slirp, struct err *e);
