#include "sim/queuemodel.h"

#include <math.h>
#include <stdlib.h>

#include "base/prng.h"

enum { LOAD_CHANGES = 60, BUCKETS = 20, NEVER = -1, AGAIN_MOST = 5 };
static const double PRIOR = 8, CONFLICTS = .04, SURELY = .999;

enum fate { AHEAD, OPEN, LANDED, REJECTED };

struct list {
	uint32_t *at;
	size_t n, cap;
};

struct change {
	enum fate fate;
	struct list before; // conflicting changes that were open when it came
	struct list tries;  // candidates with it as a member, not refuted for it
	size_t view;        // index in the view of this turn
};

struct attempt {
	struct queuemodel_candidate c;
	struct list refuted; // members
	bool spoiled, ended, gone;
	bool doubted;           // red, and to be run again before it decides
	uint32_t runs;          // at present
	double faked;           // how likely a good tree is red that often
	int64_t first_ms;       // what the first run took
	int64_t run_ms;         // when the present run began
	size_t landed_at_start; // decisions made before it
};

struct model {
	const struct queuetrace *trace;
	const struct queuemodel_options *options;
	struct arena *life;
	struct arena turn;
	struct change *changes;
	size_t *decided_at; // index of its decision
	struct list open;   // in order of arrival
	struct list live;   // attempts that may still say something
	struct attempt *attempts;
	size_t attempt_count, attempt_cap, running;
	struct list *by_area; // open changes; hashed
	int64_t now_ms;
	size_t arrived;
	double duration_sum;
	double bucket_landed[BUCKETS], bucket_decided[BUCKETS];
	bool *truth;
	struct prng chance;
	struct queuemodel_memory memory;
	struct queuemodel_result result;
	size_t slot_cap;
};

static void push(struct model *m, struct list *l, uint32_t x) {
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 4;
		uint32_t *more = ARENA_ARRAY(m->life, uint32_t, cap);
		if (l->n) memcpy(more, l->at, l->n * sizeof *more);
		l->at = more;
		l->cap = cap;
	}
	l->at[l->n++] = x;
}

static void drop(struct list *l, uint32_t x) { // keeps the order
	size_t k = 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i] != x) l->at[k++] = l->at[i];
	l->n = k;
}

static bool has(const uint32_t *list, size_t n, uint32_t x) {
	for (size_t i = 0; i < n; i++)
		if (list[i] == x) return true;
	return false;
}

static bool inside(const struct attempt *a, uint32_t x) {
	return has(a->c.members, a->c.member_count, x) || has(a->c.base, a->c.base_count, x);
}

// ---------------------------------------------------------------- changes arrive

// Behind all of its priority and above. Those behind it that conflict depend on it from now on.
static void place(struct model *m, uint32_t i) {
	size_t at = m->open.n;
	push(m, &m->open, i);
	for (; at && m->trace->changes[m->open.at[at - 1]].priority < m->trace->changes[i].priority;
	     at--) {
		uint32_t behind = m->open.at[at - 1];
		m->open.at[at] = behind;
		if (queuetrace_meet(&m->trace->changes[behind], &m->trace->changes[i]))
			push(m, &m->changes[behind].before, i);
	}
	m->open.at[at] = i;
}

static void arrive(struct model *m) {
	uint32_t i = (uint32_t)m->arrived++;
	struct change *c = &m->changes[i];
	for (size_t k = 0; k < m->open.n; k++)
		if (m->trace->changes[m->open.at[k]].priority >= m->trace->changes[i].priority &&
		    queuetrace_meet(&m->trace->changes[m->open.at[k]], &m->trace->changes[i]))
			push(m, &c->before, m->open.at[k]);
	place(m, i);
	c->fate = OPEN;
	m->duration_sum += (double)m->trace->changes[i].duration_ms;
}

// ---------------------------------------------------------------- candidates

static bool in_tree(const struct model *m, const struct attempt *a, uint32_t x) {
	return inside(a, x) || (m->changes[x].fate == LANDED && m->decided_at[x] < a->landed_at_start);
}

