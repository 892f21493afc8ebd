#include "sim/queuecheck.h"

#include <math.h>
#include <stdlib.h>

enum { UNDECIDED = -1 };

struct check {
	const struct queuetrace *trace;
	const struct queuemodel_options *options;
	const struct queuemodel_result *run;
	struct arena *life;
	int64_t *place; // of each change: index of its decision, UNDECIDED
	bool *lands;
	int64_t *ran_ms; // by each candidate
	struct err *e;
};

static bool broken_candidate(const struct check *c, size_t k, const char *why) {
	return err_set(c->e, ERR_CORRUPT, "candidate %zu: %s", k, why);
}

static bool broken_decision(const struct check *c, size_t k, const char *why) {
	return err_set(c->e, ERR_CORRUPT, "decision on change %u: %s", c->run->decisions[k].change,
	               why);
}

static bool is_in(const struct queuemodel_candidate *x, uint32_t change) {
	for (size_t i = 0; i < x->member_count; i++)
		if (x->members[i] == change) return true;
	for (size_t i = 0; i < x->base_count; i++)
		if (x->base[i] == change) return true;
	return false;
}

static bool is_member(const struct queuemodel_candidate *x, uint32_t change) {
	for (size_t i = 0; i < x->member_count; i++)
		if (x->members[i] == change) return true;
	return false;
}

// Landed when the candidate started. Decisions of one moment come before the starts of it.
static bool had_landed(const struct check *c, const struct queuemodel_candidate *x, uint32_t j) {
	const struct queuemodel_decision *d = &c->run->decisions[c->place[j]];
	return d->landed && d->at_ms <= x->began_ms;
}

static bool in_tree(const struct check *c, const struct queuemodel_candidate *x, uint32_t j) {
	return is_in(x, j) || had_landed(c, x, j);
}

static bool meet(const struct check *c, uint32_t a, uint32_t b) {
	const struct queuetrace_change *x = &c->trace->changes[a], *y = &c->trace->changes[b];
	for (size_t i = 0; i < x->area_count; i++)
		for (size_t k = 0; k < y->area_count; k++)
			if (x->areas[i] == y->areas[k]) return true;
	return false;
}

// ---------------------------------------------------------------- candidates

static bool is_red(const struct check *c, const struct queuemodel_candidate *x) {
	for (size_t k = 0; k < x->member_count + x->base_count; k++) {
		uint32_t i = k < x->member_count ? x->members[k] : x->base[k - x->member_count];
		const struct queuetrace_change *t = &c->trace->changes[i];
		if (!t->ok) return true;
		for (size_t r = 0; r < t->conflict_count; r++)
			if (in_tree(c, x, t->conflicts[r])) return true;
	}
	return false;
}

static double flake_rate(const struct check *c, const struct queuemodel_candidate *x) {
	double steady = 1;
	for (size_t i = 0; i < x->member_count; i++)
		steady *= 1 - c->trace->changes[x->members[i]].flake;
	return 1 - steady;
}

static double again(const struct queuemodel_candidate *x) { // runs after the first
	return x->reds + x->greens ? x->reds + x->greens - 1 : 0;
}

static bool candidate_holds(const struct check *c, size_t k) {
	const struct queuemodel_candidate *x = &c->run->candidates[k];
	double longest = 0;
	if (!x->member_count) return broken_candidate(c, k, "it has no member");
	for (size_t i = 0; i < x->member_count + x->base_count; i++) {
		uint32_t j = i < x->member_count ? x->members[i] : x->base[i - x->member_count];
		if (j >= c->trace->n) return broken_candidate(c, k, "it holds no change of the trace");
		if (c->trace->changes[j].arrival_ms > x->began_ms)
			return broken_candidate(c, k, "it holds a change that has not arrived");
		if (c->run->decisions[c->place[j]].at_ms <= x->began_ms)
			return broken_candidate(c, k, "it holds a change that was decided before");
		if (i < x->member_count) longest = fmax(longest, (double)c->trace->changes[j].duration_ms);
		else if (is_member(x, j)) return broken_candidate(c, k, "a member is its base too");
	}
	double took = longest * (1 + .05 * (double)(x->member_count - 1)) * (1 - c->options->reuse);
	took *= 1 + QUEUEMODEL_AGAIN * again(x);
	if (!x->stopped && fabs((double)c->ran_ms[k] - took) > 1 + again(x))
		return broken_candidate(c, k, "it took another time than its longest member says");
	if (!x->stopped && (is_red(c, x) ? x->passed : !x->passed && flake_rate(c, x) <= 0))
		return broken_candidate(c, k, "its verdict is not what its tree deserves");
	return true;
}

struct moment {
	int64_t at_ms;
	int change; // ends come before starts
};

static int by_time(const void *a, const void *b) {
	const struct moment *x = a, *y = b;
	if (x->at_ms != y->at_ms) return x->at_ms < y->at_ms ? -1 : 1;
	return x->change - y->change;
}

static bool executors_hold(const struct check *c) {
	size_t n = c->run->slot_count, running = 0;
	struct moment *moments = ARENA_ARRAY(c->life, struct moment, 2 * n + 1);
	for (size_t k = 0; k < n; k++) {
		const struct queuemodel_slot *s = &c->run->slots[k];
		if (s->candidate >= c->run->candidate_count)
			return err_set(c->e, ERR_CORRUPT, "something ran that is no candidate");
		moments[2 * k] = (struct moment){s->began_ms, 1};
		moments[2 * k + 1] = (struct moment){s->ended_ms, -1};
		c->ran_ms[s->candidate] += s->ended_ms - s->began_ms;
	}
	qsort(moments, 2 * n, sizeof *moments, by_time);
	for (size_t k = 0; k < 2 * n; k++) {
		if (moments[k].change < 0) {
			running--;
			continue;
		}
		if (++running > c->options->executors)
			return err_set(c->e, ERR_CORRUPT, "more candidates run than there are executors");
	}
	return true;
}

