// Whether a run of the queue benchmark kept the rules of sim/queuemodel.h. It knows the trace and
// what happened (candidates with their times, decisions with the candidates they name), and shares
// no code with the model or a policy.
#pragma once
#include "sim/queuemodel.h"

// ERR_CORRUPT names the first candidate or decision that breaks a rule, and the rule.
MUST_USE bool queuecheck_run(const struct queuetrace *t, const struct queuemodel_options *options,
                             const struct queuemodel_result *run, struct arena *life,
                             struct err *e);
