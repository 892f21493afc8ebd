#include "core/environments.h"

#include <assert.h>
#include <stdlib.h>

#include "core/plans.h"

enum { ENVIRONMENTS_MAX = 64 };

struct names {
	struct name list[ENVIRONMENTS_MAX];
	size_t count;
};

static void collect(void *context, struct str name) {
	struct names *names = context;
	if (names->count == ENVIRONMENTS_MAX || name.n > STATE_NAME_MAX) return;
	struct name *row = &names->list[names->count++];
	*row = (struct name){.n = (uint8_t)name.n};
	memcpy(row->p, name.p, name.n);
}

static int compare(const void *a, const void *b) {
	return str_compare(state_name(a), state_name(b));
}

static struct env *find(const struct state *s, struct repo_id repo, struct str name) {
	for (size_t i = 0; i < s->envs.count; i++) {
		struct env *env = table_at(&s->envs, i);
		if (env->repo.v == repo.v && str_eq(state_name(&env->name), name)) return env;
	}
	return NULL;
}

void environments_define(struct state *s, struct repo_id repo, struct str plan) {
	struct names names = {.count = 0};
	if (!plans_environments(plan, collect, &names, NULL)) return;
	qsort(names.list, names.count, sizeof names.list[0], compare);
	for (size_t i = 0; i < s->envs.count; i++) {
		struct env *env = table_at(&s->envs, i);
		if (env->repo.v == repo.v) env->defined = 0;
	}
	for (size_t i = 0; i < names.count; i++) {
		struct env *env = find(s, repo, state_name(&names.list[i]));
		if (!env) {
			env = table_add(&s->envs, 1);
			env->id.v = s->next_env++;
			env->repo = repo;
			env->name = names.list[i];
		}
		env->defined = 1;
	}
}

void environments_rollout_issued(struct state *s, const struct event_rollout_issued *e) {
	struct env *env = state_env(s, e->env);
	s->next_rollout++;
	env->rollout = e->rollout;
	env->rollout_release = e->release;
	env->rollout_is_rollback = str_eq(e->cause, STR("rollback"));
	env->cancelling = 0;
	if (env->rollout_is_rollback) env->rollback_wanted = 0;
	else env->requested.v = 0;
	env->unhealthy = 0;
	if (e->release.v > env->floor.v) env->floor = e->release;
}

static void remember(struct env *env, struct release_id release) {
	if (env->history[0].v == release.v) return;
	memmove(&env->history[1], &env->history[0], sizeof env->history - sizeof env->history[0]);
	env->history[0] = release;
}

// Back to a release of the history: what came after it is forgotten.
static void go_back(struct env *env, struct release_id release) {
	size_t at = 0;
	while (at < STATE_HISTORY && env->history[at].v != release.v) at++;
	if (at == STATE_HISTORY) {
		remember(env, release);
		return;
	}
	memmove(&env->history[0], &env->history[at], (STATE_HISTORY - at) * sizeof env->history[0]);
	memset(&env->history[STATE_HISTORY - at], 0, at * sizeof env->history[0]);
}

struct release_id environments_back(const struct state *s, const struct env *env) {
	for (size_t i = 1; i < STATE_HISTORY; i++) {
		struct release_id id = env->history[i];
		if (id.v && id.v != env->history[0].v && !state_is_blocked(s, id, env->id)) return id;
	}
	return (struct release_id){0};
}

void environments_rollout_finished(struct state *s, const struct event_rollout_finished *e) {
	struct env *env = state_env_of_rollout(s, e->rollout);
	bool changed = env->history[0].v != env->rollout_release.v;
	if (e->outcome == OUTCOME_PASSED) {
		if (env->rollout_is_rollback) go_back(env, env->rollout_release);
		else remember(env, env->rollout_release);
	}
	// A rollback that was wanted while a deploy ran meant that deploy: it is undone unless it got
	// through, whether or not there was time to ask it to stop; and a wish with nowhere to go must
	// not stay, or the environment would take nothing any more.
	if (e->outcome != OUTCOME_PASSED || !changed || !environments_back(s, env).v)
		env->rollback_wanted = 0;
	env->rollout.v = 0;
	env->rollout_release.v = 0;
	env->cancelling = 0;
	env->rollout_is_rollback = 0;
	env->unhealthy = 0;
}

void environments_deploy_requested(struct state *s, const struct event_deploy_requested *e) {
	state_env(s, e->env)->requested = e->release;
	for (size_t i = s->blocks.count; e->force && i > 0; i--) {
		const struct block *b = table_at(&s->blocks, i - 1);
		if (b->release.v == e->release.v && b->env.v == e->env.v)
			table_remove(&s->blocks, i - 1, 1);
	}
}

static bool is_named(const struct state *s, struct release_id id) {
	for (size_t i = 0; i < s->envs.count; i++) {
		const struct env *env = table_at(&s->envs, i);
		if (env->requested.v == id.v || env->rollout_release.v == id.v) return true;
		for (size_t h = 0; h < STATE_HISTORY; h++)
			if (env->history[h].v == id.v) return true;
	}
	return false;
}

// Older releases that no environment names leave the state; their rows live on in the projections.
static void forget_releases(struct state *s, struct repo_id repo, struct release_id newest) {
	for (size_t i = s->releases.count; i > 0; i--) {
		const struct release *r = table_at(&s->releases, i - 1);
		if (r->repo.v == repo.v && r->id.v != newest.v && !is_named(s, r->id))
			table_remove(&s->releases, i - 1, 1);
	}
}

void environments_release_made(struct state *s, const struct event_release_made *e) {
	struct release *r = table_add(&s->releases, 1);
	s->next_release++;
	*r = (struct release){
		.id = e->release, .repo = e->repo, .change = e->change, .commit = e->commit};
	forget_releases(s, e->repo, e->release);
}
