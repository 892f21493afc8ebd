// What the results of a run say about its failed tests: why each failed, and where.
#pragma once
#include "api/call.h"

// An array of {"file","line","message","name"}; name as in failed_tests, message its first line,
// file "" and line 0 when the tool told none. At most FAILURES_MAX; empty when the results are past
// their retention or too large to be read for an answer: failed_tests has the names.
enum { FAILURES_MAX = 50 };
void failures_write(struct api *api, const struct read_run *run, struct jsonw *w);
