#include "core/apply.h"

#include <assert.h>

#include "core/areas.h"
#include "core/batch.h"
#include "core/candidates.h"
#include "core/environments.h"
#include "core/flakes.h"
#include "core/plans.h"
#include "core/predict.h"

static void set_name(struct name *out, struct str name) {
	assert(name.n <= STATE_NAME_MAX);
	*out = (struct name){.n = (uint8_t)name.n};
	memcpy(out->p, name.p, name.n);
}

static void server_started(struct state *s, const struct event_server_started *e) {
	s->seed = (uint64_t)e->seed;
	s->slots = e->slots < 1 ? 1 : (uint32_t)e->slots;
	s->batch_max = e->batch < 0 ? 0 : (uint32_t)e->batch;
}

static void repo_added(struct state *s, const struct event_repo_added *e) {
	struct repo *r = table_add(&s->repos, 1);
	r->id = e->repo;
	set_name(&r->name, e->name);
	memcpy(r->trunk, e->trunk.p, e->trunk.n);
	r->follow = e->follow != 0;
	s->next_repo++;
}

static void repo_configured(struct state *s, const struct event_repo_configured *e) {
	struct repo *r = state_repo(s, e->repo);
	if (!e->plan.n) return; // without a usable weir.yml the last one stays in force
	struct digest before = r->plan;
	bool usable = plans_use(s, e->plan_digest, e->plan, NULL);
	assert(usable);
	r->plan = e->plan_digest;
	if (!digest_eq(before, r->plan)) areas_forget_all(s, e->repo);
	if (!digest_is_none(before)) plans_drop(s, before);
	environments_define(s, e->repo, e->plan);
}

// By somebody else: nobody knows what that touches.
static void trunk_moved(struct state *s, struct repo_id repo, struct oid to) {
	state_repo(s, repo)->tip = to;
	for (size_t i = 0; i < s->candidates.count; i++) {
		struct candidate *c = table_at(&s->candidates, i);
		if (c->repo.v != repo.v) continue;
		c->refuted |= c->behind; // it stands on what was left before
		c->behind = 0;
	}
}

static bool take_change(struct table *t, struct change_id id, struct change *out) {
	size_t index = table_find(t, id.v);
	if (index == t->count || ((struct change *)table_at(t, index))->id.v != id.v) return false;
	*out = *(struct change *)table_at(t, index);
	table_remove(t, index, 1);
	return true;
}

// Takes the change from where it is, the open or the rejected ones.
static bool take_any(struct state *s, struct change_id id, struct change *out) {
	return take_change(&s->changes, id, out) || take_change(&s->rejected, id, out);
}

static void put_change(struct table *t, const struct change *c) {
	struct change *row = table_insert(t, table_find(t, c->id.v));
	*row = *c;
}

static void change_proposed(struct state *s, const struct event_change_proposed *e, int64_t now) {
	struct change c = {0};
	struct change *queued = state_change(s, e->change);
	if (queued && queued->state == CHANGE_QUEUED && queued->revision == e->revision) {
		queued->priority = (int32_t)e->priority; // the same push again keeps its place
		queued->draft = e->draft != 0;
		return;
	}
	if (take_any(s, e->change, &c)) {
		areas_forget(s, &c);
		c.areas_wrong = 0;
		c.apart = 0;
	} else {
		c.id = e->change;
		c.repo = e->repo;
		memcpy(c.key, e->key.b, sizeof c.key);
		s->next_change = e->change.v + 1;
	}
	c.revision = (uint32_t)e->revision;
	c.chance = 0;
	predict_describe(&c, e);
	c.head = e->head;
	c.priority = (int32_t)e->priority;
	c.draft = e->draft != 0;
	c.state = CHANGE_PROPOSED;
	c.proposed_ms = now;
	put_change(&s->changes, &c);
}

static void change_queued(struct state *s, const struct event_change_queued *e, int64_t now) {
	struct change *c = state_change(s, e->change);
	c->state = CHANGE_QUEUED;
	c->queued_ms = now;
	c->queue_order = s->next_queue_order++;
	predict_queued(s, c, e->chance, now);
}

