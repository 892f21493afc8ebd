#include "app/recheck.h"

#include "os/note.h"

bool recheck_due(struct run_id run, int percent) {
	return run.v * UINT64_C(0x9e3779b97f4a7c15) >> 32 <
	       (UINT64_C(1) << 32) / 100 * (uint64_t)percent;
}

void recheck_judge(const struct recheck *r, struct event_run_finished *out) {
	if (!r->of.v) return;
	out->rechecks = (int64_t)r->of.v;
	if (out->outcome != OUTCOME_PASSED) {
		out->differs = RECHECK_DIFFERED;
		note(NOTE_ERROR,
		     "run %llu failed with the inputs with which run %llu passed: a flaky job, or one that "
		     "depends on what weir does not see",
		     (unsigned long long)out->run.v, (unsigned long long)r->of.v);
	} else if (!digest_eq(r->artifacts, out->artifacts)) {
		out->differs = RECHECK_VARIED;
		note(NOTE_INFO, "run %llu made other artifacts than run %llu with the same inputs",
		     (unsigned long long)out->run.v, (unsigned long long)r->of.v);
	}
}
