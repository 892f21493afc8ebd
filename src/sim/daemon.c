#include "sim/daemon.h"

#include <assert.h>

#include "core/apply.h"
#include "core/batch.h"
#include "core/outbox.h"
#include "sim/people.h"
#include "sim/world_deploy.h"
#include "sim/world_git.h"
#include "sim/world_runs.h"

enum { ASK_AGAIN_MS = 3000 };

struct answer {
	uint32_t person;
	bool accepted;
	struct change_id change;
	uint32_t revision;
	struct oid head;
};

struct turn {
	struct daemon *d;
	int64_t now_ms;
	struct decide_list list;
	struct answer answers[64];
	size_t answer_count;
};

static struct event *logged(const struct daemon *d, size_t index) {
	return table_at(&d->log, index);
}

// ---------------------------------------------------------------- the log

static void check(struct daemon *d, const struct event *e, bool quiet) {
	d->asks.quiet = quiet;
	d->asks.state = e ? NULL : &d->state;
	struct invariant_case c = {&d->witness, e, &d->asks};
	if (!d->broken && !invariant_check(&c, &d->broken, &d->why))
		err_context(&d->why, "after event %llu", (unsigned long long)d->witness.events);
}

void daemon_check_at_rest(struct daemon *d, bool quiet) {
	if (d->up) check(d, NULL, quiet);
}

static void append(struct daemon *d, const struct event *events, size_t count) {
	d->append_at = d->log.count;
	for (size_t i = 0; i < count; i++) {
		check(d, &events[i], false);
		witness_fold(&d->witness, &events[i]);
		world_runs_recorded(d->world, &events[i]);
		*(struct event *)table_add(&d->log, 1) = event_copy(&events[i], &d->log_texts);
	}
	d->durable = state_digest(&d->state);
}

// ---------------------------------------------------------------- commands

static struct gitmodel_tree release_tree(const struct daemon *d, struct release_id id) {
	const struct witness_release *r = table_get(&d->witness.releases, id.v);
	if (!r) return (struct gitmodel_tree){{0}};
	return gitmodel_commit(&d->world->git, gitmodel_number(r->commit))->tree;
}

static void ask_run(struct daemon *d, const struct event_run_issued *e) {
	const struct candidate *c = state_candidate(&d->state, e->candidate);
	if (!c) return;
	struct world_ask q = {.run = e->run,
	                      .job = (uint32_t)e->job,
	                      .tree = gitmodel_tree_of(c->tree),
	                      .lookup = e->lookup,
	                      .change = c->change.v,
	                      .revision = c->revision};
	world_runs_ask(d->world, &q);
}

// Hands one intent to its adapter.
static void dispatch(struct daemon *d, const struct event *e, bool again) {
	struct world *w = d->world;
	switch ((int)e->kind) {
	case EVENT_CANDIDATE_ISSUED:
		world_git_ask_candidate(w, &e->candidate_issued, e->time_ms);
		return;
	case EVENT_RUN_ISSUED: ask_run(d, &e->run_issued); return;
	case EVENT_RUN_CANCEL_ISSUED: world_runs_cancel(w, e->run_cancel_issued.run); return;
	case EVENT_LANDING_ISSUED: world_git_ask_landing(w, &e->landing_issued, again); return;
	case EVENT_ROLLOUT_ISSUED:
		world_deploy_ask(w, &e->rollout_issued, release_tree(d, e->rollout_issued.release));
		return;
	case EVENT_ROLLOUT_CANCEL_ISSUED:
		world_deploy_cancel(w, e->rollout_cancel_issued.rollout);
		return;
	default: return;
	}
}

static uint64_t intent_id(const struct event *e, enum outbox_kind kind) {
	switch (kind) {
	case OUTBOX_CANDIDATE:
		return e->kind == EVENT_CANDIDATE_ISSUED ? e->candidate_issued.candidate.v : 0;
	case OUTBOX_LANDING: return e->kind == EVENT_LANDING_ISSUED ? e->landing_issued.landing.v : 0;
	case OUTBOX_RUN: return e->kind == EVENT_RUN_ISSUED ? e->run_issued.run.v : 0;
	case OUTBOX_ROLLOUT: return e->kind == EVENT_ROLLOUT_ISSUED ? e->rollout_issued.rollout.v : 0;
	}
	return 0;
}

static void ask_again(struct daemon *d) {
	struct outbox_list pending = outbox_pending(&d->state, &d->turn);
	for (size_t i = 0; i < pending.count; i++) {
		const struct outbox_item *item = &pending.items[i];
		size_t at = d->log.count;
		while (at > 0 && intent_id(logged(d, at - 1), item->kind) != item->id) at--;
		assert(at > 0); // what is outstanding was issued
		dispatch(d, logged(d, at - 1), true);
		if (item->cancel && item->kind == OUTBOX_RUN)
			world_runs_cancel(d->world, (struct run_id){item->id});
		if (item->cancel && item->kind == OUTBOX_ROLLOUT)
			world_deploy_cancel(d->world, (struct rollout_id){item->id});
	}
	d->asked_again_ms = d->world->now_ms;
}

