// `go test -json` (cmd/test2json), one object a line; other lines between are passed by. A package
// that fails without a failing test (build, TestMain, panic) and a test that never ended are errors
// in the list.
#pragma once
#include "probe/gather.h"

// Adds its tests to g; what was wrong with the file though tests were read is a gather_problem.
MUST_USE bool gotest_read(struct str bytes, struct gather *g, struct err *e);