static bool is_green(const struct model *m, const struct attempt *a) {
	for (size_t k = 0; k < a->c.member_count + a->c.base_count; k++) {
		uint32_t x = k < a->c.member_count ? a->c.members[k] : a->c.base[k - a->c.member_count];
		const struct queuetrace_change *c = &m->trace->changes[x];
		if (!c->ok) return false;
		for (size_t r = 0; r < c->conflict_count; r++)
			if (in_tree(m, a, c->conflicts[r])) return false;
	}
	return true;
}

static void start(struct model *m, const struct list *members, const struct list *base) {
	if (m->attempt_count == m->attempt_cap) {
		size_t cap = m->attempt_cap ? m->attempt_cap * 2 : 256;
		struct attempt *more = ARENA_ARRAY(m->life, struct attempt, cap);
		if (m->attempt_count) memcpy(more, m->attempts, m->attempt_count * sizeof *more);
		m->attempts = more;
		m->attempt_cap = cap;
	}
	uint32_t id = (uint32_t)m->attempt_count++;
	struct attempt *a = &m->attempts[id];
	int64_t longest = 0;
	*a = (struct attempt){.c = {.members = members->at,
	                            .base = base->at,
	                            .member_count = members->n,
	                            .base_count = base->n,
	                            .began_ms = m->now_ms},
	                      .faked = 1,
	                      .runs = 1,
	                      .run_ms = m->now_ms,
	                      .landed_at_start = m->result.decision_count};
	for (size_t k = 0; k < members->n; k++) {
		int64_t d = m->trace->changes[members->at[k]].duration_ms;
		if (d > longest) longest = d;
		push(m, &m->changes[members->at[k]].tries, id);
	}
	double took = (double)longest * (1 + .05 * (double)(members->n - 1)) * (1 - m->options->reuse);
	a->first_ms = (int64_t)fmax(round(took), 1);
	a->c.ended_ms = m->now_ms + a->first_ms;
	push(m, &m->live, id);
	m->running++;
}

// The present runs of a candidate are over.
static void leave(struct model *m, uint32_t id) {
	struct queuemodel_result *r = &m->result;
	struct attempt *a = &m->attempts[id];
	for (; a->runs; a->runs--, m->running--) {
		if (r->slot_count == m->slot_cap) {
			size_t cap = m->slot_cap ? m->slot_cap * 2 : 256;
			struct queuemodel_slot *more = ARENA_ARRAY(m->life, struct queuemodel_slot, cap);
			if (r->slot_count) memcpy(more, r->slots, r->slot_count * sizeof *more);
			r->slots = more;
			m->slot_cap = cap;
		}
		r->slots[r->slot_count++] = (struct queuemodel_slot){id, a->run_ms, a->c.ended_ms};
		r->executor_ms += a->c.ended_ms - a->run_ms;
	}
}

static void stop(struct model *m, uint32_t id) {
	struct attempt *a = &m->attempts[id];
	a->c.stopped = a->ended = a->gone = true;
	a->c.ended_ms = m->now_ms;
	m->result.stopped++;
	leave(m, id);
	for (size_t k = 0; k < a->c.member_count; k++) drop(&m->changes[a->c.members[k]].tries, id);
}

// That a run of it fails for nothing: any of its members may.
static double flake_rate(const struct model *m, const struct attempt *a) {
	double steady = 1;
	for (size_t k = 0; k < a->c.member_count; k++)
		steady *= 1 - m->trace->changes[a->c.members[k]].flake;
	return 1 - steady;
}

static bool is_flake(struct model *m, const struct attempt *a) {
	double rate = flake_rate(m, a);
	return rate > 0 && (double)(prng_next(&m->chance) >> 11) < rate * 9007199254740992.0;
}

static void finish(struct model *m, uint32_t id) {
	struct attempt *a = &m->attempts[id];
	bool green = is_green(m, a);
	a->ended = true;
	for (uint32_t run = 0; run < a->runs; run++) {
		if (green && !is_flake(m, a)) {
			a->c.greens++;
			continue;
		}
		a->c.reds++;
		a->faked *= flake_rate(m, a);
	}
	leave(m, id);
	a->c.passed = a->c.greens > 0;
	a->doubted = !a->c.passed && m->options->again && a->faked >= QUEUEMODEL_FAKED_MAX;
}

