// Each promise is broken once, by an event that must not follow or by a world that differs.
#include "sim/invariant.h"

#include "base/unit.h"

static struct oid oid(uint8_t n) {
	return (struct oid){20, {n}};
}

static struct event of(enum event_kind kind) {
	return (struct event){.kind = kind, .time_ms = 5};
}

// Change 1 was tested as candidate 1 (tree 3) by run 1, its landing 1 was asked for.
static void tell(struct witness *w) {
	struct event e[8] = {of(EVENT_SERVER_STARTED),  of(EVENT_REPO_ADDED),
	                     of(EVENT_TRUNK_MOVED),     of(EVENT_CHANGE_PROPOSED),
	                     of(EVENT_CHANGE_QUEUED),   of(EVENT_CANDIDATE_ISSUED),
	                     of(EVENT_CANDIDATE_BUILT), of(EVENT_RUN_ISSUED)};
	e[0].server_started.slots = 1;
	e[1].repo_added.repo.v = 1;
	e[2].trunk_moved = (struct event_trunk_moved){.repo = {1}, .to = oid(1)};
	e[3].change_proposed = (struct event_change_proposed){
		.change = {1}, .revision = 1, .repo = {1}, .head = oid(9)};
	e[4].change_queued = (struct event_change_queued){.change = {1}, .revision = 1};
	e[5].candidate_issued = (struct event_candidate_issued){.candidate = {1},
	                                                        .repo = {1},
	                                                        .change = {1},
	                                                        .revision = 1,
	                                                        .base = oid(1),
	                                                        .head = oid(9)};
	e[6].candidate_built = (struct event_candidate_built){
		.candidate = {1},
		.commit = oid(2),
		.tree = oid(3),
		.plan = STR("{\"jobs\":[{\"name\":\"test\",\"when\":\"change\"}]}")};
	e[7].run_issued = (struct event_run_issued){.run = {1}, .candidate = {1}};
	witness_init(w);
	for (size_t i = 0; i < ARRAY_LEN(e); i++) witness_fold(w, &e[i]);
}

static void fold(struct witness *w, struct event e) {
	witness_fold(w, &e);
}

static struct event verdict(uint8_t tree) {
	struct event e = of(EVENT_RUN_FINISHED);
	e.run_finished = (struct event_run_finished){
		.run = {1}, .outcome = OUTCOME_PASSED, .inputs = {{tree}}};
	return e;
}

static struct event landing(void) {
	struct event e = of(EVENT_LANDING_ISSUED);
	e.landing_issued = (struct event_landing_issued){{1}, {1}, {1}, {1}, 1, oid(1), oid(2), oid(3)};
	return e;
}

static struct event landed(void) {
	struct event e = of(EVENT_CHANGE_LANDED);
	e.change_landed = (struct event_change_landed){{1}, 1, {1}, {1}, oid(2), oid(1), oid(3)};
	return e;
}

static struct event rollout(uint64_t n, const char *cause, uint64_t release) {
	struct event e = of(EVENT_ROLLOUT_ISSUED);
	e.rollout_issued = (struct event_rollout_issued){{n}, {1}, {release}, {0}, str_of(cause)};
	return e;
}

static struct event release(void) {
	struct event e = of(EVENT_RELEASE_MADE);
	e.release_made = (struct event_release_made){{1}, {1}, {1}, {1}, oid(2), STR_NONE};
	return e;
}

static bool inputs_match(void *context, struct digest inputs, struct oid tree) {
	(void)context;
	return inputs.b[0] == tree.b[0];
}

static void expect(const struct witness *w, const struct event *e, struct invariant_world world,
                   const char *name) {
	const struct invariant_row *row;
	struct err why = {0};
	if (!world.inputs_match) world.inputs_match = inputs_match;
	const struct invariant_case c = {w, e, &world};
	bool good = invariant_check(&c, &row, &why);
	if (name && good) fail_msg("%s was not broken", name);
	if (!name && !good) fail_msg("%s: %s", row->name, why.text);
	if (name && strcmp(row->name, name) != 0) fail_msg("%s, not %s", row->name, name);
}

static void refuse(const struct witness *w, struct event e, const char *name) {
	expect(w, &e, (struct invariant_world){0}, name);
}

static void accept(struct witness *w, struct event e) {
	expect(w, &e, (struct invariant_world){0}, NULL);
	witness_fold(w, &e);
}

static void verdicts(void **state) {
	(void)state;
	struct witness w;
	tell(&w);
	refuse(&w, landing(), "trunk"); // not tested yet
	refuse(&w, verdict(4), "verdict");
	struct event reused = of(EVENT_RUN_REUSED);
	reused.run_reused = (struct event_run_reused){.run = {1}, .of = {7}};
	refuse(&w, reused, "verdict");
	struct event second = of(EVENT_RUN_ISSUED);
	second.run_issued = (struct event_run_issued){.run = {2}, .candidate = {1}};
	refuse(&w, second, "slots");
	accept(&w, verdict(3));
	refuse(&w, verdict(3), "verdict"); // twice
	witness_free(&w);
}

