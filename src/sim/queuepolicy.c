#include "sim/queuepolicy.h"

#include <math.h>
#include <stdlib.h>

enum { BATCH = 4, BATCH_ALONE = 2, WINDOW = 20, WINDOW_LEAST = 3 };
static const double PRICE = .15;

struct table { // what all of them need of a view
	const struct queue_view *v;
	struct arena *life;
	struct queue_plan *plan;
	size_t words, free;
};

static struct table table(const struct queue_view *v, struct arena *life, struct queue_plan *plan) {
	struct table t = {v, life, plan, bits_words(v->change_count), v->slots};
	for (size_t k = 0; k < v->try_count; k++) t.free -= v->tries[k].state == QUEUE_RUNNING;
	plan->starts = ARENA_ARRAY(life, struct queue_start, v->slots + 1);
	plan->stops = ARENA_ARRAY(life, size_t, v->try_count + 1);
	return t;
}

static uint64_t *set(const struct table *t) {
	return ARENA_ARRAY(t->life, uint64_t, t->words);
}

static void start(struct table *t, const uint64_t *members, const uint64_t *base) {
	t->plan->starts[t->plan->start_count++] = (struct queue_start){members, base};
	t->free--;
}

static void start_alone(struct table *t, size_t i, const uint64_t *base) {
	uint64_t *members = set(t);
	bits_add(members, i);
	start(t, members, base);
}

static bool speaks(const struct queue_try *x, size_t i) {
	return bits_has(x->members, i) && !bits_has(x->refuted, i);
}

static bool on_path(const struct table *t, const struct queue_try *x, size_t i,
                    const uint64_t *assumed) {
	const uint64_t *before = t->v->changes[i].before;
	for (size_t w = 0; w < t->words; w++)
		if (((x->members[w] | x->base[w]) & before[w]) != assumed[w]) return false;
	return true;
}

static bool has_path(const struct table *t, size_t i, const uint64_t *assumed) {
	for (size_t k = 0; k < t->v->try_count; k++)
		if (speaks(&t->v->tries[k], i) && on_path(t, &t->v->tries[k], i, assumed)) return true;
	return false;
}

// ---------------------------------------------------------------- one path each

static void oracle(const struct queue_view *v, struct queuemodel_memory *memory, struct arena *life,
                   struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	(void)memory;
	for (size_t i = 0; i < v->change_count && t.free; i++) {
		uint64_t *path = set(&t);
		BITS_EACH(y, v->changes[i].before, t.words)
		if (v->changes[y].success > .5) bits_add(path, y);
		if (!has_path(&t, i, path)) start_alone(&t, i, path);
	}
}

static void single(const struct queue_view *v, struct queuemodel_memory *memory, struct arena *life,
                   struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	(void)memory;
	const uint64_t *none = set(&t);
	for (size_t i = 0; i < v->change_count && t.free; i++)
		if (!bits_count(v->changes[i].before, t.words) && !has_path(&t, i, none))
			start_alone(&t, i, none);
}

// Zuul: all ahead will land; when one does not, those behind it begin again. The window of each
// line grows by one with each landing and halves with each failure.
static void optimistic(const struct queue_view *v, struct queuemodel_memory *memory,
                       struct arena *life, struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	if (memory->window == 0) memory->window = WINDOW;
	memory->window += (double)(memory->landed - memory->seen_landed);
	for (; memory->seen_rejected < memory->rejected; memory->seen_rejected++)
		memory->window = fmax(floor(memory->window / 2), WINDOW_LEAST);
	memory->seen_landed = memory->landed;
	for (size_t i = 0; i < v->change_count && t.free; i++) {
		const uint64_t *before = v->changes[i].before;
		if ((double)bits_count(before, t.words) < memory->window && !has_path(&t, i, before))
			start_alone(&t, i, before);
	}
}

// ---------------------------------------------------------------- paths in order of probability

struct path {
	double probability;
	size_t i, last;  // last: the greatest flip
	uint64_t *flips; // over `order` of the head
};

struct head {
	size_t *order; // changes before, those that are cheapest to flip first
	size_t n;
};

