// Why a job failed, from its log alone: the lines that most likely explain it, for jobs that leave
// no results file. Compilers, linkers, make, test runners, tracebacks, panics, shells.
#pragma once
#include "base/arena.h"

enum { FAILURE_LOG_BYTES_MAX = 4 * 1024 * 1024, FAILURE_TEXT_BYTES_MAX = 500 };

struct failure_line {
	size_t number;   // of the line in `log`, from 1
	struct str text; // without escape sequences; at most FAILURE_TEXT_BYTES_MAX, then "…"
	struct str file; // empty: none is named
	int64_t line;    // 0: none
	int weight;      // 1..100, more explains more
};

// At most `most` lines into out, in the log's order; returns how many. Causes win over consequences
// and earlier lines over later ones. Of a log above FAILURE_LOG_BYTES_MAX only the end is read
// (numbers count from the log's start all the same).
size_t failure_find(struct str log, size_t most, struct arena *life, struct failure_line *out);
