#include "app/localrun_explain.h"

#include "app/inputs.h"

struct sums {
	size_t files, folders, seen, absent;
};

static struct sums sum(const struct reads *r) {
	struct sums s = {0};
	for (size_t i = 0; i < r->n; i++) {
		unsigned what = r->list[i].what;
		if (what & READS_BYTES) s.files++;
		else if (what & READS_NAMES) s.folders++;
		else if (what & READS_ABSENT) s.absent++;
		else s.seen++;
	}
	return s;
}

static void put_count(struct buf *out, size_t n, const char *one, const char *many) {
	if (!n) return;
	buf_printf(out, "%s%zu %s", out->n ? ", " : "", n, n == 1 ? one : many);
}

// What the verdict depends on, in words.
static void put_inputs(const struct localrun *l, const struct localrun_job *j, struct buf *out) {
	struct inputs in;
	struct err e;
	if (!inputs_parse(j->inputs, l->life, &in, &e)) return;
	if (!oid_is_none(in.whole)) {
		buf_cstr(out, in.has_commit ? "the whole tree and the commit" : "the whole tree");
		if (j->outcome.untraced.n)
			buf_printf(out, "; not traced: " STR_FMT, STR_ARG(j->outcome.untraced));
		return;
	}
	struct sums s = sum(&in.reads);
	put_count(out, s.files, "file read", "files read");
	put_count(out, s.folders, "folder listed", "folders listed");
	put_count(out, s.seen, "name looked at", "names looked at");
	put_count(out, s.absent, "name that is not there", "names that are not there");
	if (!out->n) buf_cstr(out, "nothing of the tree");
}

struct str localrun_explain_why(const struct localrun_job *j) {
	bool ran = j->state == LOCALRUN_PASSED || j->state == LOCALRUN_FAILED ||
	           j->state == LOCALRUN_CANCELLED;
	return ran ? j->why : STR_NONE;
}

void localrun_explain_put(const struct localrun *l, struct ink *k) {
	for (size_t i = 0; i < l->count; i++) {
		const struct localrun_job *j = &l->jobs[i];
		AUTO_BUF inputs = {0};
		if (!j->wanted || j->state == LOCALRUN_SKIPPED) continue;
		ink_str(k, INK_HEAD, j->job->name);
		struct str why = localrun_explain_why(j);
		if (why.n) ink_put(k, INK_PLAIN, " ran: " STR_FMT, STR_ARG(why));
		else ink_put(k, INK_PLAIN, " was reused: nothing that it read changed");
		ink_end(k);
		put_inputs(l, j, &inputs);
		if (inputs.n) ink_put(k, INK_QUIET, "  its verdict depends on %s", inputs.p);
		if (inputs.n) ink_end(k);
	}
}
