#include "sim/world_runs.h"

static struct digest key_of(struct oid tree, uint32_t job) {
	struct digest d = gitmodel_inputs(tree);
	d.b[0] = 'k';
	d.b[30] = (uint8_t)job;
	return d;
}

static struct event verdict(struct run_id run, bool passed, struct oid tree, uint32_t job,
                            struct world_run *r) {
	struct event e = {.kind = EVENT_RUN_FINISHED};
	e.run_finished = (struct event_run_finished){
		.run = run,
		.outcome = passed ? OUTCOME_PASSED : OUTCOME_FAILED,
		.reason = passed ? REASON_NONE : REASON_EXIT_STATUS,
		.exit_status = !passed,
		.duration_ms = r->end_ms - r->start_ms,
		.key = key_of(tree, job),
		.inputs = gitmodel_inputs(tree),
	};
	if (passed) e.run_finished.artifacts = e.run_finished.key;
	return e;
}

// An earlier verdict for the same inputs.
static const struct world_run *reusable(struct world *w, struct digest key, uint32_t job) {
	for (size_t i = 0; i < w->runs.count; i++) {
		const struct world_run *r = table_at(&w->runs, i);
		if (!r->recorded || r->job != job) continue;
		if (w->bug == BUG_OTHER_TREE || digest_eq(r->key, key)) return r;
	}
	return NULL;
}

static void reuse(struct world *w, struct world_run *r, const struct world_run *of) {
	struct event e = {.kind = EVENT_RUN_REUSED};
	r->end_ms = w->now_ms + 1;
	e.run_reused = (struct event_run_reused){.run = {r->id},
	                                         .of = {of->id},
	                                         .key = of->key,
	                                         .artifacts = of->key,
	                                         .saved_ms = of->end_ms - of->start_ms};
	r->outcome = e;
}

static struct world_run *begin(struct world *w, struct run_id id, uint32_t job, struct oid tree,
                               struct str plan) {
	const struct world_run *of = world_below(w, 3) ? NULL : reusable(w, key_of(tree, job), job);
	struct world_run earlier = of ? *of : (struct world_run){0};
	struct world_run *r = table_insert(&w->runs, table_find(&w->runs, id.v));
	bool passes = gitmodel_passes(gitmodel_tree_of(tree), plan, job);
	r->id = id.v;
	r->job = job;
	r->key = key_of(tree, job);
	r->start_ms = w->now_ms + (int64_t)world_below(w, 40);
	r->end_ms = r->start_ms + 10 + (int64_t)world_below(w, 200);
	if (of) {
		reuse(w, r, &earlier);
	} else if (world_fault(w, WORLD_RUN_LOST, 4, 100)) {
		r->outcome = (struct event){
			.kind = EVENT_RUN_LOST,
			.run_lost = {id, STR("its folder is gone"), .no_room = (int64_t)world_below(w, 2)}};
	} else {
		if (passes && world_fault(w, WORLD_FLAKE, 2, 100)) passes = false;
		r->outcome = verdict(id, passes, tree, job, r);
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

void world_runs_ask(struct world *w, struct run_id run, uint32_t job, struct oid tree,
                    struct str plan) {
	struct world_run *r = table_get(&w->runs, run.v);
	if (!r) {
		r = begin(w, run, job, tree, plan);
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
	if (e->kind != EVENT_RUN_FINISHED || e->run_finished.outcome != OUTCOME_PASSED) return;
	struct world_run *r = table_get(&w->runs, e->run_finished.run.v);
	if (r) r->recorded = true;
}

uint64_t world_runs_live(const struct world *w) {
	uint64_t n = 0;
	for (size_t i = 0; i < w->runs.count; i++) {
		const struct world_run *r = table_at(&w->runs, i);
		n += r->start_ms <= w->now_ms && w->now_ms < r->end_ms;
	}
	return n;
}

void world_runs_gossip(struct world *w) {
	struct world_run nobody = {.end_ms = 1};
	if (!world_fault(w, WORLD_RUN_UNKNOWN, 1, 100)) return;
	struct run_id run = {100000 + world_below(w, 5)};
	struct oid tree = gitmodel_tree_oid((struct gitmodel_tree){{1}});
	world_send(w, WORLD_FROM_RUNNER, 0, verdict(run, true, tree, 0, &nobody), 0);
}
