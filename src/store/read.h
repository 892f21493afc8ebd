// What weir's faces ask of the projections: typed, read-only, over a connection of their own
// (store_open with STORE_READ; the writer's works too). For each row of READ_TABLES there is struct
// read_NAME (its fields stand in store/read.def.h) and struct read_NAMEs {p, n}. Texts live in
// `life`; times are milliseconds since 1970 UTC; 0, empty and none mean absent.
//
// Asking for one: ERR_NOT_FOUND when there is none. Lists: an empty one is no error; limit 0 = all.
#pragma once
#include "store/read.def.h"
#include "store/row.h"
#include "store/store.h"

#define READ_STRUCT(name, NAME, table) \
	struct read_##name {               \
		READ_##NAME(ROW_MEMBER, )      \
	};                                 \
	struct read_##name##s {            \
		struct read_##name *p;         \
		size_t n;                      \
	};
READ_TABLES(READ_STRUCT)
#undef READ_STRUCT

MUST_USE bool read_repo(struct store *s, struct repo_id id, struct arena *life,
                        struct read_repo *out, struct err *e);
MUST_USE bool read_repo_named(struct store *s, struct str name, struct arena *life,
                              struct read_repo *out, struct err *e);
MUST_USE bool read_repos(struct store *s, struct arena *life, struct read_repos *out,
                         struct err *e);

enum read_which { READ_ALL, READ_OPEN, READ_ENDED };
struct read_filter {
	enum read_which which;
	struct repo_id repo;     // 0 = every one
	struct change_id before; // continue behind this row of the answer before; 0 = from the newest
	size_t limit;
};
MUST_USE bool read_change(struct store *s, struct change_id id, struct arena *life,
                          struct read_change *out, struct err *e);
// Newest first: READ_ENDED by the time of the end, the others by id.
MUST_USE bool read_changes(struct store *s, struct read_filter filter, struct arena *life,
                           struct read_changes *out, struct err *e);
// The newest change with this topic; ERR_NOT_FOUND.
MUST_USE bool read_change_of_topic(struct store *s, struct repo_id repo, struct str topic,
                                   struct arena *life, struct read_change *out, struct err *e);
// The newest change of which a revision's head, or the landed commit, begins with these lower-case
// hexadecimal digits; ERR_NOT_FOUND, also when they are none.
MUST_USE bool read_change_of_commit(struct store *s, struct str digits, struct arena *life,
                                    struct read_change *out, struct err *e);
// In order of their numbers.
MUST_USE bool read_revisions(struct store *s, struct change_id change, struct arena *life,
                             struct read_revisions *out, struct err *e);
MUST_USE bool read_candidate(struct store *s, struct candidate_id id, struct arena *life,
                             struct read_candidate *out, struct err *e);
MUST_USE bool read_candidates(struct store *s, struct change_id change, struct arena *life,
                              struct read_candidates *out, struct err *e);
MUST_USE bool read_run(struct store *s, struct run_id id, struct arena *life, struct read_run *out,
                       struct err *e);
MUST_USE bool read_runs_of_change(struct store *s, struct change_id change, struct arena *life,
                                  struct read_runs *out, struct err *e);
MUST_USE bool read_runs_of_candidate(struct store *s, struct candidate_id candidate,
                                     struct arena *life, struct read_runs *out, struct err *e);
// The verdicts of a repository's passed runs with this basis (exec/key.h), the one last used first.
// Their objects may have been collected since (object_exists).
enum { READ_VERDICTS_MAX = 16 };
MUST_USE bool read_verdicts(struct store *s, struct repo_id repo, struct digest basis,
                            struct arena *life, struct read_verdicts *out, struct err *e);
// What the newest passed run of each job of a repository read (app/inputs.h).
MUST_USE bool read_job_inputs(struct store *s, struct repo_id repo, struct arena *life,
                              struct read_job_inputs *out, struct err *e);
// Passed ones of `weir run`, likewise.
MUST_USE bool read_local_runs(struct store *s, struct digest basis, struct arena *life,
                              struct read_local_runs *out, struct err *e);
