// Events: what happened, with its time inside. The table is core/event.def.h.
//
// An event is a kind, a time and the fields of that kind. Its body is canonical JSON: the fields in
// the order of the table, integers only, empty texts and digests left out. Same event, same bytes.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "core/event.def.h"
#include "core/ids.h"
#include "core/reason.h"

enum outcome { OUTCOME_NONE, OUTCOME_PASSED, OUTCOME_FAILED, OUTCOME_CANCELLED };
const char *event_outcome_name(enum outcome o); // "passed"; "" for none
MUST_USE bool event_outcome_parse(struct str name, enum outcome *out);

enum event_kind {
	EVENT_NONE = 0,
#define EVENT(number, NAME, name, text, ENTITY, doc) EVENT_##NAME = number,
	EVENT_TABLE(EVENT)
#undef EVENT
		EVENT_KIND_MAX = 127
};

#define EVENT_C_TYPE_INT int64_t
#define EVENT_C_TYPE_LATER int64_t
#define EVENT_C_TYPE_STR struct str
#define EVENT_C_TYPE_JSON struct str
#define EVENT_C_TYPE_OID struct oid
#define EVENT_C_TYPE_DIGEST struct digest
#define EVENT_C_TYPE_REASON enum reason
#define EVENT_C_TYPE_OUTCOME enum outcome
#define EVENT_C_TYPE_REPO_ID struct repo_id
#define EVENT_C_TYPE_CHANGE_ID struct change_id
#define EVENT_C_TYPE_CANDIDATE_ID struct candidate_id
#define EVENT_C_TYPE_RUN_ID struct run_id
#define EVENT_C_TYPE_LANDING_ID struct landing_id
#define EVENT_C_TYPE_RELEASE_ID struct release_id
#define EVENT_C_TYPE_ENV_ID struct env_id
#define EVENT_C_TYPE_ROLLOUT_ID struct rollout_id
#define EVENT_C_FIELD(S, TYPE, name) EVENT_C_TYPE_##TYPE name;
#define EVENT(number, NAME, name, text, ENTITY, doc) \
	struct event_##name {                            \
		EVENT_FIELDS_##name(EVENT_C_FIELD, )         \
	};
EVENT_TABLE(EVENT)
#undef EVENT

struct event {
	enum event_kind kind;
	int64_t time_ms; // recorded: max(wall clock, time of the event before)
	union {
#define EVENT(number, NAME, name, text, ENTITY, doc) struct event_##name name;
		EVENT_TABLE(EVENT)
#undef EVENT
	};
};

const char *event_name(enum event_kind kind); // "run.finished"; NULL for a number that is no kind
const char *event_doc(enum event_kind kind);  // one sentence
enum event_kind event_kind_of_name(struct str name); // EVENT_NONE when unknown
struct repo_id event_repo(const struct event *e);    // where the event names one, else 0
// "change/12", "" where the fact is about the server.
void event_entity(const struct event *e, struct buf *out);
bool event_entity_ok(struct str text); // whether it names one as event_entity does

void event_body(const struct event *e, struct buf *out);
// The texts of *out live in `life`. Unknown fields are refused: they come from a newer weir.
MUST_USE bool event_parse(enum event_kind kind, int64_t time_ms, struct str body,
                          struct arena *life, struct event *out, struct err *e);
// A copy whose texts live in `life`.
struct event event_copy(const struct event *e, struct arena *life);
// Calls fn with each field's name and type name of a kind, for manuals and schemas.
void event_fields(enum event_kind kind,
                  void (*fn)(void *context, const char *name, const char *type), void *context);
