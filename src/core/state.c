#include "core/state.h"

#include <assert.h>

#include "core/batch.h"

enum { TABLES = 16 };

static struct table *const *tables(struct state *s, struct table *list[TABLES]) {
	struct table *all[] = {&s->repos, &s->changes,  &s->rejected, &s->candidates,
	                       &s->jobs,  &s->runs,     &s->plans,    &s->plan_jobs,
	                       &s->needs, &s->releases, &s->blocks,   &s->envs,
	                       &s->areas, &s->flakes,   &s->members,  &s->lessons};
	memcpy(list, all, sizeof all);
	return list;
}

void state_init(struct state *s) {
	*s = (struct state){
		.repos = TABLE_OF(struct repo),
		.changes = TABLE_OF(struct change),
		.rejected = TABLE_OF(struct change),
		.candidates = TABLE_OF(struct candidate),
		.jobs = TABLE_OF(struct job),
		.runs = TABLE_OF(struct run),
		.plans = TABLE_OF(struct plan),
		.plan_jobs = TABLE_OF(struct plan_job),
		.needs = TABLE_OF(uint16_t),
		.releases = TABLE_OF(struct release),
		.blocks = TABLE_OF(struct block),
		.envs = TABLE_OF(struct env),
		.areas = TABLE_OF(struct area),
		.flakes = TABLE_OF(struct flake),
		.lessons = TABLE_OF(struct lesson),
		.members = TABLE_OF(struct member),
		.next_queue_order = 1,
		.next_repo = 1,
		.next_change = 1,
		.next_candidate = 1,
		.next_run = 1,
		.next_landing = 1,
		.next_release = 1,
		.next_env = 1,
		.next_rollout = 1,
		.slots = 1,
	};
}

void state_copy(struct state *to, const struct state *from) {
	struct table *target[TABLES], *source[TABLES];
	struct state shallow = *from;
	*to = *from;
	tables(to, target);
	tables(&shallow, source);
	for (size_t i = 0; i < TABLES; i++) table_copy(target[i], source[i]);
}

void state_free(struct state *s) {
	struct table *list[TABLES];
	tables(s, list);
	for (size_t i = 0; i < TABLES; i++) table_free(list[i]);
}

size_t state_bytes(const struct state *s) {
	struct table *list[TABLES];
	struct state shallow = *s;
	size_t bytes = sizeof *s;
	tables(&shallow, list);
	for (size_t i = 0; i < TABLES; i++) bytes += (size_t)list[i]->count * list[i]->row_bytes;
	return bytes;
}

struct repo *state_repo(const struct state *s, struct repo_id id) {
	return table_get(&s->repos, id.v);
}
struct change *state_change(const struct state *s, struct change_id id) {
	return table_get(&s->changes, id.v);
}
struct change *state_rejected(const struct state *s, struct change_id id) {
	return table_get(&s->rejected, id.v);
}
struct candidate *state_candidate(const struct state *s, struct candidate_id id) {
	return table_get(&s->candidates, id.v);
}
struct run *state_run(const struct state *s, struct run_id id) {
	return table_get(&s->runs, id.v);
}
struct release *state_release(const struct state *s, struct release_id id) {
	return table_get(&s->releases, id.v);
}
struct env *state_env(const struct state *s, struct env_id id) {
	return table_get(&s->envs, id.v);
}

struct env *state_env_of_rollout(const struct state *s, struct rollout_id id) {
	for (size_t i = 0; id.v && i < s->envs.count; i++) {
		struct env *env = table_at(&s->envs, i);
		if (env->rollout.v == id.v) return env;
	}
	return NULL;
}

struct plan *state_plan(const struct state *s, struct digest digest) {
	for (size_t i = 0; i < s->plans.count; i++) {
		struct plan *p = table_at(&s->plans, i);
		if (digest_eq(p->digest, digest)) return p;
	}
	return NULL;
}

struct job *state_job(const struct state *s, const struct candidate *c, size_t index) {
	assert(index < c->job_count);
	return table_at(&s->jobs, c->job_at + index);
}

struct plan_job *state_plan_job(const struct state *s, const struct plan *p, size_t index) {
	assert(index < p->job_count);
	return table_at(&s->plan_jobs, p->job_at + index);
}

struct candidate *state_candidate_of_change(const struct state *s, struct change_id id) {
	for (size_t i = s->candidates.count; i > 0; i--) {
		struct candidate *c = table_at(&s->candidates, i - 1);
		if (batch_has(s, c, id) && c->state != CANDIDATE_DROPPED && c->state != CANDIDATE_LANDED)
			return c;
	}
	return NULL;
}

bool state_is_blocked(const struct state *s, struct release_id release, struct env_id env) {
	for (size_t i = 0; i < s->blocks.count; i++) {
		const struct block *b = table_at(&s->blocks, i);
		if (b->release.v == release.v && b->env.v == env.v) return true;
	}
	return false;
}

struct str state_name(const struct name *n) {
	return (struct str){n->p, n->n};
}

static const struct change *find_key(const struct table *t, struct repo_id repo,
                                     struct digest key) {
	for (size_t i = t->count; i > 0; i--) {
		const struct change *c = table_at(t, i - 1);
		if (c->repo.v == repo.v && memcmp(c->key, key.b, sizeof c->key) == 0) return c;
	}
	return NULL;
}

struct state_identity state_identify(const struct state *s, struct repo_id repo, struct digest key,
                                     struct oid head) {
	const struct change *c = find_key(&s->changes, repo, key);
	if (!c) c = find_key(&s->rejected, repo, key);
	if (!c) return (struct state_identity){{s->next_change}, 1, false};
	bool same = oid_eq(c->head, head);
	return (struct state_identity){c->id, c->revision + !same, same};
}
