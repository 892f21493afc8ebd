#include "api/queueorder.h"

#include <stdlib.h>

#include "core/areas.h"

static int compare(const void *a, const void *b) {
	const struct change *x = *(const struct change *const *)a,
						*y = *(const struct change *const *)b;
	if (x->repo.v != y->repo.v) return x->repo.v < y->repo.v ? -1 : 1;
	return areas_compare(x, y);
}

struct queueorder queueorder_of(const struct state *s, struct repo_id repo, struct arena *life) {
	struct queueorder q = {
		.p = ARENA_ARRAY(life, const struct change *, (size_t)s->changes.count + 1)};
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		if (c->state == CHANGE_QUEUED && (!repo.v || c->repo.v == repo.v)) q.p[q.n++] = c;
	}
	qsort(q.p, q.n, sizeof(const struct change *), compare);
	return q;
}

static bool has_to_wait(const struct state *s, const struct change *mine, const struct change *c) {
	return c->state == CHANGE_QUEUED && c->repo.v == mine->repo.v && compare(&c, &mine) < 0 &&
	       !c->draft && areas_meet(s, c, mine);
}

int64_t queueorder_ahead(const struct state *s, struct change_id id) {
	const struct change *mine = state_change(s, id);
	if (!mine || mine->state != CHANGE_QUEUED) return -1;
	int64_t ahead = 0;
	for (size_t i = 0; i < s->changes.count; i++)
		ahead += has_to_wait(s, mine, table_at(&s->changes, i));
	return ahead;
}

struct queueorder queueorder_waits(const struct state *s, struct change_id id, struct arena *life) {
	const struct change *mine = state_change(s, id);
	struct queueorder q = {0};
	if (!mine || mine->state != CHANGE_QUEUED) return q;
	struct queueorder all = queueorder_of(s, mine->repo, life);
	q.p = ARENA_ARRAY(life, const struct change *, QUEUEORDER_WAITS_MAX);
	for (size_t i = 0; i < all.n && q.n < QUEUEORDER_WAITS_MAX; i++)
		if (has_to_wait(s, mine, all.p[i])) q.p[q.n++] = all.p[i];
	return q;
}

struct str queueorder_why(const struct state *s, const struct change *a, const struct change *b,
                          struct arena *life) {
	const struct repo *r = state_repo(s, a->repo);
	const struct candidate *c = state_candidate_of_change(s, a->id);
	const struct plan *plan = state_plan(s, c && c->job_count ? c->plan : r->plan);
	AUTO_BUF text = {0};
	size_t shared = 0;
	if (!a->areas_known || !b->areas_known) return STR("what they touch is not known yet");
	for (size_t i = 0; plan && i < plan->job_count; i++) {
		struct str name = state_name(&state_plan_job(s, plan, i)->name);
		if (!areas_has_job(s, a, name) || !areas_has_job(s, b, name)) continue;
		if (!shared++) buf_printf(&text, "both touch job " STR_FMT, STR_ARG(name));
	}
	if (shared > 1) buf_printf(&text, " and %zu more", shared - 1);
	return shared ? arena_str(life, buf_view(&text)) : STR("both touch the same files");
}