// ---------------------------------------------------------------- facts

// A mistake: a block is forgotten as soon as somebody asks.
static void unblock(struct state *s, const struct event *e) {
	for (size_t i = s->blocks.count; e->kind == EVENT_DEPLOY_REQUESTED && i > 0; i--)
		if (((struct block *)table_at(&s->blocks, i - 1))->release.v ==
		    e->deploy_requested.release.v)
			table_remove(&s->blocks, i - 1, 1);
}

static void take(struct turn *t, struct event e) {
	struct err why = {0};
	if (t->d->world->bug == BUG_UNBLOCKED) unblock(&t->d->state, &e);
	e.time_ms = t->now_ms;
	if (apply_check(&t->d->state, &e, &why)) decide_add(&t->d->state, &t->list, &e);
	else t->d->refused++;
}

// Of a batch each member lands.
static void take_landed(struct turn *t, struct event e) {
	const struct state *s = &t->d->state;
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *r = table_at(&s->repos, i);
		if (r->landing.v != e.change_landed.landing.v) continue;
		size_t n = batch_size(s, state_candidate(s, r->landing_candidate));
		for (size_t k = 0; k < n; k++) take(t, batch_landed(s, r, 0));
		return;
	}
	take(t, e);
}

static void answer(struct turn *t, const struct world_message *m, bool accepted,
                   struct state_identity id) {
	const struct event_change_proposed *e = &m->fact.change_proposed;
	struct answer a = {m->person - 1, accepted, id.change, id.revision, e->head};
	if (!m->person) return;
	if (t->d->world->bug == BUG_EARLY_ACK)
		people_answer(t->d->world, a.person, accepted, a.change, a.revision, a.head);
	else t->answers[t->answer_count++] = a;
}

// A mistake: the candidate of the old head goes on as if it were the new one's.
static void keep_old_head(struct state *s, struct change_id id) {
	struct candidate *c = state_candidate_of_change(s, id);
	struct change *change = state_change(s, id);
	if (!c || !change) return;
	c->revision = change->revision;
	change->state = CHANGE_QUEUED;
}

static void take_push(struct turn *t, const struct world_message *m) {
	struct state *s = &t->d->state;
	struct event e = m->fact;
	struct event_change_proposed *p = &e.change_proposed;
	struct state_identity id = state_identify(s, p->repo, p->key, p->head);
	const struct change *open = state_change(s, id.change);
	bool told = id.same && open && open->draft == p->draft && open->priority == p->priority;
	size_t before = t->list.count;
	bool planted = t->d->world->bug == BUG_LOST_REVISION && id.revision > 1 && !id.same;
	p->change = id.change;
	p->revision = id.revision;
	if (!told && !planted) take(t, e);
	answer(t, m, told || planted || t->list.count > before, id);
	if (t->d->world->bug == BUG_OLD_HEAD && id.revision > 1) keep_old_head(s, id.change);
}

// What the daemon looks after by itself: where trunk is, what its weir.yml says, deadlines.
static void look_around(struct turn *t) {
	struct daemon *d = t->d;
	int64_t deadline = decide_deadline(&d->state);
	for (size_t i = 0; i < d->state.repos.count; i++) {
		const struct repo *r = table_at(&d->state.repos, i);
		uint32_t tip = d->world->git.tip[i];
		struct str plan = gitmodel_plan(
			gitmodel_commit(&d->world->git, gitmodel_number(r->tip))->tree);
		if (plan.n && !digest_eq(digest_of(plan), r->plan))
			take(t, (struct event){
						.kind = EVENT_REPO_CONFIGURED,
						.repo_configured = {r->id, r->tip, digest_of(plan), plan, STR_NONE}});
		if (!oid_eq(r->tip, gitmodel_oid(tip)) && (!d->world->faults || world_below(d->world, 2)))
			take(t, (struct event){.kind = EVENT_TRUNK_MOVED,
			                       .trunk_moved = {r->id, r->tip, gitmodel_oid(tip), STR_NONE}});
	}
	if (deadline >= 0 && t->now_ms >= deadline)
		take(t, (struct event){.kind = EVENT_CLOCK_PASSED, .clock_passed = {deadline}});
}