static void change_moves(struct state *s, struct change_id id, enum change_state to) {
	struct change c;
	if (!take_any(s, id, &c)) return;
	areas_forget(s, &c);
	c.state = to;
	put_change(to == CHANGE_REJECTED ? &s->rejected : &s->changes, &c);
}

static void change_gone(struct state *s, struct change_id id) {
	struct change c;
	if (take_any(s, id, &c)) areas_forget(s, &c);
}

static void change_verified(struct state *s, const struct event_change_verified *e) {
	struct change *c = state_change(s, e->change);
	c->state = CHANGE_PROPOSED;
	c->verified_revision = (uint32_t)e->revision;
}

// Of a batch one fact for each member, in their order: trunk has moved with the last one.
static void change_landed(struct state *s, const struct event_change_landed *e) {
	struct candidate *c = state_candidate(s, e->candidate);
	struct repo *r = state_repo(s, c->repo);
	bool more = batch_size(s, c) > 1;
	predict_ended(s, state_change(s, e->change), true, REASON_NONE);
	candidates_follow(s, c, state_change(s, e->change));
	change_gone(s, e->change);
	if (more) return;
	candidates_land(s, c);
	r->tip = e->commit;
	if (r->landing_candidate.v == e->candidate.v) {
		r->landing.v = 0;
		r->landing_candidate.v = 0;
	}
	candidates_sweep(s);
}

static uint8_t again(const struct state *s, const struct event_candidate_issued *e) {
	const struct candidate *old = state_candidate(s, (struct candidate_id){(uint64_t)e->again});
	size_t unused;
	if (!e->again) return 0;
	bool green = old->state == CANDIDATE_TESTING &&
	             candidates_verdict(s, old, &unused) == CANDIDATES_PASSED;
	return green ? 2 : 1;
}

static void candidate_issued(struct state *s, const struct event_candidate_issued *e) {
	uint8_t looks = again(s, e);
	struct candidate *c = table_add(&s->candidates, 1);
	s->next_candidate++;
	*c = (struct candidate){
		.id = e->candidate,
		.repo = e->repo,
		.change = e->change,
		.revision = (uint32_t)e->revision,
		.base_candidate = e->base_candidate,
		.base = e->base,
		.head = e->head,
		.state = CANDIDATE_BUILDING,
		.again = looks,
		.carrier = e->carrier != 0,
	};
	batch_set(s, c, e->members);
	if (e->again) candidates_replace(s, (struct candidate_id){(uint64_t)e->again}, e->candidate);
}

// Of a batch that could not be built, or not land: who is tested by itself from now on.
static void set_apart(struct state *s, const struct candidate *c, int64_t member) {
	for (size_t i = 0; batch_size(s, c) > 1 && i < batch_size(s, c); i++) {
		struct change *change = state_change(s, batch_member(s, c, i).change);
		if (change && (!member || change->id.v == (uint64_t)member)) change->apart = 1;
	}
}

static void candidate_refused(struct state *s, struct candidate_id id, enum reason reason) {
	struct candidate *c = state_candidate(s, id);
	c->state = CANDIDATE_REFUSED;
	c->refusal = reason;
}

static void candidate_dropped(struct state *s, const struct event_candidate_dropped *e) {
	struct candidate *c = state_candidate(s, e->candidate);
	assert(c->state != CANDIDATE_LANDED && c->state != CANDIDATE_LANDING);
	c->state = CANDIDATE_DROPPED;
	candidates_sweep(s);
}

static void run_issued(struct state *s, const struct event_run_issued *e, int64_t now) {
	struct run *r = table_add(&s->runs, 1);
	s->next_run++;
	*r = (struct run){
		.id = e->run,
		.candidate = e->candidate,
		.issued_ms = now,
		.job = (uint32_t)e->job,
		.lookup = e->lookup != 0,
		.doubts = e->doubts != 0,
	};
	struct job *j = state_job(s, state_candidate(s, e->candidate), (size_t)e->job);
	j->run = e->run;
	j->status = JOB_ISSUED;
	j->attempt = (uint16_t)e->attempt;
	j->nightly_day = now / 86400000;
}

