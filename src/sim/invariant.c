#include "sim/invariant.h"

typedef unsigned long long number;

static bool broken(struct err *why, const char *text, uint64_t id) {
	return err_set(why, ERR_CORRUPT, "%s (%llu)", text, (number)id);
}

// ---------------------------------------------------------------- 1: trunk

static bool forward(const struct invariant_case *c, struct oid from, struct oid to,
                    struct err *why) {
	const struct invariant_world *w = c->world;
	if (oid_is_none(from) || !w->is_ancestor || w->is_ancestor(w->context, from, to)) return true;
	return broken(why, "trunk did not fast-forward", 0);
}

static bool landing_is_tested(const struct invariant_case *c, const struct event_landing_issued *e,
                              struct err *why) {
	const struct witness_candidate *k = table_get(&c->before->candidates, e->candidate.v);
	const struct witness_repo *r = table_get(&c->before->repos, e->repo.v);
	if (!k || !r) return broken(why, "a landing of nothing", e->landing.v);
	if (r->landing) return broken(why, "two landings at once in repository", r->id);
	if (!oid_eq(e->from, r->tip) || !oid_eq(k->base, r->tip))
		return broken(why, "a landing that does not stand on trunk", e->landing.v);
	if (!oid_eq(e->to, k->commit) || !oid_eq(e->tree, k->tree))
		return broken(why, "a landing of another commit than its candidate's", e->landing.v);
	if (!witness_all_passed(c->before, k))
		return broken(why, "a landing without all verdicts", e->landing.v);
	return true;
}

// With the last one all that were tested with it.
static bool others_landed(const struct invariant_case *c, const struct witness_candidate *k,
                          struct err *why) {
	for (size_t i = table_find(&c->before->members, k->id); i < c->before->members.count; i++) {
		const struct witness_member *m = table_at(&c->before->members, i);
		const struct witness_change *known = table_get(&c->before->changes, m->change);
		if (m->candidate != k->id) return true;
		if (!known || !known->landed) return broken(why, "landed untold: change", m->change);
	}
	return true;
}

static bool landed_is_tested(const struct invariant_case *c, const struct event_change_landed *e,
                             struct err *why) {
	const struct invariant_world *w = c->world;
	const struct witness_landing *l = table_get(&c->before->landings, e->landing.v);
	const struct witness_candidate *k = table_get(&c->before->candidates, e->candidate.v);
	const struct witness_repo *r = l ? table_get(&c->before->repos, l->repo) : NULL;
	struct oid tree;
	if (!l || !k || !r || !l->live)
		return broken(why, "landed without an intent: change", e->change.v);
	if (!oid_eq(e->commit, l->to) || !oid_eq(e->previous, l->from) || !oid_eq(r->tip, l->from))
		return broken(why, "landed elsewhere than intended: change", e->change.v);
	if (!oid_eq(e->tree, k->tree) || !witness_all_passed(c->before, k))
		return broken(why, "landed a tree that was not tested: change", e->change.v);
	if (k->change == e->change.v && !others_landed(c, k, why)) return false;
	if (w->tree_of && (!w->tree_of(w->context, e->commit, &tree) || !oid_eq(tree, e->tree)))
		return broken(why, "git holds another tree for change", e->change.v);
	return forward(c, e->previous, e->commit, why);
}

static bool tip_is_recorded(const struct invariant_case *c, const struct witness_repo *r,
                            struct err *why) {
	const struct invariant_world *w = c->world;
	const struct witness_landing *l = table_get(&c->before->landings, r->landing);
	struct oid tip;
	if (w->went_back && w->went_back(w->context, r->id))
		return broken(why, "trunk went back in repository", r->id);
	if (!w->tip || !w->tip(w->context, r->id, &tip)) return true;
	if (!forward(c, r->tip, tip, why)) return false;
	if (oid_eq(tip, r->tip) || (l && oid_eq(tip, l->to))) return true;
	if (w->is_foreign && w->is_foreign(w->context, r->id, tip)) return true;
	return broken(why, "trunk is where no event says: repository", r->id);
}

