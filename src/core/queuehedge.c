// Hedges: with slots left, candidates on other than the likely path. Worth of one: how probable its
// path is, times the waiting that its early verdict would spare the change and those behind it, in
// units of a mean duration, more for those that have waited long (the tail is what people
// remember).
#include <math.h>
#include <stdlib.h>

#include "core/queueplan.h"

enum { FLIPS_MAX = 6, OUTCOMES_MAX = 3 };
static const double BEHIND = .5, // weight of a change behind
	FILLED = .7, DEAREST = 4,    // share of slots from which the price rises, and by how much
	CERTAIN = .002;              // a flip of this or less is never tested

struct hedge {
	double value, price;
	size_t i;
	uint64_t *assumed;
};

struct hedges {
	struct queueplan *q;
	struct hedge *list;
	size_t count, cap;
	double dearer;
	double known_most_ms, waited_most_ms;
};

static void add(struct hedges *h, struct hedge x) {
	if (h->count == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;
		struct hedge *more = ARENA_ARRAY(h->q->life, struct hedge, cap);
		if (h->count) memcpy(more, h->list, h->count * sizeof *more);
		h->list = more;
		h->cap = cap;
	}
	h->list[h->count++] = x;
}

static double tail(const struct queueplan *q, size_t x, double end_ms) {
	double now = (double)q->view->now_ms, mean = queueplan_max((double)q->view->mean_ms, 1);
	return (end_ms - now + (double)q->view->changes[x].waited_ms) / (2 * mean);
}

// The waiting spared when a candidate of i starts now and not at `known_ms`, when the flip is seen.
static double spared(const struct queueplan *q, size_t i, double known_ms) {
	double now = (double)q->view->now_ms, mean = queueplan_max((double)q->view->mean_ms, 1);
	double duration = (double)q->view->changes[i].duration_ms;
	double early = queueplan_max(now + duration, known_ms), late = known_ms + duration;
	double sum = (late - early) * tail(q, i, late);
	BITS_EACH(x, q->changes[i].after, q->words) {
		double end = queueplan_max(q->changes[x].end_ms, early);
		if (late > end) sum += BEHIND * (late - end) * tail(q, x, late);
	}
	return sum / mean;
}

struct flip {
	size_t y;
	double odds; // of the other way against the likely one
};

// The most that spared() can say of any change.
static double spared_most(const struct hedges *h, size_t i) {
	const struct queueplan *q = h->q;
	double now = (double)q->view->now_ms, mean = queueplan_max((double)q->view->mean_ms, 1);
	double duration = (double)q->view->changes[i].duration_ms;
	double late = queueplan_max(h->known_most_ms, now) + duration;
	double most = (late - now + h->waited_most_ms) / (2 * mean);
	double behind = (double)bits_count(q->changes[i].after, q->words);
	return duration * most * (1 + BEHIND * behind) / mean;
}

// The most probable ones, at most FLIPS_MAX.
static size_t flips_of(const struct queueplan *q, size_t i, struct flip *out) {
	size_t n = 0;
	BITS_EACH(y, q->view->changes[i].before, q->words) {
		double p = q->changes[y].success, less = queueplan_min(p, 1 - p), odds = less / (1 - less);
		if (less <= CERTAIN || (n == FLIPS_MAX && odds <= out[n - 1].odds)) continue;
		size_t at = n < FLIPS_MAX ? n++ : n - 1;
		for (; at > 0 && out[at - 1].odds < odds; at--) out[at] = out[at - 1];
		out[at] = (struct flip){y, odds};
	}
	return n;
}

static uint64_t *flipped(const struct queueplan *q, size_t i, size_t y, size_t z) {
	uint64_t *set = queueplan_set(q);
	memcpy(set, q->changes[i].likely, q->words * sizeof *set);
	set[y / 64] ^= UINT64_C(1) << (y % 64);
	if (z != y) set[z / 64] ^= UINT64_C(1) << (z % 64);
	return set;
}

// Whether there is a candidate of i on this path, or one starts in this very plan.
static bool is_taken(const struct queueplan *q, size_t i, const uint64_t *assumed) {
	const uint64_t *before = q->view->changes[i].before;
	for (size_t s = 0; s < q->out->start_count; s++) {
		const struct queue_start *o = &q->out->starts[s];
		bool same = bits_has(o->members, i);
		for (size_t w = 0; w < q->words && same; w++)
			same = ((o->members[w] | o->base[w]) & before[w]) == assumed[w];
		if (same) return true;
	}
	return queueplan_has_path(q, i, assumed);
}

