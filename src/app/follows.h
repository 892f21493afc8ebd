// Followed repositories: trunk lives elsewhere. Each is fetched at its interval; branches that
// match are changes, a trunk that others moved is recorded.
#pragma once
#include "app/daemon.h"

MUST_USE bool follows_open(struct daemon *d, struct follows **out, struct err *e);
void follows_close(struct follows *set);
