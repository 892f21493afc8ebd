#include "sim/explore.h"

#include <assert.h>
#include <stdlib.h>

#include "core/apply.h"
#include "core/batch.h"
#include "core/decide.h"
#include "core/outbox.h"
#include "sim/invariant.h"

enum { DEPTH_MAX = 200, CHANGES_MAX = 4, TIME_MS = 1000 };

struct node { // a moment of one story
	struct state state;
	struct witness witness;
	struct oid tip;
	uint8_t pushed[CHANGES_MAX];                          // revisions so far
	int revisions, withdrawals, lost, foreign, rollbacks; // left
	uint32_t foreign_made;
};

struct explore {
	const struct explore_options *o;
	struct explore_result *result;
	struct err *why;
	struct table log; // struct event, of the path
	struct arena texts;
	uint64_t *seen; // open addressing, 0 = free
	size_t seen_size;
	const char *path[DEPTH_MAX];
	int depth;
	uint64_t accepted; // facts, so far
	struct str plan;
};

static bool walk(struct explore *x, struct node *n);

static struct oid named(char kind, uint64_t a, uint64_t b) {
	struct oid o = {.n = 20, .b = {(uint8_t)kind}};
	memcpy(o.b + 2, &a, 8);
	memcpy(o.b + 11, &b, 8);
	return o;
}

// ---------------------------------------------------------------- nodes

static void copy_node(struct node *to, const struct node *from) {
	*to = *from;
	state_copy(&to->state, &from->state);
	witness_copy(&to->witness, &from->witness);
}

static void free_node(struct node *n) {
	state_free(&n->state);
	witness_free(&n->witness);
}

static uint64_t fingerprint(const struct explore *x, const struct node *n) {
	struct state shallow = n->state;
	struct hash h;
	uint64_t first;
	shallow.events = 0; // how long the story was does not matter
	if (!x->o->doubts) shallow.flakes.count = 0;
	struct digest d = state_digest(&shallow);
	hash_begin(&h);
	hash_add(&h, d.b, sizeof d.b);
	hash_add(&h, n->tip.b, sizeof n->tip.b);
	hash_add(&h, n->pushed, sizeof n->pushed);
	const int left[] = {n->revisions, n->withdrawals, n->lost, n->foreign, n->rollbacks};
	hash_add(&h, left, sizeof left);
	d = hash_end(&h);
	memcpy(&first, d.b, sizeof first);
	return first ? first : 1;
}

static bool is_new(struct explore *x, uint64_t print) {
	size_t at = print & (x->seen_size - 1);
	while (x->seen[at] && x->seen[at] != print) at = (at + 1) & (x->seen_size - 1);
	if (x->seen[at]) return false;
	x->seen[at] = print;
	x->result->states++;
	return true;
}

// ---------------------------------------------------------------- promises

static bool broken(struct explore *x, const char *what) {
	char story[700] = "";
	size_t n = 0;
	for (int i = 0; i < x->depth && n < sizeof story - 40; i++) {
		size_t bytes = strlen(x->path[i]);
		memcpy(story + n, x->path[i], bytes);
		n += bytes;
		story[n++] = ',';
		story[n++] = ' ';
	}
	story[n] = 0;
	return err_context(x->why, "%s, after %s", what, story);
}

static bool check(struct explore *x, const struct node *n, const struct event *e, bool quiet) {
	const struct invariant_world asks = {.state = e ? NULL : &n->state, .quiet = quiet};
	const struct invariant_case c = {&n->witness, e, &asks};
	const struct invariant_row *row;
	return invariant_check(&c, &row, x->why) || broken(x, row->name);
}

static bool replays(struct explore *x, const struct node *n) {
	struct state again;
	state_init(&again);
	for (size_t i = 0; i < x->log.count; i++) apply_event(&again, table_at(&x->log, i));
	bool same = digest_eq(state_digest(&again), state_digest(&n->state));
	state_free(&again);
	if (same) return true;
	(void)err_set(x->why, ERR_CORRUPT, "replay gives another state");
	return broken(x, "log");
}

// ---------------------------------------------------------------- steps

// One turn with this fact; refused facts are no step. Then everything that may follow.
// As if an older weir had queued all: what is learned would tell apart states that differ in
// nothing else, and only says what is tested first.
static void unlearn(struct state *s, struct decide_list *list) {
	for (size_t i = 0; i < list->count; i++)
		if (list->events[i].kind == EVENT_CHANGE_QUEUED) list->events[i].change_queued.chance = 0;
	for (size_t i = 0; i < s->changes.count; i++) {
		struct change *c = table_at(&s->changes, i);
		c->chance = c->tenth = 0;
	}
	s->lessons.count = 0;
	s->learns = 0;
}