// Every one, for who checks them all.
MUST_USE bool read_all_verdicts(struct store *s, struct arena *life, struct read_verdicts *out,
                                struct err *e);
MUST_USE bool read_all_local_runs(struct store *s, struct arena *life, struct read_local_runs *out,
                                  struct err *e);
MUST_USE bool read_plan(struct store *s, struct digest digest, struct arena *life, struct str *json,
                        struct err *e);

MUST_USE bool read_release(struct store *s, struct release_id id, struct arena *life,
                           struct read_release *out, struct err *e);
// By number, or by the first hexadecimal digits of its commit (at least 4); repo 0: of any.
// ERR_CONFLICT: several begin so.
MUST_USE bool read_release_named(struct store *s, struct repo_id repo, struct str name,
                                 struct arena *life, struct read_release *out, struct err *e);
// Newest first, older than `before` unless it is 0.
MUST_USE bool read_releases(struct store *s, struct repo_id repo, struct release_id before,
                            size_t limit, struct arena *life, struct read_releases *out,
                            struct err *e);
MUST_USE bool read_blocks(struct store *s, struct env_id env, struct arena *life,
                          struct read_blocks *out, struct err *e);
MUST_USE bool read_envs(struct store *s, struct repo_id repo, struct arena *life,
                        struct read_envs *out, struct err *e); // repo 0 = of all
MUST_USE bool read_rollout(struct store *s, struct rollout_id id, struct arena *life,
                           struct read_rollout *out, struct err *e);
MUST_USE bool read_rollouts(struct store *s, struct env_id env, struct rollout_id before,
                            size_t limit, struct arena *life, struct read_rollouts *out,
                            struct err *e); // newest first; env 0 = of all
// How the release that the change made was received; ERR_NOT_FOUND: no rollout of it began.
MUST_USE bool read_delivery(struct store *s, struct change_id change, struct arena *life,
                            struct read_delivery *out, struct err *e);
// What landed, was rejected, went live or failed to, before `before_ms` unless it is 0; newest
// first.
MUST_USE bool read_feed(struct store *s, struct repo_id repo, int64_t before_ms, size_t limit,
                        struct arena *life, struct read_feeds *out, struct err *e);
// How much of it happened since then, all of it, by hours (of UTC); oldest first.
// A sum over all runs ever, by its name (store/tables.def.h); 0 = nothing yet.
MUST_USE bool read_predictions(struct store *s, struct arena *life, struct read_predictions *out,
                               struct err *e);
MUST_USE bool read_tally_of(struct store *s, const char *name, int64_t *n, struct err *e);
MUST_USE bool read_counted(struct store *s, int64_t since_ms, struct arena *life,
                           struct read_counts *out, struct err *e);

MUST_USE bool read_tokens(struct store *s, struct arena *life, struct read_tokens *out,
                          struct err *e); // also revoked and expired ones
// The token with this hash that is not revoked; the caller looks at expires_ms.
MUST_USE bool read_token(struct store *s, struct digest hash, struct arena *life,
                         struct read_token *out, struct err *e);
MUST_USE bool read_keys(struct store *s, struct arena *life, struct read_keys *out, struct err *e);
MUST_USE bool read_webhooks(struct store *s, struct arena *life, struct read_webhooks *out,
                            struct err *e);
MUST_USE bool read_secrets(struct store *s, struct repo_id repo, struct arena *life,
                           struct read_secrets *out, struct err *e); // names, never values

// From seq on, oldest first; entity "" = about anything ("change/12").
MUST_USE bool read_events(struct store *s, uint64_t from, struct str entity, size_t limit,
                          struct arena *life, struct read_events *out, struct err *e);

// Medians of the last 20, 0 = nothing to go by: of passed runs of a job; from queued to landed.
MUST_USE bool read_job_duration(struct store *s, struct repo_id repo, struct str job, int64_t *ms,
                                struct err *e);
MUST_USE bool read_landing_wait(struct store *s, struct repo_id repo, int64_t *ms, struct err *e);
