// One record of what a run printed: "MS CHANNEL END TEXT\n". The format is told in exec/runlog.h,
// which writes it; this reads it, for whoever shows logs.
#pragma once
#include "base/str.h"

enum logline_channel { LOGLINE_OUT, LOGLINE_ERR, LOGLINE_WEIR, LOGLINE_DROPPED };

struct logline {
	int64_t ms; // since the start of the run
	enum logline_channel channel;
	bool goes_on;     // the next record of the channel continues this line
	struct str text;  // borrowed
	uint64_t dropped; // bytes, for LOGLINE_DROPPED
};

// Takes the next record from the front of *rest. False: no whole record is left; *rest is then
// empty or a torn tail. Lines that are no record are passed over.
bool logline_next(struct str *rest, struct logline *out);
