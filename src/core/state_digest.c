// The digest of a state: every value that decide may see, in a fixed order, independent of padding
// and layout. A new field is added at the end of its row's list, and only when it is not zero, so
// that digests of old logs hold.
#include "core/state.h"

static void add_name(struct hash *h, const struct name *n) {
	hash_add_str(h, state_name(n));
}

static void add_oid(struct hash *h, const struct oid *o) {
	hash_add_str(h, (struct str){(const char *)o->b, o->n});
}

static void add_digest(struct hash *h, const struct digest *d) {
	hash_add(h, d->b, sizeof d->b);
}

static void add_numbers(struct hash *h, const uint64_t *v, size_t n) {
	for (size_t i = 0; i < n; i++) hash_add_u64(h, v[i]);
}

#define ADD(h, ...) \
	add_numbers(h, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / 8)

static void add_repo(struct hash *h, const struct repo *r) {
	ADD(h, r->id.v, r->landing.v, r->landing_candidate.v, r->follow);
	add_name(h, &r->name);
	hash_add_str(h, str_of(r->trunk));
	add_oid(h, &r->tip);
	add_digest(h, &r->plan);
}

static void add_change(struct hash *h, const struct change *c) {
	ADD(h, c->id.v, c->repo.v, c->queue_order, (uint64_t)c->proposed_ms, (uint64_t)c->queued_ms,
	    c->revision, c->verified_revision, (uint64_t)c->priority, c->state, c->draft);
	add_oid(h, &c->head);
	hash_add(h, c->key, sizeof c->key);
	if (c->areas_known | c->areas_wrong) ADD(h, c->areas_known, c->areas_wrong);
	if (c->apart) ADD(h, c->apart);
	if (c->chance) ADD(h, c->chance, c->tenth, c->author, c->size);
}

static void add_candidate(struct hash *h, const struct candidate *c) {
	ADD(h, c->id.v, c->repo.v, c->change.v, c->base_candidate.v, c->revision, c->job_count,
	    c->state, c->refusal, c->released);
	add_oid(h, &c->base);
	add_oid(h, &c->head);
	add_oid(h, &c->commit);
	add_oid(h, &c->tree);
	add_digest(h, &c->plan);
	if (c->again | c->carrier | c->behind | c->refuted)
		ADD(h, c->again, c->carrier, c->behind, c->refuted);
}

static void add_job(struct hash *h, const struct job *j) {
	ADD(h, j->run.v, (uint64_t)j->nightly_day, j->status, j->reason, j->attempt, j->lost);
	add_digest(h, &j->artifacts);
	if (j->looked) ADD(h, j->looked);
	if (!j->reds) return;
	ADD(h, j->reds, j->greens, j->red_key_count, j->faked, j->red_job, j->red_run.v);
	add_numbers(h, j->red_keys, j->red_key_count);
}

static void add_plan(struct hash *h, const struct state *s, const struct plan *p) {
	add_digest(h, &p->digest);
	ADD(h, p->uses, p->job_count);
	for (size_t i = 0; i < p->job_count; i++) {
		const struct plan_job *j = state_plan_job(s, p, i);
		add_name(h, &j->name);
		ADD(h, j->need_count, j->retries, j->when, j->makes_artifacts);
		for (size_t n = 0; n < j->need_count; n++)
			hash_add_u64(h, *(const uint16_t *)table_at(&s->needs, j->need_at + n));
	}
}

static void add_env(struct hash *h, const struct env *e) {
	ADD(h, e->id.v, e->repo.v, e->floor.v, e->requested.v, e->rollout.v, e->rollout_release.v,
	    e->defined, e->rollback_wanted, e->unhealthy, e->cancelling, e->rollout_is_rollback);
	add_name(h, &e->name);
	for (size_t i = 0; i < STATE_HISTORY; i++) hash_add_u64(h, e->history[i].v);
}

#define EACH(s, table, type, row)                    \
	hash_add_u64(&h, (s)->table.count);              \
	for (size_t i_ = 0; i_ < (s)->table.count; i_++) \
		for (const type *row = table_at(&(s)->table, i_); row; row = NULL)

struct digest state_digest(const struct state *s) {
	struct hash h;
	hash_begin(&h);
	ADD(&h, (uint64_t)s->now_ms, s->events, s->next_queue_order, s->next_repo, s->next_change,
	    s->next_candidate, s->next_run, s->next_landing, s->next_release, s->next_env,
	    s->next_rollout, s->seed, s->slots);
	EACH(s, repos, struct repo, r) add_repo(&h, r);
	EACH(s, changes, struct change, c) add_change(&h, c);
	EACH(s, rejected, struct change, c) add_change(&h, c);
	EACH(s, candidates, struct candidate, c) {
		add_candidate(&h, c);
		for (size_t i = 0; i < c->job_count; i++) add_job(&h, state_job(s, c, i));
	}
	EACH(s, runs, struct run, r) {
		ADD(&h, r->id.v, r->candidate.v, (uint64_t)r->issued_ms, r->job, r->state);
		if (r->lookup | r->doubts) ADD(&h, r->lookup, r->doubts);
	}
	EACH(s, plans, struct plan, p) add_plan(&h, s, p);
	EACH(s, releases, struct release, r) {
		ADD(&h, r->id.v, r->repo.v, r->change.v);
		add_oid(&h, &r->commit);
	}
	EACH(s, blocks, struct block, b) ADD(&h, b->release.v, b->env.v);
	EACH(s, envs, struct env, e) add_env(&h, e);
	for (size_t i = 0; i < s->flakes.count; i++) {
		const struct flake *f = table_at(&s->flakes, i);
		ADD(&h, f->key, f->job, f->passes, f->flips);
	}
	for (size_t i = 0; i < s->areas.count; i++) {
		const struct area *a = table_at(&s->areas, i);
		ADD(&h, a->change, a->number);
	}
	if (s->learns) hash_add_u64(&h, s->learns);
	if (s->batch_max) ADD(&h, s->batch_max, 1);
	for (size_t i = 0; i < s->lessons.count; i++) {
		const struct lesson *l = table_at(&s->lessons, i);
		ADD(&h, l->key, l->good, l->bad, (uint64_t)l->mean, (uint64_t)l->last_ms);
	}
	for (size_t i = 0; i < s->members.count; i++) {
		const struct member *m = table_at(&s->members, i);
		ADD(&h, m->candidate, m->change.v, m->revision);
		add_oid(&h, &m->head);
	}
	return hash_end(&h);
}
