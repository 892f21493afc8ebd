// The border of the core: a fact that contradicts the state (late, doubled, about something
// unknown) is refused here, so that apply may rely on what it is told.
#include "core/apply.h"
#include "core/batch.h"
#include "core/environments.h"
#include "core/plans.h"

static bool missing(struct err *why, const char *what, uint64_t id) {
	return err_set(why, ERR_NOT_FOUND, "%s %llu does not exist (any more)", what,
	               (unsigned long long)id);
}

static bool check_next(struct err *why, const char *what, uint64_t id, uint64_t next) {
	if (id == next) return true;
	return err_set(why, ERR_CONFLICT, "the next %s is %llu, not %llu", what,
	               (unsigned long long)next, (unsigned long long)id);
}

static bool check_name(struct err *why, const char *what, struct str name) {
	if (name.n > 0 && name.n <= STATE_NAME_MAX) return true;
	return err_set(why, ERR_INVALID, "the name of a %s has 1 to %d bytes", what, STATE_NAME_MAX);
}

static bool check_repo_added(const struct state *s, const struct event_repo_added *e,
                             struct err *why) {
	if (!check_name(why, "repository", e->name)) return false;
	if (e->trunk.n == 0 || e->trunk.n > 127)
		return err_set(why, ERR_INVALID, "trunk's name has 1 to 127 bytes");
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *r = table_at(&s->repos, i);
		if (str_eq(state_name(&r->name), e->name))
			return err_set(why, ERR_CONFLICT, "repository " STR_FMT " exists already",
			               STR_ARG(e->name));
	}
	return check_next(why, "repository", e->repo.v, s->next_repo);
}

// A plan is known by its digest: a wrong one would give a candidate another plan's jobs.
static bool check_plan(struct digest digest, struct str plan, struct err *why) {
	if (!digest_eq(digest, digest_of(plan)))
		return err_set(why, ERR_INVALID, "the plan's digest is another plan's");
	return plans_check(plan, why);
}

static bool check_configured(const struct state *s, const struct event_repo_configured *e,
                             struct err *why) {
	if (!state_repo(s, e->repo)) return missing(why, "repository", e->repo.v);
	return e->plan.n == 0 || check_plan(e->plan_digest, e->plan, why);
}

static bool check_trunk_moved(const struct state *s, const struct event_trunk_moved *e,
                              struct err *why) {
	const struct repo *r = state_repo(s, e->repo);
	if (!r) return missing(why, "repository", e->repo.v);
	if (r->landing.v) // its outcome says where trunk is; a move seen now may be that very landing
		return err_set(why, ERR_BUSY, "a landing is under way; look again after it");
	if (!oid_eq(r->tip, e->from))
		return err_set(why, ERR_CONFLICT, "trunk is not where the move began");
	return true;
}

static bool is_landing(const struct state *s, struct change_id id) {
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *r = table_at(&s->repos, i);
		if (r->landing.v && batch_has(s, state_candidate(s, r->landing_candidate), id)) return true;
	}
	return false;
}

static bool check_proposed(const struct state *s, const struct event_change_proposed *e,
                           struct err *why) {
	if (!state_repo(s, e->repo)) return missing(why, "repository", e->repo.v);
	if (oid_is_none(e->head)) return err_set(why, ERR_INVALID, "a change needs a commit");
	if (e->priority < INT32_MIN || e->priority > INT32_MAX)
		return err_set(why, ERR_INVALID, "a priority has 32 bits");
	if (is_landing(s, e->change)) // what lands is the head that was named: it can't be taken back
		return err_set(why, ERR_BUSY, "change %llu is landing just now; push again in a moment",
		               (unsigned long long)e->change.v);
	struct state_identity id = state_identify(s, e->repo, e->key, e->head);
	// The same commit may be named again for another purpose: a draft that is to land now.
	bool again = id.same && e->revision == (int64_t)id.revision + 1;
	if (id.change.v != e->change.v || ((int64_t)id.revision != e->revision && !again))
		return err_set(why, ERR_CONFLICT, "this push is revision %u of change %llu", id.revision,
		               (unsigned long long)id.change.v);
	return true;
}

static bool check_revision(const struct change *c, int64_t revision, struct err *why) {
	if (c->revision == revision) return true;
	return err_set(why, ERR_CONFLICT, "change %llu is at revision %u", (unsigned long long)c->id.v,
	               c->revision);
}

