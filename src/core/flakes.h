// Whether a red job means that the change is broken, or that a test is flaky: same inputs, another
// verdict. Three stories are weighed against each other, by what the job's runs on this candidate
// said (Wald's sequential test):
//
//   good       the change is right, and what failed fails now and then: with the rate that the
//              past of these tests shows (flakes_rate)
//   broken     it always fails. One green run refutes this
//   shaky      the change itself made it flaky: it fails half of the time
//
// While none has won the job is run again, not the candidate. So a regression is never retried
// away: a green run after a red one lands nothing before the odds against `shaky` are long, and the
// more so the less the test was known to be flaky, or the more the change touches the job.
//
//   example: a test that never was flaky fails. It is run again; red: the change is rejected (of a
//   new test a third red run is needed). Green: once more, and green again, it lands. A test known
//   to fail one time in ten is run up to five times before it is believed, and one green run is
//   enough.
//
// A job with `retries:` is not judged here: its author says that any green run counts.
#pragma once
#include "core/state.h"

enum {
	FLAKES_PPB = 1000000000,
	FLAKES_RUNS_MAX = 12,  // of a job on a candidate; then it is red
	FLAKES_ROWS_MAX = 4096 // beyond, the least known is forgotten
};

enum flakes_say { FLAKES_AGAIN, FLAKES_PASSED, FLAKES_FAILED };

// The names' numbers. test "" = the job itself.
uint64_t flakes_key(struct repo_id repo, struct str job, struct str test);
// How often it fails on a tree that is right, in billionths, when it failed `reds` times already
// and those were for nothing: the less is known of it, the more they say.
uint32_t flakes_rate(const struct state *s, uint64_t job, uint64_t test, uint32_t reds);
// A job was green at once; a job that was red on the same tree turned out to be green.
void flakes_saw_green(struct state *s, uint64_t job);
void flakes_saw_flip(struct state *s, const struct job *j);
// One more red run of the job, with these failed tests (a JSON list of names, may be empty).
void flakes_saw_red(const struct state *s, struct job *j, struct repo_id repo, struct str name,
                    struct str failed_tests);
// touched: the candidate touches what the job reads. changes: how many it tests; of several, red
// says of none that it is to blame, so little is lost when it is wrong.
enum flakes_say flakes_judge(const struct job *j, bool touched, size_t changes);
