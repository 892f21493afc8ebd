#include "core/queueplan.h"

#include <math.h>

static const double SURELY = .9; // enough to leave a red candidate to deduction

uint64_t *queueplan_set(const struct queueplan *q) {
	return ARENA_ARRAY(q->life, uint64_t, q->words);
}

void queueplan_start(struct queueplan *q, const uint64_t *members, const uint64_t *base) {
	q->out->starts[q->out->start_count++] = (struct queue_start){members, base};
	q->free--;
}

// ---------------------------------------------------------------- 2. need

// Which candidates still speak for which change.
static void list_tries(struct queueplan *q) {
	const struct queue_view *v = q->view;
	size_t all = 0;
	for (size_t t = 0; t < v->try_count; t++) BITS_EACH(i, v->tries[t].members, q->words) {
			if (bits_has(v->tries[t].refuted, i)) continue;
			q->changes[i].try_count++;
			all++;
		}
	uint32_t *room = ARENA_ARRAY(q->life, uint32_t, all + 1);
	for (size_t i = 0; i < q->n; i++) {
		q->changes[i].tries = room;
		room += q->changes[i].try_count;
		q->changes[i].try_count = 0;
	}
	for (size_t t = 0; t < v->try_count; t++) BITS_EACH(i, v->tries[t].members, q->words) {
			struct queueplan_change *c = &q->changes[i];
			if (!bits_has(v->tries[t].refuted, i)) c->tries[c->try_count++] = (uint32_t)t;
		}
}

static void choose_likely(struct queueplan *q, size_t i) {
	struct queueplan_change *c = &q->changes[i];
	c->likely = queueplan_set(q);
	c->sure = 1;
	BITS_EACH(y, q->view->changes[i].before, q->words) {
		double p = q->changes[y].success;
		if (p > .5) bits_add(c->likely, y);
		c->sure *= queueplan_max(p, 1 - p);
		bits_add(q->changes[y].after, i);
	}
}

static bool on_path(const struct queueplan *q, size_t t, size_t i, const uint64_t *assumed) {
	const uint64_t *before = q->view->changes[i].before;
	for (size_t w = 0; w < q->words; w++)
		if ((q->inside[t][w] & before[w]) != assumed[w]) return false;
	return true;
}

// i, and all that cannot be decided before it is.
static uint64_t *waiting_for(const struct queueplan *q, size_t i) {
	uint64_t *set = queueplan_set(q);
	bits_add(set, i);
	for (size_t x = i + 1; x < q->n; x++)
		if (bits_meet(q->view->changes[x].before, set, q->words)) bits_add(set, x);
	return set;
}

// Red, and all others in it will surely land: then it was this one, with no candidate of its own.
// None of them may wait for this one, or all would wait for ever.
static bool decides_red(const struct queueplan *q, size_t t, size_t i) {
	if (q->view->tries[t].spoiled) return false;
	size_t others = 0;
	BITS_EACH(x, q->inside[t], q->words) {
		if (x != i && q->changes[x].success < SURELY) return false;
		others += x != i;
	}
	if (!others) return true;
	uint64_t *waiting = waiting_for(q, i);
	bits_drop(waiting, i);
	return !bits_meet(q->inside[t], waiting, q->words);
}

static bool counts(const struct queueplan *q, size_t t, size_t i, const uint64_t *assumed) {
	const struct queue_try *x = &q->view->tries[t];
	bool own = q->view->chains && bits_count(x->members, q->words) == 1;
	return on_path(q, t, i, assumed) && (x->state != QUEUE_FAILED || own || decides_red(q, t, i));
}

bool queueplan_has_path(const struct queueplan *q, size_t i, const uint64_t *assumed) {
	const struct queueplan_change *c = &q->changes[i];
	for (uint32_t k = 0; k < c->try_count; k++)
		if (counts(q, c->tries[k], i, assumed)) return true;
	return false;
}

static void expect_end(struct queueplan *q, size_t i) {
	struct queueplan_change *c = &q->changes[i];
	c->end_ms = c->own_ms;
	BITS_EACH(y, q->view->changes[i].before, q->words)
	c->end_ms = queueplan_max(c->end_ms, q->changes[y].end_ms);
}

void queueplan_find_need(struct queueplan *q) {
	const struct queue_view *v = q->view;
	double now = (double)v->now_ms;
	list_tries(q);
	for (size_t i = 0; i < q->n; i++) {
		q->changes[i].own_ms = now + (double)v->changes[i].duration_ms;
		choose_likely(q, i);
	}
	for (size_t i = 0; i < q->n; i++) {
		struct queueplan_change *c = &q->changes[i];
		c->known_ms = INFINITY;
		for (uint32_t k = 0; k < c->try_count; k++) {
			const struct queue_try *x = &v->tries[c->tries[k]];
			bool ended = x->state == QUEUE_PASSED || x->state == QUEUE_FAILED;
			double end = x->state == QUEUE_DOUBTED ? now + (double)x->again_ms : now;
			if (x->state == QUEUE_RUNNING) end = queueplan_max((double)x->ends_ms, now);
			if (!ended) c->known_ms = queueplan_min(c->known_ms, end);
			if (!counts(q, c->tries[k], i, c->likely)) continue;
			c->covered = true;
			c->tested = c->tested || ended;
			c->own_ms = queueplan_min(c->own_ms, end);
		}
	}
	for (size_t i = 0; i < q->n; i++) {
		if (!q->changes[i].covered) bits_add(q->need, i);
		expect_end(q, i);
		if (isinf(q->changes[i].known_ms)) q->changes[i].known_ms = q->changes[i].end_ms;
	}
}
