// Lines of a run's log from its records (probe/logline.h), fed in pieces of any size. A line of
// several records comes out when it is whole; numbers count from 1 in the order in which lines end.
#pragma once
#include "base/buf.h"
#include "probe/logline.h"

struct loglines { // zero-initialised at the start of a log
	uint64_t lines, ms;
	struct buf torn;       // bytes of a record whose end did not come yet
	struct buf partial[4]; // of each channel
};

// channel: 'o' 'e' 'w'; 'd': text says how many bytes are missing here. The text is borrowed for
// the call.
typedef void loglines_fn(void *context, uint64_t number, char channel, int64_t ms, struct str text);
void loglines_feed(struct loglines *l, struct str bytes, loglines_fn *fn, void *context);
void loglines_end(struct loglines *l, loglines_fn *fn, void *context); // what has no line feed yet
void loglines_free(struct loglines *l);
