// The fast way to read an event back: only bodies exactly as event_body writes them, without
// building a tree. What it refuses may still be right (another writer, unusual numbers):
// event_parse decides then. What it takes, event_parse takes with the same result.
#pragma once
#include "core/event.h"

// As event_parse. False = not in canonical form, or not known; nothing was written to *out.
MUST_USE bool eventread_parse(enum event_kind kind, int64_t time_ms, struct str body,
                              struct arena *life, struct event *out);