static bool step(struct explore *x, const struct node *from, struct event e, const char *name) {
	struct node n;
	AUTO_ARENA life = {0};
	struct decide_list list = {.life = &life};
	struct err refused;
	uint32_t log_count = x->log.count;
	e.time_ms = TIME_MS;
	if (!apply_check(&from->state, &e, &refused)) return true;
	assert(x->depth < DEPTH_MAX);
	x->accepted++;
	copy_node(&n, from);
	x->path[x->depth++] = name;
	decide_add(&n.state, &list, &e);
	decide_turn(&n.state, TIME_MS, &list);
	assert(!list.restless);
	unlearn(&n.state, &list);
	bool good = true;
	for (size_t i = 0; good && i < list.count; i++) {
		good = check(x, &n, &list.events[i], false);
		witness_fold(&n.witness, &list.events[i]);
		*(struct event *)table_add(&x->log, 1) = list.events[i];
	}
	x->result->steps++;
	if (x->depth > x->result->depth) x->result->depth = x->depth;
	good = good && check(x, &n, NULL, false) && (!x->o->crashes || replays(x, &n)) && walk(x, &n);
	x->depth--;
	x->log.count = log_count;
	free_node(&n);
	return good;
}

static bool push(struct explore *x, struct node *n, uint64_t index) {
	bool first = n->pushed[index] == 0;
	if (!first && n->revisions == 0) return true;
	struct node after = *n; // the tables are not touched before step copies them
	struct event e = {.kind = EVENT_CHANGE_PROPOSED};
	struct digest key = {.b = {(uint8_t)(index + 1)}};
	struct oid head = named('h', index, ++after.pushed[index]);
	struct state_identity id = state_identify(&n->state, (struct repo_id){1}, key, head);
	after.revisions -= !first;
	e.change_proposed = (struct event_change_proposed){.change = id.change,
	                                                   .revision = id.revision,
	                                                   .repo = {1},
	                                                   .key = key,
	                                                   .head = head,
	                                                   .priority = x->o->priorities ? (int)index
	                                                                                : 0};
	return step(x, &after, e, first ? "push" : "new revision");
}

static bool withdraw(struct explore *x, const struct node *n) {
	for (size_t i = 0; n->withdrawals && i < n->state.changes.count; i++) {
		const struct change *c = table_at(&n->state.changes, i);
		struct node after = *n;
		after.withdrawals--;
		if (!step(x, &after,
		          (struct event){.kind = EVENT_CHANGE_WITHDRAWN,
		                         .change_withdrawn = {c->id, c->revision, STR_NONE}},
		          "withdraw"))
			return false;
	}
	return true;
}

static bool candidate(struct explore *x, const struct node *n, const struct outbox_item *item) {
	struct event built = {.kind = EVENT_CANDIDATE_BUILT};
	built.candidate_built = (struct event_candidate_built){.candidate = item->candidate,
	                                                       .commit = named('c', item->id, 0),
	                                                       .tree = named('t', item->id, 0),
	                                                       .plan_digest = digest_of(x->plan),
	                                                       .plan = x->plan};
	struct event apart = built; // it touches what no other change touches
	apart.candidate_built.affects = arena_printf(
		&x->texts, "{\"files\":[%llu],\"jobs\":[]}",
		(unsigned long long)state_candidate(&n->state, item->candidate)->change.v);
	struct event clash = {.kind = EVENT_CANDIDATE_REFUSED};
	clash.candidate_refused = (struct event_candidate_refused){.candidate = item->candidate,
	                                                           .reason = REASON_CONFLICT_WITH_BASE};
	return step(x, n, built, "built") && (!x->o->apart || step(x, n, apart, "built apart")) &&
	       step(x, n, clash, "conflict");
}

static struct event finished(const struct explore *x, const struct outbox_item *item,
                             enum outcome outcome) {
	struct event e = {.kind = EVENT_RUN_FINISHED};
	e.run_finished.run.v = item->id;
	e.run_finished.outcome = outcome;
	if (outcome == OUTCOME_FAILED && x->o->doubts) e.run_finished.reason = REASON_TEST_FAILED;
	return e;
}

