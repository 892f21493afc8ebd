#include "sim/queuetrace.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/prng.h"

// Durations: lognormal, 95 of 100 below 2.2 times the median, none above four times. A change can
// only break with what was under way when it was written: what arrived in the last half of a
// duration and one more.
static const double SPREAD = .42, LONGEST = 4, TWO_AREAS = .25, UNDER_WAY = 1.5;
static const double SAID_GOOD = .95, SAID_BAD = .1;
static const double LATEST_S = 3e9, LONGEST_S = 1e7; // a century; a third of a year

const struct queuetrace_shape queuetrace_usual = {.changes = 1000,
                                                  .per_hour = 100,
                                                  .areas = 20,
                                                  .median_ms = INT64_C(30) * 60 * 1000,
                                                  .bad = .06,
                                                  .conflicts = .035,
                                                  .accuracy = .97,
                                                  .seed = 1};

// ---------------------------------------------------------------- reading

static bool refuse(struct err *e, size_t i, const char *why) {
	return err_set(e, ERR_INVALID, "change %zu of the trace: %s", i, why);
}

static bool read_areas(const struct json *v, size_t i, struct arena *life,
                       struct queuetrace_change *c, struct err *e) {
	if (json_kind(v) != JSON_KIND_ARRAY) return refuse(e, i, "areas must be a list of numbers");
	c->area_count = json_length(v);
	if (c->area_count > QUEUETRACE_AREAS_MAX) return refuse(e, i, "it has more than 64 areas");
	uint32_t *areas = ARENA_ARRAY(life, uint32_t, c->area_count + 1);
	for (size_t k = 0; k < c->area_count; k++) {
		int64_t area = json_int(json_at(v, k), -1);
		if (area < 0 || area >= UINT32_MAX)
			return refuse(e, i, "an area is a number from 0 to 4294967294");
		areas[k] = (uint32_t)area;
	}
	c->areas = areas;
	return true;
}

static bool read_change(const struct json *v, size_t i, int64_t after_ms, struct arena *life,
                        struct queuetrace_change *c, struct err *e) {
	double arrival = json_number(json_get(v, "arrival_s"), -1);
	double duration = json_number(json_get(v, "duration_s"), -1);
	c->success = json_number(json_get(v, "p_success"), -1);
	c->flake = json_number(json_get(v, "flake"), 0);
	int64_t priority = json_int(json_get(v, "priority"), 0);
	if (!(arrival >= 0 && arrival <= LATEST_S))
		return refuse(e, i, "arrival_s must be a number from 0 to 3e9");
	if (!(duration > 0 && duration <= LONGEST_S))
		return refuse(e, i, "duration_s must be a number above 0, at most 1e7");
	if (!(c->success >= 0 && c->success <= 1))
		return refuse(e, i, "p_success must be a number from 0 to 1");
	if (!(c->flake >= 0 && c->flake < 1))
		return refuse(e, i, "flake must be a number from 0 to below 1");
	if (priority < -100 || priority > 100)
		return refuse(e, i, "priority must be a number from -100 to 100");
	c->priority = (int32_t)priority;
	if (json_kind(json_get(v, "ok")) != JSON_KIND_BOOL)
		return refuse(e, i, "ok must be true or false");
	c->ok = json_get_bool(v, "ok", false);
	c->arrival_ms = (int64_t)round(arrival * 1000);
	c->duration_ms = (int64_t)fmax(round(duration * 1000), 1);
	if (c->arrival_ms < after_ms) return refuse(e, i, "it arrives before the one ahead of it");
	return read_areas(json_get(v, "areas"), i, life, c, e);
}

struct pair {
	uint32_t later, earlier;
};

static int by_later(const void *a, const void *b) {
	const struct pair *x = a, *y = b;
	if (x->later != y->later) return x->later < y->later ? -1 : 1;
	return (x->earlier > y->earlier) - (x->earlier < y->earlier);
}

static void take_pairs(struct queuetrace *t, struct pair *pairs, size_t n, struct arena *life) {
	uint32_t *earlier = ARENA_ARRAY(life, uint32_t, n + 1);
	if (n) qsort(pairs, n, sizeof *pairs, by_later);
	for (size_t k = 0; k < n; k++) {
		struct queuetrace_change *c = &t->changes[pairs[k].later];
		earlier[k] = pairs[k].earlier;
		if (!c->conflict_count) c->conflicts = &earlier[k];
		c->conflict_count++;
	}
}

