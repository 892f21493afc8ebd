// Batches: under load a slot's second is what is scarce, so each free slot takes the members that
// decide most per second. Those that may fail come out alone; a red batch is halved by what its
// suspects are believed to be, with no bookkeeping of halves.
#include <math.h>

#include "core/queueplan.h"

enum { SEEDS = 3 };
static const double GOOD = .7, // enough to share a candidate
	BLOCKED = 4,               // more weight for each tested change that waits for this one
	WAITED = 5,                // and for each two durations that it has waited
	RED_COST = .1, EACH = .05; // of a red batch; of each further member in duration

static bool is_shared(const struct queueplan *q, size_t i) {
	return q->changes[i].success >= GOOD && !q->view->changes[i].apart;
}

struct batch {
	uint64_t *members, *inside;
	double green, path, weight, longest_ms, score; // green: that all inside are good
	size_t count;
};

static double weight(const struct queueplan *q, size_t i) {
	double w = 1, mean = queueplan_max((double)q->view->mean_ms, 1);
	BITS_EACH(x, q->changes[i].after, q->words) w += q->changes[x].tested ? BLOCKED : 0;
	return w + WAITED * (double)q->view->changes[i].waited_ms / (2 * mean);
}

static double per_second(const struct queueplan *q, size_t i, double w) {
	return q->changes[i].sure * w / queueplan_max((double)q->view->changes[i].duration_ms, 1);
}

static struct batch alone(const struct queueplan *q, size_t i, double w) {
	struct batch b = {.members = queueplan_set(q), .inside = queueplan_set(q), .count = 1};
	bits_add(b.members, i);
	memcpy(b.inside, q->changes[i].likely, q->words * sizeof *b.inside);
	bits_add(b.inside, i);
	b.green = 1;
	BITS_EACH(x, b.inside, q->words) b.green *= q->changes[x].success;
	b.weight = w;
	b.longest_ms = queueplan_max((double)q->view->changes[i].duration_ms, 1);
	b.score = per_second(q, i, w); // both verdicts decide it
	return b;
}

// Of chains: whether there is a candidate of each change that i is thought to stand on, or it is a
// member too. An untested one below would leave the verdict open.
static bool stands(const struct queueplan *q, size_t i, const uint64_t *members) {
	for (size_t w = 0; q->view->chains && w < q->words; w++)
		if (q->changes[i].likely[w] & q->need[w] & ~members[w]) return false;
	return true;
}

// Of chains: m shares with a member what is tested, is of their rank, and stands on nothing that
// has no candidate. Quickly said, and of most it is no.
static bool may_link(const struct queueplan *q, const struct batch *b, size_t m) {
	const struct queue_change *changes = q->view->changes;
	size_t first = bits_next(b->members, q->words, 0);
	if (!q->view->chains) return true;
	return changes[first].rank == changes[m].rank && stands(q, m, b->members) &&
	       (bits_meet(changes[m].before, b->members, q->words) ||
	        bits_meet(q->changes[m].after, b->members, q->words));
}

// Of chains: all that the members wait for is inside, as they land at once; and what they stand on
// waits for none of them.
static bool links(const struct queueplan *q, const struct batch *b, size_t m,
                  const uint64_t *inside) {
	const struct queue_change *changes = q->view->changes;
	if (!bits_within(changes[m].before, inside, q->words)) return false;
	BITS_EACH(x, b->members, q->words)
	if (!bits_within(changes[x].before, inside, q->words)) return false;
	BITS_EACH(y, inside, q->words) {
		if (y == m || bits_has(b->members, y)) continue;
		if (bits_has(changes[y].before, m) || bits_meet(changes[y].before, b->members, q->words))
			return false;
	}
	return true;
}

// Whether all members keep their likely path when m is inside too.
static bool fits(const struct queueplan *q, const struct batch *b, size_t m,
                 const uint64_t *inside) {
	for (size_t w = 0; w < q->words; w++)
		if ((q->view->changes[m].before[w] & inside[w]) != q->changes[m].likely[w]) return false;
	BITS_EACH(x, b->members, q->words)
	for (size_t w = 0; w < q->words; w++)
		if ((q->view->changes[x].before[w] & inside[w]) != q->changes[x].likely[w]) return false;
	return true;
}

