#include "core/decide.h"

#include <assert.h>
#include <stdlib.h>

#include "core/apply.h"
#include "core/areas.h"
#include "core/batch.h"
#include "core/bits.h"
#include "core/candidates.h"
#include "core/decide_delivery.h"
#include "core/flakes.h"
#include "core/predict.h"
#include "core/speculate.h"

void decide_add(struct state *s, struct decide_list *list, struct event *e) {
	struct err why = {0};
	bool possible = apply_check(s, e, &why);
	assert(possible);
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;
		struct event *more = ARENA_ARRAY(list->life, struct event, cap);
		if (list->count) memcpy(more, list->events, list->count * sizeof *more);
		list->events = more;
		list->cap = cap;
	}
	apply_event(s, e);
	list->events[list->count++] = *e;
}

// A policy that does not fall silent is asked no more in this turn: the daemon lives, and facts go
// on deciding. A mistake of the policy; the simulator takes it for one.
enum { POLICY_ROUNDS = 60 };

struct turn {
	struct state *s;
	int64_t now_ms;
	struct decide_list *list;
	int rounds;
};

static void add(struct turn *t, struct event e) {
	e.time_ms = t->now_ms;
	decide_add(t->s, t->list, &e);
}

// ---------------------------------------------------------------- what the verdicts say

// Asks every live run of the candidate to stop.
static void cancel_runs(struct turn *t, struct candidate_id candidate, enum reason reason) {
	for (size_t i = 0; i < t->s->runs.count; i++) {
		const struct run *r = table_at(&t->s->runs, i);
		if (r->candidate.v != candidate.v || r->state == RUN_CANCELLING) continue;
		add(t,
		    (struct event){.kind = EVENT_RUN_CANCEL_ISSUED, .run_cancel_issued = {r->id, reason}});
	}
}

static void drop(struct turn *t, struct candidate_id candidate, enum reason reason) {
	cancel_runs(t, candidate, REASON_NOT_NEEDED);
	add(t,
	    (struct event){.kind = EVENT_CANDIDATE_DROPPED, .candidate_dropped = {candidate, reason}});
}

static void reject(struct turn *t, const struct candidate *c, enum reason reason, struct run_id run,
                   struct str text) {
	struct candidate_id id = c->id;
	add(t, (struct event){.kind = EVENT_CHANGE_REJECTED,
	                      .change_rejected = {c->change, c->revision, reason, text, c->id, run}});
	drop(t, id, reason);
}

static void judge_failed(struct turn *t, const struct candidate *c, size_t failed) {
	const struct job *j = state_job(t->s, c, failed);
	struct str name = state_name(&state_plan_job(t->s, state_plan(t->s, c->plan), failed)->name);
	reject(t, c, j->reason ? j->reason : REASON_JOB_FAILED, j->run,
	       arena_printf(t->list->life, "job " STR_FMT " failed", STR_ARG(name)));
}

static void judge_passed(struct turn *t, const struct candidate *c, const struct repo *r,
                         const struct change *change) {
	if (change->draft) {
		struct candidate_id id = c->id;
		add(t, (struct event){.kind = EVENT_CHANGE_VERIFIED,
		                      .change_verified = {c->change, c->revision, c->id}});
		drop(t, id, REASON_DRAFT_TESTED);
		return;
	}
	if (r->landing.v) return;
	add(t, (struct event){.kind = EVENT_LANDING_ISSUED,
	                      .landing_issued = {{t->s->next_landing},
	                                         c->id,
	                                         c->repo,
	                                         c->change,
	                                         c->revision,
	                                         r->tip,
	                                         c->commit,
	                                         c->tree}});
}

static size_t place_of(struct change_id change, const struct areas_order *order) {
	size_t i = 0;
	while (i < order->n && order->list[i]->id.v != change.v) i++;
	return i;
}

// Whether it may land or leave now: none of those ahead, but its own, touches what it touches.
static bool is_its_turn(const struct turn *t, const struct candidate *c,
                        const struct change *change) {
	AUTO_ARENA scratch = {0};
	struct areas_order order;
	if (change->draft) return !c->base_candidate.v; // nobody waits for it
	areas_order(t->s, change->repo, &scratch, &order);
	uint64_t *own = ARENA_ARRAY(&scratch, uint64_t, order.words);
	for (size_t i = 0; i < batch_size(t->s, c); i++) {
		size_t place = place_of(batch_member(t->s, c, i).change, &order);
		if (place == order.n || !bits_within(order.before[place], own, order.words)) return false;
		bits_add(own, place);
	}
	return true;
}

