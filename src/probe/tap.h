// TAP 13 and 14 (testanything.org), and what Perl, bats, node and mocha make of it. A plan that is
// missing or not fulfilled, and a bail out, are errors of their own in the list.
#pragma once
#include "probe/gather.h"

// Adds its tests to g; what was wrong with the file though tests were read is a gather_problem.
MUST_USE bool tap_read(struct str bytes, struct gather *g, struct err *e);