bool invariant_trunk(const struct invariant_case *c, struct err *why) {
	const struct event *e = c->event;
	for (size_t i = 0; !e && i < c->before->repos.count; i++)
		if (!tip_is_recorded(c, table_at(&c->before->repos, i), why)) return false;
	if (!e) return true;
	switch ((int)e->kind) {
	case EVENT_LANDING_ISSUED: return landing_is_tested(c, &e->landing_issued, why);
	case EVENT_CHANGE_LANDED: return landed_is_tested(c, &e->change_landed, why);
	case EVENT_TRUNK_MOVED: return forward(c, e->trunk_moved.from, e->trunk_moved.to, why);
	case EVENT_LANDING_FAILED: {
		const struct witness_landing *l = table_get(&c->before->landings,
		                                            e->landing_failed.landing.v);
		if (!l || !l->live) return broken(why, "failed without an intent: landing", 0);
		if (oid_is_none(e->landing_failed.found)) return true;
		return forward(c, l->from, e->landing_failed.found, why);
	}
	default: return true;
	}
}

// ---------------------------------------------------------------- 2: every revision ends once

static bool is_open(const struct witness_change *c) {
	return c && (c->state == WITNESS_PROPOSED || c->state == WITNESS_QUEUED ||
	             c->state == WITNESS_VERIFIED);
}

static bool proposal_follows(const struct invariant_case *c, const struct event_change_proposed *e,
                             struct err *why) {
	const struct witness_change *known = table_get(&c->before->changes, e->change.v);
	if (!known) return e->revision == 1 ? true : broken(why, "begins late: change", e->change.v);
	if (!is_open(known) && known->state != WITNESS_REJECTED)
		return broken(why, "a revision after the end of change", known->id);
	bool again = e->revision == known->revision && oid_eq(known->head, e->head);
	if ((e->revision != known->revision + 1 && !again) || known->repo != e->repo.v)
		return broken(why, "a revision out of its row: change", known->id);
	return true;
}

static bool open_at(const struct invariant_case *c, struct change_id id, int64_t revision,
                    struct err *why) {
	const struct witness_change *known = table_get(&c->before->changes, id.v);
	if (!is_open(known)) return broken(why, "ended already: change", id.v);
	return known->revision == revision ? true : broken(why, "ended another revision: change", id.v);
}

// Red in company says of nobody that he is to blame.
static bool is_to_blame(const struct invariant_case *c, const struct event_change_rejected *e,
                        struct err *why) {
	size_t at = table_find(&c->before->members, e->candidate.v);
	const struct witness_member *m = at < c->before->members.count
	                                     ? table_at(&c->before->members, at)
	                                     : NULL;
	if (!m || m->candidate != e->candidate.v) return true;
	return broken(why, "rejected for a batch: change", e->change.v);
}

bool invariant_ends(const struct invariant_case *c, struct err *why) {
	const struct event *e = c->event;
	const struct witness_change *known;
	if (!e) return true;
	switch ((int)e->kind) {
	case EVENT_CHANGE_PROPOSED: return proposal_follows(c, &e->change_proposed, why);
	case EVENT_CHANGE_QUEUED:
		return open_at(c, e->change_queued.change, e->change_queued.revision, why);
	case EVENT_CHANGE_VERIFIED:
		return open_at(c, e->change_verified.change, e->change_verified.revision, why);
	case EVENT_CHANGE_REJECTED:
		return open_at(c, e->change_rejected.change, e->change_rejected.revision, why) &&
		       is_to_blame(c, &e->change_rejected, why);
	case EVENT_CHANGE_LANDED:
		known = table_get(&c->before->changes, e->change_landed.change.v);
		if (known && known->landed) return broken(why, "landed twice: change", known->id);
		return open_at(c, e->change_landed.change, e->change_landed.revision, why);
	case EVENT_CHANGE_WITHDRAWN:
		known = table_get(&c->before->changes, e->change_withdrawn.change.v);
		if (known && known->state == WITNESS_REJECTED) return true;
		return open_at(c, e->change_withdrawn.change, e->change_withdrawn.revision, why);
	case EVENT_CHANGE_RETRIED:
		known = table_get(&c->before->changes, e->change_retried.change.v);
		if (known && known->state == WITNESS_REJECTED) return true;
		return broken(why, "retried, but not rejected: change", e->change_retried.change.v);
	default: return true;
	}
}