// Whether all that it tests is still to land, as it was when it was issued.
static bool is_current(const struct state *s, const struct candidate *c) {
	for (size_t i = 0; i < batch_size(s, c); i++) {
		struct member m = batch_member(s, c, i);
		const struct change *change = state_change(s, m.change);
		if (!change || change->state == CHANGE_PROPOSED || change->revision != m.revision)
			return false;
	}
	return true;
}

static bool lands_otherwise(const struct state *s, const struct repo *r,
                            const struct candidate *c) {
	const struct candidate *landing = state_candidate(s, r->landing_candidate);
	for (size_t i = 0; r->landing.v && i < batch_size(s, c); i++)
		if (batch_has(s, landing, batch_member(s, c, i).change)) return true;
	return false;
}

static struct str members_of(const struct turn *t, const struct candidate *c) {
	size_t n = batch_size(t->s, c);
	struct member *list = ARENA_ARRAY(t->list->life, struct member, n);
	for (size_t i = 0; i < n; i++) list[i] = batch_member(t->s, c, i);
	return batch_text(list, n, t->list->life);
}

static bool is_looking(const struct state *s, const struct candidate *c) {
	for (size_t i = 0; i < s->runs.count; i++) {
		const struct run *r = table_at(&s->runs, i);
		if (r->candidate.v == c->id.v && r->lookup) return true;
	}
	return c->state == CANDIDATE_BUILDING;
}

// The same once more, on the tip, where the verdicts that it has are looked for. One of a
// repository at a time: each landing would send the others back.
static void issue_again(struct turn *t, const struct candidate *c, const struct repo *r,
                        const struct change *change) {
	if (r->landing.v) return;
	for (size_t i = 0; i < t->s->candidates.count; i++) {
		const struct candidate *other = table_at(&t->s->candidates, i);
		if (other->repo.v == r->id.v && other->again && !other->base_candidate.v &&
		    candidates_is_open(other) && is_looking(t->s, other))
			return;
	}
	struct candidate_id old = c->id;
	add(t, (struct event){.kind = EVENT_CANDIDATE_ISSUED,
	                      .candidate_issued = {.candidate = {t->s->next_candidate},
	                                           .repo = r->id,
	                                           .change = change->id,
	                                           .revision = change->revision,
	                                           .base = r->tip,
	                                           .head = change->head,
	                                           .again = (int64_t)old.v,
	                                           .members = members_of(t, c)}});
	drop(t, old, REASON_BASE_CHANGED);
}

// What the facts say about one candidate. It may be gone afterwards.
static void judge(struct turn *t, const struct candidate *c) {
	const struct repo *r = state_repo(t->s, c->repo);
	const struct change *change = state_change(t->s, c->change);
	size_t failed = 0;
	if (c->state == CANDIDATE_DROPPED || c->state == CANDIDATE_LANDED ||
	    c->state == CANDIDATE_LANDING)
		return;
	bool alone = batch_size(t->s, c) == 1;
	if (!is_current(t->s, c)) {
		drop(t, c->id,
		     c->carrier ? REASON_NOT_NEEDED
		     : !alone   ? REASON_CHANGE_AHEAD_LEFT
		     : change   ? REASON_SUPERSEDED
		                : REASON_WITHDRAWN);
		return;
	}
	if (lands_otherwise(t->s, r, c)) return;
	if (c->refuted) {
		drop(t, c->id, REASON_BASE_CHANGED);
		return;
	}
	if (c->base_candidate.v) {
		const struct candidate *below = state_candidate(t->s, c->base_candidate);
		if (!below || below->state == CANDIDATE_DROPPED) {
			drop(t, c->id, REASON_CHANGE_AHEAD_LEFT);
			return;
		}
	} else if (!c->behind && !oid_eq(c->base, r->tip)) {
		drop(t, c->id, REASON_BASE_CHANGED);
		return;
	}
	if (c->carrier || c->state == CANDIDATE_BUILDING) return;
	if (!alone && c->state == CANDIDATE_REFUSED) {
		drop(t, c->id, REASON_BATCH_SPLIT);
		return;
	}
	enum candidates_verdict verdict = CANDIDATES_FAILED;
	if (c->state == CANDIDATE_TESTING) verdict = candidates_verdict(t->s, c, &failed);
	if (verdict == CANDIDATES_OPEN || !is_its_turn(t, c, change)) return;
	if (verdict == CANDIDATES_FAILED && !alone) return; // evidence, of no one in particular
	if (c->behind || c->base_candidate.v) {             // it need not wait for what it stands on
		issue_again(t, c, r, change);
		return;
	}
	if (c->state == CANDIDATE_REFUSED) {
		reject(t, c, c->refusal, (struct run_id){0}, reason_code(c->refusal));
		return;
	}
	switch (verdict) {
	case CANDIDATES_OPEN: return;
	case CANDIDATES_PASSED: judge_passed(t, c, r, change); return;
	case CANDIDATES_FAILED: judge_failed(t, c, failed); return;
	}
}

