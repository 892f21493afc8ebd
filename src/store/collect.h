// Which objects are still needed, and the removal of the others. Live are:
//   - logs, results, coverage and inputs of runs that have not ended, belong to an open change, or
//   ended within
//     log_days; the same of `weir run`
//   - artifacts of such runs, those that ended within artifact_days; of the newest `releases`
//   releases of
//     each repository and the newest `releases` that went to each environment, and what is live or
//     its way back
//   - what a live manifest names: anything in it that looks like a digest
// Everything else goes when it was neither put nor renewed for an hour. Events stay; they may name
// what is gone.
//
// Runs in the thread that appends events and puts objects, between turns: so nothing becomes live
// meanwhile.
#pragma once
#include "store/object.h"
#include "store/store.h"

struct collect_policy {
	int64_t now_ms;
	int64_t log_days, artifact_days;
	int64_t releases;
};
#define COLLECT_POLICY_USUAL .log_days = 90, .artifact_days = 7, .releases = 20

struct collect_result {
	uint64_t live, removed, removed_bytes; // objects; bytes on disk
};
// On an error before the first removal nothing is removed: what can't be read might name something.
MUST_USE bool collect_run(struct store *s, struct object_store *objects,
                          struct collect_policy policy, struct collect_result *out, struct err *e);
// Whether every live object is there: ERR_CORRUPT names one that is not. Does not read their bytes.
MUST_USE bool collect_check(struct store *s, struct object_store *objects,
                            struct collect_policy policy, uint64_t *live, struct err *e);
// For an artifact that is going to be used again: renews its manifest and all that it names.
// ERR_NOT_FOUND: a part of it is gone.
MUST_USE bool collect_renew(struct object_store *objects, struct digest manifest, struct err *e);