static bool check_open(const struct state *s, struct change_id id, int64_t revision,
                       struct err *why) {
	const struct change *c = state_change(s, id);
	return c ? check_revision(c, revision, why) : missing(why, "open change", id.v);
}

static bool check_withdrawn(const struct state *s, const struct event_change_withdrawn *e,
                            struct err *why) {
	if (is_landing(s, e->change))
		return err_set(why, ERR_CONFLICT, "change %llu is landing just now",
		               (unsigned long long)e->change.v);
	const struct change *rejected = state_rejected(s, e->change);
	if (rejected) return check_revision(rejected, e->revision, why);
	return check_open(s, e->change, e->revision, why);
}

static bool check_retried(const struct state *s, const struct event_change_retried *e,
                          struct err *why) {
	const struct change *c = state_rejected(s, e->change);
	if (!c) return missing(why, "rejected change", e->change.v);
	return check_revision(c, e->revision, why);
}

static bool check_candidate_issued(const struct state *s, const struct event_candidate_issued *e,
                                   struct err *why) {
	if (!state_repo(s, e->repo)) return missing(why, "repository", e->repo.v);
	if (e->base_candidate.v && !state_candidate(s, e->base_candidate))
		return missing(why, "candidate", e->base_candidate.v);
	if (e->again) {
		const struct candidate *old = state_candidate(s, (struct candidate_id){(uint64_t)e->again});
		if (!old || old->change.v != e->change.v)
			return missing(why, "candidate", (uint64_t)e->again);
	}
	return check_open(s, e->change, e->revision, why) && batch_check(s, e, why) &&
	       check_next(why, "candidate", e->candidate.v, s->next_candidate);
}

static bool check_candidate_state(const struct state *s, struct candidate_id id,
                                  enum candidate_state wanted, struct err *why) {
	const struct candidate *c = state_candidate(s, id);
	if (!c) return missing(why, "candidate", id.v);
	if (c->state != wanted)
		return err_set(why, ERR_CONFLICT, "candidate %llu is past that", (unsigned long long)id.v);
	return true;
}

static bool check_settled(const struct state *s, const struct event_job_settled *e,
                          struct err *why) {
	const struct candidate *c = state_candidate(s, e->candidate);
	if (!c) return missing(why, "candidate", e->candidate.v);
	if (e->job < 0 || (uint64_t)e->job >= c->job_count)
		return missing(why, "job", (uint64_t)e->job);
	if (state_job(s, c, (size_t)e->job)->status != JOB_DOUBTED)
		return err_set(why, ERR_CONFLICT, "nobody doubts that job");
	return true;
}

static bool check_run_issued(const struct state *s, const struct event_run_issued *e,
                             struct err *why) {
	const struct candidate *c = state_candidate(s, e->candidate);
	if (!c) return missing(why, "candidate", e->candidate.v);
	if (e->job < 0 || (uint64_t)e->job >= c->job_count)
		return missing(why, "job", (uint64_t)e->job);
	return check_next(why, "run", e->run.v, s->next_run);
}

static bool check_run(const struct state *s, struct run_id id, struct err *why) {
	return state_run(s, id) ? true : missing(why, "run", id.v);
}

static bool check_run_is(const struct state *s, struct run_id id, bool fits, const char *not_so,
                         struct err *why) {
	if (!check_run(s, id, why)) return false;
	return fits ? true
	            : err_set(why, ERR_CONFLICT, "run %llu %s", (unsigned long long)id.v, not_so);
}

static bool check_run_missed(const struct state *s, struct run_id id, struct err *why) {
	const struct run *r = state_run(s, id);
	return check_run_is(s, id, r && r->lookup, "was asked to run", why);
}

static bool check_run_moves(const struct state *s, const struct event *e, struct err *why) {
	struct run_id id = e->kind == EVENT_RUN_STARTED   ? e->run_started.run
	                   : e->kind == EVENT_RUN_STOPPED ? e->run_stopped.run
	                                                  : e->run_cancel_issued.run;
	const struct run *r = state_run(s, id);
	bool cancelling = r && r->state == RUN_CANCELLING;
	if (e->kind == EVENT_RUN_STARTED)
		return check_run_is(s, id, r && r->state == RUN_ISSUED, "began already", why);
	if (e->kind == EVENT_RUN_STOPPED)
		return check_run_is(s, id, cancelling, "was not asked to stop", why);
	return check_run_is(s, id, !cancelling, "was asked to stop already", why);
}

