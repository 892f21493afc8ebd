#include "core/decide_delivery.h"

#include <assert.h>

#include "base/jsonw.h"
#include "core/candidates.h"
#include "core/environments.h"

enum after_landing { AFTER_PENDING, AFTER_PASSED, AFTER_FAILED };

static enum after_landing after_landing(const struct state *s, const struct candidate *c,
                                        const struct job **failed) {
	const struct plan *plan = state_plan(s, c->plan);
	enum after_landing so_far = AFTER_PASSED;
	for (size_t i = 0; i < c->job_count; i++) {
		const struct job *j = state_job(s, c, i);
		if (state_plan_job(s, plan, i)->when != WHEN_LANDED || j->status == JOB_SKIPPED) continue;
		if (j->status == JOB_FAILED) {
			*failed = j;
			return AFTER_FAILED;
		}
		if (j->status != JOB_PASSED) so_far = AFTER_PENDING;
	}
	return so_far;
}

static struct str artifacts_json(const struct state *s, const struct candidate *c,
                                 struct arena *life) {
	const struct plan *plan = state_plan(s, c->plan);
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	jsonw_array(&w);
	for (size_t i = 0; i < c->job_count; i++) {
		const struct job *j = state_job(s, c, i);
		char hex[DIGEST_HEX + 1];
		if (j->status != JOB_PASSED || digest_is_none(j->artifacts)) continue;
		digest_hex(j->artifacts, hex);
		jsonw_object(&w);
		jsonw_key_z(&w, "artifacts", hex);
		jsonw_key_s(&w, "job", state_name(&state_plan_job(s, plan, i)->name));
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
	return arena_str(life, buf_view(&text));
}

static void release(struct state *s, const struct candidate *c, int64_t now_ms,
                    struct decide_list *list) {
	const struct job *failed = NULL;
	switch (after_landing(s, c, &failed)) {
	case AFTER_PENDING: return;
	case AFTER_FAILED:
		assert(failed);
		decide_add(s, list,
		           &(struct event){.kind = EVENT_RELEASE_REFUSED,
		                           .time_ms = now_ms,
		                           .release_refused = {c->id, failed->run, failed->reason}});
		return;
	case AFTER_PASSED:
		decide_add(
			s, list,
			&(struct event){.kind = EVENT_RELEASE_MADE,
		                    .time_ms = now_ms,
		                    .release_made = {.release = {s->next_release},
		                                     .repo = c->repo,
		                                     .change = c->change,
		                                     .candidate = c->id,
		                                     .commit = c->commit,
		                                     .artifacts = artifacts_json(s, c, list->life)}});
		return;
	}
}

void decide_delivery_releases(struct state *s, int64_t now_ms, struct decide_list *list) {
	for (size_t i = 0; i < s->candidates.count; i++) {
		const struct candidate *c = table_at(&s->candidates, i);
		uint64_t id = c->id.v;
		if (c->state == CANDIDATE_LANDED && !c->released) release(s, c, now_ms, list);
		i = table_find(&s->candidates, id); // the table may have shrunk
		if (i < s->candidates.count &&
		    ((struct candidate *)table_at(&s->candidates, i))->id.v != id)
			i--;
	}
}

static void block(struct state *s, const struct env *env, struct release_id release,
                  enum reason reason, int64_t now_ms, struct decide_list *list) {
	if (state_is_blocked(s, release, env->id)) return;
	decide_add(s, list,
	           &(struct event){.kind = EVENT_RELEASE_BLOCKED,
	                           .time_ms = now_ms,
	                           .release_blocked = {release, env->id, reason}});
}

static void start(struct state *s, const struct env *env, struct release_id release,
                  struct str cause, int64_t now_ms, struct decide_list *list) {
	decide_add(s, list,
	           &(struct event){.kind = EVENT_ROLLOUT_ISSUED,
	                           .time_ms = now_ms,
	                           .rollout_issued = {
								   {s->next_rollout}, env->id, release, env->history[0], cause}});
}

static void cancel(struct state *s, const struct env *env, enum reason reason, int64_t now_ms,
                   struct decide_list *list) {
	if (env->cancelling || env->rollout_is_rollback) return;
	decide_add(s, list,
	           &(struct event){.kind = EVENT_ROLLOUT_CANCEL_ISSUED,
	                           .time_ms = now_ms,
	                           .rollout_cancel_issued = {env->rollout, reason}});
}

// The newest release of the repository that no automatic rollout tried yet.
static struct release_id next_release(const struct state *s, const struct env *env) {
	for (size_t i = s->releases.count; i > 0; i--) {
		const struct release *r = table_at(&s->releases, i - 1);
		if (r->repo.v != env->repo.v) continue;
		return r->id.v > env->floor.v && !state_is_blocked(s, r->id, env->id)
		           ? r->id
		           : (struct release_id){0};
	}
	return (struct release_id){0};
}

// A rollback first blocks what it undoes. While a deploy is under way it is that deploy which is
// undone: it is cancelled and its release blocked; the one that serves goes on.
static void roll_back(struct state *s, const struct env *env, enum reason reason, int64_t now_ms,
                      struct decide_list *list) {
	if (env->rollout.v) {
		if (env->rollout_release.v != env->history[0].v)
			block(s, env, env->rollout_release, reason, now_ms, list);
		cancel(s, env, reason, now_ms, list);
		return;
	}
	struct release_id back = environments_back(s, env);
	if (!back.v) return;
	block(s, env, env->history[0], reason, now_ms, list);
	start(s, env, back, STR("rollback"), now_ms, list);
}

static void environment(struct state *s, const struct env *env, int64_t now_ms,
                        struct decide_list *list) {
	if (env->rollback_wanted) {
		roll_back(s, env, REASON_ROLLED_BACK, now_ms, list);
		return;
	}
	if (env->rollout.v) return;
	if (env->unhealthy && environments_back(s, env).v) {
		roll_back(s, env, REASON_BECAME_UNHEALTHY, now_ms, list);
		return;
	}
	if (env->requested.v) {
		start(s, env, env->requested, STR("deploy"), now_ms, list);
		return;
	}
	struct release_id newest = next_release(s, env);
	if (env->defined && newest.v) start(s, env, newest, STR("landed"), now_ms, list);
}

void decide_delivery_rollouts(struct state *s, int64_t now_ms, struct decide_list *list) {
	for (size_t i = 0; i < s->envs.count; i++) environment(s, table_at(&s->envs, i), now_ms, list);
}
