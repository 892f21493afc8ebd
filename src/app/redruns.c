#include "app/redruns.h"

#include "exec/key.h"
#include "core/batch.h"

enum { VERDICTS_MAX = 2 * READ_VERDICTS_MAX };

static bool tests_revision(const struct read_run *run, const struct read_candidate *of,
                           struct arena *life) {
	struct member *members;
	size_t n;
	if (of->change.v == run->change.v) return of->revision == run->revision;
	if (!batch_read(of->members, life, &members, &n)) return false;
	for (size_t i = 0; i < n; i++)
		if (members[i].change.v == run->change.v) return members[i].revision == run->revision;
	return false;
}

static bool may_hold(const struct read_run *red, const struct read_run *run, struct digest basis) {
	return str_eq(red->name, run->name) && str_eq(red->state, STR("finished")) &&
	       red->outcome == OUTCOME_FAILED && digest_eq(red->key, key_of(basis, red->inputs));
}

bool redruns_add(struct store *s, const struct read_run *run, struct digest basis,
                 struct arena *life, struct read_verdicts *verdicts, size_t *doubted,
                 struct err *e) {
	struct read_runs all;
	struct read_change change;
	if (!read_change(s, run->change, life, &change, e) ||
	    !read_runs_of_change(s, run->change, life, &all, e))
		return false;
	struct read_verdict *list = ARENA_ARRAY(life, struct read_verdict, verdicts->n + all.n + 1);
	if (verdicts->n) memcpy(list, verdicts->p, verdicts->n * sizeof *list);
	verdicts->p = list;
	for (int doubts = 0; doubts <= 1; doubts++) {
		if (doubts) *doubted = verdicts->n;
		for (size_t i = all.n; i > 0 && verdicts->n < VERDICTS_MAX; i--) {
			const struct read_run *red = &all.p[i - 1];
			struct read_candidate of;
			bool before = red->issued_ms < change.queued_ms; // a retry wants it to run
			if (before || red->sure == doubts || !may_hold(red, run, basis)) continue;
			if (!read_candidate(s, red->candidate, life, &of, e)) return false;
			if (!tests_revision(run, &of, life)) continue;
			list[verdicts->n++] = (struct read_verdict){.key = red->key,
			                                            .inputs = red->inputs,
			                                            .tree = of.tree,
			                                            .run = red->id,
			                                            .duration_ms = red->duration_ms};
		}
	}
	return true;
}
