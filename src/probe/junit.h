// JUnit XML as pytest, surefire, gradle, ctest, meson, nextest, gotestsum, jest-junit, node, mocha,
// bats and gtest write it (there is no standard; the fullest description is Jenkins' junit.xsd).
#pragma once
#include "probe/gather.h"

// Adds its tests to g; what was wrong with the file though tests were read is a gather_problem.
MUST_USE bool junit_read(struct str bytes, struct gather *g, struct err *e);