static bool read_conflicts(const struct json *v, struct queuetrace *t, struct arena *life,
                           struct err *e) {
	size_t n = json_length(v);
	if (json_kind(v) != JSON_KIND_ARRAY && v)
		return err_set(e, ERR_INVALID, "real_conflicts of the trace must be a list of pairs");
	struct pair *pairs = ARENA_ARRAY(life, struct pair, n + 1);
	for (size_t k = 0; k < n; k++) {
		int64_t a = json_int(json_at(json_at(v, k), 0), -1),
				b = json_int(json_at(json_at(v, k), 1), -1);
		if (json_length(json_at(v, k)) != 2 || a < 0 || b < 0 || a == b || a >= (int64_t)t->n ||
		    b >= (int64_t)t->n)
			return err_set(e, ERR_INVALID,
			               "pair %zu of real_conflicts must name two changes of the trace, from 0",
			               k);
		if (t->changes[a].priority || t->changes[b].priority)
			return err_set(
				e, ERR_INVALID,
				"pair %zu of real_conflicts names a change with a priority: what becomes "
				"of it would depend on the policy",
				k);
		pairs[k] = (struct pair){(uint32_t)(a > b ? a : b), (uint32_t)(a > b ? b : a)};
	}
	take_pairs(t, pairs, n, life);
	return true;
}

bool queuetrace_read(struct str text, struct arena *life, struct queuetrace *out, struct err *e) {
	AUTO_JSON v = NULL;
	int64_t before_ms = 0;
	if (!json_parse(text, &v, e)) return false;
	const struct json *changes = json_get(v, "changes");
	struct queuetrace t = {.n = json_length(changes)};
	if (json_kind(changes) != JSON_KIND_ARRAY || !t.n)
		return err_set(e, ERR_INVALID, "the trace has no list \"changes\", or an empty one");
	if (t.n > QUEUETRACE_CHANGES_MAX)
		return err_set(e, ERR_LIMIT, "the trace has %zu changes; at most %d are simulated", t.n,
		               QUEUETRACE_CHANGES_MAX);
	t.changes = ARENA_ARRAY(life, struct queuetrace_change, t.n);
	for (size_t i = 0; i < t.n; i++) {
		if (!read_change(json_at(changes, i), i, before_ms, life, &t.changes[i], e)) return false;
		before_ms = t.changes[i].arrival_ms;
	}
	if (!read_conflicts(json_get(v, "real_conflicts"), &t, life, e)) return false;
	*out = t;
	return true;
}

// ---------------------------------------------------------------- writing

void queuetrace_write(const struct queuetrace *t, struct buf *out) {
	buf_cstr(out, "{\"changes\":[");
	for (size_t i = 0; i < t->n; i++) {
		const struct queuetrace_change *c = &t->changes[i];
		buf_printf(out, "%s\n{\"arrival_s\":%.3f,\"duration_s\":%.3f,\"ok\":%s,\"areas\":[",
		           i ? "," : "", (double)c->arrival_ms / 1000, (double)c->duration_ms / 1000,
		           c->ok ? "true" : "false");
		for (size_t k = 0; k < c->area_count; k++)
			buf_printf(out, "%s%u", k ? "," : "", c->areas[k]);
		buf_printf(out, "],\"p_success\":%g", c->success);
		if (c->flake > 0) buf_printf(out, ",\"flake\":%g", c->flake);
		if (c->priority) buf_printf(out, ",\"priority\":%d", (int)c->priority);
		buf_char(out, '}');
	}
	buf_cstr(out, "],\n\"real_conflicts\":[");
	bool any = false;
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->changes[i].conflict_count; k++, any = true)
			buf_printf(out, "%s[%u,%zu]", any ? "," : "", t->changes[i].conflicts[k], i);
	buf_cstr(out, "]}\n");
}

// ---------------------------------------------------------------- making

static double uniform(struct prng *r) { // above 0, at most 1
	return ((double)(prng_next(r) >> 11) + 1) / 9007199254740992.0;
}

