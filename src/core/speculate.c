#include "core/speculate.h"

#include <stdlib.h>

#include "core/areas.h"
#include "core/candidates.h"
#include "core/queue.h"

// Before anything is known of a change. How long it takes matters only beside how long others do.
static const double SUCCESS = .92, CONFLICTS = .03, LOAD = .5;
enum { DURATION_MS = 600000, URGENT = 10 };

struct view { // what the policy sees, and what its numbers mean
	const struct state *s;
	const struct repo *r;
	struct arena *life;
	struct areas_order order;
	size_t *place; // of each change of the state: in the queue, SIZE_MAX = not there
	struct queue_change *changes;
	struct queue_try *tries;
	const struct candidate **candidates; // of the tries
	size_t try_count;
	struct speculate_stop *stops;
	size_t stop_count;
	bool *wanted; // of each candidate of the state: a carrier on a path that is wanted
};

static uint64_t *new_set(const struct view *v) {
	return ARENA_ARRAY(v->life, uint64_t, v->order.words);
}

static size_t place_of(const struct view *v, const struct candidate *c) {
	const struct change *change = state_change(v->s, c->change);
	if (!change || change->revision != c->revision) return SIZE_MAX;
	return v->place[change - (const struct change *)v->s->changes.rows];
}

// The changes below it on its path. False: the path leads over one that is gone.
static bool find_base(const struct view *v, const struct candidate *c, uint64_t *base) {
	while (c->base_candidate.v) {
		const struct candidate *below = state_candidate(v->s, c->base_candidate);
		size_t place = below && candidates_is_open(below) ? place_of(v, below) : SIZE_MAX;
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

static void stop(struct view *v, const struct candidate *c, enum reason reason) {
	if (c->state != CANDIDATE_LANDING)
		v->stops[v->stop_count++] = (struct speculate_stop){c->id, reason};
}

// Whether all of the base come before it, and wait for nobody that does not land.
static bool in_order(const struct view *v, const uint64_t *base, size_t place) {
	BITS_EACH(i, base, v->order.words) if (i >= place || v->order.list[i]->draft) return false;
	return true;
}

// All that a base stands on in its turn: who lands after its own before() and is assumed to.
static void close_base(const struct view *v, uint64_t *base, size_t member) {
	for (size_t i = member; i > 0; i--) {
		if (!bits_has(base, i - 1)) continue;
		BITS_EACH(y, v->order.before[i - 1], v->order.words)
		if (!bits_has(v->order.before[member], y)) bits_add(base, y); // else it was chosen
	}
}

// It stands on what it does not meet, as nobody knew before it was built; and has not begun.
static bool is_too_long(const struct view *v, const struct candidate *c, const uint64_t *base,
                        size_t place) {
	uint64_t *needed = new_set(v);
	if (c->state != CANDIDATE_TESTING || !c->base_candidate.v) return false;
	for (size_t i = 0; i < c->job_count; i++)
		if (state_job(v->s, c, i)->attempt) return false;
	for (size_t w = 0; w < v->order.words; w++) needed[w] = base[w] & v->order.before[place][w];
	close_base(v, needed, place);
	return !bits_within(base, needed, v->order.words);
}

static void add_try(struct view *v, const struct candidate *c, int64_t now_ms) {
	size_t place = candidates_is_open(c) && !c->carrier ? place_of(v, c) : SIZE_MAX;
	uint64_t *members = new_set(v), *base = new_set(v);
	if (place == SIZE_MAX || !find_base(v, c, base)) return;
	bool in_turn = in_order(v, base, place);
	if (!in_turn || is_too_long(v, c, base, place)) {
		stop(v, c, in_turn ? REASON_INDEPENDENT : REASON_HIGHER_PRIORITY_AHEAD);
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
	const struct areas_order *o = &v->order;
	size_t candidates = v->s->candidates.count;
	v->place = ARENA_ARRAY(v->life, size_t, v->s->changes.count + 1);
	for (size_t i = 0; i < v->s->changes.count; i++) v->place[i] = SIZE_MAX;
	v->changes = ARENA_ARRAY(v->life, struct queue_change, o->n + 1);
	for (size_t i = 0; i < o->n; i++) {
		v->place[o->list[i] - (const struct change *)v->s->changes.rows] = i;
		v->changes[i] = (struct queue_change){.success = SUCCESS,
		                                      .duration_ms = DURATION_MS,
		                                      .waited_ms = now_ms - o->list[i]->queued_ms,
		                                      .urgent = o->list[i]->priority >= URGENT,
		                                      .before = o->before[i]};
	}
	v->tries = ARENA_ARRAY(v->life, struct queue_try, candidates + 1);
	v->candidates = ARENA_ARRAY(v->life, const struct candidate *, candidates + 1);
	v->stops = ARENA_ARRAY(v->life, struct speculate_stop, 2 * candidates + 1);
	v->wanted = ARENA_ARRAY(v->life, bool, candidates + 1);
	for (size_t i = 0; i < candidates; i++) {
		const struct candidate *c = table_at(&v->s->candidates, i);
		if (c->repo.v == v->r->id.v) add_try(v, c, now_ms);
	}
}

// ---------------------------------------------------------------- from a set to a path

// Not one that is behind: what it is behind of may touch what stands on it.
static const struct candidate *step(const struct view *v, const struct change *change,
                                    const struct candidate *below) {
	const struct table *all = &v->s->candidates;
	for (size_t i = 0; i < all->count; i++) {
		const struct candidate *c = table_at(all, i);
		if (c->change.v != change->id.v || c->revision != change->revision || c->behind ||
		    c->refuted || !candidates_is_open(c) ||
		    c->base_candidate.v != (below ? below->id.v : 0))
			continue;
		if (!below && !oid_eq(c->base, v->r->tip)) continue;
		v->wanted[i] = true;
		return c;
	}
	return NULL;
}

// Whether the policy starts the change for itself: it need not be carried.
static bool is_started(const struct queue_plan *plan, size_t change) {
	for (size_t i = 0; i < plan->start_count; i++)
		if (bits_has(plan->starts[i].members, change)) return true;
	return false;
}

// The first step that is missing, when the one below it is built.
static void issue(const struct view *v, const struct queue_plan *plan,
                  const struct queue_start *start, struct speculate_plan *out) {
	const struct candidate *below = NULL;
	size_t member = bits_next(start->members, v->order.words, 0);
	uint64_t *path = new_set(v);
	memcpy(path, start->base, v->order.words * sizeof *path);
	close_base(v, path, member);
	bits_add(path, member);
	BITS_EACH(i, path, v->order.words) {
		const struct candidate *there = step(v, v->order.list[i], below);
		if (there && there->state != CANDIDATE_TESTING && there->state != CANDIDATE_LANDING) return;
		if (there && i != member) {
			below = there;
			continue;
		}
		if (i != member && is_started(plan, i)) return;
		struct speculate_issue it = {.change = v->order.list[i]->id,
		                             .base = below ? below->id : (struct candidate_id){0},
		                             .carrier = i != member};
		for (size_t k = 0; k < out->issue_count; k++)
			if (out->issues[k].change.v == it.change.v && out->issues[k].base.v == it.base.v)
				return;
		out->issues[out->issue_count++] = it;
		return;
	}
}

static bool carries(const struct state *s, const struct candidate *c) {
	for (size_t i = 0; i < s->candidates.count; i++) {
		const struct candidate *other = table_at(&s->candidates, i);
		if (other->base_candidate.v == c->id.v && candidates_is_open(other)) return true;
	}
	return false;
}

static void stop_carriers(struct view *v) {
	for (size_t i = 0; i < v->s->candidates.count; i++) {
		const struct candidate *c = table_at(&v->s->candidates, i);
		if (c->carrier && c->repo.v == v->r->id.v && candidates_is_open(c) && !v->wanted[i] &&
		    !carries(v->s, c))
			stop(v, c, REASON_NOT_NEEDED);
	}
}

void speculate_repo(const struct state *s, const struct repo *r, int64_t now_ms, size_t slots,
                    struct arena *life, struct speculate_plan *out) {
	struct view v = {.s = s, .r = r, .life = life};
	struct queue_plan plan;
	*out = (struct speculate_plan){0};
	areas_order(s, r->id, life, &v.order);
	if (!v.order.n) return;
	look(&v, now_ms);
	struct queue_view view = {.now_ms = now_ms,
	                          .mean_ms = DURATION_MS,
	                          .load = LOAD,
	                          .conflicts = CONFLICTS,
	                          .knobs = queue_lean,
	                          .alone = true,
	                          .slots = slots,
	                          .changes = v.changes,
	                          .change_count = v.order.n,
	                          .tries = v.tries,
	                          .try_count = v.try_count};
	view.knobs.size_max = 1;
	view.knobs.early = 0;
	queue_decide(&view, life, &plan);
	out->issues = ARENA_ARRAY(life, struct speculate_issue, plan.start_count + 1);
	for (size_t i = 0; i < plan.start_count; i++) issue(&v, &plan, &plan.starts[i], out);
	for (size_t i = 0; i < plan.stop_count; i++)
		stop(&v, v.candidates[plan.stops[i]], REASON_HIGHER_PRIORITY_AHEAD);
	stop_carriers(&v);
	out->stops = v.stops;
	out->stop_count = v.stop_count;
}
