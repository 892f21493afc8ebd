// What a run printed, as lines with a time and a channel; readable while it grows and with any text
// tool.
//
//   LOG    = RECORD*
//   RECORD = MS " " CHANNEL END TEXT "\n"
//   MS       decimal milliseconds since the start of the run
//   CHANNEL  o = standard output, e = standard error, w = weir itself, d = something was dropped
//   here END      " " the record ends a line of the channel, "+" the line goes on in the channel's
//   next record TEXT     the bytes as they came (ANSI codes and invalid UTF-8 too), never a line
//   feed; for d: how many
//            bytes are missing at this place, decimal
//
// A piece without line feed at the end of the file is a record being written: a reader waits for
// the rest, or ignores it once the run is over. Limits: of a line longer than line_bytes its head
// and its tail are kept; of a log longer than total_bytes the head and the last RUNLOG_TAIL bytes,
// which stay in memory until the end.
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum runlog_channel { RUNLOG_OUT, RUNLOG_ERR, RUNLOG_WEIR, RUNLOG_DROPPED };

enum { RUNLOG_TAIL = 4 << 20, RUNLOG_TOTAL = 64 << 20, RUNLOG_LINE = 1 << 20 };

struct runlog;
struct runlog_limits {
	uint64_t total_bytes, line_bytes; // 0 = RUNLOG_TOTAL, RUNLOG_LINE
};
struct runlog_totals {
	uint64_t text_bytes;    // that the run printed
	uint64_t dropped_bytes; // of them not in the log
	uint64_t file_bytes;    // of the log
};

// Makes the file, which must not exist. The writer buffers; runlog_flush makes all complete lines
// visible, and with `partial` also what stands behind the last line feed (a prompt, a progress
// bar).
MUST_USE bool runlog_create(const char *path, struct runlog_limits limits, struct runlog **out,
                            struct err *e);
void runlog_add(struct runlog *l, enum runlog_channel channel, struct str bytes, int64_t ms);
void runlog_flush(struct runlog *l, bool partial, int64_t ms);
bool runlog_has_partial(const struct runlog *l);
// The run prints no more: its last lines end, so that what weir adds stands behind them.
void runlog_end_lines(struct runlog *l, int64_t ms);
// Writes what is left and frees the writer, always. False: some write failed (a full disk); the log
// is cut there.
MUST_USE bool runlog_close(struct runlog *l, int64_t ms, struct runlog_totals *totals,
                           struct err *e);

struct runlog_record {
	int64_t ms;
	enum runlog_channel channel;
	bool goes_on;     // the next record of the channel continues this line
	struct str text;  // borrowed
	uint64_t dropped; // bytes, for RUNLOG_DROPPED
};
// Takes the next record from the front of *rest. False: no whole record is left; *rest is then
// empty or a torn tail. Lines that are no record are passed over.
bool runlog_next(struct str *rest, struct runlog_record *record);
