// What weir needs of this machine, looked at: each finding says what it means and what to do.
#pragma once
#include "base/buf.h"

// {"findings":[{"level":"ok|warn|bad","next","text","what"}],"ok":bool}. Blocks (starts a few
// programs).
void doctor_look(const char *data, struct buf *out);
