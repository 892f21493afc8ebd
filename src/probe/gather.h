// What the readers of test results share: a list of tests that grows, bounded and cleaned texts,
// decimal times. A reader adds tests with gather_add and fills them in; results.c then counts.
#pragma once
#include "base/buf.h"
#include "probe/results.h"

struct gather {
	struct arena *life;
	struct probe_test *tests; // owned: freed by results.c
	size_t count, capacity;
	struct str problem; // first one wins
};

// NULL with e filled (ERR_LIMIT) above PROBE_RESULTS_TESTS_MAX. Valid until the next call.
struct probe_test *gather_add(struct gather *g, struct str suite, struct str name, struct err *e);
void gather_problem(struct gather *g, const char *format, ...) PRINTF_LIKE(2, 3);

// A copy without escape sequences and bad UTF-8, at most `most` bytes and then "… N bytes more".
struct str gather_text(struct gather *g, struct str raw, size_t most);
struct str gather_line(struct gather *g,
                       struct str raw); // the first line that is not blank, as a message

// Decimal text times 10^digits, rounded down ("1,234.5" with 3 gives 1234500; "1e-3" with 3 gives
// 1); -1 unless it is a number >= 0.
int64_t gather_decimal(struct str text, int digits);

// Where it happened: fills file and line from a trace when one is found there.
void gather_place(struct gather *g, struct probe_test *t, struct str trace);

// Text that is collected up to a bound; what is over it is only counted.
struct gathered {
	struct buf kept;
	size_t dropped;
};
void gather_more(struct gathered *c, struct str piece);
struct str gather_output(struct gather *g,
                         const struct gathered *c); // as gather_text, knows of dropped
void gather_drop(struct gathered *c);
