#include "core/candidates.h"

#include <assert.h>

#include "base/json.h"
#include "core/areas.h"
#include "core/batch.h"
#include "core/plans.h"

enum { DAY_MS = 86400000 };

// What each of its changes touches, where that is not known yet.
static void take_areas(struct state *s, const struct candidate *c,
                       const struct event_candidate_built *e) {
	AUTO_JSON list = NULL;
	AUTO_BUF text = {0};
	size_t n = batch_size(s, c);
	if (e->member_affects.n && !json_parse(e->member_affects, &list, NULL)) list = NULL;
	if (json_length(list) + 1 != n) return; // one left while it was built: whose is whose?
	for (size_t i = 0; i < n; i++) {
		struct member m = batch_member(s, c, i);
		struct change *change = state_change(s, m.change);
		if (!change || change->revision != m.revision || change->areas_known || change->areas_wrong)
			continue;
		buf_reset(&text);
		if (i + 1 < n && json_kind(json_at(list, i)) == JSON_KIND_OBJECT)
			json_print(&text, json_at(list, i));
		areas_set(s, change, i + 1 < n ? buf_view(&text) : e->affects);
	}
}

void candidates_build(struct state *s, struct candidate *c, const struct event_candidate_built *e) {
	c->commit = e->commit;
	c->tree = e->tree;
	c->plan = e->plan_digest;
	c->state = CANDIDATE_TESTING;
	bool usable = plans_use(s, e->plan_digest, e->plan, NULL);
	assert(usable);
	take_areas(s, c, e);
	c->job_at = s->jobs.count;
	c->job_count = state_plan(s, e->plan_digest)->job_count;
	(void)table_add(&s->jobs, c->job_count);
	AUTO_JSON skipped = NULL;
	if (!e->skipped.n || !json_parse(e->skipped, &skipped, NULL)) return;
	for (size_t i = 0; i < json_length(skipped); i++) {
		int64_t index = json_int(json_at(skipped, i), -1);
		if (index >= 0 && index < c->job_count)
			state_job(s, c, (size_t)index)->status = JOB_SKIPPED;
	}
}

enum candidates_verdict candidates_verdict(const struct state *s, const struct candidate *c,
                                           size_t *failed) {
	const struct plan *plan = state_plan(s, c->plan);
	enum candidates_verdict so_far = CANDIDATES_PASSED;
	for (size_t i = 0; i < c->job_count; i++) {
		const struct job *j = state_job(s, c, i);
		if (state_plan_job(s, plan, i)->when != WHEN_CHANGE || j->status == JOB_SKIPPED) continue;
		if (j->status == JOB_FAILED) {
			*failed = i;
			return CANDIDATES_FAILED;
		}
		if (j->status != JOB_PASSED) so_far = CANDIDATES_OPEN;
	}
	return so_far;
}

bool candidates_has_runs(const struct state *s, struct candidate_id id) {
	for (size_t i = 0; i < s->runs.count; i++)
		if (((const struct run *)table_at(&s->runs, i))->candidate.v == id.v) return true;
	return false;
}

const struct candidate *candidates_newest_landed(const struct state *s, struct repo_id repo) {
	for (size_t i = s->candidates.count; i > 0; i--) {
		const struct candidate *c = table_at(&s->candidates, i - 1);
		if (c->repo.v == repo.v && c->state == CANDIDATE_LANDED) return c;
	}
	return NULL;
}

// The day of the newest run of a nightly job with this name, by the newest landed candidate.
static int64_t nightly_before(const struct state *s, const struct candidate *before,
                              struct str name) {
	for (size_t i = 0; before && i < before->job_count; i++)
		if (str_eq(state_name(&state_plan_job(s, state_plan(s, before->plan), i)->name), name))
			return state_job(s, before, i)->nightly_day;
	return s->now_ms / DAY_MS;
}

void candidates_land(struct state *s, struct candidate *c) {
	const struct candidate *before = candidates_newest_landed(s, c->repo);
	c->state = CANDIDATE_LANDED;
	for (size_t i = 0; i < c->job_count; i++) {
		const struct plan_job *definition = state_plan_job(s, state_plan(s, c->plan), i);
		if (definition->when == WHEN_NIGHTLY)
			state_job(s, c, i)->nightly_day = nightly_before(s, before,
			                                                 state_name(&definition->name));
	}
}

bool candidates_is_open(const struct candidate *c) {
	return c->state != CANDIDATE_DROPPED && c->state != CANDIDATE_LANDED;
}

