// What the API needs of the process that it lives in. The daemon fills this in; tests fill in a
// small one. All functions are called on the loop's thread and never block; `done` functions are
// called on it too, once, at once or later. Texts are borrowed for the call only.
#pragma once
#include "core/state.h"
#include "store/object.h"
#include "store/store.h"

// ok: *e is untouched. applied: the event as it was recorded, durable; NULL when there was nothing
// to record.
typedef void api_done_fn(void *context, bool ok, const struct event *applied, const struct err *e);
typedef void api_text_fn(void *context, bool ok, struct str text, const struct err *e);

struct api_repo_add {
	struct str name, source, trunk, changes, by; // source: path or URL, "" = an empty repository
	bool follow;
	int64_t poll_ms;
};

struct api_host {
	void *context;
	struct store *store;          // for reading, of the loop's thread
	struct object_store *objects; // likewise
	const char *version;
	const char *url;  // http://127.0.0.1:8420, without a slash at the end
	const char *data; // absolute path of the data folder
	int64_t started_ms;

	int64_t (*now_ms)(void *context); // what an event of now would carry
	const struct state *(*state)(void *context);
	uint64_t (*seq)(void *context);          // of the newest durable event
	const char *(*read_only)(void *context); // why no change is taken now, NULL = all is well
	// Why runs that were issued do not begin, NULL = they do; NULL itself = they always do.
	const char *(*runs_wait)(void *context);
	bool (*records)(void *context); // read-only, but what operators do (roll back) still works;
	                                // NULL = no
	// Checks, applies, appends; its time is filled in. The usual way to change anything.
	void (*submit)(void *context, const struct event *e, api_done_fn *done, void *done_context);
	// Makes or copies the repository, then records repo.added. May take minutes.
	void (*repo_add)(void *context, const struct api_repo_add *add, api_done_fn *done,
	                 void *done_context);
	// Seals and stores the value (empty p = removes it), then records secret.set or secret.removed.
	void (*secret_set)(void *context, struct repo_id repo, struct str name, struct str value,
	                   struct str by, api_done_fn *done, void *done_context);
	// Unified diff from base to head, at most 4 MB; what is beyond is cut at a line.
	void (*diff)(void *context, struct repo_id repo, struct oid base, struct oid head,
	             api_text_fn *done, void *done_context);
	// Findings about this machine, one JSON object; NULL = not built.
	void (*doctor)(void *context, api_text_fn *done, void *done_context);
	// Path of the log (exec/runlog.h) of a run under way. False: none.
	bool (*run_log)(void *context, struct run_id run, struct buf *path);
	// Path of the log of an environment's service (deploy/servicelog.h). False: none.
	bool (*env_log)(void *context, struct env_id env, struct buf *path);
};
