// The policies of the benchmark: weir's own (core/queue.h) and those it is measured against.
#pragma once
#include "sim/queuemodel.h"

struct queuepolicy {
	const char *name, *brief;
	queuemodel_policy *decide;
	bool early, told, calibrated, again;
};

extern const struct queuepolicy queuepolicy_all[];            // ends with {0}
const struct queuepolicy *queuepolicy_named(struct str name); // NULL = there is none
