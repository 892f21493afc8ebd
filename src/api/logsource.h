// The bytes of a run's log, wherever they are: the growing file of a run under way, or the object
// that it became. The two hold the same bytes, so a reader may go on at its offset when the one
// turns into the other.
#pragma once
#include "api/api.h"

// Appends at most `most` bytes from offset on. *over: the run has ended and nothing follows these
// bytes. *total: bytes of the log so far. ERR_NOT_FOUND: it has no log (not started, lost, removed
// by retention).
MUST_USE bool logsource_read(struct api *api, struct run_id run, uint64_t offset, size_t most,
                             struct buf *out, bool *over, uint64_t *total, struct err *e);
// A plain file that may grow and be replaced by a new one. *total is smaller than offset when it
// was replaced.
MUST_USE bool logsource_file(const char *path, uint64_t offset, size_t most, struct buf *out,
                             uint64_t *total, struct err *e);