static void landings(void **state) {
	(void)state;
	struct witness w;
	tell(&w);
	fold(&w, verdict(3));
	struct event e = landing();
	e.landing_issued.from = oid(7);
	refuse(&w, e, "trunk");
	e = landing(), e.landing_issued.to = oid(7);
	refuse(&w, e, "trunk");
	e = landing(), e.landing_issued.revision = 2;
	refuse(&w, e, "head");
	refuse(&w, landed(), "trunk"); // without an intent
	accept(&w, landing());
	refuse(&w, landing(), "trunk"); // two at once
	e = landed(), e.change_landed.commit = oid(7);
	refuse(&w, e, "trunk");
	struct witness newer;
	witness_copy(&newer, &w);
	e = of(EVENT_CHANGE_PROPOSED);
	e.change_proposed = (struct event_change_proposed){
		.change = {1}, .revision = 2, .repo = {1}, .head = oid(10)};
	accept(&newer, e);
	refuse(&newer, landed(), "ends"); // the old head
	accept(&w, landed());
	e.change_proposed.revision = 2;
	refuse(&w, e, "ends"); // after its end
	e = landed();
	refuse(&w, e, "trunk"); // twice
	e = of(EVENT_CHANGE_WITHDRAWN);
	e.change_withdrawn = (struct event_change_withdrawn){{1}, 1, STR_NONE};
	refuse(&w, e, "ends");
	e.time_ms = 4;
	e.kind = EVENT_CLOCK_PASSED;
	refuse(&w, e, "log"); // time goes back
	witness_free(&w);
	witness_free(&newer);
}

static void delivery(void **state) {
	(void)state;
	struct witness w;
	tell(&w);
	fold(&w, verdict(3));
	fold(&w, landing());
	refuse(&w, release(), "provenance"); // not landed yet
	fold(&w, landed());
	refuse(&w, rollout(1, "landed", 1), "provenance");
	accept(&w, release());
	refuse(&w, rollout(1, "rollback", 1), "rollout"); // it never ran
	accept(&w, rollout(1, "landed", 1));
	refuse(&w, rollout(2, "deploy", 1), "rollout"); // two at once
	struct event e = of(EVENT_ROLLOUT_FINISHED);
	e.rollout_finished = (struct event_rollout_finished){.rollout = {1}, .outcome = OUTCOME_PASSED};
	accept(&w, e);
	e = of(EVENT_RELEASE_BLOCKED);
	e.release_blocked = (struct event_release_blocked){{1}, {1}, REASON_ROLLED_BACK};
	accept(&w, e);
	refuse(&w, rollout(2, "deploy", 1), "rollout"); // blocked
	e = of(EVENT_DEPLOY_REQUESTED);
	e.deploy_requested = (struct event_deploy_requested){{1}, {1}, 1, STR_NONE};
	accept(&w, e);
	accept(&w, rollout(2, "deploy", 1));
	witness_free(&w);
}

static bool elsewhere(void *context, uint64_t repo, struct oid *out) {
	(void)context, (void)repo;
	*out = oid(8);
	return true;
}

static bool always(void *context, uint64_t repo) {
	(void)context, (void)repo;
	return true;
}

static bool one_ack(void *context, size_t index, struct invariant_ack *out) {
	*out = *(const struct invariant_ack *)context;
	return index == 0;
}

static bool never(void *context) {
	(void)context;
	return false;
}

static uint64_t two(void *context) {
	(void)context;
	return 2;
}

static bool runs_nine(void *context, uint64_t env, uint64_t *release_out) {
	(void)context, (void)env;
	*release_out = 9;
	return true;
}

static void the_world_differs(void **state) {
	(void)state;
	struct witness w;
	struct state s;
	struct invariant_ack ack = {{1}, 1, oid(9)};
	tell(&w);
	state_init(&s);
	expect(&w, NULL, (struct invariant_world){.tip = elsewhere}, "trunk");
	expect(&w, NULL, (struct invariant_world){.went_back = always}, "trunk");
	expect(&w, NULL, (struct invariant_world){.context = &ack, .ack = one_ack}, NULL);
	ack.revision = 2;
	expect(&w, NULL, (struct invariant_world){.context = &ack, .ack = one_ack}, "log");
	expect(&w, NULL, (struct invariant_world){.replays = never}, "log");
	expect(&w, NULL, (struct invariant_world){.processes = two}, "slots");
	expect(&w, NULL, (struct invariant_world){.quiet = true}, "drains");
	expect(&w, NULL, (struct invariant_world){.state = &s}, "numbers");
	fold(&w, rollout(1, "landed", 1));
	expect(&w, NULL, (struct invariant_world){.running = runs_nine}, "provenance");
	expect(&w, NULL, (struct invariant_world){0}, NULL);
	state_free(&s);
	witness_free(&w);
}

static void all_are_listed(void **state) {
	(void)state;
	size_t count;
	const struct invariant_row *rows = invariant_all(&count);
	assert_int_equal(count, 10);
	for (size_t i = 0; i < count; i++) assert_true(rows[i].holds && strlen(rows[i].promise) > 10);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),       cmocka_unit_test(landings),
		cmocka_unit_test(delivery),       cmocka_unit_test(the_world_differs),
		cmocka_unit_test(all_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
