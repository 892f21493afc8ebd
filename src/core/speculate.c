#include "core/speculate.h"

#include <stdlib.h>

#include "core/areas.h"
#include "core/batch.h"
#include "core/candidates.h"
#include "core/forecast.h"
#include "core/predict.h"
#include "core/queue.h"

static const double SUCCESS = .92, // of a change that an older weir queued
	CONFLICTS = .03, LOAD = .5;    // before it is known how fast changes come
enum { URGENT = 10 };

struct view { // what the policy sees, and what its numbers mean
	const struct state *s;
	const struct repo *r;
	struct arena *life;
	struct areas_order order;
	struct forecast forecast;
	int64_t work_ms; // of all changes
	size_t *place;   // of each change of the state: in the queue, SIZE_MAX = not there
	struct queue_change *changes;
	struct queue_try *tries;
	const struct candidate **candidates; // of the tries
	size_t try_count;
	struct speculate_stop *stops;
	size_t stop_count;
	bool *wanted;       // of each candidate of the state: a carrier on a path that is wanted
	uint64_t **members; // of each; NULL: not of this repository, not open, or not current
};

static uint64_t *new_set(const struct view *v) {
	return ARENA_ARRAY(v->life, uint64_t, v->order.words);
}

static size_t place_of(const struct view *v, const struct member *m) {
	const struct change *change = state_change(v->s, m->change);
	if (!change || change->revision != m->revision) return SIZE_MAX;
	return v->place[change - (const struct change *)v->s->changes.rows];
}

// False: one of its changes is gone.
static bool add_members(const struct view *v, const struct candidate *c, uint64_t *set) {
	for (size_t i = 0; i < batch_size(v->s, c); i++) {
		struct member m = batch_member(v->s, c, i);
		size_t place = place_of(v, &m);
		if (place == SIZE_MAX) return false;
		bits_add(set, place);
	}
	return true;
}

static const uint64_t *members_of(const struct view *v, const struct candidate *c) {
	return c ? v->members[c - (const struct candidate *)v->s->candidates.rows] : NULL;
}