// Marsaglia's polar method.
static double normal(struct prng *r) {
	for (;;) {
		double x = 2 * uniform(r) - 1, y = 2 * uniform(r) - 1, s = x * x + y * y;
		if (s > 0 && s < 1) return x * sqrt(-2 * log(s) / s);
	}
}

bool queuetrace_meet(const struct queuetrace_change *a, const struct queuetrace_change *b) {
	for (size_t i = 0; i < a->area_count; i++)
		for (size_t k = 0; k < b->area_count; k++)
			if (a->areas[i] == b->areas[k]) return true;
	return false;
}

static void make_conflicts(const struct queuetrace_shape *shape, struct prng *r, struct arena *life,
                           struct queuetrace *t) {
	size_t n = 0, cap = 64, first = 0;
	struct pair *pairs = ARENA_ARRAY(life, struct pair, cap);
	int64_t reach_ms = (int64_t)((double)shape->median_ms * LONGEST * UNDER_WAY);
	for (size_t i = 0; i < t->n; i++) {
		const struct queuetrace_change *c = &t->changes[i];
		while (t->changes[first].arrival_ms + reach_ms < c->arrival_ms) first++;
		for (size_t k = first; k < i; k++) {
			const struct queuetrace_change *o = &t->changes[k];
			if (!queuetrace_meet(o, c) || o->priority || c->priority ||
			    (double)(c->arrival_ms - o->arrival_ms) > UNDER_WAY * (double)o->duration_ms)
				continue;
			if (uniform(r) > shape->conflicts) continue;
			if (n == cap) {
				struct pair *more = ARENA_ARRAY(life, struct pair, cap * 2);
				memcpy(more, pairs, n * sizeof *more);
				pairs = more;
				cap *= 2;
			}
			pairs[n++] = (struct pair){(uint32_t)i, (uint32_t)k};
		}
	}
	take_pairs(t, pairs, n, life);
}

void queuetrace_make(const struct queuetrace_shape *shape, struct arena *life,
                     struct queuetrace *out) {
	struct prng r = prng_seeded(shape->seed);
	struct queuetrace t = {ARENA_ARRAY(life, struct queuetrace_change, shape->changes + 1),
	                       shape->changes};
	double at_ms = 0, most = LONGEST * (double)shape->median_ms;
	for (size_t i = 0; i < t.n; i++) {
		struct queuetrace_change *c = &t.changes[i];
		uint32_t *areas = ARENA_ARRAY(life, uint32_t, 2);
		c->arrival_ms = (int64_t)at_ms;
		at_ms += -log(uniform(&r)) * 3600000 / shape->per_hour;
		c->duration_ms = (int64_t)fmin(
			fmax((double)shape->median_ms * exp(SPREAD * normal(&r)), 1000), most);
		c->ok = uniform(&r) > shape->bad;
		areas[0] = areas[1] = (uint32_t)prng_below(&r, shape->areas);
		c->area_count = 1;
		if (uniform(&r) < TWO_AREAS) areas[1] = (uint32_t)prng_below(&r, shape->areas);
		if (areas[1] != areas[0]) c->area_count = 2;
		c->areas = areas;
	}
	for (size_t i = 0; i < t.n; i++) { // after the rest, which stays as it is without them
		t.changes[i].flake = shape->flake;
		if (shape->urgent > 0) t.changes[i].priority = uniform(&r) <= shape->urgent;
	}
	make_conflicts(shape, &r, life, &t);
	bool *lands = ARENA_ARRAY(life, bool, t.n + 1);
	queuetrace_outcomes(&t, lands);
	for (size_t i = 0; i < t.n; i++) {
		bool right = uniform(&r) <= shape->accuracy;
		t.changes[i].success = lands[i] == right ? SAID_GOOD : SAID_BAD;
	}
	*out = t;
}

void queuetrace_outcomes(const struct queuetrace *t, bool *lands) {
	for (size_t i = 0; i < t->n; i++) {
		lands[i] = t->changes[i].ok;
		for (size_t k = 0; k < t->changes[i].conflict_count; k++)
			lands[i] = lands[i] && !lands[t->changes[i].conflicts[k]];
	}
}