// The verdict that an earlier run of its change gave for the same job.
static bool reused(struct explore *x, const struct node *n, const struct outbox_item *item) {
	const struct witness *w = &n->witness;
	const struct witness_candidate *c = table_get(&w->candidates, item->candidate.v);
	for (size_t i = w->runs.count; c && i > 0; i--) {
		const struct witness_run *of = table_at(&w->runs, i - 1);
		const struct witness_candidate *its = table_get(&w->candidates, of->candidate);
		if (of->job != item->job || its->change != c->change || its->revision != c->revision ||
		    !(of->passed || of->failed))
			continue;
		struct event e = {.kind = EVENT_RUN_REUSED};
		e.run_reused = (struct event_run_reused){
			.run = {item->id}, .of = {of->id}, .key = of->key, .failed = of->failed};
		struct event doubted = e;
		doubted.run_reused.failed = 2;
		if (of->failed && x->o->doubts && !step(x, n, doubted, "found doubted")) return false;
		return step(x, n, e, of->failed ? "found red" : "found");
	}
	return true;
}

static bool run(struct explore *x, const struct node *n, const struct outbox_item *item) {
	struct node after = *n;
	struct event lost = {.kind = EVENT_RUN_LOST, .run_lost = {.run = {item->id}}};
	struct event stopped = {.kind = EVENT_RUN_STOPPED, .run_stopped = {.run = {item->id}}};
	after.lost--;
	if (state_run(&n->state, (struct run_id){item->id})->lookup) {
		struct event missed = {.kind = EVENT_RUN_MISSED, .run_missed = {.run = {item->id}}};
		if (!step(x, n, missed, "missed") || !reused(x, n, item)) return false;
		return !item->cancel || step(x, n, stopped, "stopped");
	}
	return step(x, n, finished(x, item, OUTCOME_PASSED), "passed") &&
	       step(x, n, finished(x, item, OUTCOME_FAILED), "failed") &&
	       (!item->cancel || step(x, n, stopped, "stopped")) &&
	       (!n->lost || step(x, &after, lost, "lost"));
}

static struct event landed(const struct node *n, const struct outbox_item *item) {
	return batch_landed(&n->state, state_repo(&n->state, item->repo), 0);
}

// What recovery does too: look where trunk is.
static bool landing(struct explore *x, const struct node *n, const struct outbox_item *item) {
	struct event failed = {.kind = EVENT_LANDING_FAILED, .landing_failed = {.landing = {item->id}}};
	if (oid_eq(n->tip, item->to)) return step(x, n, landed(n, item), "landed");
	if (!oid_eq(n->tip, item->from)) {
		failed.landing_failed.found = n->tip;
		return step(x, n, failed, "not landed");
	}
	struct node moved = *n; // the ref moves; nobody has heard of it yet
	moved.tip = item->to;
	failed.landing_failed.found = n->tip;
	if (!step(x, n, failed, "landing refused")) return false;
	struct event nothing = {.kind = EVENT_CLOCK_PASSED};
	return step(x, &moved, nothing, "ref moves");
}

static bool rollout(struct explore *x, const struct node *n, const struct outbox_item *item) {
	struct event e = {.kind = EVENT_ROLLOUT_FINISHED};
	e.rollout_finished.rollout.v = item->id;
	e.rollout_finished.outcome = OUTCOME_PASSED;
	if (!step(x, n, e, "live")) return false;
	e.rollout_finished.outcome = OUTCOME_FAILED;
	return step(x, n, e, "never green");
}

static bool answers(struct explore *x, const struct node *n, const struct outbox_list *pending) {
	for (size_t i = 0; i < pending->count; i++) {
		const struct outbox_item *item = &pending->items[i];
		uint64_t before = x->accepted;
		bool good = item->kind == OUTBOX_CANDIDATE ? candidate(x, n, item)
		            : item->kind == OUTBOX_RUN     ? run(x, n, item)
		            : item->kind == OUTBOX_LANDING ? landing(x, n, item)
		                                           : rollout(x, n, item);
		if (!good) return false;
		if (x->accepted > before) continue;
		(void)err_set(x->why, ERR_CORRUPT, "every answer to intent %llu is refused",
		              (unsigned long long)item->id);
		return broken(x, "drains");
	}
	return true;
}