// Adds m when more is decided per second with it. `scratch`: one set.
static void grow(const struct queueplan *q, struct batch *b, size_t m, double w,
                 uint64_t *scratch) {
	double green = b->green;
	for (size_t k = 0; k < q->words; k++) scratch[k] = b->inside[k] | q->changes[m].likely[k];
	bits_add(scratch, m);
	for (size_t k = 0; k < q->words; k++)
		for (uint64_t more = scratch[k] & ~b->inside[k]; more; more &= more - 1)
			green *= q->changes[k * 64 + (size_t)__builtin_ctzll(more)].success;
	double longest = queueplan_max(b->longest_ms, (double)q->view->changes[m].duration_ms);
	double seconds = longest * (1 + EACH * (double)b->count);
	double score = (green - RED_COST * (1 - green)) * (b->weight + w) / seconds;
	if (score <= b->score || !fits(q, b, m, scratch)) return;
	if (q->view->chains && !links(q, b, m, scratch)) return;
	memcpy(b->inside, scratch, q->words * sizeof *scratch);
	bits_add(b->members, m);
	b->count++;
	b->green = green;
	b->weight += w;
	b->longest_ms = longest;
	b->score = score;
}

static struct batch grown(const struct queueplan *q, size_t seed, const double *weights,
                          uint64_t *scratch) {
	struct batch b = alone(q, seed, weights[seed]);
	if (!is_shared(q, seed)) return b;
	BITS_EACH(m, q->need, q->words) {
		if (b.count >= q->view->knobs.size_max) break;
		if (m != seed && is_shared(q, m) && may_link(q, &b, m)) grow(q, &b, m, weights[m], scratch);
	}
	return b;
}

double queuebatch_surest(const struct queueplan *q) {
	const uint64_t *nobody = queueplan_set(q);
	double best = 0;
	BITS_EACH(i, q->need, q->words)
	if (stands(q, i, nobody)) best = queueplan_max(best, q->changes[i].sure);
	return best;
}

// Of chains: what would be stopped as improbable for others that need a slot is not begun either.
static void find_startable(const struct queueplan *q, uint64_t *out) {
	const uint64_t *nobody = queueplan_set(q);
	double best = queuebatch_surest(q);
	memset(out, 0, q->words * sizeof *out);
	BITS_EACH(i, q->need, q->words)
	if (stands(q, i, nobody)) bits_add(out, i);
	BITS_EACH(i, q->need, q->words)
	if (q->view->chains && q->changes[i].sure < queueplan_stop_below(best)) bits_drop(out, i);
}

// The best by what they decide per second, and the oldest.
static size_t seeds(const struct queueplan *q, const uint64_t *among, const double *weights,
                    size_t *out) {
	size_t best[SEEDS], bests = 0, n = 0;
	BITS_EACH(i, among, q->words) {
		if (q->changes[i].success < GOOD) continue;
		if (n < SEEDS) out[n++] = i;
		size_t at = bests;
		while (at > 0 &&
		       per_second(q, i, weights[i]) > per_second(q, best[at - 1], weights[best[at - 1]]))
			at--;
		if (at >= SEEDS) continue;
		if (bests < SEEDS) bests++;
		for (size_t k = bests - 1; k > at; k--) best[k] = best[k - 1];
		best[at] = i;
	}
	for (size_t k = 0; k < bests; k++) out[n++] = best[k];
	return n;
}

static void start_batch(struct queueplan *q, const struct batch *b) {
	uint64_t *base = queueplan_set(q);
	for (size_t w = 0; w < q->words; w++) {
		base[w] = b->inside[w] & ~b->members[w];
		q->need[w] &= ~b->members[w];
	}
	queueplan_start(q, b->members, base);
}

// Those who wait for nobody, with whom they may be tested together: what all others stand on.
static void start_heads(struct queueplan *q, const double *weights, uint64_t *scratch) {
	BITS_EACH(i, q->need, q->words) {
		if (!q->free) return;
		if (bits_count(q->view->changes[i].before, q->words)) continue;
		struct batch b = grown(q, i, weights, scratch);
		start_batch(q, &b);
	}
}

void queuebatch_start(struct queueplan *q) {
	double *weights = ARENA_ARRAY(q->life, double, q->n + 1);
	uint64_t *scratch = queueplan_set(q), *among = queueplan_set(q);
	for (size_t i = 0; i < q->n; i++) weights[i] = weight(q, i);
	if (q->view->chains) start_heads(q, weights, scratch);
	while (q->free) {
		struct batch best = {.score = -1};
		size_t from[2 * SEEDS];
		find_startable(q, among);
		size_t n = seeds(q, among, weights, from);
		for (size_t k = 0; k < n; k++) {
			struct batch b = grown(q, from[k], weights, scratch);
			if (b.score > best.score) best = b;
		}
		BITS_EACH(i, among, q->words)
		if (q->changes[i].success < GOOD && per_second(q, i, weights[i]) > best.score)
			best = alone(q, i, weights[i]);
		if (!best.inside || best.score < 0) return;
		start_batch(q, &best);
	}
}
