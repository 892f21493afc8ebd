#include "sim/scene_trace.h"

#include "core/batch.h"

typedef unsigned long long number;

struct oid scene_trace_oid(struct str name) {
	struct oid o = {.n = 20};
	memcpy(o.b, name.p, name.n < SCENE_TRACE_NAME_MAX ? name.n : SCENE_TRACE_NAME_MAX);
	return o;
}

static const char *commit(const struct oid *o) {
	return oid_is_none(*o) ? "nothing" : (const char *)o->b; // NUL-padded by construction
}

static struct str env_name(const struct state *s, struct env_id id) {
	const struct env *env = state_env(s, id);
	return env ? state_name(&env->name) : STR("?");
}

static struct str repo_name(const struct state *s, struct repo_id id) {
	const struct repo *r = state_repo(s, id);
	return r ? state_name(&r->name) : STR("?");
}

static void revision(struct buf *out, struct change_id change, int64_t n) {
	buf_printf(out, " %llu.%lld", (number)change.v, (long long)n);
}

static void reason(struct buf *out, enum reason r) {
	if (r) buf_printf(out, " " STR_FMT, STR_ARG(reason_code(r)));
}

static void proposed(struct buf *out, const struct event_change_proposed *e) {
	revision(out, e->change, e->revision);
	buf_printf(out, " %s", commit(&e->head));
	if (e->priority) buf_printf(out, " priority %lld", (long long)e->priority);
	if (e->draft) buf_cstr(out, " draft");
}

static void change(struct buf *out, const struct event *e) {
	switch ((int)e->kind) {
	case EVENT_CHANGE_PROPOSED: proposed(out, &e->change_proposed); return;
	case EVENT_CHANGE_QUEUED:
		revision(out, e->change_queued.change, e->change_queued.revision);
		return;
	case EVENT_CHANGE_WITHDRAWN:
		revision(out, e->change_withdrawn.change, e->change_withdrawn.revision);
		return;
	case EVENT_CHANGE_RETRIED:
		revision(out, e->change_retried.change, e->change_retried.revision);
		return;
	case EVENT_CHANGE_VERIFIED:
		revision(out, e->change_verified.change, e->change_verified.revision);
		return;
	case EVENT_CHANGE_REJECTED:
		revision(out, e->change_rejected.change, e->change_rejected.revision);
		reason(out, e->change_rejected.reason);
		return;
	case EVENT_CHANGE_LANDED:
		revision(out, e->change_landed.change, e->change_landed.revision);
		buf_printf(out, " as %s", commit(&e->change_landed.commit));
		return;
	default: return;
	}
}

static void members(struct buf *out, struct str text) {
	AUTO_ARENA scratch = {0};
	struct member *list;
	size_t n;
	if (!batch_read(text, &scratch, &list, &n)) return;
	for (size_t i = 0; i < n; i++) {
		revision(out, list[i].change, list[i].revision);
		buf_cstr(out, " +");
	}
}

static void candidate(struct buf *out, const struct event *e) {
	const struct event_candidate_issued *i = &e->candidate_issued;
	buf_printf(out, " c%llu", (number)i->candidate.v); // the first field of all of them
	switch ((int)e->kind) {
	case EVENT_CANDIDATE_ISSUED:
		buf_cstr(out, " =");
		members(out, i->members);
		revision(out, i->change, i->revision);
		buf_printf(out, " on %s", commit(&i->base));
		if (i->again) buf_printf(out, " again c%lld", (long long)i->again);
		if (i->carrier) buf_cstr(out, " carrier");
		return;
	case EVENT_CANDIDATE_BUILT: buf_printf(out, " %s", commit(&e->candidate_built.commit)); return;
	case EVENT_CANDIDATE_REFUSED: reason(out, e->candidate_refused.reason); return;
	case EVENT_JOB_SETTLED:
		buf_printf(out, " " STR_FMT " %s", STR_ARG(e->job_settled.name),
		           event_outcome_name(e->job_settled.outcome));
		return;
	default: reason(out, e->candidate_dropped.reason); return;
	}
}

static void run(struct buf *out, const struct event *e) {
	const struct event_run_issued *i = &e->run_issued;
	buf_printf(out, " r%llu", (number)i->run.v); // the first field of all of them
	switch ((int)e->kind) {
	case EVENT_RUN_ISSUED:
		buf_printf(out, " = c%llu " STR_FMT, (number)i->candidate.v, STR_ARG(i->name));
		if (i->attempt > 1) buf_printf(out, " attempt %lld", (long long)i->attempt);
		if (i->lookup) buf_cstr(out, " lookup");
		if (i->recheck) buf_cstr(out, " recheck");
		return;
	case EVENT_RUN_FINISHED:
		buf_printf(out, " %s", event_outcome_name(e->run_finished.outcome));
		reason(out, e->run_finished.reason);
		return;
	case EVENT_RUN_REUSED:
		buf_printf(out, " of r%llu%s", (number)e->run_reused.of.v,
		           e->run_reused.failed == 2 ? " doubted"
		           : e->run_reused.failed    ? " failed"
		                                     : "");
		return;
	case EVENT_RUN_CANCEL_ISSUED: reason(out, e->run_cancel_issued.reason); return;
	default: return;
	}
}