static int64_t again_ms(const struct attempt *a) {
	return (int64_t)fmax(round((double)a->first_ms * QUEUEMODEL_AGAIN), 1);
}

static uint32_t again_most(const struct model *m, const struct attempt *a) {
	double faked = a->faked;
	uint32_t n = 0;
	for (; faked >= QUEUEMODEL_FAKED_MAX && n < AGAIN_MOST; n++) faked *= flake_rate(m, a);
	return n;
}

static void run_again(struct model *m, uint32_t id) {
	struct attempt *a = &m->attempts[id];
	if (a->ended) {
		a->c.ended_ms = m->now_ms + again_ms(a);
		a->run_ms = m->now_ms;
		a->ended = a->doubted = false;
	}
	a->runs++;
	m->running++;
	m->result.again++;
}

// ---------------------------------------------------------------- decisions

// What is known of i when `landing` (of the undecided ones before it) land and no others do.
// 1 = lands, 0 = rejected, NEVER = nothing; *by is the candidate that says so.
static int verdict(const struct model *m, uint32_t i, const struct list *undecided,
                   unsigned landing, uint32_t *by) {
	const struct change *c = &m->changes[i];
	for (size_t k = 0; k < c->tries.n && m->attempts; k++) {
		const struct attempt *a = &m->attempts[c->tries.at[k]];
		bool as_assumed = a->ended && !a->doubted;
		for (size_t u = 0; u < undecided->n && as_assumed; u++)
			as_assumed = inside(a, undecided->at[u]) == (landing >> u & 1);
		if (!as_assumed) continue;
		*by = c->tries.at[k];
		if (a->c.passed) return 1;
		bool others = !a->spoiled;
		for (size_t x = 0; x < a->c.member_count + a->c.base_count && others; x++) {
			uint32_t o = x < a->c.member_count ? a->c.members[x] : a->c.base[x - a->c.member_count];
			if (o == i || m->changes[o].fate == LANDED) continue;
			others = false;
			for (size_t u = 0; u < undecided->n; u++)
				others = others || (undecided->at[u] == o && (landing >> u & 1));
		}
		if (others) return 0;
	}
	return NEVER;
}

static void refute(struct model *m, uint32_t decided, bool landed) {
	for (size_t k = 0; k < m->live.n; k++) {
		struct attempt *a = &m->attempts[m->live.at[k]];
		bool in = inside(a, decided);
		if (in && !landed) a->spoiled = true;
		if (in == landed) continue;
		for (size_t x = 0; x < a->c.member_count; x++) {
			uint32_t i = a->c.members[x];
			struct change *c = &m->changes[i];
			if (c->fate != OPEN || !has(c->before.at, c->before.n, decided) ||
			    has(a->refuted.at, a->refuted.n, i))
				continue;
			push(m, &a->refuted, i);
			drop(&c->tries, m->live.at[k]);
		}
	}
}

static void decide(struct model *m, uint32_t i, bool landed, const struct list *by) {
	struct queuemodel_result *r = &m->result;
	double p = m->trace->changes[i].success;
	size_t bucket = (size_t)fmin(p * BUCKETS, BUCKETS - 1);
	m->decided_at[i] = r->decision_count;
	r->decisions[r->decision_count++] = (struct queuemodel_decision){i, landed, m->now_ms, by->at,
	                                                                 by->n};
	r->landed += landed;
	m->memory.landed += landed;
	m->memory.rejected += !landed;
	m->bucket_decided[bucket]++;
	m->bucket_landed[bucket] += landed;
	m->changes[i].fate = landed ? LANDED : REJECTED;
	drop(&m->open, i);
	refute(m, i, landed);
}

static bool settle_one(struct model *m, uint32_t i) {
	struct change *c = &m->changes[i];
	struct list undecided = {0}, by = {0};
	size_t k = 0;
	for (size_t b = 0; b < c->before.n; b++)
		if (m->changes[c->before.at[b]].fate == OPEN) c->before.at[k++] = c->before.at[b];
	c->before.n = k;
	if (!c->tries.n || (k && (!m->options->early || k > QUEUEMODEL_EARLY_MAX))) return false;
	undecided = c->before;
	int known = NEVER;
	for (unsigned landing = 0; landing < 1U << k; landing++) {
		uint32_t who = 0;
		int v = verdict(m, i, &undecided, landing, &who);
		if (v == NEVER || (known != NEVER && v != known)) return false;
		known = v;
		if (!has(by.at, by.n, who)) push(m, &by, who);
	}
	decide(m, i, known == 1, &by);
	return true;
}

