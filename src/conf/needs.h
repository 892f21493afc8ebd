// Which job needs which: names become indices; unknown names, circles, and jobs that would wait for
// something that runs later than they do are told.
#pragma once
#include "conf/draft.h"

void needs_resolve(struct draft *draft, struct arena *life, struct conf_diagnostics *d);
