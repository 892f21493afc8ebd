// The rows of the state's tables (core/state.h): plain data, no pointers.
#pragma once
#include "base/hash.h"
#include "core/event.h"

enum { STATE_NAME_MAX = 63, STATE_RED_KEYS = 3, STATE_LOST_MAX = 3 };

struct name {
	uint8_t n;
	char p[STATE_NAME_MAX];
};

struct repo {
	struct repo_id id;
	struct name name;
	char trunk[128];           // branch name, NUL-terminated
	struct oid tip;            // none: no trunk yet
	struct digest plan;        // trunk's plan, none = no usable weir.yml
	struct landing_id landing; // under way, 0 = none
	struct candidate_id landing_candidate;
	uint8_t follow;
};

enum change_state { CHANGE_PROPOSED, CHANGE_QUEUED, CHANGE_REJECTED };

struct change {
	struct change_id id;
	struct repo_id repo;
	uint64_t queue_order; // smaller is earlier; set when queued
	int64_t proposed_ms, queued_ms;
	struct oid head;
	uint8_t key[16]; // first half of the event's digest
	uint32_t revision, verified_revision;
	int32_t priority; // larger goes first
	enum change_state state;
	uint8_t draft;
	uint8_t areas_known; // state.areas says what it touches; else it touches everything
	uint8_t areas_wrong; // what it said was wrong
	uint8_t apart;       // a batch with it was split: it is tested by itself
	uint8_t size, tenth; // what is predicted by, and was (core/predict.h)
	uint32_t author, chance;
};

struct lesson { // of changes with a feature, or of runs of a job (core/predict.h)
	uint64_t key;
	uint32_t good, bad; // of a mean: good = of how many
	int64_t mean, last_ms;
};

struct area { // one of those that a change touches (core/areas.h)
	uint64_t change, number;
};

// doubted: it was red, and what that means is not settled (core/flakes.h).
enum job_status { JOB_WAITING, JOB_ISSUED, JOB_PASSED, JOB_FAILED, JOB_SKIPPED, JOB_DOUBTED };

struct job {           // of one candidate
	struct run_id run; // newest
	struct digest artifacts;
	int64_t nightly_day; // day (since 1970) of the newest nightly run
	enum job_status status;
	enum reason reason;
	uint16_t attempt, lost;
	uint8_t reds, greens, red_key_count; // of what is doubted; of the newest red run:
	uint32_t faked;                      // how likely a good change looks so, billionths
	uint64_t red_keys[STATE_RED_KEYS], red_job;
	struct run_id red_run;
	uint8_t looked; // of a candidate issued again: no verdict was found; 2 = and is to be checked
};

enum candidate_state {
	CANDIDATE_BUILDING,
	CANDIDATE_TESTING,
	CANDIDATE_REFUSED,
	CANDIDATE_LANDING,
	CANDIDATE_LANDED,
	CANDIDATE_DROPPED
};

struct candidate {
	struct candidate_id id;
	struct repo_id repo;
	struct change_id change;
	struct candidate_id base_candidate; // 0 = stands on the tip
	struct oid base, head, commit, tree;
	struct digest plan;
	uint32_t revision;
	uint32_t job_at, job_count; // rows of state.jobs
	enum candidate_state state;
	enum reason refusal;
	uint8_t released; // its release was made or refused
	uint8_t again;    // verdicts of its change are looked for before it runs; 2 = each job has one
	uint8_t carrier;  // others stand on it; it is not tested
	uint8_t behind;   // trunk moved by what its change does not meet: it is issued again there
	uint8_t refuted;  // its change meets one that landed, and that is not below it
};

struct member { // of a batch (core/batch.h): a change that its candidate tests before its own
	uint64_t candidate;
	struct change_id change;
	struct oid head;
	uint32_t revision;
};

enum run_state { RUN_ISSUED, RUN_RUNNING, RUN_CANCELLING };

struct run {
	struct run_id id;
	struct candidate_id candidate;
	int64_t issued_ms;
	uint32_t job;
	enum run_state state;
	uint8_t lookup, doubts; // it takes no slot; red, it is no verdict
};

struct flake { // of a job, or of one of its tests
	uint64_t key, job;
	uint32_t passes, flips;
};

enum job_when { WHEN_CHANGE, WHEN_LANDED, WHEN_NIGHTLY };

struct plan { // what decide needs of a plan; the same plan is kept once
	struct digest digest;
	uint32_t uses, job_at, job_count; // rows of state.plan_jobs
};

struct plan_job {
	struct name name;
	uint32_t need_at, need_count; // rows of state.needs: indices of jobs, uint16_t
	uint16_t retries;
	enum job_when when;
	uint8_t makes_artifacts;
};
