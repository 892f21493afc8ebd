// What weir.yml says, checked and ready for use: matrix and shards are expanded, names are unique,
// needs are indices. Every struct is plain data in one arena. conf_parse (conf/conf.h) makes a plan
// from text; the event log holds its canonical JSON, so parsers may change and history does not.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum {
	CONF_JOBS_MAX = 256, // after expansion, and after plan_merge
	CONF_NAME_MAX = 63,  // bytes of a job's (expanded) or environment's name
	CONF_ENVIRONMENTS_MAX = 64,
};

enum conf_when {
	CONF_WHEN_CHANGE,
	CONF_WHEN_LANDED,
	CONF_WHEN_NIGHTLY
}; // a job needs only its own or an earlier one
enum conf_strategy { CONF_STRATEGY_ALL_AT_ONCE, CONF_STRATEGY_CANARY };

struct conf_strs {
	struct str *p;
	size_t n;
};
struct conf_ints {
	int64_t *p;
	size_t n;
};
struct conf_pair {
	struct str name, value;
};
struct conf_env { // sorted by name, no name twice
	struct conf_pair *p;
	size_t n;
};

struct conf_resources { // 0 = nothing asked: the server's own limit holds
	int64_t cpu_milli, memory_bytes, disk_bytes;
};

struct conf_job {
	struct str name;   // unique: "test", "test (gcc, 12)", "test 2/4", "test (gcc, 12) 2/4"
	struct str family; // the name without its shard: what stays required is a family
	struct str key;    // the name under jobs: in weir.yml
	struct str run;    // for /bin/sh -e -c, may have several lines
	struct str working_directory; // "" = the root of the workspace; never leads out of it
	struct conf_ints needs;       // indices into plan->jobs, ascending; never in a circle
	struct conf_env env;          // with WEIR_MATRIX_x, WEIR_SHARD (from 1) and WEIR_SHARDS
	struct conf_strs secrets;     // names
	struct conf_strs artifacts, results,
		coverage;            // base/glob.h patterns below the workspace's root
	struct conf_strs paths;  // empty = always; else only when a changed file matches one, or a job
	                         // that runs needs it
	struct conf_strs cache;  // folders kept from run to run
	struct conf_strs each;   // a job for each file that matches (conf/spread.h); empty = one job
	struct conf_strs inputs; // empty = whatever it reads
	int64_t timeout_ms, retries;
	int64_t shard, shards; // 1 of 1 = not divided
	struct conf_resources resources;
	enum conf_when when;
	bool before_landing; // secrets reach it before landing; believed only when trunk says so
	                     // (plan_merge)
	bool network, git, submodules, trace;
};

struct conf_service {
	struct str run;    // "" = the environment has no service
	struct str before; // runs once for each release, "" = nothing
	struct str health; // path of an HTTP GET, "" = weir only sees that it runs
	struct conf_env env;
	struct conf_strs secrets;
	int64_t instances, grace_ms;
};

struct conf_listen {
	struct str text; // as written, "" = none: 127.0.0.1:8000, [::1]:8000, localhost:8000, *:8000
	struct str host; // without brackets; "*" = every address
	int64_t port;    // 1 to 65535
};

struct conf_tls {
	struct str certificate, key; // absolute paths of PEM files on the server, "" = no TLS
};

struct conf_rollout {
	enum conf_strategy strategy;
	struct conf_ints steps; // percent, ascending, the last is 100
	int64_t hold_ms;
};

struct conf_environment {
	struct str name;
	struct conf_strs artifacts;
	struct conf_service service;
	struct conf_listen listen;
	struct conf_tls tls;
	struct conf_rollout rollout;
};

struct conf_plan {
	struct str trunk;
	struct conf_job *jobs; // in the order of the file, expansions of one job side by side
	size_t jobs_n;
	struct conf_environment *environments; // in the order of the file
	size_t environments_n;
};

// Index of the job of that name, or -1.
ptrdiff_t plan_find_job(const struct conf_plan *plan, struct str name);
const struct conf_environment *plan_find_environment(const struct conf_plan *plan, struct str name);
void plan_summary(const struct conf_plan *plan, struct buf *out); // "2 jobs, 1 environment"

// The canonical form, at most a few times the size of weir.yml: keys sorted, integers only, every
// value written. Reading it back gives an equal plan, and writing that gives the same bytes.
void plan_json(const struct conf_plan *plan, struct buf *out);
// Judges nothing but the shape: the plan was judged when it was made. ERR_CORRUPT names what is
// wrong.
MUST_USE bool plan_from_json(const struct json *v, struct arena *life, struct conf_plan **out,
                             struct err *e);

// The part of a job's definition that may change its verdict or outputs, canonical; belongs into
// the verdict key. A value equal to its default is left out, so that a new key of weir.yml leaves
// old verdicts valid. keys.def.h says of each key whether it is in it (OUTCOME), and why not.
void plan_job_json(const struct conf_plan *plan, const struct conf_job *job, struct buf *out);

// The plan that a change is tested by. Jobs come from the candidate's weir.yml, but every family of
// trunk's stays: a missing one is added with what it needs, `when` and `paths` may not become
// narrower, and of the secrets only those remain that trunk gives this job. Trunk's name and
// environments come from trunk. Borrows from both plans. ERR_LIMIT: more than CONF_JOBS_MAX jobs;
// ERR_CONFLICT: a job would get one artifact path from two jobs.
MUST_USE bool plan_merge(const struct conf_plan *candidate, const struct conf_plan *trunk,
                         struct arena *life, struct conf_plan **out, struct err *e);