// ---------------------------------------------------------------- 3: the head that was named

static bool names_head(const struct invariant_case *c, struct change_id change, int64_t revision,
                       struct oid head, struct err *why) {
	const struct witness_change *known = table_get(&c->before->changes, change.v);
	if (known && known->state == WITNESS_QUEUED && known->revision == revision &&
	    oid_eq(known->head, head))
		return true;
	return broken(why, "not the head that is queued: change", change.v);
}

static bool names_members(const struct invariant_case *c, uint64_t candidate, struct err *why) {
	for (size_t i = table_find(&c->before->members, candidate); i < c->before->members.count; i++) {
		const struct witness_member *m = table_at(&c->before->members, i);
		if (m->candidate != candidate) return true;
		if (!names_head(c, (struct change_id){m->change}, m->revision, m->head, why)) return false;
	}
	return true;
}

bool invariant_head(const struct invariant_case *c, struct err *why) {
	const struct event *e = c->event;
	const struct witness_candidate *k;
	struct witness_member m;
	switch (e ? (int)e->kind : 0) {
	case EVENT_CANDIDATE_ISSUED:
		return names_head(c, e->candidate_issued.change, e->candidate_issued.revision,
		                  e->candidate_issued.head, why);
	case EVENT_LANDING_ISSUED:
		k = table_get(&c->before->candidates, e->landing_issued.candidate.v);
		return k &&
		       names_head(c, e->landing_issued.change, e->landing_issued.revision, k->head, why) &&
		       names_members(c, k->id, why);
	case EVENT_CHANGE_LANDED:
		k = table_get(&c->before->candidates, e->change_landed.candidate.v);
		return k && witness_tests(c->before, k, e->change_landed.change.v, &m) &&
		       names_head(c, e->change_landed.change, e->change_landed.revision, m.head, why);
	default: return true;
	}
}

// ---------------------------------------------------------------- 4: a verdict is for one tree

static bool inputs_fit(const struct invariant_case *c, const struct witness_run *r,
                       struct digest inputs, struct err *why) {
	const struct invariant_world *w = c->world;
	const struct witness_candidate *k = table_get(&c->before->candidates, r->candidate);
	if (!k) return broken(why, "a verdict for nothing: run", r->id);
	if (!w->inputs_match || w->inputs_match(w->context, inputs, k->tree)) return true;
	return broken(why, "a verdict for another tree: run", r->id);
}

static bool same_change(const struct invariant_case *c, const struct witness_run *a,
                        const struct witness_run *b) {
	const struct witness_candidate *x = table_get(&c->before->candidates, a->candidate),
								   *y = table_get(&c->before->candidates, b->candidate);
	struct witness_member m;
	return x && y && witness_tests(c->before, y, x->change, &m) && x->revision == m.revision;
}

bool invariant_verdict(const struct invariant_case *c, struct err *why) {
	const struct event *e = c->event;
	const struct witness_run *r, *of;
	if (e && e->kind == EVENT_RUN_FINISHED) {
		r = table_get(&c->before->runs, e->run_finished.run.v);
		if (!r || !r->live) return broken(why, "a verdict of no live run", e->run_finished.run.v);
		return e->run_finished.outcome != OUTCOME_PASSED ||
		       inputs_fit(c, r, e->run_finished.inputs, why);
	}
	if (!e || e->kind != EVENT_RUN_REUSED) return true;
	r = table_get(&c->before->runs, e->run_reused.run.v);
	of = table_get(&c->before->runs, e->run_reused.of.v);
	if (!r || !r->live) return broken(why, "a verdict of no live run", e->run_reused.run.v);
	bool given = of && (e->run_reused.failed ? of->failed : of->passed);
	if (!given || !digest_eq(of->key, e->run_reused.key))
		return broken(why, "a verdict that nobody gave: run", r->id);
	if (e->run_reused.failed && !same_change(c, r, of))
		return broken(why, "another change's red verdict: run", r->id);
	return inputs_fit(c, r, of->inputs, why);
}