// ---------------------------------------------------------------- decisions

struct outcome { // of the changes that are undecided when another is decided
	const uint32_t *undecided;
	size_t n;
	unsigned landing;
};

// Whether j lands: known from before decision k, or supposed by o; UNDECIDED otherwise.
static int lands(const struct check *c, uint32_t j, size_t k, const struct outcome *o) {
	if (c->place[j] < (int64_t)k) return c->run->decisions[c->place[j]].landed;
	for (size_t u = 0; u < o->n; u++)
		if (o->undecided[u] == j) return (int)(o->landing >> u & 1);
	return UNDECIDED;
}

static bool justifies(const struct check *c, const struct queuemodel_candidate *x, size_t k,
                      const uint32_t *before, size_t n, const struct outcome *o) {
	const struct queuemodel_decision *d = &c->run->decisions[k];
	if (x->stopped || x->ended_ms > d->at_ms || !is_member(x, d->change)) return false;
	if (x->passed != d->landed) return false;
	for (size_t b = 0; b < n; b++)
		if (lands(c, before[b], k, o) != in_tree(c, x, before[b])) return false;
	if (d->landed) return true;
	if (c->options->again && pow(flake_rate(c, x), x->reds) >= QUEUEMODEL_FAKED_MAX) return false;
	for (size_t i = 0; i < x->member_count + x->base_count; i++) {
		uint32_t j = i < x->member_count ? x->members[i] : x->base[i - x->member_count];
		if (j != d->change && lands(c, j, k, o) != 1) return false;
	}
	return true;
}

// The order of landing: what had a higher priority when both were open, else what came first.
static bool is_ahead(const struct check *c, uint32_t j, uint32_t i) {
	const struct queuetrace_change *x = &c->trace->changes[j], *y = &c->trace->changes[i];
	uint32_t later = j > i ? j : i, earlier = j > i ? i : j;
	bool met = c->run->decisions[c->place[earlier]].at_ms >= c->trace->changes[later].arrival_ms;
	if (met && x->priority != y->priority) return x->priority > y->priority;
	return j < i;
}

static bool decision_holds(const struct check *c, size_t k) {
	const struct queuemodel_decision *d = &c->run->decisions[k];
	uint32_t *before = ARENA_ARRAY(c->life, uint32_t, c->trace->n + 1),
			 *undecided = ARENA_ARRAY(c->life, uint32_t, c->trace->n + 1);
	size_t n = 0, u = 0;
	if (d->at_ms < c->trace->changes[d->change].arrival_ms)
		return broken_decision(c, k, "before it arrived");
	if (d->landed != c->lands[d->change])
		return broken_decision(c, k, "not what becomes of it under every policy");
	for (uint32_t j = 0; j < c->trace->n; j++) {
		if (j == d->change || !is_ahead(c, j, d->change) || !meet(c, j, d->change)) continue;
		before[n++] = j;
		if (c->place[j] > (int64_t)k) undecided[u++] = j;
	}
	if (u && !c->options->early)
		return broken_decision(c, k, "before one ahead of it that conflicts was decided");
	if (u > QUEUEMODEL_EARLY_MAX)
		return broken_decision(c, k, "before more than four ahead of it were decided");
	for (unsigned landing = 0; landing < 1U << u; landing++) {
		struct outcome o = {undecided, u, landing};
		bool justified = false;
		for (size_t x = 0; x < d->candidate_count && !justified; x++)
			justified = d->candidates[x] < c->run->candidate_count &&
			            justifies(c, &c->run->candidates[d->candidates[x]], k, before, n, &o);
		if (!justified) return broken_decision(c, k, "no candidate it names justifies it");
	}
	return true;
}

static bool all_decided_once(struct check *c) {
	for (size_t i = 0; i < c->trace->n; i++) c->place[i] = UNDECIDED;
	for (size_t k = 0; k < c->run->decision_count; k++) {
		uint32_t i = c->run->decisions[k].change;
		if (i >= c->trace->n || c->place[i] != UNDECIDED)
			return broken_decision(c, k, "it is no change of the trace, or was decided before");
		if (k && c->run->decisions[k].at_ms < c->run->decisions[k - 1].at_ms)
			return broken_decision(c, k, "decisions are not in order of time");
		c->place[i] = (int64_t)k;
	}
	if (c->run->decision_count == c->trace->n) return true;
	return err_set(c->e, ERR_CORRUPT, "%zu of %zu changes were decided", c->run->decision_count,
	               c->trace->n);
}

bool queuecheck_run(const struct queuetrace *t, const struct queuemodel_options *options,
                    const struct queuemodel_result *run, struct arena *life, struct err *e) {
	struct check c = {.trace = t, .options = options, .run = run, .life = life, .e = e};
	c.place = ARENA_ARRAY(life, int64_t, t->n + 1);
	c.lands = ARENA_ARRAY(life, bool, t->n + 1);
	c.ran_ms = ARENA_ARRAY(life, int64_t, run->candidate_count + 1);
	queuetrace_outcomes(t, c.lands);
	if (!all_decided_once(&c)) return false;
	if (!executors_hold(&c)) return false;
	for (size_t k = 0; k < run->candidate_count; k++)
		if (!candidate_holds(&c, k)) return false;
	for (size_t k = 0; k < run->decision_count; k++)
		if (!decision_holds(&c, k)) return false;
	return true;
}
