// What a run of the queue benchmark comes to, in the figures of the papers on SubmitQueue.
#pragma once
#include "sim/queuemodel.h"

struct queuereport {
	size_t n, landed;
	int64_t p50_ms, p95_ms, p99_ms; // from arrival to decision: v[int(p·n)] of all changes
	double builds_per_change, aborted_ratio; // of all candidates started, batches as one each
	size_t again;                            // runs of red ones that may have been flakes
	double executor_s_per_landed;            // 0 when none landed
};

void queuereport_of(const struct queuetrace *t, const struct queuemodel_result *run,
                    struct arena *life, struct queuereport *out);
// One JSON object without a line end. `explain` adds every candidate and decision.
void queuereport_json(const char *policy, const struct queuetrace *t,
                      const struct queuemodel_options *options, const struct queuemodel_result *run,
                      const struct queuereport *report, bool explain, struct buf *out);