struct heap {
	struct path *at;
	size_t n, cap;
	struct arena *life;
};

static bool above(const struct path *a, const struct path *b) {
	if (a->probability != b->probability) return a->probability > b->probability;
	return a->i < b->i;
}

static void heap_push(struct heap *h, struct path p) {
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;
		struct path *more = ARENA_ARRAY(h->life, struct path, cap);
		if (h->n) memcpy(more, h->at, h->n * sizeof *more);
		h->at = more;
		h->cap = cap;
	}
	size_t k = h->n++;
	for (; k && above(&p, &h->at[(k - 1) / 2]); k = (k - 1) / 2) h->at[k] = h->at[(k - 1) / 2];
	h->at[k] = p;
}

static struct path heap_pop(struct heap *h) {
	struct path top = h->at[0], last = h->at[--h->n];
	size_t k = 0;
	for (;;) {
		size_t c = 2 * k + 1;
		if (c >= h->n) break;
		if (c + 1 < h->n && above(&h->at[c + 1], &h->at[c])) c++;
		if (!above(&h->at[c], &last)) break;
		h->at[k] = h->at[c];
		k = c;
	}
	if (h->n) h->at[k] = last;
	return top;
}

// Of the other way, for each change; where all outcomes are alike: of either.
static double odds(const struct table *t, size_t i, bool alike) {
	double p = t->v->changes[i].success;
	return alike ? 1 : fmin(p, 1 - p) / fmax(p, 1 - p);
}

static struct head head_of(const struct table *t, size_t i, bool alike) {
	const uint64_t *before = t->v->changes[i].before;
	struct head h = {ARENA_ARRAY(t->life, size_t, bits_count(before, t->words) + 1), 0};
	BITS_EACH(y, before, t->words) {
		size_t k = h.n++;
		double o = odds(t, y, alike);
		while (k && odds(t, h.order[k - 1], alike) < o) {
			h.order[k] = h.order[k - 1];
			k--;
		}
		h.order[k] = y;
	}
	return h;
}

// The k-way generation of uber/submitqueue: of each head the likely path, then its flips; a popped
// subset that ends at flip k brings the one with k+1 added and the one with k+1 in its place.
static void by_probability(struct table *t, bool alike, double price) {
	const struct queue_view *v = t->v;
	struct heap heap = {.life = t->life};
	struct head *heads = ARENA_ARRAY(t->life, struct head, v->change_count + 1);
	for (size_t i = 0; i < v->change_count; i++) {
		double probability = 1;
		heads[i] = head_of(t, i, alike);
		for (size_t k = 0; k < heads[i].n; k++) {
			probability /= 1 + odds(t, heads[i].order[k], alike);
		}
		heap_push(&heap, (struct path){probability, i, SIZE_MAX, set(t)});
	}
	while (heap.n && t->free) {
		struct path p = heap_pop(&heap);
		const struct head *h = &heads[p.i];
		if (p.probability < price) return;
		uint64_t *assumed = set(t);
		for (size_t k = 0; k < h->n; k++)
			if ((v->changes[h->order[k]].success > .5) != bits_has(p.flips, k))
				bits_add(assumed, h->order[k]);
		if (!has_path(t, p.i, assumed)) start_alone(t, p.i, assumed);
		size_t next = p.last == SIZE_MAX ? 0 : p.last + 1;
		if (next >= h->n) continue;
		double up = odds(t, h->order[next], alike);
		struct path extended = {p.probability * up, p.i, next, set(t)};
		memcpy(extended.flips, p.flips, t->words * sizeof *p.flips);
		bits_add(extended.flips, next);
		heap_push(&heap, extended);
		if (p.last == SIZE_MAX) continue;
		double down = odds(t, h->order[p.last], alike);
		struct path swapped = {extended.probability / down, p.i, next, set(t)};
		memcpy(swapped.flips, extended.flips, t->words * sizeof *p.flips);
		bits_drop(swapped.flips, p.last);
		heap_push(&heap, swapped);
	}
}

static void speculate_all(const struct queue_view *v, struct queuemodel_memory *memory,
                          struct arena *life, struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	(void)memory;
	by_probability(&t, true, 0);
}

