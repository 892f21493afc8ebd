// The server of a view (exec/trace.h): answers the kernel's questions about a tree and remembers
// them. One thread of one process, which does nothing else.
#pragma once
#include "base/err.h"

// tree: the folder; device: /dev/fuse, mounted; control: the server ends when it can be read.
// Returns when it was told to end, with the record in `record` (a descriptor); false: the view is
// broken.
MUST_USE bool traceview_serve(int tree, int device, int control, int record, struct err *e);