static void landing(struct buf *out, const struct event *e) {
	const struct event_landing_issued *l = &e->landing_issued;
	if (e->kind == EVENT_LANDING_FAILED)
		buf_printf(out, " l%llu found %s", (number)e->landing_failed.landing.v,
		           commit(&e->landing_failed.found));
	else
		buf_printf(out, " l%llu = c%llu %s..%s", (number)l->landing.v, (number)l->candidate.v,
		           commit(&l->from), commit(&l->to));
}

static void environment(struct buf *out, const struct state *s, const struct event *e) {
	struct str name = env_name(s, e->deploy_requested.env); // the first field of all of them
	buf_printf(out, " " STR_FMT, STR_ARG(name));
	if (e->kind == EVENT_DEPLOY_REQUESTED)
		buf_printf(out, " v%llu%s", (number)e->deploy_requested.release.v,
		           e->deploy_requested.force ? " force" : "");
	if (e->kind == EVENT_ENV_UNHEALTHY)
		buf_printf(out, " v%llu", (number)e->env_unhealthy.release.v);
	if (e->kind == EVENT_ENV_HEALTHY) buf_printf(out, " v%llu", (number)e->env_healthy.release.v);
}

static void delivery(struct buf *out, const struct state *s, const struct event *e) {
	const struct event_rollout_issued *r = &e->rollout_issued;
	switch ((int)e->kind) {
	case EVENT_RELEASE_MADE:
		buf_printf(out, " v%llu %s", (number)e->release_made.release.v,
		           commit(&e->release_made.commit));
		return;
	case EVENT_RELEASE_REFUSED:
		buf_printf(out, " c%llu", (number)e->release_refused.candidate.v);
		reason(out, e->release_refused.reason);
		return;
	case EVENT_RELEASE_BLOCKED:
		buf_printf(out, " v%llu in " STR_FMT, (number)e->release_blocked.release.v,
		           STR_ARG(env_name(s, e->release_blocked.env)));
		reason(out, e->release_blocked.reason);
		return;
	case EVENT_ROLLOUT_ISSUED:
		buf_printf(out, " o%llu = v%llu into " STR_FMT " (" STR_FMT ")", (number)r->rollout.v,
		           (number)r->release.v, STR_ARG(env_name(s, r->env)), STR_ARG(r->cause));
		return;
	case EVENT_ROLLOUT_CANCEL_ISSUED:
		buf_printf(out, " o%llu", (number)e->rollout_cancel_issued.rollout.v);
		reason(out, e->rollout_cancel_issued.reason);
		return;
	case EVENT_ROLLOUT_FINISHED:
		buf_printf(out, " o%llu %s", (number)e->rollout_finished.rollout.v,
		           event_outcome_name(e->rollout_finished.outcome));
		reason(out, e->rollout_finished.reason);
		return;
	default: return;
	}
}

void scene_trace_event(struct buf *out, const struct state *s, const struct event *e) {
	int kind = (int)e->kind;
	buf_cstr(out, event_name(e->kind));
	if (kind == EVENT_TRUNK_MOVED)
		buf_printf(out, " " STR_FMT " to %s", STR_ARG(repo_name(s, e->trunk_moved.repo)),
		           commit(&e->trunk_moved.to));
	else if (kind == EVENT_REPO_CONFIGURED)
		buf_printf(out, " " STR_FMT, STR_ARG(repo_name(s, e->repo_configured.repo)));
	else if (kind >= EVENT_CHANGE_PROPOSED && kind < EVENT_CANDIDATE_ISSUED) change(out, e);
	else if (kind >= EVENT_CANDIDATE_ISSUED && kind < EVENT_RUN_ISSUED) candidate(out, e);
	else if (kind >= EVENT_RUN_ISSUED && kind < EVENT_LANDING_ISSUED) run(out, e);
	else if (kind >= EVENT_LANDING_ISSUED && kind < EVENT_RELEASE_MADE) landing(out, e);
	else if (kind == EVENT_DEPLOY_REQUESTED || kind == EVENT_ROLLBACK_REQUESTED ||
	         kind == EVENT_ENV_UNHEALTHY || kind == EVENT_ENV_HEALTHY)
		environment(out, s, e);
	else if (kind >= EVENT_RELEASE_MADE && kind < EVENT_TOKEN_CREATED) delivery(out, s, e);
}
