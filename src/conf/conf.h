// weir.yml: bytes in; a plan, or everything that is wrong with it, out. No file, no clock, no
// state.
#pragma once
#include "conf/diagnostics.h"
#include "conf/plan.h"

enum {
	CONF_BYTES_MAX = 1 << 20,
	CONF_NODES_MAX = 10000, // keys, values, lists and mappings together
	CONF_DEPTH_MAX = 16,
};

// False when there is at least one error; then *out is untouched and d tells all of them (only the
// first, when the text is not YAML). With true d may hold warnings. `d` borrows `text` until it has
// been printed.
MUST_USE bool conf_parse(struct str text, struct arena *life, struct conf_plan **out,
                         struct conf_diagnostics *d);
