// The closed list of reasons, see core/reason.def.h.
#pragma once
#include "base/str.h"
#include "core/reason.def.h"

struct str reason_code(enum reason r);
struct str reason_next(enum reason r); // what to do next
bool reason_stays_queued(enum reason r);
MUST_USE bool reason_parse(struct str code, enum reason *out);