static void plant(struct daemon *d, const struct world_message *m) {
	const struct event *e = &m->fact;
	for (size_t i = 0;
	     d->world->bug == BUG_RED_LANDS && e->kind == EVENT_RUN_FINISHED && i < d->state.jobs.count;
	     i++) {
		struct job *j = table_at(&d->state.jobs, i);
		if (j->run.v == e->run_finished.run.v && j->status == JOB_FAILED) j->status = JOB_PASSED;
	}
}

static void take_facts(struct turn *t) {
	struct world_message m;
	look_around(t);
	while (t->answer_count < ARRAY_LEN(t->answers) && world_receive(t->d->world, &m)) {
		if (m.fact.kind == EVENT_CHANGE_PROPOSED) take_push(t, &m);
		else if (m.fact.kind == EVENT_CHANGE_LANDED) take_landed(t, m.fact);
		else take(t, m.fact);
		plant(t->d, &m);
	}
}

// ---------------------------------------------------------------- life and death

static void die(struct daemon *d, int64_t down_ms) {
	struct world *w = d->world;
	d->up = false;
	d->down_until_ms = w->now_ms + down_ms;
	d->dies = DAEMON_LIVES;
	state_free(&d->state);
	world_daemon_died(w);
	if (w->bug != BUG_LOST_TAIL) return;
	d->log.count = (uint32_t)d->append_at;
	witness_free(&d->witness);
	witness_init(&d->witness);
	for (size_t i = 0; i < d->log.count; i++) witness_fold(&d->witness, logged(d, i));
}

static bool dies_at(struct daemon *d, enum daemon_crash point) {
	if (d->dies != point) return false;
	d->world->counted[WORLD_CRASH]++;
	die(d, (int64_t)world_below(d->world, 400));
	return true;
}

static void replay(struct daemon *d) {
	size_t twice = d->world->bug == BUG_REPLAYS_TWICE ? world_below(d->world, d->log.count)
	                                                  : SIZE_MAX;
	state_init(&d->state);
	for (size_t i = 0; i < d->log.count; i++) {
		struct event e = *logged(d, i);
		apply_event(&d->state, &e);
		if (i == twice && apply_check(&d->state, &e, NULL)) apply_event(&d->state, &e);
	}
	d->replays = d->world->bug == BUG_LOST_TAIL || digest_eq(state_digest(&d->state), d->durable);
}

static void start(struct daemon *d) {
	struct state *s = &d->state;
	int64_t wall = world_wall_ms(d->world);
	world_git_recover(d->world);
	replay(d);
	d->up = true;
	check(d, NULL, false);
	struct event started = {
		.kind = EVENT_SERVER_STARTED,
		.time_ms = wall > s->now_ms ? wall : s->now_ms,
		.server_started = {.version = STR("simulated"), .seed = 1, .slots = s->slots}};
	apply_event(s, &started);
	append(d, &started, 1);
	if (world_fault(d->world, WORLD_CRASH, 1, 10)) die(d, (int64_t)world_below(d->world, 400));
	else ask_again(d);
}

static void answer_all(struct turn *t) {
	struct daemon *d = t->d;
	size_t most = d->dies == DAEMON_DIES_IN_ANSWERS ? t->answer_count / 2 : t->answer_count;
	for (size_t i = 0; i < most; i++) {
		const struct answer *a = &t->answers[i];
		people_answer(d->world, a->person, a->accepted, a->change, a->revision, a->head);
	}
}

static void act(struct turn *t) {
	struct daemon *d = t->d;
	size_t most = t->list.count;
	if (dies_at(d, DAEMON_DIES_AFTER_APPEND)) return;
	if (d->dies == DAEMON_DIES_IN_DISPATCH) most = world_below(d->world, most + 1);
	for (size_t i = 0; i < most; i++) dispatch(d, &t->list.events[i], false);
	if (dies_at(d, DAEMON_DIES_IN_DISPATCH) || dies_at(d, DAEMON_DIES_BEFORE_ANSWERS)) return;
	answer_all(t);
	(void)dies_at(d, DAEMON_DIES_IN_ANSWERS);
}

void daemon_turn(struct daemon *d) {
	struct world *w = d->world;
	bool full = w->now_ms < w->disk_full_until_ms;
	if (!d->up && (full || w->now_ms < d->down_until_ms)) return;
	if (!d->up) start(d);
	if (!d->up) return;
	int64_t wall = world_wall_ms(w);
	struct turn t = {.d = d,
	                 .now_ms = wall > d->state.now_ms ? wall : d->state.now_ms,
	                 .list = {.life = &d->turn}};
	arena_reset(&d->turn);
	d->turns++;
	take_facts(&t);
	decide_turn(&d->state, t.now_ms, &t.list);
	assert(!t.list.restless);
	if (t.list.count == 0) {
		answer_all(&t);
	} else if (full) {
		die(d, 1000); // memory ran ahead of the log: executed anew, it serves only readers
	} else if (!dies_at(d, DAEMON_DIES_BEFORE_APPEND)) {
		append(d, t.list.events, t.list.count);
		act(&t);
	}
	if (d->up && w->now_ms >= d->asked_again_ms + ASK_AGAIN_MS) ask_again(d);
	daemon_check_at_rest(d, false);
}

