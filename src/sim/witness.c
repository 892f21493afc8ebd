#include "sim/witness.h"

#include "base/json.h"

enum { TABLES = 12 };

static void tables(struct witness *w, struct table *list[TABLES]) {
	struct table *all[TABLES] = {&w->repos, &w->changes, &w->accepted, &w->candidates,
	                             &w->jobs,  &w->runs,    &w->landings, &w->releases,
	                             &w->envs,  &w->blocks,  &w->was_live, &w->members};
	memcpy(list, all, sizeof all);
}

void witness_init(struct witness *w) {
	*w = (struct witness){
		.slots = 1,
		.repos = TABLE_OF(struct witness_repo),
		.changes = TABLE_OF(struct witness_change),
		.accepted = TABLE_OF(struct witness_accepted),
		.candidates = TABLE_OF(struct witness_candidate),
		.jobs = TABLE_OF(struct witness_job),
		.runs = TABLE_OF(struct witness_run),
		.landings = TABLE_OF(struct witness_landing),
		.releases = TABLE_OF(struct witness_release),
		.envs = TABLE_OF(struct witness_env),
		.blocks = TABLE_OF(struct witness_pair),
		.was_live = TABLE_OF(struct witness_pair),
		.members = TABLE_OF(struct witness_member),
	};
}

void witness_copy(struct witness *to, const struct witness *from) {
	struct table *target[TABLES], *source[TABLES];
	struct witness shallow = *from;
	*to = *from;
	tables(to, target);
	tables(&shallow, source);
	for (size_t i = 0; i < TABLES; i++) table_copy(target[i], source[i]);
}

void witness_free(struct witness *w) {
	struct table *list[TABLES];
	tables(w, list);
	for (size_t i = 0; i < TABLES; i++) table_free(list[i]);
}

uint64_t witness_accepted_id(uint64_t change, int64_t revision) {
	return change << 20 | (uint64_t)revision;
}

bool witness_has_pair(const struct table *pairs, uint64_t env, uint64_t release) {
	for (size_t i = 0; i < pairs->count; i++) {
		const struct witness_pair *p = table_at(pairs, i);
		if (p->env == env && p->release == release) return true;
	}
	return false;
}

struct witness_job *witness_job_of(const struct witness *w, const struct witness_candidate *c,
                                   int64_t index) {
	if (index < 0 || index >= c->job_count) return NULL;
	return table_at(&w->jobs, c->job_at + (size_t)index);
}

bool witness_all_passed(const struct witness *w, const struct witness_candidate *c) {
	for (int64_t i = 0; i < c->job_count; i++) {
		const struct witness_job *j = witness_job_of(w, c, i);
		if (!j || (j->required && !j->skipped && !j->passed)) return false;
	}
	return c->built;
}

// The row with this id, made when it is new.
static void *row(struct table *t, uint64_t id) {
	void *known = table_get(t, id);
	if (known) return known;
	void *new = table_insert(t, table_find(t, id));
	memcpy(new, &id, sizeof id);
	return new;
}

// ---------------------------------------------------------------- changes and candidates

static void proposed(struct witness *w, const struct event_change_proposed *e) {
	struct witness_change *c = row(&w->changes, e->change.v);
	bool rests = c->state == WITNESS_QUEUED || (c->state == WITNESS_VERIFIED && e->draft);
	if (rests && c->revision == e->revision) return; // the same push again
	c->repo = e->repo.v;
	c->revision = e->revision;
	c->head = e->head;
	c->state = WITNESS_PROPOSED;
	struct witness_accepted *a = row(&w->accepted, witness_accepted_id(e->change.v, e->revision));
	a->head = e->head;
}

static void change_is(struct witness *w, struct change_id id, enum witness_change_state state) {
	struct witness_change *c = table_get(&w->changes, id.v);
	if (c) c->state = state;
}

static void candidate_issued(struct witness *w, const struct event_candidate_issued *e) {
	struct witness_candidate *c = row(&w->candidates, e->candidate.v);
	c->repo = e->repo.v;
	c->change = e->change.v;
	c->revision = e->revision;
	c->head = e->head;
	c->base = e->base;
	AUTO_JSON list = NULL;
	if (!e->members.n || !json_parse(e->members, &list, NULL)) return;
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json *one = json_at(list, i);
		struct witness_member *m = table_add(&w->members, 1);
		m->candidate = c->id;
		m->change = (uint64_t)json_int(json_at(one, 0), 0);
		m->revision = json_int(json_at(one, 1), 0);
		if (!oid_parse(json_str(json_at(one, 2)), &m->head)) m->head = (struct oid){0};
	}
}