// ---------------------------------------------------------------- 5 and 6: rollouts

bool invariant_rollout(const struct invariant_case *c, struct err *why) {
	const struct event *e = c->event;
	if (!e || e->kind != EVENT_ROLLOUT_ISSUED) return true;
	const struct event_rollout_issued *r = &e->rollout_issued;
	const struct witness_env *env = table_get(&c->before->envs, r->env.v);
	if (env && env->rollout) return broken(why, "two rollouts at once in environment", r->env.v);
	if (witness_has_pair(&c->before->blocks, r->env.v, r->release.v))
		return broken(why, "a blocked release goes out: release", r->release.v);
	if (str_eq(r->cause, STR("rollback")) &&
	    (!env || !witness_has_pair(&c->before->was_live, r->env.v, r->release.v) ||
	     env->live == r->release.v))
		return broken(why, "no release to roll back to: release", r->release.v);
	return true;
}

bool invariant_provenance(const struct invariant_case *c, struct err *why) {
	const struct invariant_world *w = c->world;
	const struct event *e = c->event;
	for (size_t i = 0; !e && w->running && i < c->before->envs.count; i++) {
		const struct witness_env *env = table_at(&c->before->envs, i);
		uint64_t runs;
		if (!w->running(w->context, env->id, &runs) || !runs || runs == env->live) continue;
		if (!env->rollout || runs != env->rollout_release)
			return broken(why, "an unknown release runs in environment", env->id);
	}
	if (e && e->kind == EVENT_RELEASE_MADE) {
		const struct event_release_made *r = &e->release_made;
		const struct witness_candidate *k = table_get(&c->before->candidates, r->candidate.v);
		if (!k || !k->landed || k->change != r->change.v || !oid_eq(k->commit, r->commit))
			return broken(why, "a release of what did not land: release", r->release.v);
	}
	if (e && e->kind == EVENT_ROLLOUT_ISSUED &&
	    !table_get(&c->before->releases, e->rollout_issued.release.v))
		return broken(why, "a rollout of no release", e->rollout_issued.rollout.v);
	return true;
}

// ---------------------------------------------------------------- 7, 9, 10 and the slots

bool invariant_log(const struct invariant_case *c, struct err *why) {
	const struct invariant_world *w = c->world;
	struct invariant_ack ack;
	if (c->event && c->event->time_ms < c->before->now_ms)
		return broken(why, "time goes back at event", c->before->events + 1);
	for (size_t i = 0; !c->event && w->ack && w->ack(w->context, i, &ack); i++) {
		const struct witness_accepted *a = table_get(
			&c->before->accepted, witness_accepted_id(ack.change.v, ack.revision));
		if (!a || !oid_eq(a->head, ack.head))
			return broken(why, "acknowledged and lost: change", ack.change.v);
	}
	if (!c->event && w->replays && !w->replays(w->context))
		return broken(why, "replaying the log gives another state after event", c->before->events);
	return true;
}

bool invariant_drains(const struct invariant_case *c, struct err *why) {
	const struct witness *w = c->before;
	const struct state *s = c->world->state;
	if (c->event || !c->world->quiet) return true;
	for (size_t i = 0; i < w->changes.count; i++) {
		const struct witness_change *change = table_at(&w->changes, i);
		if (change->state == WITNESS_PROPOSED || change->state == WITNESS_QUEUED)
			return broken(why, "faults stopped, still open: change", change->id);
	}
	for (size_t i = 0; i < w->repos.count; i++)
		if (((const struct witness_repo *)table_at(&w->repos, i))->landing)
			return broken(why, "faults stopped, still landing: repository", i + 1);
	for (size_t i = 0; i < w->envs.count; i++)
		if (((const struct witness_env *)table_at(&w->envs, i))->rollout)
			return broken(why, "faults stopped, still rolling out: environment", i + 1);
	for (size_t i = 0; s && i < s->envs.count; i++) {
		const struct env *env = table_at(&s->envs, i);
		if (env->rollback_wanted || env->requested.v)
			return broken(why, "faults stopped, a wish is still open: environment", env->id.v);
	}
	return w->live_runs ? broken(why, "faults stopped, still running", w->live_runs) : true;
}

