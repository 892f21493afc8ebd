#include "core/speculate.h"

#include <stdlib.h>

#include "core/candidates.h"
#include "core/queue.h"

// Before anything is known of a change. How long it takes matters only beside how long others do.
static const double SUCCESS = .92, CONFLICTS = .03, LOAD = .5;
enum { DURATION_MS = 600000, URGENT = 10 };

struct view { // what the policy sees, and what its numbers mean
	const struct state *s;
	const struct repo *r;
	struct arena *life;
	const struct change **order;
	size_t n, words;
	struct queue_change *changes;
	struct queue_try *tries;
	const struct candidate **candidates; // of the tries
	size_t try_count;
	struct candidate_id *astray; // on a path that is not the queue's order any more
	size_t astray_count;
};

static int compare_order(const void *a, const void *b) {
	const struct change *x = *(const struct change *const *)a,
						*y = *(const struct change *const *)b;
	if (x->priority != y->priority) return x->priority > y->priority ? -1 : 1;
	return (x->queue_order > y->queue_order) - (x->queue_order < y->queue_order);
}

size_t speculate_order(const struct state *s, struct repo_id repo, struct arena *life,
                       const struct change ***out) {
	const struct change **sorted = ARENA_ARRAY(life, const struct change *, s->changes.count + 1);
	size_t n = 0;
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		if (c->repo.v == repo.v && c->state == CHANGE_QUEUED) sorted[n++] = c;
	}
	if (n) qsort(sorted, n, sizeof(struct change *), compare_order);
	*out = sorted;
	return n;
}

static uint64_t *new_set(const struct view *v) {
	return ARENA_ARRAY(v->life, uint64_t, v->words);
}

static size_t place_of(const struct view *v, const struct candidate *c) {
	for (size_t i = 0; i < v->n; i++)
		if (v->order[i]->id.v == c->change.v)
			return v->order[i]->revision == c->revision ? i : SIZE_MAX;
	return SIZE_MAX;
}

static bool is_live(const struct candidate *c) {
	return c->state == CANDIDATE_BUILDING || c->state == CANDIDATE_TESTING ||
	       c->state == CANDIDATE_REFUSED || c->state == CANDIDATE_LANDING;
}

// The changes below it on its path. False: the path leads over one that is gone.
static bool find_base(const struct view *v, const struct candidate *c, uint64_t *base) {
	while (c->base_candidate.v) {
		const struct candidate *below = state_candidate(v->s, c->base_candidate);
		size_t place = below && is_live(below) ? place_of(v, below) : SIZE_MAX;
		if (place == SIZE_MAX) return false;
		bits_add(base, place);
		c = below;
	}
	return true;
}

static enum queue_try_state state_of(const struct view *v, const struct candidate *c) {
	size_t unused;
	if (c->state == CANDIDATE_LANDING) return QUEUE_PASSED;
	if (c->state == CANDIDATE_REFUSED) return QUEUE_FAILED;
	if (c->state == CANDIDATE_BUILDING) return QUEUE_RUNNING;
	switch (candidates_verdict(v->s, c, &unused)) {
	case CANDIDATES_OPEN: return QUEUE_RUNNING;
	case CANDIDATES_PASSED: return QUEUE_PASSED;
	case CANDIDATES_FAILED: return QUEUE_FAILED;
	}
	return QUEUE_RUNNING;
}

static void add_try(struct view *v, const struct candidate *c, int64_t now_ms) {
	size_t place = is_live(c) ? place_of(v, c) : SIZE_MAX;
	uint64_t *members = new_set(v), *base = new_set(v);
	if (place == SIZE_MAX || !find_base(v, c, base)) return;
	if (!bits_within(base, v->changes[place].before, v->words)) {
		if (c->state != CANDIDATE_LANDING) v->astray[v->astray_count++] = c->id;
		return;
	}
	bits_add(members, place);
	enum queue_try_state state = state_of(v, c);
	v->candidates[v->try_count] = c;
	v->tries[v->try_count++] = (struct queue_try){.state = state,
	                                              .faked = state != QUEUE_FAILED,
	                                              .members = members,
	                                              .base = base,
	                                              .refuted = new_set(v),
	                                              .began_ms = now_ms,
	                                              .ends_ms = now_ms + DURATION_MS};
}

