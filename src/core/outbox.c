#include "core/outbox.h"

static void put(struct outbox_list *list, struct outbox_item item) {
	list->items[list->count++] = item;
}

static void candidates(const struct state *s, struct outbox_list *list) {
	for (size_t i = 0; i < s->candidates.count; i++) {
		const struct candidate *c = table_at(&s->candidates, i);
		if (c->state != CANDIDATE_BUILDING) continue;
		put(list,
		    (struct outbox_item){
				.kind = OUTBOX_CANDIDATE, .id = c->id.v, .repo = c->repo, .candidate = c->id});
	}
}

static void runs(const struct state *s, struct outbox_list *list) {
	for (size_t i = 0; i < s->runs.count; i++) {
		const struct run *r = table_at(&s->runs, i);
		put(list, (struct outbox_item){.kind = OUTBOX_RUN,
		                               .cancel = r->state == RUN_CANCELLING,
		                               .id = r->id.v,
		                               .repo = state_candidate(s, r->candidate)->repo,
		                               .candidate = r->candidate,
		                               .job = r->job});
	}
}

static void landings(const struct state *s, struct outbox_list *list) {
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *r = table_at(&s->repos, i);
		if (!r->landing.v) continue;
		const struct candidate *c = state_candidate(s, r->landing_candidate);
		put(list, (struct outbox_item){.kind = OUTBOX_LANDING,
		                               .id = r->landing.v,
		                               .repo = r->id,
		                               .candidate = c->id,
		                               .from = r->tip,
		                               .to = c->commit});
	}
}

static void rollouts(const struct state *s, struct outbox_list *list) {
	for (size_t i = 0; i < s->envs.count; i++) {
		const struct env *env = table_at(&s->envs, i);
		if (!env->rollout.v) continue;
		put(list, (struct outbox_item){.kind = OUTBOX_ROLLOUT,
		                               .cancel = env->cancelling,
		                               .id = env->rollout.v,
		                               .repo = env->repo,
		                               .env = env->id,
		                               .release = env->rollout_release,
		                               .previous = env->history[0]});
	}
}

struct outbox_list outbox_pending(const struct state *s, struct arena *life) {
	size_t most = (size_t)s->candidates.count + s->runs.count + s->repos.count + s->envs.count;
	struct outbox_list list = {ARENA_ARRAY(life, struct outbox_item, most + 1), 0};
	candidates(s, &list);
	landings(s, &list);
	runs(s, &list);
	rollouts(s, &list);
	return list;
}