// Paths of one or two flips, which are the most probable ones.
static void hedge_flips(struct hedges *h, size_t i) {
	struct queueplan *q = h->q;
	struct flip flips[FLIPS_MAX];
	double price = h->dearer * q->view->knobs.price;
	double most = q->changes[i].sure * spared_most(h, i);
	if (most < price) return;
	size_t n = flips_of(q, i, flips);
	double saves[FLIPS_MAX] = {0}; // when that flip is the last to be seen
	for (size_t a = 0; a < n && most * flips[a].odds >= price; a++)
		saves[a] = spared(q, i, q->changes[flips[a].y].known_ms);
	for (size_t a = 0; a < n; a++)
		for (size_t b = a; b < n; b++) {
			double odds = flips[a].odds * (b > a ? flips[b].odds : 1);
			if (most * odds < price) break;
			bool later = q->changes[flips[b].y].known_ms > q->changes[flips[a].y].known_ms;
			double value = q->changes[i].sure * odds * saves[later ? b : a];
			if (value < price) continue;
			uint64_t *assumed = flipped(q, i, flips[a].y, flips[b].y);
			if (!is_taken(q, i, assumed)) add(h, (struct hedge){value, price, i, assumed});
		}
}

// A verdict for each outcome of the few before i, all the same: then i need not wait for them.
static void hedge_outcomes(struct hedges *h, size_t i) {
	struct queueplan *q = h->q;
	const struct queueplan_change *c = &q->changes[i];
	size_t before[OUTCOMES_MAX], n = 0;
	uint64_t *missing[1 << OUTCOMES_MAX];
	size_t count = 0;
	BITS_EACH(y, q->view->changes[i].before, q->words) {
		if (n == OUTCOMES_MAX) return;
		before[n++] = y;
	}
	double now = (double)q->view->now_ms, mean = queueplan_max((double)q->view->mean_ms, 1);
	double end = queueplan_max(c->own_ms, now + (double)q->view->changes[i].duration_ms);
	if (!n || c->end_ms <= end) return;
	double same = queueplan_max(c->success, 1 - c->success);
	for (size_t k = 0; k < n; k++) same *= 1 - q->view->conflicts;
	double value = (c->end_ms - end) / (2 * mean) * tail(q, i, c->end_ms) * same;
	double price = h->dearer * q->view->knobs.early;
	if (value < price) return;
	for (size_t k = 0; k < (size_t)1 << n; k++) {
		uint64_t *assumed = queueplan_set(q);
		for (size_t b = 0; b < n; b++)
			if (k >> b & 1) bits_add(assumed, before[b]);
		if (!is_taken(q, i, assumed)) missing[count++] = assumed;
	}
	for (size_t k = 0; k < count; k++)
		add(h, (struct hedge){value / (double)count, price, i, missing[k]});
}

static int by_value(const void *a, const void *b) {
	const struct hedge *x = a, *y = b;
	if (x->value != y->value) return x->value < y->value ? 1 : -1;
	return (x->i > y->i) - (x->i < y->i);
}

// The price rises as slots fill: the last ones are for what comes next.
static double dearer(const struct queueplan *q) {
	double used = 1 - (double)q->free / (double)q->view->slots;
	return used < FILLED ? 1 : 1 + DEAREST * (used - FILLED) / (1 - FILLED);
}

void queuehedge_start(struct queueplan *q) {
	struct hedges h = {.q = q, .dearer = dearer(q)};
	for (size_t i = 0; i < q->n; i++) {
		h.known_most_ms = queueplan_max(h.known_most_ms, q->changes[i].known_ms);
		h.waited_most_ms = queueplan_max(h.waited_most_ms, (double)q->view->changes[i].waited_ms);
	}
	for (size_t i = 0; i < q->n; i++) {
		hedge_flips(&h, i);
		if (q->view->knobs.early > 0) hedge_outcomes(&h, i);
	}
	if (h.count) qsort(h.list, h.count, sizeof *h.list, by_value);
	for (size_t k = 0; k < h.count && q->free; k++) {
		const struct hedge *x = &h.list[k];
		if (x->value < x->price || is_taken(q, x->i, x->assumed)) continue;
		uint64_t *members = queueplan_set(q);
		bits_add(members, x->i);
		queueplan_start(q, members, x->assumed);
	}
}
