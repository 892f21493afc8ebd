// How a run ended: RUN/outcome.json, written once, atomically, by the leader.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

enum exec_end {
	EXEC_PASSED,
	EXEC_FAILED,    // the job said no: its exit status, an artifact that is missing, a secret in an
	                // artifact
	EXEC_TIMEOUT,   // ran past its time
	EXEC_CANCELLED, // somebody asked for it
	EXEC_KILLED,    // by a limit; reason code oom, disk or pids
	EXEC_ERROR,     // not the job's fault: sandbox, workspace, disk space; worth another try
};
const char *outcome_name(
	enum exec_end end); // "passed" "failed" "timeout" "cancelled" "killed" "error"

enum { OUTCOME_FAILED_TESTS_MAX = 50 };

struct exec_outcome {
	enum exec_end end;
	struct str reason_code, reason_text; // both "" when passed; text is one sentence for people
	int64_t exit_code;                   // -1 = it did not exit by itself
	int64_t signal;                      // of the shell's 128 + n convention, 0 = none
	int64_t started_ms,
		duration_ms; // wall clock at the start; from the start to the end of collecting
	struct {
		int64_t prepare, overlay, sandbox, run, collect;
	} phases_us;
	struct str cgroup;                                       // "v2" "v1" "none"
	int64_t landlock;                                        // version, 0 = the kernel has none
	int64_t memory_limit_bytes, pids_limit, cpu_limit_milli; // 0 = none
	bool hit_memory, hit_pids, hit_disk; // a limit was reached, even if the job passed
	int64_t memory_peak_bytes;           // of all processes (cgroup), or of the largest one
	int64_t cpu_ms;
	bool has_artifact;
	struct digest artifact; // of out/manifest.json
	int64_t artifact_files, artifact_bytes;
	int64_t log_bytes, log_text_bytes, log_dropped_bytes, secrets_masked;
	bool has_tests;
	int64_t tests, tests_passed, tests_failed, tests_skipped;
	struct str *failed_tests; // the first ones
	size_t failed_tests_n;
	bool traced;                              // what it read of its tree was recorded to its end
	struct str untraced;                      // why not; "" = nobody asked for it
	struct str results_error, coverage_error; // "" = fine; the verdict does not depend on them
};

void outcome_json(const struct exec_outcome *o, struct buf *out); // canonical
MUST_USE bool outcome_parse(struct str json, struct arena *life, struct exec_outcome *out,
                            struct err *e);
