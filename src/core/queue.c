#include "core/queue.h"

#include <math.h>
#include <stdlib.h>

#include "core/queueplan.h"

const struct queue_knobs queue_lean = {.price = .6, .early = .7, .size_max = 8};
const struct queue_knobs queue_mid = {.price = .3, .early = .4, .size_max = 8};
const struct queue_knobs queue_fast = {.price = .18, .early = .18, .size_max = 8};

static const double GREEN = .998,
					RED = .01, // what a verdict on the exact tree makes of a prediction
	UNLIKELY = .1,             // a path that is tested only if waiting is dear
	LOADED = .65;
static const size_t OPEN_PER_SLOT = 3;

struct queue_knobs queue_priced(double price) {
	struct queue_knobs low = queue_fast, high = queue_mid;
	if (price > queue_mid.price) {
		low = queue_mid;
		high = queue_lean;
	}
	double at = (price - low.price) / (high.price - low.price);
	double early = low.early + at * (high.early - low.early);
	return (struct queue_knobs){price, queueplan_max(early, .01), queue_mid.size_max};
}

// ---------------------------------------------------------------- 1. believe

static void believe_green(struct queueplan *q, size_t t) {
	const struct queue_view *v = q->view;
	BITS_EACH(x, q->inside[t], q->words) {
		double still = GREEN;
		const uint64_t *before = v->changes[x].before;
		BITS_EACH(y, before, q->words)
		if (!bits_has(q->inside[t], y)) still *= 1 - v->conflicts * q->changes[y].success;
		if (q->changes[x].success < still) q->changes[x].success = still;
	}
}

// Of chains: it stands on one that is red itself, or on all of a batch that is.
static bool stands_on_red(const struct queueplan *q, size_t t) {
	const struct queue_try *x = &q->view->tries[t];
	BITS_EACH(y, x->base, q->words)
	if (q->changes[y].success <= RED) return true;
	for (size_t b = 0; b < q->view->try_count; b++) {
		const struct queue_try *batch = &q->view->tries[b];
		if (batch->state == QUEUE_FAILED && bits_count(batch->members, q->words) > 1 &&
		    bits_within(batch->members, x->base, q->words))
			return true;
	}
	return false;
}

// Whom a red try may be blamed on. Of chains only the members, and none when what is below them is
// red. Tries stand behind those that they stand on.
static const uint64_t *suspects_of(const struct queueplan *q, size_t t) {
	if (!q->view->chains) return q->inside[t];
	return stands_on_red(q, t) ? queueplan_set(q) : q->view->tries[t].members;
}

// How likely its tree is bad, given what it looks like, and who of its changes then it is.
static void believe_red(struct queueplan *q, size_t t) {
	double all = 1;
	const uint64_t *suspects = suspects_of(q, t);
	BITS_EACH(x, suspects, q->words) all *= q->changes[x].success;
	double real = (1 - all) / queueplan_max(1 - all + all * q->view->tries[t].faked, 1e-12);
	BITS_EACH(x, suspects, q->words) {
		double *p = &q->changes[x].success;
		double bad = real * (1 - *p) / queueplan_max(1 - all, 1e-9);
		*p = queueplan_max(1 - bad, RED);
	}
}

static bool was_red(const struct queue_try *x) {
	return x->state != QUEUE_PASSED && x->faked < 1 && !x->spoiled;
}

static void believe(struct queueplan *q) {
	const struct queue_view *v = q->view;
	for (size_t i = 0; i < q->n; i++) q->changes[i].success = v->changes[i].success;
	for (size_t t = 0; t < v->try_count; t++)
		if (v->tries[t].state == QUEUE_PASSED) believe_green(q, t);
	for (int suspects = 1; suspects <= 2; suspects++) // one, then several: it may clear others
		for (size_t t = 0; t < v->try_count; t++) {
			if (!was_red(&v->tries[t])) continue;
			bool single = bits_count(v->chains ? v->tries[t].members : q->inside[t], q->words) == 1;
			if (single == (suspects == 1)) believe_red(q, t);
		}
}

// ---------------------------------------------------------------- 3. stop

// What a running candidate is worth: how probable its paths are, over what is left to pay.
static double worth(const struct queueplan *q, size_t t) {
	const struct queue_try *x = &q->view->tries[t];
	double sum = 0;
	BITS_EACH(i, x->members, q->words) {
		if (bits_has(x->refuted, i)) continue;
		double path = 1;
		BITS_EACH(y, q->view->changes[i].before, q->words)
		path *= bits_has(q->inside[t], y) ? q->changes[y].success : 1 - q->changes[y].success;
		sum += path;
	}
	double whole = queueplan_max((double)(x->ends_ms - x->began_ms), 1);
	double left = queueplan_max((double)(x->ends_ms - q->view->now_ms), 1);
	return sum / queueplan_min(left / whole, 1);
}

static bool is_urgent(const struct queueplan *q, size_t t) {
	BITS_EACH(i, q->view->tries[t].members, q->words)
	if (q->view->changes[i].urgent) return true;
	return false;
}

static void stop(struct queueplan *q, size_t t) {
	q->stopped[t] = true;
	q->out->stops[q->out->stop_count++] = t;
	if (q->over) q->over--;
	else q->free++;
}

// Stops the running candidate that is worth least, if less than `limit`.
static bool stop_least(struct queueplan *q, double limit) {
	const struct queue_view *v = q->view;
	size_t least = SIZE_MAX;
	for (size_t t = 0; t < v->try_count; t++) {
		if (v->tries[t].state != QUEUE_RUNNING || q->stopped[t]) continue;
		double w = worth(q, t);
		if (w >= limit || is_urgent(q, t)) continue;
		limit = w;
		least = t;
	}
	if (least < SIZE_MAX) stop(q, least);
	return least < SIZE_MAX;
}

