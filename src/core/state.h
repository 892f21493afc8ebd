// What weir knows now: only what check and decide may still need. Data, and ways to find it; who
// changes it is core/apply.c alone.
//
// Ended changes leave the state (their story is in the log and its projections), except rejected
// ones, which a push or a retry may revive. Rows are plain (core/table.h), sorted by id where they
// have one.
//
//   change     proposed -> queued -> (landed | rejected | withdrawn: out of `changes`)
//   candidate  building -> testing -> landing -> landed -> gone
//                 |           |--> dropped -> gone when its last run has stopped
//                 '--> refused -> dropped
//   job        waiting -> issued -> passed | failed, or back to waiting (lost, retried); skipped
//                         |--> doubted -> issued again, or settled: passed | failed
//   from the start run        issued -> running -> gone;  cancelling from either
#pragma once
#include "core/rows_delivery.h"
#include "core/table.h"

struct state {
	int64_t now_ms;
	uint64_t events; // applied so far: the number of the newest
	uint64_t next_queue_order;
	uint64_t next_repo, next_change, next_candidate, next_run, next_landing, next_release, next_env,
		next_rollout;
	uint64_t seed;
	uint32_t slots;     // runs at once
	uint32_t batch_max; // changes that are tested together; 0 = as the policy has it
	uint32_t learns;    // changes are queued with a chance (core/predict.h)
	struct table repos, changes, rejected, candidates, jobs, runs, plans, plan_jobs, needs,
		releases, blocks, envs, areas, flakes, members, lessons;
};

void state_init(struct state *s);
void state_copy(struct state *to, const struct state *from); // `to` is uninitialised
void state_free(struct state *s);
size_t state_bytes(const struct state *s);
// Over a canonical encoding that depends on values only, not on this program's layout.
struct digest state_digest(const struct state *s);

struct repo *state_repo(const struct state *s, struct repo_id id); // each NULL when absent
struct change *state_change(const struct state *s, struct change_id id);
struct change *state_rejected(const struct state *s, struct change_id id);
struct candidate *state_candidate(const struct state *s, struct candidate_id id);
struct run *state_run(const struct state *s, struct run_id id);
struct release *state_release(const struct state *s, struct release_id id);
struct env *state_env(const struct state *s, struct env_id id);
struct env *state_env_of_rollout(const struct state *s, struct rollout_id id);
struct plan *state_plan(const struct state *s, struct digest digest);
struct job *state_job(const struct state *s, const struct candidate *c, size_t index);
struct plan_job *state_plan_job(const struct state *s, const struct plan *p, size_t index);
struct candidate *state_candidate_of_change(const struct state *s,
                                            struct change_id id); // not dropped, not landed
bool state_is_blocked(const struct state *s, struct release_id release, struct env_id env);
struct str state_name(const struct name *n);

// Which change and revision a push with this key and head is: an open or rejected change's next
// revision, the same one when the head is the same (*same is set then), or a new change.
struct state_identity {
	struct change_id change;
	uint32_t revision;
	bool same;
};
struct state_identity state_identify(const struct state *s, struct repo_id repo, struct digest key,
                                     struct oid head);
