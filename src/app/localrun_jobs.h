// The jobs of one `weir run` as a graph: what may start, what runs, what became of it.
//
//   WAITS -> RUNS -> PASSED | FAILED | CANCELLED
//     |------------> REUSED            an earlier run here had the same verdict key
//     '------------> SKIPPED           something it needs did not pass, or the run was stopped
//
// Everything happens on one thread, which sleeps in poll on the leaders' pidfds.
#pragma once
#include "app/workspaces.h"
#include "base/hash.h"
#include "cli/cli.h"
#include "conf/plan.h"
#include "core/reason.h"
#include "exec/outcome.h"
#include "exec/run.h"
#include "git/snapshot.h"
#include "store/object.h"
#include "store/store.h"

enum localrun_state {
	LOCALRUN_WAITS,
	LOCALRUN_RUNS,
	LOCALRUN_PASSED,
	LOCALRUN_REUSED,
	LOCALRUN_FAILED,
	LOCALRUN_CANCELLED,
	LOCALRUN_SKIPPED,
};

struct localrun_times { // microseconds
	int64_t workspace;  // layers of the workspace
	int64_t leader;     // from the start of its process to its end
	int64_t store;      // objects of log, artifacts, results
	int64_t append;     // the event
};

struct localrun_job {
	const struct conf_job *job;
	bool wanted; // chosen, or needed by a chosen one
	enum localrun_state state;
	struct str skipped_for; // name of what it needs, "" = the run was stopped
	struct exec_spec spec;
	struct str folder;       // of its run, while there is one
	struct exec_begun begun; // leader 0 = not begun yet
	int pidfd;
	int64_t attempt, started_us, duration_ms;
	bool cancel_asked;
	struct digest basis, artifacts, log, results;
	struct oid tree;          // that it is given: the snapshot's, or of `inputs:` a subset
	struct str whole, inputs; // its inputs object if the whole tree counts; as it is (app/inputs.h)
	struct str why;           // it is not reused
	struct exec_outcome outcome; // of PASSED and FAILED
	enum reason reason;
	struct str text;         // why it failed, one sentence
	struct str results_json; // what its results files said, "" = nothing
	struct str missing;      // secrets without a value, "A, B"
	uint64_t log_read;       // bytes of the run's log that were taken over
	struct buf log_rest;     // of them, those that are no whole record yet
	struct buf log_lines[2]; // of each channel, the line that has no end yet
	struct buf log_text;     // what it printed, whole lines without terminal sequences
	size_t log_shown;        // bytes of log_text
	struct localrun_times times;
};

struct localrun {
	struct cli *cli;
	struct arena *life;
	struct str root, data; // the working tree's top; ROOT/.weir/local
	struct conf_plan *plan;
	struct localrun_job *jobs; // in the order of the plan
	size_t count;
	size_t slots, running;
	bool reuse, fail_fast, stopping;
	const volatile int *interrupted; // a signal's number, 0 = none
	struct git_home *git;
	struct git_snapshot snapshot;
	// Opens what follows; before the first job begins when an earlier run may answer for it, else
	// while it runs. A failure is kept in `broken`, and nothing more begins.
	bool (*open)(struct localrun *l, struct err *e);
	bool opened;
	struct err broken;
	struct store *log;
	struct object_store *objects;
	struct workspaces *workspaces;
	struct digest toolchain;
	struct str etc;  // of the sandbox, exec/etc.h
	char prefix[24]; // of run ids
	struct localrun_show *show;
	int64_t start_us, snapshot_us, open_us; // the command's own phases
	int64_t begun_us;
};

// Marks what the words name (a job, all shards and matrix rows of one, or what several words say)
// and all that these need; no word = every job that a change runs. ERR_INVALID: unknown name.
MUST_USE bool localrun_jobs_choose(struct localrun *l, const char *const *words, size_t n,
                                   struct err *e);
void localrun_jobs_run(struct localrun *l); // the graph to its end
// Lets the sandbox of the job that will be first come up while the snapshot is taken. Needs prefix
// and etc; a job that is reused then has wasted it.
void localrun_jobs_foresee(struct localrun *l);
// Ends and removes what a killed `weir run` left behind.
void localrun_jobs_sweep(struct localrun *l);
void localrun_jobs_free(struct localrun *l);

bool localrun_jobs_ok(const struct localrun_job *j);           // passed or reused
const char *localrun_jobs_state(const struct localrun_job *j); // "passed"
