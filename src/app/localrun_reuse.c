#include "app/localrun_reuse.h"

#include "app/jobspec.h"
#include "app/reuse.h"
#include "git/subset.h"
#include "store/collect.h"
#include "store/read.h"

enum { INPUTS_MAX = 256 << 20 };

size_t localrun_reuse_needs(const struct localrun *l, const struct localrun_job *j,
                            struct digest *out) {
	size_t n = 0;
	for (size_t i = 0; i < j->job->needs.n; i++) {
		struct digest d = l->jobs[j->job->needs.p[i]].artifacts;
		if (!digest_is_none(d)) out[n++] = d;
	}
	return n;
}

void localrun_reuse_narrow(struct localrun *l, struct localrun_job *j) {
	const struct conf_strs *inputs = &j->job->inputs;
	struct oid commit = j->job->git ? l->snapshot.head : (struct oid){0};
	struct err e;
	j->tree = l->snapshot.tree;
	if (inputs->n &&
	    !git_subset_make(l->snapshot.repo, l->snapshot.tree, inputs->p, inputs->n, &j->tree, &e)) {
		j->tree = (struct oid){0};
		j->why = arena_str(l->life, str_of(e.text));
	}
	j->whole = jobspec_inputs(j->job, j->tree, commit, l->life);
}

void localrun_reuse_basis(struct localrun *l, struct localrun_job *j) {
	struct digest *needs = ARENA_ARRAY(l->life, struct digest, j->job->needs.n + 1);
	size_t need_count = localrun_reuse_needs(l, j, needs);
	j->basis = jobspec_basis(l->plan, j->job, &j->spec, needs, need_count, l->toolchain,
	                         KEY_TRUST_CHANGE);
}

bool localrun_reuse_find(struct localrun *l, struct localrun_job *j) {
	struct read_local_runs all;
	struct err e;
	size_t found;
	if (!jobspec_is_reusable(j->job)) j->why = STR("such a job is never reused");
	if (!l->reuse) j->why = STR("asked for");
	if (j->why.n || !read_local_runs(l->log, j->basis, l->life, &all, &e)) return false;
	struct reuse_verdict *verdicts = ARENA_ARRAY(l->life, struct reuse_verdict, all.n + 1);
	for (size_t i = 0; i < all.n; i++)
		verdicts[i] = (struct reuse_verdict){all.p[i].inputs, all.p[i].tree};
	struct reuse_query q = {.objects = l->data.p,
	                        .git = l->snapshot.repo,
	                        .tree = j->tree,
	                        .whole_inputs = digest_of(j->whole),
	                        .verdicts = verdicts,
	                        .verdict_count = all.n};
	reuse_find(&q, l->life, &found, &j->why);
	if (!all.n) j->why = STR("its definition, its needs or the machine's tools are new");
	if (found == all.n) return false;
	const struct read_local_run *earlier = &all.p[found];
	if (!digest_is_none(earlier->artifacts) && !collect_renew(l->objects, earlier->artifacts, &e)) {
		j->why = STR("the artifacts of the earlier run are no longer kept");
		return false;
	}
	AUTO_BUF inputs = {0};
	if (object_get(l->objects, earlier->inputs, INPUTS_MAX, &inputs, NULL))
		j->inputs = arena_str(l->life, buf_view(&inputs));
	j->artifacts = earlier->artifacts;
	j->log = earlier->log;
	j->results = earlier->results;
	j->duration_ms = earlier->duration_ms;
	return true;
}
