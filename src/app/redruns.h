// Red verdicts of a change: what the same revision was refused for, alone or in a batch, so that it
// need not be found out again on each new tip.
#pragma once
#include "store/read.h"

// Adds those of the run's job and change that may hold for it to `verdicts`; from *doubted on those
// that are no verdict on this change alone (core/flakes.h).
MUST_USE bool redruns_add(struct store *s, const struct read_run *run, struct digest basis,
                          struct arena *life, struct read_verdicts *verdicts, size_t *doubted,
                          struct err *e);