// Somebody pushes to trunk past weir; weir sees it at once or when its own landing fails.
static bool foreign(struct explore *x, const struct node *n) {
	const struct repo *r = state_repo(&n->state, (struct repo_id){1});
	struct event e = {.kind = EVENT_TRUNK_MOVED, .trunk_moved = {{1}, r->tip, n->tip, STR_NONE}};
	if (!oid_eq(r->tip, n->tip) && !step(x, n, e, "sees trunk")) return false;
	if (!n->foreign) return true;
	struct node after = *n;
	after.foreign--;
	after.tip = named('f', ++after.foreign_made, 0);
	// while the ref holds a landing nobody has heard of, a move on from it would need real ancestry
	if (r->landing.v && !oid_eq(n->tip, r->tip)) return true;
	return step(x, &after, (struct event){.kind = EVENT_CLOCK_PASSED}, "foreign push");
}

static bool roll_back(struct explore *x, const struct node *n) {
	struct node after = *n;
	if (!n->rollbacks || !n->state.envs.count) return true;
	after.rollbacks--;
	struct event e = {.kind = EVENT_ROLLBACK_REQUESTED, .rollback_requested = {.env = {1}}};
	return step(x, &after, e, "rollback");
}

static bool is_stuck(const struct node *n) {
	const struct repo *r = state_repo(&n->state, (struct repo_id){1});
	return n->state.changes.count > 0 && oid_eq(r->tip, n->tip);
}

static bool walk(struct explore *x, struct node *n) {
	AUTO_ARENA life = {0};
	if (!is_new(x, fingerprint(x, n))) return true;
	if (x->result->states >= x->o->states_max) {
		x->result->whole = false;
		return true;
	}
	struct outbox_list pending = outbox_pending(&n->state, &life);
	if (pending.count == 0) {
		x->result->ends++;
		if (is_stuck(n)) return check(x, n, NULL, true);
	}
	for (int i = 0; i < x->o->changes; i++)
		if (!push(x, n, (uint64_t)i)) return false;
	return answers(x, n, &pending) && withdraw(x, n) && foreign(x, n) && roll_back(x, n);
}

// ---------------------------------------------------------------- the beginning

static void begin(struct explore *x, struct node *n) {
	const struct explore_options *o = x->o;
	struct event events[] = {
		{.kind = EVENT_SERVER_STARTED,
	     .server_started = {.version = STR("explored"), .seed = 1, .slots = o->slots}},
		{.kind = EVENT_REPO_ADDED,
	     .repo_added = {.repo = {1}, .name = STR("shop"), .trunk = STR("main")}},
		{.kind = EVENT_TRUNK_MOVED, .trunk_moved = {.repo = {1}, .to = named('c', 0, 0)}},
		{.kind = EVENT_REPO_CONFIGURED,
	     .repo_configured = {.repo = {1}, .plan_digest = digest_of(x->plan), .plan = x->plan}},
	};
	*n = (struct node){.tip = named('c', 0, 0),
	                   .revisions = o->revisions,
	                   .withdrawals = o->withdrawals,
	                   .lost = o->lost,
	                   .foreign = o->foreign,
	                   .rollbacks = o->rollbacks};
	state_init(&n->state);
	witness_init(&n->witness);
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		events[i].time_ms = TIME_MS;
		apply_event(&n->state, &events[i]);
		witness_fold(&n->witness, &events[i]);
		*(struct event *)table_add(&x->log, 1) = events[i];
	}
}

bool explore_run(const struct explore_options *o, struct explore_result *out, struct err *why) {
	static const char *const jobs[] = {
		"",
		"{\"name\":\"build\",\"when\":\"change\"}",
		("{\"name\":\"build\",\"when\":\"change\"},"
	     "{\"name\":\"test\",\"needs\":[0],\"when\":\"change\"}"),
	};
	struct node first;
	struct explore x = {.o = o, .result = out, .why = why, .log = TABLE_OF(struct event)};
	size_t size = 1024;
	assert(o->changes <= CHANGES_MAX && o->jobs < (int)ARRAY_LEN(jobs));
	while (size < o->states_max * 2) size *= 2;
	*out = (struct explore_result){.whole = true};
	*why = (struct err){0};
	x.seen = calloc(size, sizeof *x.seen);
	if (!x.seen) abort();
	x.seen_size = size;
	x.plan = arena_printf(&x.texts, "{\"environments\":[{\"name\":\"production\"}],\"jobs\":[%s]}",
	                      jobs[o->jobs]);
	begin(&x, &first);
	bool good = walk(&x, &first);
	free_node(&first);
	table_free(&x.log);
	arena_free(&x.texts);
	free(x.seen);
	return good;
}