// The changes below it on its path. False: the path leads over one that is gone.
static bool find_base(const struct view *v, const struct candidate *c, uint64_t *base) {
	while (c->base_candidate.v) {
		c = state_candidate(v->s, c->base_candidate);
		const uint64_t *members = members_of(v, c);
		if (!members) return false;
		for (size_t w = 0; w < v->order.words; w++) base[w] |= members[w];
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

static size_t last_of(const struct view *v, const uint64_t *set) {
	size_t last = 0;
	BITS_EACH(i, set, v->order.words) last = i;
	return last;
}

// Those whom the members wait for: they are chosen, one by one, by what is assumed of them.
static uint64_t *before_of(const struct view *v, const uint64_t *members) {
	uint64_t *set = new_set(v);
	BITS_EACH(i, members, v->order.words)
	for (size_t w = 0; w < v->order.words; w++) set[w] |= v->order.before[i][w] & ~members[w];
	return set;
}

// Whether somebody whom a member waits for waits for a member: a change that came between them.
static bool is_knotted(const struct view *v, const uint64_t *base, const uint64_t *members) {
	uint64_t *behind = new_set(v);
	const uint64_t *before = before_of(v, members);
	memcpy(behind, members, v->order.words * sizeof *behind);
	for (size_t i = bits_next(members, v->order.words, 0); i < last_of(v, members); i++)
		if (bits_meet(v->order.before[i], behind, v->order.words)) bits_add(behind, i);
	for (size_t w = 0; w < v->order.words; w++)
		if (behind[w] & ~members[w] & (before[w] | base[w])) return true;
	return false;
}

// Whether all of the base come before them, and wait for nobody that does not land.
static bool in_order(const struct view *v, const uint64_t *base, const uint64_t *members) {
	size_t last = last_of(v, members);
	BITS_EACH(i, base, v->order.words)
	if (i >= last || v->order.list[i]->draft) return false;
	return bits_count(members, v->order.words) == 1 || !is_knotted(v, base, members);
}

// All that a base stands on in its turn: who lands after its own before() and is assumed to.
static void close_base(const struct view *v, uint64_t *base, const uint64_t *members) {
	const uint64_t *chosen = before_of(v, members);
	for (size_t i = last_of(v, members); i > 0; i--) {
		if (!bits_has(base, i - 1)) continue;
		BITS_EACH(y, v->order.before[i - 1], v->order.words)
		if (!bits_has(chosen, y)) bits_add(base, y);
	}
}

// It stands on what it does not meet, as nobody knew before it was built; and has not begun.
static bool is_too_long(const struct view *v, const struct candidate *c, const uint64_t *base,
                        const uint64_t *members) {
	uint64_t *needed = before_of(v, members);
	if (c->state != CANDIDATE_TESTING || !c->base_candidate.v) return false;
	for (size_t i = 0; i < c->job_count; i++)
		if (state_job(v->s, c, i)->attempt) return false;
	for (size_t w = 0; w < v->order.words; w++) needed[w] &= base[w];
	close_base(v, needed, members);
	return !bits_within(base, needed, v->order.words);
}

// Whether its members still land in the order in which they were merged.
static bool is_sorted(const struct view *v, const struct candidate *c) {
	size_t before = 0;
	for (size_t i = 0; i < batch_size(v->s, c); i++) {
		struct member m = batch_member(v->s, c, i);
		size_t place = place_of(v, &m);
		if (i && place < before) return false;
		before = place;
	}
	return true;
}

static void add_try(struct view *v, const struct candidate *c, int64_t now_ms) {
	const uint64_t *members = members_of(v, c);
	uint64_t *base = new_set(v);
	if (!members || c->carrier || !find_base(v, c, base)) return;
	bool in_turn = in_order(v, base, members) && is_sorted(v, c);
	if (!in_turn || is_too_long(v, c, base, members)) {
		stop(v, c, in_turn ? REASON_INDEPENDENT : REASON_HIGHER_PRIORITY_AHEAD);
		return;
	}
	enum queue_try_state state = state_of(v, c);
	int64_t whole_ms, left_ms;
	forecast_candidate(&v->forecast, c, now_ms, &whole_ms, &left_ms);
	v->candidates[v->try_count] = c;
	v->tries[v->try_count++] = (struct queue_try){.state = state,
	                                              .faked = state != QUEUE_FAILED,
	                                              .members = members,
	                                              .base = base,
	                                              .refuted = new_set(v),
	                                              .began_ms = now_ms + left_ms - whole_ms,
	                                              .ends_ms = now_ms + left_ms};
}

static void look(struct view *v, int64_t now_ms) {
	const struct areas_order *o = &v->order;
	size_t candidates = v->s->candidates.count;
	v->place = ARENA_ARRAY(v->life, size_t, v->s->changes.count + 1);
	for (size_t i = 0; i < v->s->changes.count; i++) v->place[i] = SIZE_MAX;
	v->changes = ARENA_ARRAY(v->life, struct queue_change, o->n + 1);
	for (size_t i = 0; i < o->n; i++) {
		v->place[o->list[i] - (const struct change *)v->s->changes.rows] = i;
		const struct change *c = o->list[i];
		int64_t work_ms;
		v->changes[i] = (struct queue_change){
			.success = c->chance ? (double)c->chance / PREDICT_PPM : SUCCESS,
			.duration_ms = forecast_change_ms(&v->forecast, c, &work_ms),
			.waited_ms = now_ms - c->queued_ms,
			.urgent = c->priority >= URGENT,
			.apart = c->apart || c->draft,
			.rank = c->priority,
			.before = o->before[i]};
		v->work_ms += work_ms;
	}
	v->tries = ARENA_ARRAY(v->life, struct queue_try, candidates + 1);
	v->candidates = ARENA_ARRAY(v->life, const struct candidate *, candidates + 1);
	v->stops = ARENA_ARRAY(v->life, struct speculate_stop, 2 * candidates + 1);
	v->wanted = ARENA_ARRAY(v->life, bool, candidates + 1);
	v->members = ARENA_ARRAY(v->life, uint64_t *, candidates + 1);
	for (size_t i = 0; i < candidates; i++) {
		const struct candidate *c = table_at(&v->s->candidates, i);
		if (c->repo.v != v->r->id.v || !candidates_is_open(c)) continue;
		uint64_t *set = new_set(v);
		if (add_members(v, c, set)) v->members[i] = set;
	}
	for (size_t i = 0; i < candidates; i++) add_try(v, table_at(&v->s->candidates, i), now_ms);
}

// ---------------------------------------------------------------- from a set to a path

// How good it is to stand on: one that will land with the verdict that it gets, rather.
static int rank(const struct view *v, const struct candidate *c) {
	if (c->carrier) return 2;
	return state_of(v, c) == QUEUE_FAILED ? 1 : 3;
}

// Whether the members are the next of the path, and nobody between them.
static bool is_next(const struct view *v, const uint64_t *members, const uint64_t *rest) {
	if (!bits_within(members, rest, v->order.words)) return false;
	size_t last = last_of(v, members);
	BITS_EACH(i, rest, v->order.words)
	if (i < last && !bits_has(members, i)) return false;
	return true;
}

// The candidate that stands on `below` and tests the next of the path. Not one that is behind: what
// it is behind of may touch what stands on it.
static const struct candidate *step(const struct view *v, const uint64_t *path,
                                    const struct candidate *below) {
	const struct candidate *best = NULL;
	for (size_t i = 0; i < v->s->candidates.count; i++) {
		const struct candidate *c = table_at(&v->s->candidates, i);
		if (!v->members[i] || c->behind || c->refuted ||
		    c->base_candidate.v != (below ? below->id.v : 0) ||
		    (!below && !oid_eq(c->base, v->r->tip)) || !is_next(v, v->members[i], path) ||
		    (best && rank(v, c) <= rank(v, best)))
			continue;
		best = c;
	}
	if (best) v->wanted[best - (const struct candidate *)v->s->candidates.rows] = true;
	return best;
}

// Whether the policy starts the change for itself: it need not be carried.
static bool is_started(const struct queue_plan *plan, size_t change) {
	for (size_t i = 0; i < plan->start_count; i++)
		if (bits_has(plan->starts[i].members, change)) return true;
	return false;
}

static void add_issue(const struct view *v, const uint64_t *members, const struct candidate *below,
                      bool carrier, struct speculate_plan *out) {
	struct speculate_issue it = {
		.members = ARENA_ARRAY(v->life, struct member, bits_count(members, v->order.words)),
		.base = below ? below->id : (struct candidate_id){0},
		.carrier = carrier};
	BITS_EACH(i, members, v->order.words) {
		const struct change *c = v->order.list[i];
		it.members[it.member_count++] = (struct member){
			.change = c->id, .head = c->head, .revision = c->revision};
	}
	for (size_t k = 0; k < out->issue_count; k++)
		if (out->issues[k].members[0].change.v == it.members[0].change.v &&
		    out->issues[k].base.v == it.base.v)
			return;
	out->issues[out->issue_count++] = it;
}

// The set as a path; false: it leads back to one of the members.
static bool find_path(const struct view *v, const struct queue_start *start,
                      const uint64_t *members, uint64_t *path) {
	const uint64_t *before = before_of(v, members);
	for (size_t w = 0; w < v->order.words; w++) path[w] = start->base[w] & before[w];
	close_base(v, path, members);
	return !bits_meet(path, members, v->order.words);
}

// The first step that is missing, when the one below it is built. False: it is there, and red.
static bool issue(const struct view *v, const struct queue_plan *plan, const uint64_t *members,
                  uint64_t *path, struct speculate_plan *out) {
	const struct candidate *below = NULL, *there;
	size_t words = v->order.words;
	for (size_t i; (i = bits_next(path, words, 0)) != SIZE_MAX; below = there) {
		there = step(v, path, below);
		if (there && there->state != CANDIDATE_TESTING && there->state != CANDIDATE_LANDING)
			return true;
		if (!there) {
			uint64_t *carried = new_set(v);
			bits_add(carried, i);
			if (!is_started(plan, i)) add_issue(v, carried, below, true, out);
			return true;
		}
		for (size_t w = 0; w < words; w++) path[w] &= ~members_of(v, there)[w];
	}
	there = step(v, members, below);
	if (there && !there->carrier &&
	    memcmp(members_of(v, there), members, words * sizeof *members) == 0)
		return state_of(v, there) != QUEUE_FAILED;
	add_issue(v, members, below, false, out);
	return true;
}

// A batch that cannot be: what it stands on waits for one of it, or it was red before. The first of
// it is tested by itself.
static void start(const struct view *v, const struct queue_plan *plan,
                  const struct queue_start *start, struct speculate_plan *out) {
	uint64_t *path = new_set(v), *first = new_set(v);
	if (find_path(v, start, start->members, path) && issue(v, plan, start->members, path, out))
		return;
	bits_add(first, bits_next(start->members, v->order.words, 0));
	if (find_path(v, start, first, path)) (void)issue(v, plan, first, path, out);
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

static int64_t mean_ms(const struct view *v) {
	int64_t sum = 0;
	for (size_t i = 0; i < v->order.n; i++) sum += v->changes[i].duration_ms;
	return v->order.n ? sum / (int64_t)v->order.n : 0;
}

// How much work comes, in slots' worth.
static double load(const struct view *v, size_t slots) {
	int64_t gap_ms = predict_gap_ms(v->s, v->r->id);
	if (gap_ms <= 0) return LOAD;
	return (double)v->work_ms / (double)v->order.n / ((double)gap_ms * (double)slots);
}

void speculate_repo(const struct state *s, const struct repo *r, int64_t now_ms, size_t slots,
                    struct arena *life, struct speculate_plan *out) {
	struct view v = {.s = s, .r = r, .life = life};
	struct queue_plan plan;
	*out = (struct speculate_plan){0};
	areas_order(s, r->id, life, &v.order);
	if (!v.order.n) return;
	forecast_begin(&v.forecast, s, r, slots, life);
	look(&v, now_ms);
	struct queue_view view = {.now_ms = now_ms,
	                          .mean_ms = mean_ms(&v),
	                          .load = load(&v, slots),
	                          .conflicts = CONFLICTS,
	                          .knobs = queue_lean,
	                          .chains = true,
	                          .slots = slots,
	                          .changes = v.changes,
	                          .change_count = v.order.n,
	                          .tries = v.tries,
	                          .try_count = v.try_count};
	view.knobs.early = 0;
	if (s->batch_max) view.knobs.size_max = s->batch_max;
	queue_decide(&view, life, &plan);
	out->issues = ARENA_ARRAY(life, struct speculate_issue, plan.start_count + 1);
	for (size_t i = 0; i < plan.start_count; i++) start(&v, &plan, &plan.starts[i], out);
	for (size_t i = 0; i < plan.stop_count; i++)
		stop(&v, v.candidates[plan.stops[i]], REASON_HIGHER_PRIORITY_AHEAD);
	stop_carriers(&v);
	out->stops = v.stops;
	out->stop_count = v.stop_count;
}