// Whether one of its changes is thought to touch what the job reads.
static bool is_touched(const struct state *s, const struct candidate *c, struct str job) {
	for (size_t i = 0; i < batch_size(s, c); i++) {
		const struct change *change = state_change(s, batch_member(s, c, i).change);
		if (!change || areas_has_job(s, change, job)) return true;
	}
	return false;
}

static void settle(struct turn *t, const struct candidate *c, uint32_t index) {
	const struct job *j = state_job(t->s, c, index);
	struct str name = state_name(&state_plan_job(t->s, state_plan(t->s, c->plan), index)->name);
	if (j->status != JOB_DOUBTED) return;
	enum flakes_say say = flakes_judge(j, is_touched(t->s, c, name), batch_size(t->s, c));
	if (say == FLAKES_AGAIN) return;
	add(t, (struct event){.kind = EVENT_JOB_SETTLED,
	                      .job_settled = {c->id, index, arena_str(t->list->life, name),
	                                      say == FLAKES_PASSED ? OUTCOME_PASSED : OUTCOME_FAILED,
	                                      j->reds, j->greens, j->faked, j->red_run}});
}

static void settle_all(struct turn *t) {
	for (size_t i = 0; i < t->s->candidates.count; i++) {
		const struct candidate *c = table_at(&t->s->candidates, i);
		for (uint32_t job = 0; c->state == CANDIDATE_TESTING && job < c->job_count; job++)
			settle(t, c, job);
	}
}

static void judge_all(struct turn *t) {
	for (size_t i = t->s->candidates.count; i > 0; i--)
		if (i <= t->s->candidates.count) judge(t, table_at(&t->s->candidates, i - 1));
}

// ---------------------------------------------------------------- what the queue proposes

static bool needs_passed(const struct state *s, const struct candidate *c,
                         const struct plan_job *definition) {
	for (size_t i = 0; i < definition->need_count; i++) {
		uint16_t need = *(const uint16_t *)table_at(&s->needs, definition->need_at + i);
		const struct job *j = state_job(s, c, need);
		if (j->status != JOB_PASSED && j->status != JOB_SKIPPED) return false;
	}
	return true;
}

static bool is_ready(const struct state *s, const struct candidate *c, size_t index,
                     int64_t now_ms) {
	const struct plan_job *definition = state_plan_job(s, state_plan(s, c->plan), index);
	const struct job *j = state_job(s, c, index);
	if (j->status == JOB_ISSUED || c->carrier || !needs_passed(s, c, definition)) return false;
	switch (definition->when) {
	case WHEN_CHANGE:
		return c->state == CANDIDATE_TESTING &&
		       (j->status == JOB_WAITING || j->status == JOB_DOUBTED);
	case WHEN_LANDED:
		return c->state == CANDIDATE_LANDED && !c->released && j->status == JOB_WAITING;
	case WHEN_NIGHTLY:
		return c->state == CANDIDATE_LANDED && j->status != JOB_SKIPPED &&
		       j->nightly_day < now_ms / 86400000 &&
		       candidates_newest_landed(s, c->repo)->id.v == c->id.v;
	}
	return false;
}

// Verdicts of its change are looked for first, which takes no slot.
static bool looks_up(const struct state *s, const struct candidate *c, size_t index) {
	const struct job *j = state_job(s, c, index);
	return c->again && c->state == CANDIDATE_TESTING && !j->looked && !j->attempt;
}

