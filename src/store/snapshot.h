// Snapshots of the core's state, so that a start replays only what came after. A snapshot is a
// hint: one that is damaged or of another layout is passed by, and the log gives the same state.
#pragma once
#include "store/store.h"

// state = the bytes after event `seq`; layout names their encoding. The newest two of this layout
// stay, others go.
MUST_USE bool snapshot_put(struct store *s, uint64_t seq, struct str layout, struct str state,
                           struct err *e);
// The newest whole one of this layout, appended to *state. ERR_NOT_FOUND: none.
MUST_USE bool snapshot_get(struct store *s, struct str layout, uint64_t *seq, struct buf *state,
                           struct err *e);
