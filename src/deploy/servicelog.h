// What a service prints, line by line with the time before each: "2026-11-22T14:02:11.532Z text".
// The service writes into a named pipe that it holds open in both directions itself: it gets no
// SIGPIPE when the supervisor dies, and the next supervisor reads on. Two files of at most
// SERVICELOG_BYTES: x.log and the older x.log.1.
#pragma once
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/loop.h"

enum { SERVICELOG_BYTES = 8 << 20, SERVICELOG_LINE = 16 * 1024 }; // a longer line is broken there

struct servicelog;

// Makes the pipe for `owner` (0 = ours) if it is not there, and starts to copy.
MUST_USE bool servicelog_open(struct loop *l, const char *pipe_path, const char *log_path,
                              uid_t owner, struct servicelog **out, struct err *e);
int servicelog_writer(
	const struct servicelog *s); // a descriptor for the service, -1 = no; the caller's to close
void servicelog_line(struct servicelog *s, const char *format, ...)
	PRINTF_LIKE(2, 3); // weir's own word
void servicelog_close(
	struct servicelog *s); // copies what is still in the pipe, then removes the pipe
// Of the logs in `folder` that `in_use` does not claim, only the newest `most` files stay.
void servicelog_tidy(const char *folder, size_t most,
                     bool (*in_use)(const void *context, struct str name), const void *context);
// The last lines of a log, at most `lines` and 256 KB; the older file is read when the newer has
// fewer.
void servicelog_tail(const char *log_path, size_t lines, struct buf *out);
