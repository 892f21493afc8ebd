#include "api/queueorder.h"

#include <stdlib.h>

#include "core/areas.h"

static int compare(const void *a, const void *b) {
	const struct change *x = *(const struct change *const *)a,
						*y = *(const struct change *const *)b;
	if (x->repo.v != y->repo.v) return x->repo.v < y->repo.v ? -1 : 1;
	if (x->priority != y->priority) return x->priority > y->priority ? -1 : 1;
	return x->queue_order < y->queue_order ? -1 : x->queue_order > y->queue_order;
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

int64_t queueorder_ahead(const struct state *s, struct change_id id) {
	const struct change *mine = state_change(s, id);
	if (!mine || mine->state != CHANGE_QUEUED) return -1;
	int64_t ahead = 0;
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		if (c->state == CHANGE_QUEUED && c->repo.v == mine->repo.v && compare(&c, &mine) < 0 &&
		    !c->draft && areas_meet(s, c, mine))
			ahead++;
	}
	return ahead;
}