static void look(struct view *v, int64_t now_ms) {
	uint64_t *before = new_set(v);
	v->changes = ARENA_ARRAY(v->life, struct queue_change, v->n + 1);
	for (size_t i = 0; i < v->n; i++) {
		uint64_t *mine = new_set(v);
		memcpy(mine, before, v->words * sizeof *mine);
		v->changes[i] = (struct queue_change){.success = SUCCESS,
		                                      .duration_ms = DURATION_MS,
		                                      .waited_ms = now_ms - v->order[i]->queued_ms,
		                                      .urgent = v->order[i]->priority >= URGENT,
		                                      .before = mine};
		if (!v->order[i]->draft) bits_add(before, i);
	}
	v->tries = ARENA_ARRAY(v->life, struct queue_try, v->s->candidates.count + 1);
	v->candidates = ARENA_ARRAY(v->life, const struct candidate *, v->s->candidates.count + 1);
	v->astray = ARENA_ARRAY(v->life, struct candidate_id, v->s->candidates.count + 1);
	for (size_t i = 0; i < v->s->candidates.count; i++) {
		const struct candidate *c = table_at(&v->s->candidates, i);
		if (c->repo.v == v->r->id.v) add_try(v, c, now_ms);
	}
}

static const struct candidate *step(const struct view *v, const struct change *change,
                                    const struct candidate *below) {
	for (size_t i = 0; i < v->try_count; i++) {
		const struct candidate *c = v->candidates[i];
		if (c->change.v == change->id.v && c->base_candidate.v == (below ? below->id.v : 0) &&
		    (below || oid_eq(c->base, v->r->tip)))
			return c;
	}
	return NULL;
}

// The last step of the path, when the one below it is built. A step below that is missing is issued
// when the policy wants it for itself; else it would be stopped at once.
static void issue(const struct view *v, const struct queue_start *start,
                  struct speculate_plan *out) {
	const struct candidate *below = NULL;
	for (size_t i = 0; i < v->n; i++) {
		if (!bits_has(start->base, i) && !bits_has(start->members, i)) continue;
		const struct candidate *there = step(v, v->order[i], below);
		if (there && there->state != CANDIDATE_TESTING && there->state != CANDIDATE_LANDING) return;
		if (there) {
			below = there;
			continue;
		}
		if (!bits_has(start->members, i)) return;
		struct speculate_issue it = {v->order[i]->id, below ? below->id : (struct candidate_id){0}};
		for (size_t k = 0; k < out->issue_count; k++)
			if (out->issues[k].change.v == it.change.v && out->issues[k].base.v == it.base.v)
				return;
		out->issues[out->issue_count++] = it;
		return;
	}
}

void speculate_repo(const struct state *s, const struct repo *r, int64_t now_ms, size_t slots,
                    struct arena *life, struct speculate_plan *out) {
	struct view v = {.s = s, .r = r, .life = life};
	struct queue_plan plan;
	*out = (struct speculate_plan){0};
	v.n = speculate_order(s, r->id, life, &v.order);
	v.words = bits_words(v.n);
	if (!v.n) return;
	look(&v, now_ms);
	struct queue_view view = {.now_ms = now_ms,
	                          .mean_ms = DURATION_MS,
	                          .load = LOAD,
	                          .conflicts = CONFLICTS,
	                          .knobs = queue_lean,
	                          .alone = true,
	                          .slots = slots,
	                          .changes = v.changes,
	                          .change_count = v.n,
	                          .tries = v.tries,
	                          .try_count = v.try_count};
	view.knobs.size_max = 1;
	view.knobs.early = 0;
	queue_decide(&view, life, &plan);
	out->issues = ARENA_ARRAY(life, struct speculate_issue, plan.start_count + 1);
	out->stops = ARENA_ARRAY(life, struct candidate_id, plan.stop_count + v.astray_count + 1);
	for (size_t i = 0; i < v.astray_count; i++) out->stops[out->stop_count++] = v.astray[i];
	for (size_t i = 0; i < plan.start_count; i++) issue(&v, &plan.starts[i], out);
	for (size_t i = 0; i < plan.stop_count; i++)
		if (v.candidates[plan.stops[i]]->state != CANDIDATE_LANDING)
			out->stops[out->stop_count++] = v.candidates[plan.stops[i]]->id;
}
