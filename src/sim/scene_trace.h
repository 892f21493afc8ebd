// One event as one short line of a scene.
#pragma once
#include "core/state.h"

enum { SCENE_TRACE_NAME_MAX = 19 };

struct oid scene_trace_oid(struct str name); // a commit that is known by its name
void scene_trace_event(struct buf *out, const struct state *s, const struct event *e);
