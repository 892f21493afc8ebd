// Test results as weir keeps them, whatever tool printed them: JUnit XML, TAP 13 and 14, `go test
// -json`, CTRF JSON (ctrf.io 0.0.0). Bytes in, facts out. Every text is UTF-8 without escape
// sequences and bounded; what was cut ends in "… N bytes more".
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/jsonw.h"

enum {
	PROBE_RESULTS_BYTES_MAX = 64 * 1024 * 1024,
	PROBE_RESULTS_TESTS_MAX = 200 * 1000,
	PROBE_NAME_BYTES_MAX = 1000, // suite, name, file
	PROBE_MESSAGE_BYTES_MAX = 4000,
	PROBE_OUTPUT_BYTES_MAX = 8000,
};

enum probe_outcome {
	PROBE_PASSED,
	PROBE_FAILED,  // an assertion did not hold
	PROBE_ERROR,   // the test could not be judged: build, set-up, crash, did not run
	PROBE_SKIPPED, // also an expected failure (TODO, xfail)
};

struct probe_test {
	struct str suite, name;
	enum probe_outcome outcome;
	bool flaky;          // passed after a failed attempt
	bool group;          // sums up other tests of the list: in no count and not in the summary
	int64_t duration_ms; // -1: not told
	struct str message;  // why, in short; empty when passed
	struct str file;     // where it failed, else where it stands; empty: not told
	int64_t line;        // 0: not told
	struct str output;   // failed and error only: trace, then what it printed
};

struct probe_results {
	const char *format; // "junit", "tap", "go-test", "ctrf"
	struct probe_test *tests;
	size_t count, passed, failed, errors, skipped;
	struct str problem; // empty, or what was wrong with the file though tests were read
};

// Knows the format by its content; path_hint only names the file in errors. False: ERR_LIMIT above
// a limit, ERR_INVALID when no test could be read, ERR_UNSUPPORTED for a known format that is not
// read.
MUST_USE bool probe_results_read(struct str bytes, struct str path_hint, struct arena *life,
                                 struct probe_results *out, struct err *e);

void probe_results_count(struct probe_results *r); // fills passed, failed, errors, skipped

// Canonical JSON for storage and back. from_json takes nothing but what json wrote (ERR_CORRUPT).
void probe_results_json(const struct probe_results *r, struct jsonw *w);
MUST_USE bool probe_results_from_json(struct str json, struct arena *life,
                                      struct probe_results *out, struct err *e);

// {"counts","failed_tests","format","more_failed","problem"}: failed tests in the file's order, at
// most failed_max of them, without output.
void probe_results_summary(const struct probe_results *r, size_t failed_max, struct jsonw *w);
const char *probe_results_outcome_name(enum probe_outcome outcome); // "passed"