int64_t daemon_next_ms(const struct daemon *d) {
	if (!d->up) return d->down_until_ms;
	return d->asked_again_ms + ASK_AGAIN_MS;
}

bool daemon_is_idle(struct daemon *d) {
	if (!d->up || outbox_pending(&d->state, &d->turn).count) return false;
	for (size_t i = 0; i < d->state.changes.count; i++) {
		const struct change *c = table_at(&d->state.changes, i);
		if (c->state == CHANGE_QUEUED || !c->draft || c->verified_revision != c->revision)
			return false;
	}
	return true;
}

// ---------------------------------------------------------------- what the invariants ask

static bool tip(void *context, uint64_t repo, struct oid *out) {
	const struct daemon *d = context;
	*out = gitmodel_oid(d->world->git.tip[repo - 1]);
	return true;
}

static bool tree_of(void *context, struct oid commit, struct oid *out) {
	const struct daemon *d = context;
	*out = gitmodel_tree_oid(gitmodel_commit(&d->world->git, gitmodel_number(commit))->tree);
	return true;
}

static bool is_ancestor(void *context, struct oid older, struct oid newer) {
	const struct daemon *d = context;
	return gitmodel_is_ancestor(&d->world->git, gitmodel_number(older), gitmodel_number(newer));
}

static bool went_back(void *context, uint64_t repo) {
	return ((const struct daemon *)context)->world->git.went_back[repo - 1];
}

static bool is_foreign(void *context, uint64_t repo, struct oid commit) {
	const struct daemon *d = context;
	(void)repo;
	return gitmodel_commit(&d->world->git, gitmodel_number(commit))->foreign;
}

static bool inputs_match(void *context, struct digest inputs, struct oid tree) {
	(void)context;
	return gitmodel_inputs_hold(inputs, gitmodel_tree_of(tree));
}

static bool running(void *context, uint64_t env, uint64_t *release) {
	return world_deploy_running(((struct daemon *)context)->world, env, release);
}

static bool ack(void *context, size_t index, struct invariant_ack *out) {
	const struct world *w = ((struct daemon *)context)->world;
	if (index >= w->acks.count) return false;
	const struct world_ack *a = table_at(&w->acks, index);
	*out = (struct invariant_ack){a->change, a->revision, a->head};
	return true;
}

static uint64_t processes(void *context) {
	return world_runs_live(((struct daemon *)context)->world);
}

static bool replays(void *context) {
	return ((struct daemon *)context)->replays;
}

static void add_repos(struct daemon *d, uint32_t slots) {
	static const char *const names[GITMODEL_REPOS] = {"shop", "docs"};
	struct event events[1 + 2 * GITMODEL_REPOS] = {
		{.kind = EVENT_SERVER_STARTED,
	     .server_started = {.version = STR("simulated"), .seed = 1, .slots = slots}}};
	size_t n = 1;
	for (uint64_t i = 0; i < GITMODEL_REPOS; i++) {
		events[n++] = (struct event){
			.kind = EVENT_REPO_ADDED,
			.repo_added = {.repo = {i + 1}, .name = str_of(names[i]), .trunk = STR("main")}};
		events[n++] = (struct event){
			.kind = EVENT_TRUNK_MOVED,
			.trunk_moved = {.repo = {i + 1}, .to = gitmodel_oid(d->world->git.tip[i])}};
	}
	for (size_t i = 0; i < n; i++) {
		events[i].time_ms = world_wall_ms(d->world);
		apply_event(&d->state, &events[i]);
	}
	append(d, events, n);
}

void daemon_init(struct daemon *d, struct world *w, uint32_t slots) {
	*d = (struct daemon){
		.world = w,
		.log = TABLE_OF(struct event),
		.up = true,
		.replays = true,
		.asks = {.context = d,
	             .tip = tip,
	             .tree_of = tree_of,
	             .is_ancestor = is_ancestor,
	             .is_foreign = is_foreign,
	             .went_back = went_back,
	             .inputs_match = inputs_match,
	             .running = running,
	             .ack = ack,
	             .processes = processes,
	             .replays = replays},
	};
	state_init(&d->state);
	witness_init(&d->witness);
	add_repos(d, slots);
}

void daemon_free(struct daemon *d) {
	if (d->up) state_free(&d->state);
	witness_free(&d->witness);
	table_free(&d->log);
	arena_free(&d->log_texts);
	arena_free(&d->turn);
}