// The run is over: frees its slot. Returns the job that it ran; the caller says what became of that
// and sweeps.
static struct job *end_run(struct state *s, struct run_id id, const struct plan_job **definition) {
	size_t index = table_find(&s->runs, id.v);
	struct run run = *(struct run *)table_at(&s->runs, index);
	table_remove(&s->runs, index, 1);
	struct candidate *c = state_candidate(s, run.candidate);
	*definition = state_plan_job(s, state_plan(s, c->plan), run.job);
	return state_job(s, c, run.job);
}

// Only what a run found out about the job, not about weir.yml or the machine, may be a flake.
static bool may_be_fake(enum reason reason) {
	return reason == REASON_TEST_FAILED || reason == REASON_EXIT_STATUS ||
	       reason == REASON_SIGNALLED || reason == REASON_JOB_FAILED;
}

// A run of a job of which one red run is no verdict.
static void run_doubted(struct state *s, struct job *j, const struct candidate *c, struct str name,
                        const struct event_run_finished *e) {
	if (e->outcome == OUTCOME_PASSED) {
		j->artifacts = e->artifacts;
		j->status = j->reds ? JOB_DOUBTED : JOB_PASSED;
		if (j->reds) j->greens++;
		else flakes_saw_green(s, flakes_key(c->repo, name, STR_NONE));
		return;
	}
	j->reason = e->reason;
	j->red_run = e->run;
	j->status = may_be_fake(e->reason) ? JOB_DOUBTED : JOB_FAILED;
	flakes_saw_red(s, j, c->repo, name, e->failed_tests);
}

static void run_finished(struct state *s, const struct event_run_finished *e) {
	const struct plan_job *definition;
	struct run run = *state_run(s, e->run);
	struct job *j = end_run(s, e->run, &definition);
	if (e->outcome == OUTCOME_PASSED)
		predict_saw_run(s, state_candidate(s, run.candidate)->repo, state_name(&definition->name),
		                e->duration_ms);
	if (run.doubts && e->outcome != OUTCOME_CANCELLED) {
		run_doubted(s, j, state_candidate(s, run.candidate), state_name(&definition->name), e);
		candidates_sweep(s);
		return;
	}
	j->reason = e->reason;
	if (e->outcome == OUTCOME_PASSED) {
		j->status = JOB_PASSED;
		j->artifacts = e->artifacts;
	} else if (e->outcome == OUTCOME_CANCELLED || j->attempt - j->lost <= definition->retries) {
		j->status = JOB_WAITING;
	} else {
		j->status = JOB_FAILED;
	}
	candidates_sweep(s);
}

static void run_reused(struct state *s, const struct event_run_reused *e) {
	const struct plan_job *definition;
	const struct candidate *c = state_candidate(s, state_run(s, e->run)->candidate);
	struct job *j = end_run(s, e->run, &definition);
	j->status = e->failed ? JOB_FAILED : JOB_PASSED;
	j->artifacts = e->artifacts;
	if (e->failed) { // its story is the earlier run's
		j->run = e->of;
		j->reason = REASON_JOB_FAILED;
	}
	if (e->failed == 2) {
		j->red_run = e->of;
		j->status = JOB_DOUBTED;
		flakes_saw_red(s, j, c->repo, state_name(&definition->name), STR_NONE);
	}
	candidates_sweep(s);
}

static void job_settled(struct state *s, const struct event_job_settled *e) {
	struct job *j = state_job(s, state_candidate(s, e->candidate), (size_t)e->job);
	j->status = e->outcome == OUTCOME_PASSED ? JOB_PASSED : JOB_FAILED;
	if (e->outcome == OUTCOME_PASSED) flakes_saw_flip(s, j);
	else j->run = j->red_run;
}