static void settle(struct model *m) {
	bool again = true;
	while (again) {
		again = false;
		for (size_t k = 0; k < m->open.n; k++)
			if (settle_one(m, m->open.at[k])) {
				again = true;
				k--;
			}
	}
}

// Ends what can say nothing any more.
static void sweep(struct model *m) {
	size_t k = 0;
	for (size_t x = 0; x < m->live.n; x++) {
		uint32_t id = m->live.at[x];
		struct attempt *a = &m->attempts[id];
		bool speaks = false;
		for (size_t i = 0; i < a->c.member_count && !speaks; i++) {
			uint32_t member = a->c.members[i];
			speaks = m->changes[member].fate == OPEN && !has(a->refuted.at, a->refuted.n, member);
		}
		if (!a->ended && (a->spoiled || !speaks)) stop(m, id);
		if (!a->gone && !speaks) a->gone = true;
		if (!a->gone) m->live.at[k++] = id;
	}
	m->live.n = k;
}

// ---------------------------------------------------------------- what the policy sees

static double predicted(const struct model *m, uint32_t i) {
	double p = m->trace->changes[i].success;
	if (m->options->told) return m->truth[i] ? 1 - 1e-9 : 1e-9;
	if (m->options->calibrated) {
		size_t bucket = (size_t)fmin(p * BUCKETS, BUCKETS - 1);
		p = (m->bucket_landed[bucket] + PRIOR * p) / (m->bucket_decided[bucket] + PRIOR);
	}
	return fmin(fmax(p, 1 - SURELY), SURELY);
}

static double load(const struct model *m) {
	size_t n = m->arrived < LOAD_CHANGES ? m->arrived : LOAD_CHANGES;
	if (n < 2) return 0;
	double span = (double)(m->now_ms - m->trace->changes[m->arrived - n].arrival_ms), sum = 0;
	for (size_t k = m->arrived - n; k < m->arrived; k++)
		sum += (double)m->trace->changes[k].duration_ms;
	return sum / fmax(span, 1) / (double)m->options->executors;
}

static uint64_t *set_of(struct model *m, const uint32_t *list, size_t n, size_t words) {
	uint64_t *set = ARENA_ARRAY(&m->turn, uint64_t, words);
	for (size_t k = 0; k < n; k++)
		if (m->changes[list[k]].fate == OPEN) bits_add(set, m->changes[list[k]].view);
	return set;
}

static void view(struct model *m, struct queue_view *v) {
	size_t words = bits_words(m->open.n);
	struct queue_change *changes = ARENA_ARRAY(&m->turn, struct queue_change, m->open.n + 1);
	struct queue_try *tries = ARENA_ARRAY(&m->turn, struct queue_try, m->live.n + 1);
	for (size_t k = 0; k < m->open.n; k++) m->changes[m->open.at[k]].view = k;
	for (size_t k = 0; k < m->open.n; k++) {
		const struct change *c = &m->changes[m->open.at[k]];
		const struct queuetrace_change *t = &m->trace->changes[m->open.at[k]];
		changes[k] = (struct queue_change){.success = predicted(m, m->open.at[k]),
		                                   .duration_ms = t->duration_ms,
		                                   .waited_ms = m->now_ms - t->arrival_ms,
		                                   .urgent = t->priority > 0,
		                                   .before = set_of(m, c->before.at, c->before.n, words)};
	}
	for (size_t k = 0; k < m->live.n; k++) {
		const struct attempt *a = &m->attempts[m->live.at[k]];
		enum queue_try_state state = QUEUE_RUNNING;
		if (a->ended)
			state = a->c.passed ? QUEUE_PASSED : a->doubted ? QUEUE_DOUBTED : QUEUE_FAILED;
		tries[k] = (struct queue_try){state,
		                              set_of(m, a->c.members, a->c.member_count, words),
		                              set_of(m, a->c.base, a->c.base_count, words),
		                              set_of(m, a->refuted.at, a->refuted.n, words),
		                              a->spoiled,
		                              a->run_ms,
		                              a->c.ended_ms,
		                              a->doubted ? again_ms(a) : 0,
		                              a->doubted ? again_most(m, a) : 0,
		                              a->faked};
	}
	*v = (struct queue_view){.now_ms = m->now_ms,
	                         .mean_ms = (int64_t)(m->duration_sum / (double)m->arrived),
	                         .load = load(m),
	                         .conflicts = CONFLICTS,
	                         .knobs = m->options->knobs,
	                         .slots = m->options->executors,
	                         .changes = changes,
	                         .change_count = m->open.n,
	                         .tries = tries,
	                         .try_count = m->live.n};
}

