#include "sim/world_runs.h"

static struct digest key_of(const struct world_ask *q) {
	struct digest d = gitmodel_inputs(q->tree, q->job);
	d.b[0] = 'k';
	return d;
}

static struct event verdict(const struct world_ask *q, bool passed, const struct world_run *r) {
	struct event e = {.kind = EVENT_RUN_FINISHED};
	e.run_finished = (struct event_run_finished){
		.run = q->run,
		.outcome = passed ? OUTCOME_PASSED : OUTCOME_FAILED,
		.reason = passed ? REASON_NONE : REASON_EXIT_STATUS,
		.exit_status = !passed,
		.duration_ms = r->end_ms - r->start_ms,
		.key = key_of(q),
		.inputs = gitmodel_inputs(q->tree, q->job),
	};
	if (passed) e.run_finished.artifacts = e.run_finished.key;
	return e;
}

// An earlier verdict for the same inputs; a red one only of the same revision, and when asked for.
static const struct world_run *reusable(struct world *w, const struct world_ask *q) {
	for (size_t i = 0; i < w->runs.count; i++) {
		const struct world_run *r = table_at(&w->runs, i);
		if (!r->recorded || r->job != q->job) continue;
		if (r->red && (!q->lookup || r->change != q->change || r->revision != q->revision))
			continue;
		if (w->bug == BUG_OTHER_TREE || digest_eq(r->key, key_of(q))) return r;
	}
	return NULL;
}

static void reuse(struct world *w, struct world_run *r, const struct world_run *of) {
	struct event e = {.kind = EVENT_RUN_REUSED};
	r->end_ms = w->now_ms + 1;
	e.run_reused = (struct event_run_reused){.run = {r->id},
	                                         .of = {of->id},
	                                         .key = of->key,
	                                         .saved_ms = of->end_ms - of->start_ms,
	                                         .failed = of->red ? 1 + (int64_t)world_below(w, 2)
	                                                           : 0};
	if (!of->red) e.run_reused.artifacts = of->key;
	r->outcome = e;
}

static struct world_run *begin(struct world *w, const struct world_ask *q) {
	bool looks = q->lookup || !world_below(w, 3);
	const struct world_run *of = looks ? reusable(w, q) : NULL;
	struct world_run earlier = of ? *of : (struct world_run){0};
	struct world_run *r = table_insert(&w->runs, table_find(&w->runs, q->run.v));
	bool passes = gitmodel_passes(q->tree, gitmodel_plan(q->tree), q->job);
	r->id = q->run.v;
	r->job = q->job;
	r->lookup = q->lookup;
	r->change = q->change;
	r->revision = q->revision;
	r->key = key_of(q);
	r->start_ms = w->now_ms + (int64_t)world_below(w, 40);
	r->end_ms = r->start_ms + 10 + (int64_t)world_below(w, 200);
	if (of) {
		reuse(w, r, &earlier);
	} else if (world_fault(w, WORLD_RUN_LOST, 4, 100)) {
		r->outcome = (struct event){
			.kind = EVENT_RUN_LOST,
			.run_lost = {q->run, STR("its folder is gone"), .no_room = (int64_t)world_below(w, 2)}};
	} else if (q->lookup) {
		r->outcome = (struct event){.kind = EVENT_RUN_MISSED,
		                            .run_missed = {q->run, (int64_t)world_below(w, 2)}};
	} else {
		if (passes && world_fault(w, WORLD_FLAKE, 2, 100)) passes = false;
		r->outcome = verdict(q, passes, r);
	}
	return r;
}

static void lie(struct world *w, const struct world_run *r) {
	struct event e = r->outcome;
	if (e.kind != EVENT_RUN_FINISHED || !world_fault(w, WORLD_RUN_LIES, 3, 100)) return;
	bool passed = e.run_finished.outcome == OUTCOME_PASSED;
	e.run_finished.outcome = passed ? OUTCOME_FAILED : OUTCOME_PASSED;
	// later than the true one in any case: the first word counts
	struct world_message m = {r->end_ms + 20000, WORLD_FROM_RUNNER, 0, e};
	*(struct world_message *)table_add(&w->messages, 1) = m;
}

static int64_t after(const struct world *w, int64_t ms) {
	return ms > w->now_ms ? ms - w->now_ms : 0;
}

static void report(struct world *w, const struct world_run *r) {
	if (r->end_ms > w->now_ms && r->outcome.kind == EVENT_RUN_FINISHED)
		world_send(w, WORLD_FROM_RUNNER, after(w, r->start_ms),
		           (struct event){.kind = EVENT_RUN_STARTED, .run_started = {{r->id}, 1, 0}}, 0);
	world_send(w, WORLD_FROM_RUNNER, after(w, r->end_ms), r->outcome, 0);
}

void world_runs_ask(struct world *w, const struct world_ask *q) {
	struct world_run *r = table_get(&w->runs, q->run.v);
	if (!r) {
		r = begin(w, q);
		lie(w, r);
	}
	report(w, r);
}

void world_runs_cancel(struct world *w, struct run_id run) {
	struct world_run *r = table_get(&w->runs, run.v);
	if (!r) { // never came to be: it never will
		r = table_insert(&w->runs, table_find(&w->runs, run.v));
		r->id = run.v;
		r->end_ms = w->now_ms + 1;
	}
	if (w->bug == BUG_CANCEL_FREES) { // to ask is taken for having stopped
		world_send(w, WORLD_FROM_RUNNER, 0,
		           (struct event){.kind = EVENT_RUN_STOPPED, .run_stopped = {.run = run}}, 0);
		return;
	}
	if (r->end_ms > w->now_ms && !r->stopped) {
		r->stopped = true;
		int64_t stops_ms = w->now_ms + 1 + (int64_t)world_below(w, 100);
		if (stops_ms < r->end_ms) r->end_ms = stops_ms;
		r->outcome = (struct event){.kind = EVENT_RUN_STOPPED, .run_stopped = {.run = run}};
	}
	world_send(w, WORLD_FROM_RUNNER, after(w, r->end_ms), r->outcome, 0);
}

void world_runs_recorded(struct world *w, const struct event *e) {
	if (e->kind != EVENT_RUN_FINISHED || e->run_finished.outcome == OUTCOME_CANCELLED) return;
	struct world_run *r = table_get(&w->runs, e->run_finished.run.v);
	if (!r) return;
	r->recorded = true;
	r->red = e->run_finished.outcome == OUTCOME_FAILED;
}

uint64_t world_runs_live(const struct world *w) {
	uint64_t n = 0;
	for (size_t i = 0; i < w->runs.count; i++) {
		const struct world_run *r = table_at(&w->runs, i);
		n += !r->lookup && r->start_ms <= w->now_ms && w->now_ms < r->end_ms;
	}
	return n;
}

void world_runs_gossip(struct world *w) {
	struct world_run nobody = {.end_ms = 1};
	if (!world_fault(w, WORLD_RUN_UNKNOWN, 1, 100)) return;
	struct world_ask q = {.run = {100000 + world_below(w, 5)}, .tree = {{1}}};
	world_send(w, WORLD_FROM_RUNNER, 0, verdict(&q, true, &nobody), 0);
}