static void run_missed(struct state *s, const struct event_run_missed *e) {
	const struct plan_job *definition;
	struct candidate *c = state_candidate(s, state_run(s, e->run)->candidate);
	for (size_t i = 0; c->again == 2 && !e->sampled && i < batch_size(s, c); i++) {
		struct member m = batch_member(s, c, i);
		struct change *change = state_change(s, m.change);
		if (change && change->revision == m.revision) areas_distrust(s, change);
	}
	struct job *j = end_run(s, e->run, &definition);
	j->status = JOB_WAITING;
	j->attempt--;
	j->looked = e->sampled ? 2 : 1;
	candidates_sweep(s);
}

static void run_stopped(struct state *s, struct run_id run) {
	const struct plan_job *definition;
	end_run(s, run, &definition)->status = JOB_WAITING;
	candidates_sweep(s);
}

static void run_lost(struct state *s, const struct event_run_lost *e) {
	const struct plan_job *definition;
	struct job *j = end_run(s, e->run, &definition);
	if (e->no_room) j->attempt--;
	else j->lost++;
	j->status = j->lost >= STATE_LOST_MAX ? JOB_FAILED : JOB_WAITING;
	j->reason = REASON_INFRASTRUCTURE;
	candidates_sweep(s);
}

static void landing_issued(struct state *s, const struct event_landing_issued *e) {
	struct repo *r = state_repo(s, e->repo);
	r->landing = e->landing;
	r->landing_candidate = e->candidate;
	state_candidate(s, e->candidate)->state = CANDIDATE_LANDING;
	s->next_landing++;
}

static void landing_failed(struct state *s, const struct event_landing_failed *e) {
	for (size_t i = 0; i < s->repos.count; i++) {
		struct repo *r = table_at(&s->repos, i);
		if (r->landing.v != e->landing.v) continue;
		struct candidate *c = state_candidate(s, r->landing_candidate);
		bool moved = !oid_is_none(e->found) && !oid_eq(e->found, r->tip);
		c->state = CANDIDATE_TESTING;
		if (moved) trunk_moved(s, r->id, e->found);
		else candidate_refused(s, c->id, REASON_LANDING_REFUSED);
		if (!moved) set_apart(s, c, 0);
		r->landing.v = 0;
		r->landing_candidate.v = 0;
		return;
	}
}

// The oldest but the newcomer: who blocks one must find it blocked.
static void forget_a_block(struct state *s, const struct block *newcomer) {
	size_t n = 0, oldest = 0;
	for (size_t i = 0; i < s->blocks.count; i++) {
		const struct block *b = table_at(&s->blocks, i), *o = table_at(&s->blocks, oldest);
		if (b->env.v != newcomer->env.v || b == newcomer) continue;
		if (n++ == 0 || b->release.v < o->release.v) oldest = i;
	}
	if (n >= STATE_BLOCKS_MAX) table_remove(&s->blocks, oldest, 1);
}

static void release_blocked(struct state *s, const struct event_release_blocked *e) {
	if (state_is_blocked(s, e->release, e->env)) return;
	struct block *b = table_add(&s->blocks, 1);
	*b = (struct block){e->release, e->env};
	forget_a_block(s, b);
	struct env *env = state_env(s, e->env);
	if (env->requested.v == e->release.v) env->requested.v = 0; // asked for before it was undone
}

static void apply_delivery(struct state *s, const struct event *e) {
	struct env *env;
	switch ((int)e->kind) {
	case EVENT_RELEASE_MADE:
		environments_release_made(s, &e->release_made);
		state_candidate(s, e->release_made.candidate)->released = 1;
		candidates_sweep(s);
		return;
	case EVENT_RELEASE_REFUSED:
		state_candidate(s, e->release_refused.candidate)->released = 1;
		candidates_sweep(s);
		return;
	case EVENT_RELEASE_BLOCKED: release_blocked(s, &e->release_blocked); return;
	case EVENT_DEPLOY_REQUESTED: environments_deploy_requested(s, &e->deploy_requested); return;
	case EVENT_ROLLBACK_REQUESTED:
		state_env(s, e->rollback_requested.env)->rollback_wanted = 1;
		return;
	case EVENT_ROLLOUT_ISSUED: environments_rollout_issued(s, &e->rollout_issued); return;
	case EVENT_ROLLOUT_CANCEL_ISSUED:
		state_env_of_rollout(s, e->rollout_cancel_issued.rollout)->cancelling = 1;
		return;
	case EVENT_ROLLOUT_FINISHED: environments_rollout_finished(s, &e->rollout_finished); return;
	case EVENT_ENV_UNHEALTHY:
		env = state_env(s, e->env_unhealthy.env);
		if (!e->env_unhealthy.settled)
			env->unhealthy = !env->rollout.v && env->history[0].v == e->env_unhealthy.release.v;
		return;
	case EVENT_ENV_HEALTHY: state_env(s, e->env_healthy.env)->unhealthy = 0; return;
	default: return; // the server's own facts and imported ones: nothing that decides
	}
}

