// CTRF JSON (ctrf.io, schema 0.0.0) and what its reporters really write.
#pragma once
#include "probe/gather.h"

// Adds its tests to g; what was wrong with the file though tests were read is a gather_problem.
MUST_USE bool ctrf_read(struct str bytes, struct gather *g, struct err *e);
