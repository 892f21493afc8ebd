// A second memory of what the log says, made for doubting the first one: a plain fold over events
// that shares no code with core/apply. The invariants (sim/invariant.h) ask it whether the next
// event may follow; the simulator feeds it every durable event, `weir audit` the real log.
//
// It believes and forgets nothing: rows of ended changes, candidates and runs stay. An event that
// names what is not there is passed by; to complain is the invariants' business.
#pragma once
#include "core/event.h"
#include "core/table.h"

struct witness_repo {
	uint64_t id;
	uint64_t landing; // under way, 0 = none
	struct oid tip;
};

enum witness_change_state {
	WITNESS_PROPOSED,
	WITNESS_QUEUED,
	WITNESS_VERIFIED,
	WITNESS_REJECTED,
	WITNESS_WITHDRAWN,
	WITNESS_LANDED
};

struct witness_change {
	uint64_t id, repo;
	int64_t revision;
	struct oid head;
	enum witness_change_state state;
	uint32_t landed; // how often
};

struct witness_accepted { // one row a revision, for ever
	uint64_t id;          // witness_accepted_id
	struct oid head;
};

struct witness_job {
	uint64_t passed; // the run that said so, 0 = none
	uint8_t required, skipped;
};

struct witness_candidate {
	uint64_t id, repo, change;
	int64_t revision;
	struct oid head, base, commit, tree;
	uint32_t job_at, job_count; // rows of `jobs`
	uint8_t built, landed;
};

struct witness_member { // of a batch: a change that is tested with its candidate's own
	uint64_t candidate, change;
	int64_t revision;
	struct oid head;
};

struct witness_run {
	uint64_t id, candidate;
	int64_t job;
	struct digest key, inputs;
	uint8_t live, passed, failed, lookup;
};

struct witness_landing {
	uint64_t id, candidate, repo;
	struct oid from, to;
	uint8_t live;
};

struct witness_release {
	uint64_t id, repo, candidate;
	struct oid commit;
};

struct witness_env {
	uint64_t id;
	uint64_t rollout; // under way
	uint64_t rollout_release;
	uint64_t live; // the release that runs
};

struct witness_pair { // a release that an environment has blocked, or has had live
	uint64_t env, release;
};

struct witness {
	uint64_t events, live_runs, lookups; // lookups: of the live ones, those that take no slot
	int64_t now_ms, slots;
	uint64_t landed, rejected, withdrawn; // counted as they came
	struct table repos, changes, accepted, candidates, jobs, runs, landings, releases, envs, blocks,
		was_live, members;
};

void witness_init(struct witness *w);
void witness_copy(struct witness *to, const struct witness *from); // `to` is uninitialised
void witness_free(struct witness *w);
void witness_fold(struct witness *w, const struct event *e);

uint64_t witness_accepted_id(uint64_t change, int64_t revision);
struct witness_job *witness_job_of(const struct witness *w, const struct witness_candidate *c,
                                   int64_t index); // NULL when there is none
// Whether every job that must pass before landing has a passing verdict.
bool witness_all_passed(const struct witness *w, const struct witness_candidate *c);
// Which of its changes this is; false: none of them.
bool witness_tests(const struct witness *w, const struct witness_candidate *c, uint64_t change,
                   struct witness_member *out);
bool witness_has_pair(const struct table *pairs, uint64_t env, uint64_t release);