bool witness_tests(const struct witness *w, const struct witness_candidate *c, uint64_t change,
                   struct witness_member *out) {
	*out = (struct witness_member){c->id, c->change, c->revision, c->head};
	if (c->change == change) return true;
	for (size_t i = table_find(&w->members, c->id); i < w->members.count; i++) {
		const struct witness_member *m = table_at(&w->members, i);
		if (m->candidate != c->id) return false;
		*out = *m;
		if (m->change == change) return true;
	}
	return false;
}

static void skip(struct witness *w, const struct witness_candidate *c, struct str skipped) {
	AUTO_JSON list = NULL;
	if (!skipped.n || !json_parse(skipped, &list, NULL)) return;
	for (size_t i = 0; i < json_length(list); i++) {
		struct witness_job *j = witness_job_of(w, c, json_int(json_at(list, i), -1));
		if (j) j->skipped = 1;
	}
}

static void candidate_built(struct witness *w, const struct event_candidate_built *e) {
	struct witness_candidate *c = table_get(&w->candidates, e->candidate.v);
	AUTO_JSON plan = NULL;
	if (!c || !json_parse(e->plan, &plan, NULL)) return;
	const struct json *jobs = json_get(plan, "jobs");
	c->commit = e->commit;
	c->tree = e->tree;
	c->built = 1;
	c->job_at = w->jobs.count;
	c->job_count = (uint32_t)json_length(jobs);
	for (size_t i = 0; i < c->job_count; i++) {
		struct witness_job *j = table_add(&w->jobs, 1);
		j->required = str_eq(json_get_str(json_at(jobs, i), "when"), STR("change"));
	}
	skip(w, c, e->skipped);
}

// ---------------------------------------------------------------- runs

static void run_issued(struct witness *w, const struct event_run_issued *e) {
	struct witness_run *r = row(&w->runs, e->run.v);
	r->candidate = e->candidate.v;
	r->job = e->job;
	r->live = 1;
	r->lookup = e->lookup != 0;
	w->live_runs++;
	w->lookups += r->lookup;
}

static struct witness_run *run_ends(struct witness *w, struct run_id id, bool passed) {
	struct witness_run *r = table_get(&w->runs, id.v);
	if (!r || !r->live) return NULL;
	r->live = 0;
	r->passed = passed;
	w->live_runs--;
	w->lookups -= r->lookup;
	const struct witness_candidate *c = table_get(&w->candidates, r->candidate);
	struct witness_job *j = c ? witness_job_of(w, c, r->job) : NULL;
	if (j) j->passed = passed ? r->id : 0;
	return r;
}

static void run_finished(struct witness *w, const struct event_run_finished *e) {
	struct witness_run *r = run_ends(w, e->run, e->outcome == OUTCOME_PASSED);
	if (!r) return;
	r->failed = e->outcome == OUTCOME_FAILED;
	r->key = e->key;
	r->inputs = e->inputs;
}

static void run_reused(struct witness *w, const struct event_run_reused *e) {
	const struct witness_run *of = table_get(&w->runs, e->of.v);
	struct digest inputs = of ? of->inputs : (struct digest){{0}};
	struct witness_run *r = run_ends(w, e->run, !e->failed);
	if (!r) return;
	r->key = e->key;
	r->inputs = inputs;
}

// ---------------------------------------------------------------- landings

static void landing_issued(struct witness *w, const struct event_landing_issued *e) {
	struct witness_landing *l = row(&w->landings, e->landing.v);
	struct witness_repo *r = table_get(&w->repos, e->repo.v);
	l->candidate = e->candidate.v;
	l->repo = e->repo.v;
	l->from = e->from;
	l->to = e->to;
	l->live = 1;
	if (r) r->landing = l->id;
}

static struct witness_repo *landing_ends(struct witness *w, struct landing_id id) {
	struct witness_landing *l = table_get(&w->landings, id.v);
	struct witness_repo *r = l ? table_get(&w->repos, l->repo) : NULL;
	if (!r) return NULL;
	l->live = 0;
	if (r->landing == l->id) r->landing = 0;
	return r;
}

static void change_landed(struct witness *w, const struct event_change_landed *e) {
	struct witness_change *change = table_get(&w->changes, e->change.v);
	struct witness_candidate *c = table_get(&w->candidates, e->candidate.v);
	w->landed++;
	if (change) change->landed++;
	change_is(w, e->change, WITNESS_LANDED);
	if (c && c->change != e->change.v) return; // of a batch the last one ends it
	struct witness_repo *r = landing_ends(w, e->landing);
	if (c) c->landed = 1;
	if (r) r->tip = e->commit;
}

static void landing_failed(struct witness *w, const struct event_landing_failed *e) {
	struct witness_repo *r = landing_ends(w, e->landing);
	if (r && !oid_is_none(e->found)) r->tip = e->found;
}

// ---------------------------------------------------------------- delivery

static void remember(struct table *pairs, uint64_t env, uint64_t release) {
	if (witness_has_pair(pairs, env, release)) return;
	struct witness_pair *p = table_add(pairs, 1);
	*p = (struct witness_pair){env, release};
}