static bool check_landed(const struct state *s, const struct event_change_landed *e,
                         struct err *why) {
	const struct candidate *c = state_candidate(s, e->candidate);
	const struct repo *r = c ? state_repo(s, c->repo) : NULL;
	if (!r || r->landing.v != e->landing.v || e->landing.v == 0 ||
	    r->landing_candidate.v != e->candidate.v)
		return missing(why, "landing", e->landing.v);
	if (batch_member(s, c, 0).change.v != e->change.v || !oid_eq(c->commit, e->commit) ||
	    !oid_eq(c->tree, e->tree))
		return err_set(why, ERR_CONFLICT, "landing %llu is of another commit",
		               (unsigned long long)e->landing.v);
	if (!oid_eq(r->tip, e->previous))
		return err_set(why, ERR_CONFLICT, "trunk was not where the landing began");
	return check_open(s, e->change, e->revision, why);
}

static bool check_landing(const struct state *s, struct landing_id id, struct err *why) {
	for (size_t i = 0; id.v && i < s->repos.count; i++)
		if (((const struct repo *)table_at(&s->repos, i))->landing.v == id.v) return true;
	return missing(why, "landing", id.v);
}

static bool check_env(const struct state *s, struct env_id id, struct err *why) {
	return state_env(s, id) ? true : missing(why, "environment", id.v);
}

static bool check_deploy(const struct state *s, const struct event_deploy_requested *e,
                         struct err *why) {
	const struct env *env = state_env(s, e->env);
	if (!env || !env->defined) return missing(why, "environment", e->env.v);
	if (e->release.v == 0 || e->release.v >= s->next_release)
		return missing(why, "release", e->release.v);
	const struct release *known = state_release(s, e->release);
	if (known && known->repo.v != env->repo.v)
		return err_set(why, ERR_INVALID, "release %llu is another repository's",
		               (unsigned long long)e->release.v);
	if (state_is_blocked(s, e->release, e->env) && !e->force)
		return err_set(why, ERR_CONFLICT,
		               "release %llu was rolled back and is blocked; a newer one goes through by "
		               "itself; to deploy "
		               "this one add --force",
		               (unsigned long long)e->release.v);
	return true;
}

static bool check_rollback(const struct state *s, const struct event_rollback_requested *e,
                           struct err *why) {
	const struct env *env = state_env(s, e->env);
	if (!env) return missing(why, "environment", e->env.v);
	if (env->rollback_wanted || (env->rollout.v && env->rollout_is_rollback))
		return err_set(why, ERR_CONFLICT, STR_FMT " is being rolled back already",
		               STR_ARG(state_name(&env->name)));
	if (!environments_back(s, env).v && !(env->rollout.v && env->history[0].v))
		return err_set(why, ERR_CONFLICT, STR_FMT " has no earlier release to go back to",
		               STR_ARG(state_name(&env->name)));
	return true;
}

static bool check_rollout(const struct state *s, const struct event_rollout_issued *e,
                          struct err *why) {
	const struct env *env = state_env(s, e->env);
	if (!env) return missing(why, "environment", e->env.v);
	if (env->rollout.v) return err_set(why, ERR_CONFLICT, "a rollout is under way there");
	return check_next(why, "rollout", e->rollout.v, s->next_rollout);
}

static bool check_rollout_active(const struct state *s, struct rollout_id id, struct err *why) {
	return state_env_of_rollout(s, id) ? true : missing(why, "rollout", id.v);
}

