// A state as bytes, for snapshots: the rows as they lie in memory, so it is a copy and no parsing.
// Good only for the layout that wrote it; state_pack_layout names that, and a snapshot of another
// layout is thrown away.
#pragma once
#include "base/buf.h"
#include "core/state.h"

struct str state_pack_layout(struct arena *life);
void state_pack(const struct state *s, struct buf *out);
// *s is initialised or freed; false (and *s initialised) when the bytes are no whole state of this
// layout.
MUST_USE bool state_pack_read(struct state *s, struct str bytes);