static void forget(struct table *pairs, uint64_t env, uint64_t release) {
	for (size_t i = pairs->count; i > 0; i--) {
		const struct witness_pair *p = table_at(pairs, i - 1);
		if (p->env == env && p->release == release) table_remove(pairs, i - 1, 1);
	}
}

static void release_made(struct witness *w, const struct event_release_made *e) {
	struct witness_release *r = row(&w->releases, e->release.v);
	r->repo = e->repo.v;
	r->candidate = e->candidate.v;
	r->commit = e->commit;
}

static void rollout_issued(struct witness *w, const struct event_rollout_issued *e) {
	struct witness_env *env = row(&w->envs, e->env.v);
	env->rollout = e->rollout.v;
	env->rollout_release = e->release.v;
}

static void rollout_finished(struct witness *w, const struct event_rollout_finished *e) {
	for (size_t i = 0; i < w->envs.count; i++) {
		struct witness_env *env = table_at(&w->envs, i);
		if (env->rollout != e->rollout.v) continue;
		env->rollout = 0;
		if (e->outcome != OUTCOME_PASSED) return;
		env->live = env->rollout_release;
		remember(&w->was_live, env->id, env->live);
		return;
	}
}

static void fold_delivery(struct witness *w, const struct event *e) {
	switch ((int)e->kind) {
	case EVENT_RELEASE_MADE: release_made(w, &e->release_made); return;
	case EVENT_RELEASE_BLOCKED:
		remember(&w->blocks, e->release_blocked.env.v, e->release_blocked.release.v);
		return;
	case EVENT_DEPLOY_REQUESTED:
		if (e->deploy_requested.force)
			forget(&w->blocks, e->deploy_requested.env.v, e->deploy_requested.release.v);
		return;
	case EVENT_ROLLOUT_ISSUED: rollout_issued(w, &e->rollout_issued); return;
	case EVENT_ROLLOUT_FINISHED: rollout_finished(w, &e->rollout_finished); return;
	default: return;
	}
}

static void fold_repo(struct witness *w, const struct event *e) {
	struct witness_repo *r;
	if (e->kind == EVENT_REPO_ADDED) (void)row(&w->repos, e->repo_added.repo.v);
	if (e->kind != EVENT_TRUNK_MOVED) return;
	r = table_get(&w->repos, e->trunk_moved.repo.v);
	if (r) r->tip = e->trunk_moved.to;
}

void witness_fold(struct witness *w, const struct event *e) {
	w->events++;
	w->now_ms = e->time_ms;
	switch ((int)e->kind) {
	case EVENT_SERVER_STARTED:
		w->slots = e->server_started.slots < 1 ? 1 : e->server_started.slots;
		return;
	case EVENT_REPO_ADDED:
	case EVENT_TRUNK_MOVED: fold_repo(w, e); return;
	case EVENT_CHANGE_PROPOSED: proposed(w, &e->change_proposed); return;
	case EVENT_CHANGE_QUEUED: change_is(w, e->change_queued.change, WITNESS_QUEUED); return;
	case EVENT_CHANGE_WITHDRAWN:
		w->withdrawn++;
		change_is(w, e->change_withdrawn.change, WITNESS_WITHDRAWN);
		return;
	case EVENT_CHANGE_REJECTED:
		w->rejected++;
		change_is(w, e->change_rejected.change, WITNESS_REJECTED);
		return;
	case EVENT_CHANGE_RETRIED: change_is(w, e->change_retried.change, WITNESS_PROPOSED); return;
	case EVENT_CHANGE_VERIFIED: change_is(w, e->change_verified.change, WITNESS_VERIFIED); return;
	case EVENT_CHANGE_LANDED: change_landed(w, &e->change_landed); return;
	case EVENT_CANDIDATE_ISSUED: candidate_issued(w, &e->candidate_issued); return;
	case EVENT_CANDIDATE_BUILT: candidate_built(w, &e->candidate_built); return;
	case EVENT_RUN_ISSUED: run_issued(w, &e->run_issued); return;
	case EVENT_RUN_FINISHED: run_finished(w, &e->run_finished); return;
	case EVENT_RUN_REUSED: run_reused(w, &e->run_reused); return;
	case EVENT_RUN_STOPPED: (void)run_ends(w, e->run_stopped.run, false); return;
	case EVENT_RUN_MISSED: (void)run_ends(w, e->run_missed.run, false); return;
	case EVENT_RUN_LOST: (void)run_ends(w, e->run_lost.run, false); return;
	case EVENT_LANDING_ISSUED: landing_issued(w, &e->landing_issued); return;
	case EVENT_LANDING_FAILED: landing_failed(w, &e->landing_failed); return;
	default: fold_delivery(w, e); return;
	}
}
