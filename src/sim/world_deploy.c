#include "sim/world_deploy.h"

static void tell(struct world *w, struct world_rollout *r) {
	struct event e = {.kind = EVENT_ROLLOUT_FINISHED};
	e.rollout_finished = (struct event_rollout_finished){
		.rollout = {r->id},
		.outcome = r->switched  ? OUTCOME_PASSED
	               : r->stopped ? OUTCOME_CANCELLED
	                            : OUTCOME_FAILED,
		.reason = r->switched  ? REASON_NONE
	              : r->stopped ? REASON_ROLLED_BACK
	                           : REASON_HEALTH_NEVER_GREEN,
		.exposed_ms = r->switched ? world_wall_ms(w) : 0,
	};
	r->told = true;
	world_send(w, WORLD_FROM_DEPLOY, 1 + (int64_t)world_below(w, 20), e, 0);
}

void world_deploy_ask(struct world *w, const struct event_rollout_issued *e,
                      struct gitmodel_tree tree) {
	struct world_rollout *r = table_get(&w->rollouts, e->rollout.v);
	if (r) {
		if (r->told) tell(w, r);
		return;
	}
	r = table_insert(&w->rollouts, table_find(&w->rollouts, e->rollout.v));
	*r = (struct world_rollout){
		.id = e->rollout.v,
		.env = e->env.v,
		.release = e->release.v,
		.switch_ms = w->now_ms + 20 + (int64_t)world_below(w, 300),
		.green = gitmodel_becomes_green(tree),
		.stays = gitmodel_stays_green(tree),
	};
	r->end_ms = r->switch_ms + (int64_t)world_below(w, 50);
}

void world_deploy_cancel(struct world *w, struct rollout_id rollout) {
	struct world_rollout *r = table_get(&w->rollouts, rollout.v);
	if (!r) { // never came to be: it never will
		r = table_insert(&w->rollouts, table_find(&w->rollouts, rollout.v));
		r->id = rollout.v;
	}
	if (!r->switched) r->stopped = true;
	if (r->told || (r->stopped && !r->switched)) tell(w, r);
}

static struct world_service *service(struct world *w, uint64_t env) {
	struct world_service *s = table_get(&w->services, env);
	if (s) return s;
	s = table_insert(&w->services, table_find(&w->services, env));
	*s = (struct world_service){.env = env, .unhealthy_ms = -1};
	return s;
}

static void switch_to(struct world *w, struct world_rollout *r) {
	struct world_service *s = service(w, r->env);
	r->switched = true;
	s->release = r->release;
	s->unhealthy_ms = r->stays ? -1 : w->now_ms + 100 + (int64_t)world_below(w, 2000);
}

void world_deploy_tick(struct world *w) {
	for (size_t i = 0; i < w->rollouts.count; i++) {
		struct world_rollout *r = table_at(&w->rollouts, i);
		if (r->told) continue;
		if (!r->switched && r->switch_ms <= w->now_ms) {
			if (r->green) switch_to(w, r);
			else tell(w, r);
		}
		if (r->switched && r->end_ms <= w->now_ms) tell(w, r);
	}
	for (size_t i = 0; i < w->services.count; i++) {
		struct world_service *s = table_at(&w->services, i);
		if (s->unhealthy_ms < 0 || s->unhealthy_ms > w->now_ms) continue;
		w->counted[WORLD_UNHEALTHY]++;
		s->unhealthy_ms = w->now_ms + 3000; // said again until somebody helps
		world_send(
			w, WORLD_FROM_DEPLOY, 1,
			(struct event){.kind = EVENT_ENV_UNHEALTHY,
		                   .env_unhealthy = {{s->env}, {s->release}, STR("503"), .settled = 0}},
			0);
	}
}

bool world_deploy_running(const struct world *w, uint64_t env, uint64_t *release) {
	const struct world_service *s = table_get(&w->services, env);
	*release = s ? s->release : 0;
	return true;
}