// When the path is improbable, what will be known soon is worth waiting for.
static bool better_waits(struct queueplan *q, size_t i) {
	struct queueplan_change *c = &q->changes[i];
	const struct queue_change *x = &q->view->changes[i];
	if (c->sure >= UNLIKELY) return false;
	if (c->waits) return c->waits == QUEUEPLAN_WAITS;
	double known = INFINITY, now = (double)q->view->now_ms;
	BITS_EACH(y, x->before, q->words) known = queueplan_min(known, q->changes[y].known_ms);
	double duration = queueplan_max((double)x->duration_ms, 1);
	bool waits = c->sure * queueplan_min(known - now, duration) / duration < q->view->knobs.price;
	c->waits = waits ? QUEUEPLAN_WAITS : QUEUEPLAN_STARTS;
	return waits;
}

// Of chains, when slots are short: what runs on top of a change that has no candidate gives its
// slot to that. Else the two would wait for each other.
static void stop_standing(struct queueplan *q, bool loaded) {
	uint64_t *begins = queueplan_set(q);
	if (!q->view->chains || q->free) return;
	BITS_EACH(i, q->need, q->words)
	if (loaded || !better_waits(q, i)) bits_add(begins, i);
	for (size_t t = q->view->try_count; t > 0 && !q->free; t--) {
		const struct queue_try *x = &q->view->tries[t - 1];
		if (x->state == QUEUE_RUNNING && !q->stopped[t - 1] && bits_meet(x->base, begins, q->words))
			stop(q, t - 1);
	}
}

// In the turn in which a hotfix comes it costs others one slot, no more.
static void stop_improbable(struct queueplan *q) {
	if (q->hotfix_starts) return;
	size_t need = 0;
	double best = 0;
	BITS_EACH(i, q->need, q->words) {
		if (better_waits(q, i)) continue; // it would not start
		best = queueplan_max(best, q->changes[i].sure);
		need++;
	}
	while (need > q->free && stop_least(q, queueplan_stop_below(best))) {}
}

// ---------------------------------------------------------------- 4. start

static void start_alone(struct queueplan *q, size_t i) {
	uint64_t *members = queueplan_set(q);
	bits_add(members, i);
	bits_drop(q->need, i);
	queueplan_start(q, members, q->changes[i].likely);
}

// A hotfix waits for nobody: what it conflicts with is planned anew around it, the rest runs on.
static void start_urgent(struct queueplan *q) {
	for (size_t i = 0; i < q->n; i++)
		if (q->view->changes[i].urgent && bits_has(q->need, i) &&
		    (q->free || stop_least(q, INFINITY))) {
			start_alone(q, i);
			q->hotfix_starts = true;
		}
}

// What was red once and may be a flake holds up all behind it, and takes little: the runs that will
// leave no doubt are started at once.
static void run_again(struct queueplan *q) {
	for (size_t t = 0; t < q->view->try_count; t++) {
		const struct queue_try *x = &q->view->tries[t];
		if (x->state != QUEUE_DOUBTED || x->spoiled) continue;
		for (uint32_t k = 0; k < x->again_most && q->free; k++, q->free--)
			q->out->again[q->out->again_count++] = t;
	}
}

static void start_likely(struct queueplan *q) {
	BITS_EACH(i, q->need, q->words) {
		if (!q->free) return;
		if (!better_waits(q, i)) start_alone(q, i);
	}
}

// Of chains slots are short only for what no batch takes in: else a hedge of this plan would be
// stopped by the next one.
static void start_batches(struct queueplan *q) {
	queuebatch_start(q);
	while (q->view->chains && !q->hotfix_starts && !q->free) {
		double best = queuebatch_surest(q);
		if (best <= 0 || !stop_least(q, queueplan_stop_below(best))) return;
		queuebatch_start(q);
	}
}

void queue_decide(const struct queue_view *view, struct arena *life, struct queue_plan *plan) {
	struct queueplan q = {.view = view, .life = life, .out = plan, .n = view->change_count};
	size_t running = 0;
	q.words = bits_words(q.n);
	q.changes = ARENA_ARRAY(life, struct queueplan_change, q.n + 1);
	q.inside = ARENA_ARRAY(life, uint64_t *, view->try_count + 1);
	q.need = queueplan_set(&q);
	for (size_t i = 0; i < q.n; i++) q.changes[i].after = queueplan_set(&q);
	for (size_t t = 0; t < view->try_count; t++) {
		q.inside[t] = queueplan_set(&q);
		for (size_t w = 0; w < q.words; w++)
			q.inside[t][w] = view->tries[t].members[w] | view->tries[t].base[w];
		running += view->tries[t].state == QUEUE_RUNNING;
	}
	q.free = view->slots > running ? view->slots - running : 0;
	q.over = running > view->slots ? running - view->slots : 0;
	*plan = (struct queue_plan){.starts = ARENA_ARRAY(life, struct queue_start, view->slots + 1),
	                            .stops = ARENA_ARRAY(life, size_t, view->try_count + 1),
	                            .again = ARENA_ARRAY(life, size_t, view->slots + 1)};
	q.stopped = ARENA_ARRAY(life, bool, view->try_count + 1);
	believe(&q);
	queueplan_find_need(&q);
	start_urgent(&q);
	run_again(&q);
	bool loaded = view->load > LOADED || q.n > OPEN_PER_SLOT * view->slots;
	stop_standing(&q, loaded);
	if (!loaded || !view->chains) stop_improbable(&q);
	if (loaded && bits_count(q.need, q.words) > q.free) start_batches(&q);
	else start_likely(&q);
	if (q.free) queuehedge_start(&q);
}