struct ready { // a job that may start: its needs have passed, it waits
	struct candidate_id candidate;
	uint32_t job;
	uint64_t place; // of its change in the queue; 0 = landed already
};

static int compare_ready(const void *a, const void *b) {
	const struct ready *x = a, *y = b;
	if (x->place != y->place) return x->place < y->place ? -1 : 1;
	if (x->candidate.v != y->candidate.v) return x->candidate.v < y->candidate.v ? -1 : 1;
	return (x->job > y->job) - (x->job < y->job);
}

static uint64_t first_place(const struct state *s, const struct candidate *c,
                            const struct areas_order *order) {
	size_t first = order->n;
	for (size_t i = 0; i < batch_size(s, c); i++) {
		size_t place = place_of(batch_member(s, c, i).change, order);
		if (place < first) first = place;
	}
	return first < order->n ? first + 1 : 0;
}

static size_t ready_runs(const struct turn *t, const struct repo *r, struct ready *out,
                         size_t most) {
	struct areas_order order;
	size_t n = 0;
	areas_order(t->s, r->id, t->list->life, &order);
	for (size_t i = 0; i < t->s->candidates.count; i++) {
		const struct candidate *c = table_at(&t->s->candidates, i);
		if (c->repo.v != r->id.v) continue;
		for (uint32_t job = 0; job < c->job_count && n < most; job++)
			if (is_ready(t->s, c, job, t->now_ms) && !looks_up(t->s, c, job))
				out[n++] = (struct ready){c->id, job, first_place(t->s, c, &order)};
	}
	if (n) qsort(out, n, sizeof *out, compare_ready);
	return n;
}

// Ends what is no longer worth its slots and issues what is missing. Each candidate is one that
// this turn found; a stopped one takes those that stand on it with it.
static void speculate(struct turn *t, const struct repo *r) {
	struct speculate_plan plan;
	size_t slots = t->s->slots > 0 ? (size_t)t->s->slots : 1;
	speculate_repo(t->s, r, t->now_ms, slots, t->list->life, &plan);
	for (size_t i = 0; i < plan.stop_count; i++)
		drop(t, plan.stops[i].candidate, plan.stops[i].reason);
	for (size_t i = 0; i < plan.issue_count; i++) {
		const struct member *last = &plan.issues[i].members[plan.issues[i].member_count - 1];
		const struct candidate *base = state_candidate(t->s, plan.issues[i].base);
		if (plan.issues[i].base.v && (!base || base->state == CANDIDATE_DROPPED)) continue;
		add(t,
		    (struct event){.kind = EVENT_CANDIDATE_ISSUED,
		                   .candidate_issued = {.candidate = {t->s->next_candidate},
		                                        .repo = r->id,
		                                        .change = last->change,
		                                        .revision = last->revision,
		                                        .base_candidate = plan.issues[i].base,
		                                        .base = base ? base->commit : r->tip,
		                                        .head = last->head,
		                                        .carrier = plan.issues[i].carrier,
		                                        .members = batch_text(plan.issues[i].members,
		                                                              plan.issues[i].member_count,
		                                                              t->list->life)}});
	}
}

struct share { // of the slots, for one repository
	struct ready *ready;
	size_t ready_count, live, free_slots;
};

static void issue_run(struct turn *t, const struct candidate *c, uint32_t index, bool lookup) {
	const struct plan_job *definition = state_plan_job(t->s, state_plan(t->s, c->plan), index);
	const struct job *j = state_job(t->s, c, index);
	bool nightly = definition->when == WHEN_NIGHTLY;
	add(t, (struct event){
			   .kind = EVENT_RUN_ISSUED,
			   .run_issued = {.run = {t->s->next_run},
	                          .candidate = c->id,
	                          .job = index,
	                          .name = arena_str(t->list->life, state_name(&definition->name)),
	                          .attempt = nightly ? 1 : j->attempt + 1,
	                          .trust = c->state == CANDIDATE_LANDED ? 2 : 1,
	                          .lookup = lookup,
	                          .recheck = j->looked == 2 && !j->attempt,
	                          .doubts = definition->when == WHEN_CHANGE && !definition->retries &&
	                                    !lookup}});
}

static void look_up(struct turn *t) {
	for (size_t i = 0; i < t->s->candidates.count; i++) {
		const struct candidate *c = table_at(&t->s->candidates, i);
		for (uint32_t job = 0; c->again && job < c->job_count; job++)
			if (is_ready(t->s, c, job, t->now_ms) && looks_up(t->s, c, job))
				issue_run(t, c, job, true);
	}
}