bool apply_check(const struct state *s, const struct event *e, struct err *why) {
	if (e->time_ms < s->now_ms) return err_set(why, ERR_INVALID, "time goes back");
	switch (e->kind) {
	case EVENT_REPO_ADDED: return check_repo_added(s, &e->repo_added, why);
	case EVENT_REPO_CONFIGURED: return check_configured(s, &e->repo_configured, why);
	case EVENT_TRUNK_MOVED: return check_trunk_moved(s, &e->trunk_moved, why);
	case EVENT_CHANGE_PROPOSED: return check_proposed(s, &e->change_proposed, why);
	case EVENT_CHANGE_QUEUED:
		return check_open(s, e->change_queued.change, e->change_queued.revision, why);
	case EVENT_CHANGE_WITHDRAWN: return check_withdrawn(s, &e->change_withdrawn, why);
	case EVENT_CHANGE_REJECTED:
		return check_open(s, e->change_rejected.change, e->change_rejected.revision, why);
	case EVENT_CHANGE_VERIFIED:
		return check_open(s, e->change_verified.change, e->change_verified.revision, why);
	case EVENT_CHANGE_RETRIED: return check_retried(s, &e->change_retried, why);
	case EVENT_CHANGE_LANDED: return check_landed(s, &e->change_landed, why);
	case EVENT_CANDIDATE_ISSUED: return check_candidate_issued(s, &e->candidate_issued, why);
	case EVENT_CANDIDATE_BUILT:
		return check_candidate_state(s, e->candidate_built.candidate, CANDIDATE_BUILDING, why) &&
		       check_plan(e->candidate_built.plan_digest, e->candidate_built.plan, why);
	case EVENT_CANDIDATE_REFUSED:
		return check_candidate_state(s, e->candidate_refused.candidate, CANDIDATE_BUILDING, why);
	case EVENT_CANDIDATE_DROPPED:
		return state_candidate(s, e->candidate_dropped.candidate)
		           ? true
		           : missing(why, "candidate", e->candidate_dropped.candidate.v);
	case EVENT_JOB_SETTLED: return check_settled(s, &e->job_settled, why);
	case EVENT_RUN_ISSUED: return check_run_issued(s, &e->run_issued, why);
	case EVENT_RUN_STARTED:
	case EVENT_RUN_CANCEL_ISSUED:
	case EVENT_RUN_STOPPED: return check_run_moves(s, e, why);
	case EVENT_RUN_FINISHED: return check_run(s, e->run_finished.run, why);
	case EVENT_RUN_REUSED: return check_run(s, e->run_reused.run, why);
	case EVENT_RUN_MISSED: return check_run_missed(s, e->run_missed.run, why);
	case EVENT_RUN_LOST: return check_run(s, e->run_lost.run, why);
	case EVENT_LANDING_ISSUED:
		return check_candidate_state(s, e->landing_issued.candidate, CANDIDATE_TESTING, why) &&
		       check_next(why, "landing", e->landing_issued.landing.v, s->next_landing);
	case EVENT_LANDING_FAILED: return check_landing(s, e->landing_failed.landing, why);
	case EVENT_RELEASE_MADE:
		return check_next(why, "release", e->release_made.release.v, s->next_release);
	case EVENT_RELEASE_REFUSED:
		return check_candidate_state(s, e->release_refused.candidate, CANDIDATE_LANDED, why);
	case EVENT_RELEASE_BLOCKED: return check_env(s, e->release_blocked.env, why);
	case EVENT_DEPLOY_REQUESTED: return check_deploy(s, &e->deploy_requested, why);
	case EVENT_ROLLBACK_REQUESTED: return check_rollback(s, &e->rollback_requested, why);
	case EVENT_ROLLOUT_ISSUED: return check_rollout(s, &e->rollout_issued, why);
	case EVENT_ROLLOUT_CANCEL_ISSUED:
		return check_rollout_active(s, e->rollout_cancel_issued.rollout, why);
	case EVENT_ROLLOUT_FINISHED: return check_rollout_active(s, e->rollout_finished.rollout, why);
	case EVENT_ENV_UNHEALTHY: return check_env(s, e->env_unhealthy.env, why);
	case EVENT_ENV_HEALTHY: return check_env(s, e->env_healthy.env, why);
	case EVENT_SERVER_STARTED:
	case EVENT_CLOCK_PASSED:
	case EVENT_TOKEN_CREATED:
	case EVENT_TOKEN_REVOKED:
	case EVENT_SECRET_SET:
	case EVENT_SECRET_REMOVED:
	case EVENT_KEY_ADDED:
	case EVENT_KEY_REMOVED:
	case EVENT_WEBHOOK_ADDED:
	case EVENT_WEBHOOK_REMOVED:
	case EVENT_WEBHOOK_DELIVERED:
	case EVENT_LOCAL_RUN: return true;
	case EVENT_NONE:
	case EVENT_KIND_MAX: break;
	}
	return err_set(why, ERR_INVALID, "no event kind %d", (int)e->kind);
}
