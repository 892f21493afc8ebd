// weir simulate queue, weir simulate trace: the benchmark of queue policies (sim/queuemodel.h).
#pragma once
#include "cli/cli.h"

extern const struct cli_command simulatequeue_commands[]; // ends with {0}

// What `weir simulate trace` writes when it makes a trace up; its command stands in app/logtrace.h,
// which can make one of a real log, too.
int simulatequeue_trace(struct cli *cli);
#define SIMULATEQUEUE_TRACE_OPTIONS                                                                \
	{"changes", 0, "N", "how many; 1000 unless said", NULL},                                       \
		{"per-hour", 0, "N", "how many arrive in an hour; 100 unless said", NULL},                 \
		{"areas", 0, "N", "of which a change touches one or two; 20 unless said", NULL},           \
		{"duration", 0, "TIME", "median of a candidate; 30m unless said", NULL},                   \
		{"broken", 0, "SHARE", "of changes that fail by themselves; 0.06 unless said", NULL},      \
		{"conflicts", 0, "SHARE", "of pairs in one area that break each other; 0.035 unless said", \
	     NULL},                                                                                    \
		{"accuracy", 0, "SHARE", "of the predictions; 0.97 unless said", NULL},                    \
		{"flakes", 0, "SHARE", "of runs that fail for nothing; 0 unless said", NULL},              \
		{"hotfixes", 0, "SHARE", "of changes that go ahead of the others; 0 unless said", NULL}, { \
		"seed", 0, "N", "the same seed gives the same trace; 1 unless said", NULL                  \
	}
