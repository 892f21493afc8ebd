// A small history for the core's unit tests: one repository, two jobs (test needs build), one
// environment. For *_test.c only.
#pragma once
#include "base/unit.h"
#include "core/apply.h"
#include "core/decide.h"

#define FIXTURE_PLAN                                                        \
	STR("{\"environments\":[{\"name\":\"production\"}],\"jobs\":["          \
	    "{\"artifacts\":[\"app\"],\"name\":\"build\",\"when\":\"change\"}," \
	    "{\"name\":\"test\",\"needs\":[0],\"retries\":0,\"when\":\"change\"}]}")

struct fixture {
	struct state s;
	struct arena life;
	struct decide_list list;
	int64_t now_ms;
};

static inline struct oid fixture_oid(uint64_t n) {
	struct oid o = {.n = 20, .b = {1}};
	memcpy(o.b + 8, &n, sizeof n);
	return o;
}

static inline void fixture_apply(struct fixture *f, struct event e) {
	struct err why;
	e.time_ms = f->now_ms;
	assert_ok(apply_check(&f->s, &e, &why), why);
	apply_event(&f->s, &e);
}

static inline void fixture_refused(struct fixture *f, struct event e, enum err_code code) {
	struct err why = {0};
	struct digest before = state_digest(&f->s);
	e.time_ms = f->now_ms;
	assert_refused(apply_check(&f->s, &e, &why), why, code);
	assert_true(digest_eq(before, state_digest(&f->s)));
}

// Decides; returns how many events followed (f->list has them).
static inline size_t fixture_decide(struct fixture *f) {
	f->list = (struct decide_list){.life = &f->life};
	decide_turn(&f->s, f->now_ms, &f->list);
	assert_false(f->list.restless);
	return f->list.count;
}

static inline void fixture_begin(struct fixture *f, int64_t slots) {
	*f = (struct fixture){.now_ms = 1000};
	state_init(&f->s);
	fixture_apply(
		f, (struct event){.kind = EVENT_SERVER_STARTED,
	                      .server_started = {.version = STR("test"), .seed = 1, .slots = slots}});
	fixture_apply(
		f, (struct event){.kind = EVENT_REPO_ADDED,
	                      .repo_added = {.repo = {1}, .name = STR("shop"), .trunk = STR("main")}});
	fixture_apply(f, (struct event){.kind = EVENT_TRUNK_MOVED,
	                                .trunk_moved = {.repo = {1}, .to = fixture_oid(100)}});
	fixture_apply(f, (struct event){.kind = EVENT_REPO_CONFIGURED,
	                                .repo_configured = {.repo = {1},
	                                                    .plan_digest = digest_of(FIXTURE_PLAN),
	                                                    .plan = FIXTURE_PLAN}});
}

static inline void fixture_end(struct fixture *f) {
	state_free(&f->s);
	arena_free(&f->life);
}

static inline struct digest fixture_key(uint64_t n) {
	struct digest d = {.b = {9}};
	memcpy(d.b + 4, &n, sizeof n);
	return d;
}

static inline struct event fixture_proposal(struct fixture *f, uint64_t key, uint64_t head) {
	struct event e = {.kind = EVENT_CHANGE_PROPOSED};
	struct state_identity id = state_identify(&f->s, (struct repo_id){1}, fixture_key(key),
	                                          fixture_oid(head));
	e.change_proposed.change = id.change;
	e.change_proposed.revision = id.revision;
	e.change_proposed.repo.v = 1;
	e.change_proposed.key = fixture_key(key);
	e.change_proposed.head = fixture_oid(head);
	return e;
}

static inline struct event fixture_built(uint64_t candidate) {
	return (struct event){.kind = EVENT_CANDIDATE_BUILT,
	                      .candidate_built = {.candidate = {candidate},
	                                          .commit = fixture_oid(200 + candidate),
	                                          .tree = fixture_oid(300 + candidate),
	                                          .plan_digest = digest_of(FIXTURE_PLAN),
	                                          .plan = FIXTURE_PLAN}};
}

static inline struct event fixture_finished(uint64_t run, enum outcome outcome) {
	struct event e = {.kind = EVENT_RUN_FINISHED};
	e.run_finished.run.v = run;
	e.run_finished.outcome = outcome;
	return e;
}

static inline struct event fixture_landed(const struct fixture *f, uint64_t candidate) {
	const struct candidate *c = state_candidate(&f->s, (struct candidate_id){candidate});
	const struct repo *r = state_repo(&f->s, (struct repo_id){1});
	return (struct event){.kind = EVENT_CHANGE_LANDED,
	                      .change_landed = {.change = c->change,
	                                        .revision = c->revision,
	                                        .candidate = c->id,
	                                        .landing = r->landing,
	                                        .commit = c->commit,
	                                        .previous = r->tip,
	                                        .tree = c->tree}};
}

// A change from its push up to the landing that was asked for; returns its candidate.
static inline uint64_t fixture_up_to_landing(struct fixture *f, uint64_t key) {
	uint64_t candidate = f->s.next_candidate;
	fixture_apply(f, fixture_proposal(f, key, 1000 + key));
	fixture_decide(f);
	fixture_apply(f, fixture_built(candidate));
	for (int job = 0; job < 2; job++) {
		fixture_decide(f);
		fixture_apply(f, fixture_finished(f->s.next_run - 1, OUTCOME_PASSED));
	}
	fixture_decide(f);
	return candidate;
}

static inline void fixture_land(struct fixture *f, uint64_t key) {
	uint64_t candidate = fixture_up_to_landing(f, key);
	fixture_apply(f, fixture_landed(f, candidate));
	fixture_decide(f);
}
