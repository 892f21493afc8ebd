// The fields of the event structs as a table: what each is called, its type and where it stands.
// For code that goes over the fields of any event: the reader of canonical bodies, the projections
// of the store.
#pragma once
#include "core/event.h"

// EVENTFIELD_INT ... EVENTFIELD_ROLLOUT_ID: the types of event.def.h.
enum eventfield_type {
	EVENTFIELD_INT,
	EVENTFIELD_LATER,
	EVENTFIELD_STR,
	EVENTFIELD_JSON,
	EVENTFIELD_OID,
	EVENTFIELD_DIGEST,
	EVENTFIELD_REASON,
	EVENTFIELD_OUTCOME,
	EVENTFIELD_REPO_ID,
	EVENTFIELD_CHANGE_ID,
	EVENTFIELD_CANDIDATE_ID,
	EVENTFIELD_RUN_ID,
	EVENTFIELD_LANDING_ID,
	EVENTFIELD_RELEASE_ID,
	EVENTFIELD_ENV_ID,
	EVENTFIELD_ROLLOUT_ID,
};

struct eventfield {
	enum eventfield_type type;
	uint16_t offset; // in the struct, here struct event
	uint16_t name_n;
	const char *name;
};

// In the order of event.def.h. NULL and 0 for a number that is no kind.
const struct eventfield *eventfield_of(enum event_kind kind, size_t *count);