static void best_first(const struct queue_view *v, struct queuemodel_memory *memory,
                       struct arena *life, struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	(void)memory;
	by_probability(&t, false, 0);
}

static void best_first_threshold(const struct queue_view *v, struct queuemodel_memory *memory,
                                 struct arena *life, struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	(void)memory;
	by_probability(&t, false, PRICE);
}

// ---------------------------------------------------------------- batches

// A change of a red candidate is tested again with the first half of its members at most.
static size_t size_for(const struct table *t, size_t i) {
	size_t most = t->v->changes[i].success < .5 ? 1 : BATCH;
	for (size_t k = 0; k < t->v->try_count; k++) {
		const struct queue_try *x = &t->v->tries[k];
		if (x->state != QUEUE_FAILED || !bits_has(x->members, i)) continue;
		size_t half = (bits_count(x->members, t->words) + 1) / BATCH_ALONE;
		if (half < most) most = half;
	}
	return most ? most : 1;
}

static bool is_tested(const struct table *t, size_t i) { // or is being tested
	for (size_t k = 0; k < t->v->try_count; k++) {
		const struct queue_try *x = &t->v->tries[k];
		if (!speaks(x, i)) continue;
		if (x->state != QUEUE_FAILED || x->spoiled) return x->state != QUEUE_FAILED;
		if (bits_count(x->members, t->words) == 1 && !bits_count(x->base, t->words)) return true;
	}
	return false;
}

// In order of arrival, those whose conflicting changes ahead are decided or in the same batch.
static void batch(const struct queue_view *v, struct queuemodel_memory *memory, struct arena *life,
                  struct queue_plan *plan) {
	struct table t = table(v, life, plan);
	(void)memory;
	const uint64_t *none = set(&t);
	uint64_t *taken = set(&t);
	for (size_t i = 0; i < v->change_count; i++)
		if (is_tested(&t, i)) bits_add(taken, i);
	while (t.free) {
		uint64_t *members = set(&t);
		size_t n = 0, most = BATCH;
		for (size_t i = 0; i < v->change_count && n < most; i++) {
			bool fits = !bits_has(taken, i);
			for (size_t w = 0; w < t.words && fits; w++)
				fits = (v->changes[i].before[w] & ~members[w]) == 0;
			size_t size = fits ? size_for(&t, i) : 0;
			if (!fits || n + 1 > size) continue;
			if (size < most) most = size;
			bits_add(members, i);
			bits_add(taken, i);
			n++;
		}
		if (!n) return;
		start(&t, members, none);
	}
}

// ---------------------------------------------------------------- weir

static void weir(const struct queue_view *v, struct queuemodel_memory *memory, struct arena *life,
                 struct queue_plan *plan) {
	(void)memory;
	queue_decide(v, life, plan);
}

const struct queuepolicy queuepolicy_all[] = {
	{.name = "oracle",
     .brief = "knows what will land: one candidate a change, on the base that comes true",
     .decide = oracle,
     .told = true},
	{.name = "single", .brief = "one at a time of those that conflict", .decide = single},
	{.name = "optimistic",
     .brief = "as Zuul: all ahead will land; a window of 20, +1, halved",
     .decide = optimistic},
	{.name = "speculate-all",
     .brief = "every outcome is as probable, short paths first",
     .decide = speculate_all},
	{.name = "best-first",
     .brief = "SubmitQueue 2019: paths in order of probability",
     .decide = best_first},
	{.name = "best-first-threshold",
     .brief = "SubmitQueue 2025: none below 0.15, and early decisions",
     .decide = best_first_threshold,
     .early = true},
	{.name = "batch", .brief = "four at once, a red batch is halved", .decide = batch},
	{.name = "weir",
     .brief = "core/queue.h",
     .decide = weir,
     .early = true,
     .calibrated = true,
     .again = true},
	{0},
};

const struct queuepolicy *queuepolicy_named(struct str name) {
	for (const struct queuepolicy *p = queuepolicy_all; p->name; p++)
		if (str_eq(name, str_of(p->name))) return p;
	return NULL;
}