static bool agrees(const struct state *s, const struct witness_change *w, struct err *why) {
	const struct change *open = state_change(s, (struct change_id){w->id});
	const struct change *rejected = state_rejected(s, (struct change_id){w->id});
	const struct change *c = is_open(w) ? open : w->state == WITNESS_REJECTED ? rejected : NULL;
	bool gone = w->state == WITNESS_LANDED || w->state == WITNESS_WITHDRAWN;
	if (gone ? !open && !rejected
	         : c && (int64_t)c->revision == w->revision && oid_eq(c->head, w->head))
		return true;
	return broken(why, "two counts of the log disagree: change", w->id);
}

bool invariant_numbers(const struct invariant_case *c, struct err *why) {
	const struct witness *w = c->before;
	const struct state *s = c->world->state;
	size_t open = 0, rejected = 0;
	if (c->event || !s) return true;
	for (size_t i = 0; i < w->changes.count; i++) {
		const struct witness_change *change = table_at(&w->changes, i);
		if (!agrees(s, change, why)) return false;
		open += is_open(change);
		rejected += change->state == WITNESS_REJECTED;
	}
	if (open != s->changes.count || rejected != s->rejected.count)
		return broken(why, "the state holds changes that nobody proposed", s->changes.count);
	if (s->events != w->events || s->runs.count != w->live_runs)
		return broken(why, "two counts of the live runs disagree", w->live_runs);
	for (size_t i = 0; i < w->repos.count; i++) {
		const struct witness_repo *r = table_at(&w->repos, i);
		const struct repo *known = state_repo(s, (struct repo_id){r->id});
		if (!known || !oid_eq(known->tip, r->tip) || known->landing.v != r->landing)
			return broken(why, "two readings of trunk disagree: repository", r->id);
	}
	return true;
}

bool invariant_slots(const struct invariant_case *c, struct err *why) {
	const struct invariant_world *w = c->world;
	uint64_t really = !c->event && w->processes ? w->processes(w->context) : 0;
	if ((int64_t)really > c->before->slots) return broken(why, "really run, at once", really);
	if (!c->event || c->event->kind != EVENT_RUN_ISSUED) return true;
	if (c->event->run_issued.lookup) return true;
	if ((int64_t)(c->before->live_runs - c->before->lookups) < c->before->slots) return true;
	return broken(why, "more runs than slots: run", c->event->run_issued.run.v);
}

// ---------------------------------------------------------------- all of them

// 8, secrets, is kept and tested where bytes of jobs come in; ARCHITECTURE.md says where.
static const struct invariant_row rows[] = {
	{1, "trunk", "trunk only fast-forwards to trees whose required jobs passed", invariant_trunk},
	{2, "ends", "a change lands at most once, each revision ends once", invariant_ends},
	{3, "head", "what lands is the head that was queued", invariant_head},
	{4, "verdict", "a verdict is used for a tree only if its inputs are the same",
     invariant_verdict},
	{5, "rollout", "one rollout at a time, a rollback target that ran before", invariant_rollout},
	{6, "provenance", "what runs is a release of a landed commit", invariant_provenance},
	{7, "log", "nothing acknowledged is lost", invariant_log},
	{9, "drains", "once faults stop, the queue drains", invariant_drains},
	{10, "numbers", "every number can be recomputed from the log", invariant_numbers},
	{0, "slots", "an intent frees nothing: never more runs than slots", invariant_slots},
};

const struct invariant_row *invariant_all(size_t *count) {
	*count = ARRAY_LEN(rows);
	return rows;
}

bool invariant_check(const struct invariant_case *c, const struct invariant_row **row,
                     struct err *why) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].holds(c, why)) continue;
		*row = &rows[i];
		return false;
	}
	return true;
}