static void fund(struct turn *t, const struct share *share) {
	for (size_t i = 0; i < share->ready_count && i < share->free_slots; i++) {
		const struct ready *f = &share->ready[i];
		const struct candidate *c = state_candidate(t->s, f->candidate);
		if (c && c->state != CANDIDATE_DROPPED) issue_run(t, c, f->job, false);
	}
}

// Of one repository, or of all.
static size_t slots_taken(const struct state *s, const struct repo *r) {
	size_t n = 0;
	for (size_t i = 0; i < s->runs.count; i++) {
		const struct run *run = table_at(&s->runs, i);
		if (!run->lookup) n += !r || state_candidate(s, run->candidate)->repo.v == r->id.v;
	}
	return n;
}

// Each free slot goes to who runs least of those that wait for one. Between equals each run that is
// issued moves the turn on by one: nobody waits for more than one run of each of the others.
static void share_slots(const struct turn *t, struct share *shares) {
	const struct state *s = t->s;
	size_t n = s->repos.count, taken = slots_taken(s, NULL);
	size_t left = s->slots > taken ? s->slots - taken : 0;
	for (uint64_t turn = s->next_run - 1; left > 0; left--, turn++) {
		struct share *best = NULL;
		for (size_t i = 0; i < n; i++) {
			struct share *x = &shares[(turn + i) % n];
			if (x->free_slots >= x->ready_count) continue;
			if (!best || x->live + x->free_slots < best->live + best->free_slots) best = x;
		}
		if (!best) return;
		best->free_slots++;
	}
}

static void plan_all(struct turn *t) {
	struct state *s = t->s;
	struct share *shares = ARENA_ARRAY(t->list->life, struct share, s->repos.count + 1);
	struct ready *room = ARENA_ARRAY(t->list->life, struct ready, s->jobs.count + 1);
	size_t used = 0;
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *r = table_at(&s->repos, i);
		struct ready *ready = room + used;
		size_t n = ready_runs(t, r, ready, s->jobs.count - used);
		shares[i] = (struct share){ready, n, slots_taken(s, r), 0};
		used += n;
	}
	look_up(t);
	share_slots(t, shares);
	for (size_t i = 0; i < s->repos.count; i++) {
		if (t->rounds < POLICY_ROUNDS) speculate(t, table_at(&s->repos, i));
		else t->list->restless = true;
		fund(t, &shares[i]);
	}
}

// ---------------------------------------------------------------- one turn

static void queue_proposed(struct turn *t) {
	for (size_t i = 0; i < t->s->changes.count; i++) {
		const struct change *c = table_at(&t->s->changes, i);
		if (c->state != CHANGE_PROPOSED) continue;
		if (c->draft && c->verified_revision == c->revision) continue;
		add(t, (struct event){.kind = EVENT_CHANGE_QUEUED,
		                      .change_queued = {c->id, c->revision, predict_chance(t->s, c)}});
	}
}

void decide_turn(struct state *s, int64_t now_ms, struct decide_list *list) {
	struct turn t = {.s = s, .now_ms = now_ms, .list = list};
	size_t bound = list->count + 64 + (size_t)16 * POLICY_ROUNDS +
	               8 * ((size_t)s->changes.count + s->candidates.count + s->jobs.count +
	                    s->runs.count + s->envs.count);
	size_t before;
	do {
		before = list->count;
		settle_all(&t);
		judge_all(&t);
		queue_proposed(&t);
		plan_all(&t);
		decide_delivery_releases(s, now_ms, list);
		decide_delivery_rollouts(s, now_ms, list);
		t.rounds++;
		assert(list->count <= bound); // a policy that never falls silent would fill the log
	} while (list->count > before);
}

int64_t decide_deadline(const struct state *s) {
	for (size_t i = 0; i < s->candidates.count; i++) {
		const struct candidate *c = table_at(&s->candidates, i);
		const struct plan *plan = c->state == CANDIDATE_LANDED ? state_plan(s, c->plan) : NULL;
		for (size_t j = 0; plan && j < c->job_count; j++)
			if (state_plan_job(s, plan, j)->when == WHEN_NIGHTLY)
				return (s->now_ms / 86400000 + 1) * 86400000;
	}
	return -1;
}