void apply_event(struct state *s, const struct event *e) {
	assert(e->time_ms >= s->now_ms);
	s->now_ms = e->time_ms;
	s->events++;
	switch ((int)e->kind) {
	case EVENT_SERVER_STARTED: server_started(s, &e->server_started); return;
	case EVENT_REPO_ADDED: repo_added(s, &e->repo_added); return;
	case EVENT_REPO_CONFIGURED: repo_configured(s, &e->repo_configured); return;
	case EVENT_TRUNK_MOVED: trunk_moved(s, e->trunk_moved.repo, e->trunk_moved.to); return;
	case EVENT_CHANGE_PROPOSED: change_proposed(s, &e->change_proposed, e->time_ms); return;
	case EVENT_CHANGE_QUEUED: change_queued(s, &e->change_queued, e->time_ms); return;
	case EVENT_CHANGE_WITHDRAWN: change_gone(s, e->change_withdrawn.change); return;
	case EVENT_CHANGE_REJECTED:
		predict_ended(s, state_change(s, e->change_rejected.change), false,
		              e->change_rejected.reason);
		change_moves(s, e->change_rejected.change, CHANGE_REJECTED);
		return;
	case EVENT_CHANGE_RETRIED: change_moves(s, e->change_retried.change, CHANGE_PROPOSED); return;
	case EVENT_CHANGE_VERIFIED: change_verified(s, &e->change_verified); return;
	case EVENT_CHANGE_LANDED: change_landed(s, &e->change_landed); return;
	case EVENT_CANDIDATE_ISSUED: candidate_issued(s, &e->candidate_issued); return;
	case EVENT_CANDIDATE_BUILT:
		candidates_build(s, state_candidate(s, e->candidate_built.candidate), &e->candidate_built);
		return;
	case EVENT_CANDIDATE_REFUSED:
		candidate_refused(s, e->candidate_refused.candidate, e->candidate_refused.reason);
		set_apart(s, state_candidate(s, e->candidate_refused.candidate),
		          e->candidate_refused.member);
		return;
	case EVENT_CANDIDATE_DROPPED: candidate_dropped(s, &e->candidate_dropped); return;
	case EVENT_JOB_SETTLED: job_settled(s, &e->job_settled); return;
	case EVENT_RUN_ISSUED: run_issued(s, &e->run_issued, e->time_ms); return;
	case EVENT_RUN_STARTED: state_run(s, e->run_started.run)->state = RUN_RUNNING; return;
	case EVENT_RUN_FINISHED: run_finished(s, &e->run_finished); return;
	case EVENT_RUN_REUSED: run_reused(s, &e->run_reused); return;
	case EVENT_RUN_CANCEL_ISSUED:
		state_run(s, e->run_cancel_issued.run)->state = RUN_CANCELLING;
		return;
	case EVENT_RUN_MISSED: run_missed(s, &e->run_missed); return;
	case EVENT_RUN_STOPPED: run_stopped(s, e->run_stopped.run); return;
	case EVENT_RUN_LOST: run_lost(s, &e->run_lost); return;
	case EVENT_LANDING_ISSUED: landing_issued(s, &e->landing_issued); return;
	case EVENT_LANDING_FAILED: landing_failed(s, &e->landing_failed); return;
	default: apply_delivery(s, e); return;
	}
}