// Whether the change is below the candidate on its path.
static bool stands_on(const struct state *s, const struct candidate *c, struct change_id change) {
	while (c->base_candidate.v) {
		c = state_candidate(s, c->base_candidate);
		if (!c) return false;
		if (batch_has(s, c, change)) return true;
	}
	return false;
}

static bool meets(const struct state *s, const struct candidate *c, const struct change *landed) {
	for (size_t i = 0; i < batch_size(s, c); i++) {
		const struct change *change = state_change(s, batch_member(s, c, i).change);
		if (!change || areas_meet(s, landed, change)) return true;
	}
	return false;
}

// One below which the change was.
static void step_down(const struct state *s, struct candidate *c, const struct candidate *landing,
                      struct change_id landed) {
	const struct candidate *below = state_candidate(s, c->base_candidate);
	bool whole = below && batch_has(s, below, landed) && batch_size(s, below) == 1;
	if (!whole) return; // others of what it stands on are still to land
	c->base_candidate = below->base_candidate;
	if (!oid_eq(c->base, landing->commit)) c->behind = 1;
}

static void follow(struct state *s, struct candidate *c, const struct candidate *landing,
                   const struct change *landed) {
	if (batch_has(s, c, landed->id)) {
		if (batch_size(s, c) == 1) return; // it goes with its change
		batch_leave(s, c, landed->id);
		c->behind = c->id.v != landing->id.v;
	} else {
		bool on_tip = !c->base_candidate.v && oid_eq(c->base, state_repo(s, c->repo)->tip);
		if (meets(s, c, landed)) c->refuted = 1;
		else c->behind |= on_tip;
	}
}

void candidates_follow(struct state *s, const struct candidate *landing,
                       const struct change *landed) {
	AUTO_ARENA scratch = {0};
	bool *on = ARENA_ARRAY(&scratch, bool, s->candidates.count);
	for (size_t i = 0; i < s->candidates.count; i++)
		on[i] = stands_on(s, table_at(&s->candidates, i), landed->id);
	for (size_t i = 0; i < s->candidates.count; i++) {
		struct candidate *c = table_at(&s->candidates, i);
		if (on[i] && candidates_is_open(c)) step_down(s, c, landing, landed->id);
	}
	for (size_t i = 0; i < s->candidates.count; i++) {
		struct candidate *c = table_at(&s->candidates, i);
		if (c->repo.v == landing->repo.v && !on[i] && candidates_is_open(c))
			follow(s, c, landing, landed);
	}
}

void candidates_replace(struct state *s, struct candidate_id old, struct candidate_id by) {
	for (size_t i = 0; i < s->candidates.count; i++) {
		struct candidate *c = table_at(&s->candidates, i);
		if (c->base_candidate.v != old.v) continue;
		c->base_candidate = by;
		c->behind = 1;
	}
}

static bool began_after_landing(const struct state *s, const struct candidate *c) {
	const struct plan *plan = state_plan(s, c->plan);
	for (size_t i = 0; i < c->job_count; i++)
		if (state_plan_job(s, plan, i)->when == WHEN_LANDED && state_job(s, c, i)->attempt > 0)
			return true;
	return false;
}

static bool may_go(const struct state *s, const struct candidate *c) {
	if (c->state == CANDIDATE_DROPPED) return !candidates_has_runs(s, c->id);
	if (c->state != CANDIDATE_LANDED || candidates_has_runs(s, c->id)) return false;
	const struct candidate *newest = candidates_newest_landed(s, c->repo);
	if (!newest || newest->id.v == c->id.v) return false;
	return c->released || !began_after_landing(s, c);
}

static void remove_candidate(struct state *s, size_t index) {
	struct candidate gone = *(struct candidate *)table_at(&s->candidates, index);
	table_remove(&s->candidates, index, 1);
	batch_forget(s, gone.id);
	plans_drop(s, gone.plan);
	if (gone.job_count == 0) return;
	table_remove(&s->jobs, gone.job_at, gone.job_count);
	for (size_t i = 0; i < s->candidates.count; i++) {
		struct candidate *other = table_at(&s->candidates, i);
		if (other->job_at > gone.job_at) other->job_at -= gone.job_count;
	}
}

void candidates_sweep(struct state *s) {
	for (size_t i = s->candidates.count; i > 0; i--)
		if (may_go(s, table_at(&s->candidates, i - 1))) remove_candidate(s, i - 1);
}