static struct list listed(struct model *m, const uint64_t *set, size_t words) {
	struct list l = {0};
	BITS_EACH(k, set, words) push(m, &l, m->open.at[k]);
	return l;
}

static void plan(struct model *m) {
	struct queue_view v;
	struct queue_plan p = {0};
	size_t words = bits_words(m->open.n);
	if (!m->open.n) return;
	arena_reset(&m->turn);
	view(m, &v);
	m->result.plan_calls++;
	m->options->policy(&v, &m->memory, &m->turn, &p);
	for (size_t k = 0; k < p.stop_count; k++) stop(m, m->live.at[p.stops[k]]);
	for (size_t k = 0; k < p.again_count && m->running < m->options->executors; k++)
		run_again(m, m->live.at[p.again[k]]);
	for (size_t k = 0; k < p.start_count && m->running < m->options->executors; k++) {
		struct list members = listed(m, p.starts[k].members, words);
		struct list base = listed(m, p.starts[k].base, words);
		start(m, &members, &base);
	}
	if (p.stop_count) sweep(m);
}

// ---------------------------------------------------------------- time

static int64_t next_end(const struct model *m) {
	int64_t at = INT64_MAX;
	for (size_t k = 0; k < m->live.n; k++) {
		const struct attempt *a = &m->attempts[m->live.at[k]];
		if (!a->ended && a->c.ended_ms < at) at = a->c.ended_ms;
	}
	return at;
}

bool queuemodel_run(const struct queuetrace *t, const struct queuemodel_options *options,
                    struct arena *life, struct queuemodel_result *out, struct err *e) {
	struct model m = {.trace = t, .options = options, .life = life, .chance = prng_seeded(1)};
	m.changes = ARENA_ARRAY(life, struct change, t->n + 1);
	m.decided_at = ARENA_ARRAY(life, size_t, t->n + 1);
	m.truth = ARENA_ARRAY(life, bool, t->n + 1);
	m.result.decisions = ARENA_ARRAY(life, struct queuemodel_decision, t->n + 1);
	queuetrace_outcomes(t, m.truth);
	while (m.arrived < t->n || m.open.n) {
		int64_t at = next_end(&m);
		if (m.arrived < t->n && t->changes[m.arrived].arrival_ms < at)
			at = t->changes[m.arrived].arrival_ms;
		if (at == INT64_MAX) {
			arena_free(&m.turn);
			return err_set(e, ERR_CONFLICT,
			               "the policy leaves change %u undecided with nothing running",
			               m.open.at[0]);
		}
		m.now_ms = at;
		for (size_t k = 0; k < m.live.n; k++) {
			struct attempt *a = &m.attempts[m.live.at[k]];
			if (!a->ended && a->c.ended_ms <= at) finish(&m, m.live.at[k]);
		}
		while (m.arrived < t->n && t->changes[m.arrived].arrival_ms <= at) arrive(&m);
		settle(&m);
		sweep(&m);
		plan(&m);
	}
	arena_free(&m.turn);
	m.result.candidates = ARENA_ARRAY(life, struct queuemodel_candidate, m.attempt_count + 1);
	for (size_t k = 0; k < m.attempt_count; k++) m.result.candidates[k] = m.attempts[k].c;
	m.result.candidate_count = m.attempt_count;
	*out = m.result;
	return true;
}
