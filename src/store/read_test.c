#include "store/read.h"

#include "core/rows_delivery.h"
#include "store/fixture.h"

// One story: two changes are proposed, one lands and is deployed, the other is rejected; then more.

static void a_change(struct fixture *f, uint64_t id, int64_t revision) {
	HAPPENS(f, CHANGE_PROPOSED, change_proposed, .change = {id}, .revision = revision, .repo = {1},
	        .target = STR("main"), .key = digest_of(STR("key")), .head = OID(9),
	        .title = STR("Title"), .author = STR("Ada"));
	HAPPENS(f, CHANGE_QUEUED, change_queued, .change = {id}, .revision = revision);
}

static void a_candidate(struct fixture *f, uint64_t id, uint64_t change, int64_t revision) {
	HAPPENS(f, CANDIDATE_ISSUED, candidate_issued, .candidate = {id}, .repo = {1},
	        .change = {change}, .revision = revision, .base = OID(1), .head = OID(9));
	HAPPENS(f, CANDIDATE_BUILT, candidate_built, .candidate = {id}, .commit = OID(20 + id),
	        .tree = OID(40 + id), .plan_digest = digest_of(STR("plan")), .plan = STR(plan));
}

static void a_run(struct fixture *f, uint64_t id, uint64_t candidate, enum outcome outcome,
                  int64_t duration_ms) {
	HAPPENS(f, RUN_ISSUED, run_issued, .run = {id}, .candidate = {candidate}, .name = STR("test"),
	        .attempt = 1, .trust = 1);
	HAPPENS(f, RUN_STARTED, run_started, .run = {id}, .slot_wait_ms = 3);
	HAPPENS(f, RUN_FINISHED, run_finished, .run = {id}, .outcome = outcome,
	        .reason = outcome == OUTCOME_PASSED ? REASON_NONE : REASON_TEST_FAILED,
	        .duration_ms = duration_ms, .key = digest_of(STR("verdict")),
	        .basis = digest_of(STR("basis")), .artifacts = digest_of(STR("artifacts")),
	        .log = digest_of(STR("log")), .tests = 7, .failed_tests = STR("[\"a\",\"b\"]"));
}

static void a_landing(struct fixture *f, uint64_t id, uint64_t candidate, uint64_t change) {
	HAPPENS(f, LANDING_ISSUED, landing_issued, .landing = {id}, .candidate = {candidate},
	        .repo = {1}, .change = {change}, .revision = 1, .from = OID(1),
	        .to = OID(20 + candidate));
	HAPPENS(f, CHANGE_LANDED, change_landed, .change = {change}, .revision = 1,
	        .candidate = {candidate}, .landing = {id}, .commit = OID(20 + candidate));
}

static struct read_change change_of(struct fixture *f, uint64_t id) {
	struct read_change change;
	struct err e;
	assert_ok(read_change(f->store, (struct change_id){id}, &f->life, &change, &e), e);
	return change;
}

// ---------------------------------------------------------------- tests

static void a_change_goes_from_proposed_to_deployed(void **state) {
	struct fixture *f = *state;
	struct err e;
	a_repository(f);
	HAPPENS(f, CHANGE_PROPOSED, change_proposed, .change = {1}, .revision = 1, .repo = {1},
	        .title = STR("Title"), .head = OID(9));
	assert_text(change_of(f, 1).state, "proposed");
	HAPPENS(f, CHANGE_QUEUED, change_queued, .change = {1}, .revision = 1);
	assert_text(change_of(f, 1).state, "queued");
	a_candidate(f, 1, 1, 1);
	assert_text(change_of(f, 1).state, "testing");
	assert_int_equal(change_of(f, 1).candidate_commit.b[0], 21);
	HAPPENS(f, CHANGE_PROPOSED, change_proposed, .change = {1}, .revision = 1, .repo = {1},
	        .title = STR("Title"), .head = OID(9), .priority = 5); // pushed again: only that is new
	assert_text(change_of(f, 1).state, "testing");
	assert_int_equal(change_of(f, 1).priority, 5);
	assert_true(change_of(f, 1).queued_ms > 0);
	assert_int_equal(change_of(f, 1).candidate.v, 1);
	a_run(f, 1, 1, OUTCOME_PASSED, 40);
	HAPPENS(f, LANDING_ISSUED, landing_issued, .landing = {1}, .candidate = {1}, .repo = {1},
	        .change = {1}, .revision = 1, .from = OID(1), .to = OID(21));
	assert_text(change_of(f, 1).state, "landing");
	HAPPENS(f, LANDING_FAILED, landing_failed, .landing = {1}, .text = STR("moved"));
	assert_text(change_of(f, 1).state, "testing");
	a_landing(f, 2, 1, 1);
	struct read_change change = change_of(f, 1);
	assert_text(change.state, "landed");
	assert_text(change.repo_name, "shop");
	assert_int_equal(change.landed_commit.b[0], 21);
	assert_true(change.landed_ms > change.queued_ms && change.queued_ms > change.proposed_ms);
	assert_int_equal(change.deployed_ms, 0);
	HAPPENS(f, RELEASE_MADE, release_made, .release = {1}, .repo = {1}, .change = {1},
	        .candidate = {1}, .commit = OID(21), .artifacts = STR("[]"));
	HAPPENS(f, ROLLOUT_ISSUED, rollout_issued, .rollout = {1}, .env = {1}, .release = {1},
	        .cause = STR("landed"));
	HAPPENS(f, ROLLOUT_FINISHED, rollout_finished, .rollout = {1}, .outcome = OUTCOME_PASSED);
	assert_int_equal(change_of(f, 1).deployed_ms, f->now - 1);

	struct read_envs envs;
	assert_ok(read_envs(f->store, (struct repo_id){1}, &f->life, &envs, &e), e);
	assert_int_equal(envs.n, 2);
	assert_text(envs.p[0].name, "production"); // ids by name
	assert_int_equal(envs.p[0].release.v, 1);
	assert_int_equal(envs.p[1].release.v, 0);
	struct read_repo repo;
	assert_ok(read_repo_named(f->store, STR("shop"), &f->life, &repo, &e), e);
	assert_int_equal(repo.tip.b[0], 21);
	int64_t wait;
	assert_ok(read_landing_wait(f->store, (struct repo_id){1}, &wait, &e), e);
	assert_int_equal(wait, change.landed_ms - change.queued_ms);
}

static void a_rejected_change_says_why_and_can_be_retried(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	a_run(f, 1, 1, OUTCOME_FAILED, 4);
	HAPPENS(f, CHANGE_REJECTED, change_rejected, .change = {1}, .revision = 1,
	        .reason = REASON_TEST_FAILED, .text = STR("a failed"), .candidate = {1}, .run = {1});
	HAPPENS(f, CANDIDATE_DROPPED, candidate_dropped, .candidate = {1},
	        .reason = REASON_TEST_FAILED);
	struct read_change change = change_of(f, 1);
	assert_text(change.state, "rejected");
	assert_int_equal(change.reason, REASON_TEST_FAILED);
	assert_text(change.reason_text, "a failed");
	assert_int_equal(change.run.v, 1);
	assert_int_equal(change.candidate.v, 1);
	HAPPENS(f, CHANGE_RETRIED, change_retried, .change = {1}, .revision = 1, .by = STR("ada"));
	change = change_of(f, 1);
	assert_text(change.state, "queued");
	assert_int_equal(change.reason, REASON_NONE);
	assert_int_equal(change.ended_ms, 0);
}

static void a_dropped_candidate_gives_the_change_back_to_the_queue(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	HAPPENS(f, CANDIDATE_DROPPED, candidate_dropped, .candidate = {1},
	        .reason = REASON_BASE_CHANGED);
	struct read_change change = change_of(f, 1);
	assert_text(change.state, "queued");
	assert_int_equal(change.reason, REASON_BASE_CHANGED);
	a_candidate(f, 2, 1, 1);
	change = change_of(f, 1);
	assert_text(change.state, "testing");
	assert_int_equal(change.reason, REASON_NONE);
	assert_int_equal(change.candidate.v, 2);
}

static void a_new_revision_supersedes_the_old(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_revisions revisions;
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	a_change(f, 1, 2);
	HAPPENS(f, CANDIDATE_DROPPED, candidate_dropped, .candidate = {1}, .reason = REASON_SUPERSEDED);
	struct read_change change = change_of(f, 1);
	assert_text(change.state, "queued");
	assert_int_equal(change.revision, 2);
	assert_int_equal(change.reason, REASON_NONE);
	assert_true(change.first_proposed_ms < change.proposed_ms);
	assert_ok(read_revisions(f->store, change.id, &f->life, &revisions, &e), e);
	assert_int_equal(revisions.n, 2);
	assert_text(revisions.p[0].state, "superseded");
	assert_text(revisions.p[1].state, "open");
}

static void a_change_is_found_by_a_commit(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_change change;
	char head[OID_HEX_MAX + 1], landed[OID_HEX_MAX + 1];
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	a_landing(f, 1, 1, 1);
	oid_hex(OID(9), head);
	oid_hex(OID(21), landed);
	assert_ok(read_change_of_commit(f->store, str_of(head), &f->life, &change, &e), e);
	assert_int_equal(change.id.v, 1);
	struct str most = str_slice(str_of(landed), 0, 39);
	assert_ok(read_change_of_commit(f->store, most, &f->life, &change, &e), e);
	static const char *const none[] = {"", "fff0", "[0-9]*", "%", "0?"};
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_refused(read_change_of_commit(f->store, str_of(none[i]), &f->life, &change, &e), e,
		               ERR_NOT_FOUND);
}

static int64_t tally(struct fixture *f, const char *name) {
	int64_t n;
	struct err e;
	assert_ok(read_tally_of(f->store, name, &n, &e), e);
	return n;
}

// A red run of the same inputs takes the green verdict away, for nobody to be answered by.
static void a_recheck_is_counted_and_a_red_one_believed(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_verdicts all;
	struct digest basis = digest_of(STR("basis"));
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	a_run(f, 1, 1, OUTCOME_PASSED, 5);
	for (uint64_t i = 2; i <= 4; i++) {
		HAPPENS(f, RUN_ISSUED, run_issued, .run = {i}, .candidate = {1}, .name = STR("test"));
		HAPPENS(f, RUN_FINISHED, run_finished, .run = {i},
		        .outcome = i == 4 ? OUTCOME_FAILED : OUTCOME_PASSED,
		        .key = digest_of(STR("verdict")), .basis = basis, .rechecks = 1,
		        .differs = (int64_t)i - 2);
	}
	assert_int_equal(tally(f, "rechecked"), 3);
	assert_int_equal(tally(f, "varied"), 1);
	assert_int_equal(tally(f, "differed"), 1);
	assert_ok(read_verdicts(f->store, (struct repo_id){1}, basis, &f->life, &all, &e), e);
	assert_int_equal(all.n, 0);
}

static void verdicts_are_the_newest_passed_run(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_verdicts all;
	struct read_run run;
	struct digest key = digest_of(STR("verdict")), basis = digest_of(STR("basis"));
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	a_run(f, 1, 1, OUTCOME_FAILED, 4);
	assert_ok(read_verdicts(f->store, (struct repo_id){1}, basis, &f->life, &all, &e), e);
	assert_int_equal(all.n, 0);
	a_run(f, 2, 1, OUTCOME_PASSED, 5);
	assert_ok(read_verdicts(f->store, (struct repo_id){1}, basis, &f->life, &all, &e), e);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.p[0].run.v, 2);
	assert_true(oid_eq(all.p[0].tree, OID(41)));
	assert_int_equal(all.p[0].duration_ms, 5);
	assert_true(digest_eq(all.p[0].artifacts, digest_of(STR("artifacts"))));
	a_candidate(f, 2, 1, 1);
	HAPPENS(f, RUN_ISSUED, run_issued, .run = {4}, .candidate = {2}, .name = STR("test"),
	        .attempt = 1);
	HAPPENS(f, RUN_REUSED, run_reused, .run = {4}, .of = {2}, .key = key, .saved_ms = 5);
	assert_ok(read_verdicts(f->store, (struct repo_id){1}, basis, &f->life, &all, &e), e);
	assert_true(oid_eq(all.p[0].tree, OID(42))); // it holds for that one, too
	assert_int_equal(tally(f, "reused"), 1);
	assert_int_equal(tally(f, "saved_ms"), 5);
	assert_int_equal(tally(f, "rechecked"), 0);
	assert_ok(read_run(f->store, (struct run_id){4}, &f->life, &run, &e), e);
	assert_text(run.state, "reused");
	assert_int_equal(run.outcome, OUTCOME_PASSED);
	assert_int_equal(run.reused_of.v, 2);
	assert_true(digest_eq(run.log, digest_of(STR("log"))));
	assert_text(run.failed_tests, "[\"a\",\"b\"]");
	int64_t median;
	assert_ok(read_job_duration(f->store, (struct repo_id){1}, STR("test"), &median, &e), e);
	assert_int_equal(median, 5);
	HAPPENS(f, LOCAL_RUN, local_run, .job = STR("test"), .outcome = OUTCOME_PASSED, .basis = basis);
	HAPPENS(f, LOCAL_RUN, local_run, .job = STR("red"), .outcome = OUTCOME_FAILED, .basis = basis);
	struct read_local_runs local;
	assert_ok(read_local_runs(f->store, basis, &f->life, &local, &e), e);
	assert_int_equal(local.n, 1);
	assert_text(local.p[0].job, "test");
}

static void medians_are_of_the_last_twenty(void **state) {
	struct fixture *f = *state;
	struct err e;
	int64_t median;
	assert_ok(read_job_duration(f->store, (struct repo_id){1}, STR("test"), &median, &e), e);
	assert_int_equal(median, 0);
	a_repository(f);
	a_change(f, 1, 1);
	a_candidate(f, 1, 1, 1);
	for (int i = 1; i <= 30; i++) a_run(f, (uint64_t)i, 1, OUTCOME_PASSED, i);
	assert_ok(read_job_duration(f->store, (struct repo_id){1}, STR("test"), &median, &e), e);
	assert_int_equal(median, 20); // of 11..30
}

static void lists_continue_where_they_ended(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_changes page;
	struct read_feeds feed;
	a_repository(f);
	for (uint64_t i = 1; i <= 6; i++) a_change(f, i, 1);
	for (uint64_t i = 1; i <= 3; i++) {
		a_candidate(f, i, i, 1);
		a_landing(f, i, i, i);
	}
	HAPPENS(f, CHANGE_WITHDRAWN, change_withdrawn, .change = {4}, .revision = 1);
	struct read_filter filter = {.which = READ_ENDED, .limit = 2};
	assert_ok(read_changes(f->store, filter, &f->life, &page, &e), e);
	assert_int_equal(page.n, 2);
	assert_int_equal(page.p[0].id.v, 4);
	filter.before = page.p[1].id;
	filter.repo.v = 1;
	assert_ok(read_changes(f->store, filter, &f->life, &page, &e), e);
	assert_int_equal(page.n, 2);
	assert_int_equal(page.p[0].id.v, 2);
	assert_int_equal(page.p[1].id.v, 1);
	filter = (struct read_filter){.which = READ_OPEN};
	assert_ok(read_changes(f->store, filter, &f->life, &page, &e), e);
	assert_int_equal(page.n, 2);
	assert_int_equal(page.p[0].id.v, 6);
	assert_ok(read_feed(f->store, (struct repo_id){1}, 0, 2, &f->life, &feed, &e), e);
	assert_int_equal(feed.n, 2);
	assert_text(feed.p[0].what, "landed");
	assert_int_equal(feed.p[0].change.v, 3);
	struct read_events events;
	assert_ok(read_events(f->store, 1, STR("change/4"), 10, &f->life, &events, &e), e);
	assert_int_equal(events.n, 3);
	assert_int_equal(events.p[2].kind, EVENT_CHANGE_WITHDRAWN);
}

static void releases_are_found_by_number_and_commit(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_release release;
	struct read_releases list;
	struct read_blocks blocks;
	struct repo_id repo = {1};
	a_repository(f);
	a_change(f, 1, 1);
	for (uint64_t i = 1; i <= 2; i++)
		HAPPENS(f, RELEASE_MADE, release_made, .release = {i}, .repo = {1}, .change = {1},
		        .commit = {.n = 20, .b = {0xab, 0xcd, (uint8_t)i}});
	assert_ok(read_release_named(f->store, repo, STR("2"), &f->life, &release, &e), e);
	assert_int_equal(release.id.v, 2);
	assert_ok(read_release_named(f->store, repo, STR("abcd02"), &f->life, &release, &e), e);
	assert_ok(
		read_release_named(f->store, (struct repo_id){0}, STR("abcd02"), &f->life, &release, &e),
		e);
	assert_int_equal(release.id.v, 2);
	assert_text(release.title, "Title");
	assert_refused(read_release_named(f->store, repo, STR("abcd"), &f->life, &release, &e), e,
	               ERR_CONFLICT);
	assert_refused(read_release_named(f->store, repo, STR("abce"), &f->life, &release, &e), e,
	               ERR_NOT_FOUND);
	assert_refused(read_release_named(f->store, repo, STR("abc"), &f->life, &release, &e), e,
	               ERR_NOT_FOUND);
	assert_refused(
		read_release_named(f->store, (struct repo_id){2}, STR("2"), &f->life, &release, &e), e,
		ERR_NOT_FOUND);
	assert_ok(read_releases(f->store, repo, (struct release_id){2}, 0, &f->life, &list, &e), e);
	assert_int_equal(list.n, 1);
	HAPPENS(f, RELEASE_BLOCKED, release_blocked, .release = {2}, .env = {1},
	        .reason = REASON_ROLLED_BACK);
	assert_ok(read_blocks(f->store, (struct env_id){1}, &f->life, &blocks, &e), e);
	assert_int_equal(blocks.n, 1);
	assert_int_equal(blocks.p[0].reason, REASON_ROLLED_BACK);
	HAPPENS(f, DEPLOY_REQUESTED, deploy_requested, .env = {1}, .release = {2}, .force = 1);
	assert_ok(read_blocks(f->store, (struct env_id){1}, &f->life, &blocks, &e), e);
	assert_int_equal(blocks.n, 0); // somebody wanted it nevertheless
	for (uint64_t i = 1; i <= STATE_BLOCKS_MAX + 2; i++)
		HAPPENS(f, RELEASE_BLOCKED, release_blocked, .release = {i}, .env = {1},
		        .reason = REASON_ROLLED_BACK);
	assert_ok(read_blocks(f->store, (struct env_id){1}, &f->life, &blocks, &e), e);
	assert_int_equal(blocks.n, STATE_BLOCKS_MAX);
}

static int64_t counted(struct fixture *f, int64_t since_ms, const char *what) {
	struct read_counts list;
	struct err e;
	int64_t n = 0;
	assert_ok(read_counted(f->store, since_ms, &f->life, &list, &e), e);
	for (size_t i = 0; i < list.n; i++)
		if (str_eq(list.p[i].what, str_of(what))) n += list.p[i].n;
	return n;
}

static void everything_is_counted(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	enum { MANY = 1100, EVENTS = 2 * MANY }; // more than any page shows
	struct event *events = ARENA_ARRAY(&f->life, struct event, EVENTS);
	for (uint64_t i = 0; i < MANY; i++) {
		events[2 * i] = (struct event){
			.kind = EVENT_CHANGE_PROPOSED,
			.time_ms = f->now++,
			.change_proposed = {.change = {i + 1}, .revision = 1, .repo = {1}, .head = OID(9)}};
		events[2 * i + 1] = (struct event){
			.kind = EVENT_CHANGE_REJECTED,
			.time_ms = f->now++,
			.change_rejected = {.change = {i + 1}, .revision = 1, .reason = REASON_TEST_FAILED}};
	}
	struct err e;
	uint64_t first;
	assert_ok(store_append(f->store, events, EVENTS, &first, &e), e);
	assert_int_equal(counted(f, 0, "proposed"), 1100);
	assert_int_equal(counted(f, 0, "rejected"), 1100);
	assert_int_equal(counted(f, 0, "landed"), 0);
	struct read_change last = change_of(f, 1100);
	assert_int_equal(counted(f, last.ended_ms, "rejected"), 1);
	assert_int_equal(counted(f, last.ended_ms + 1, "rejected"), 0);
}

static void an_odd_plan_is_passed_by(void **state) {
	static const char *const odd[] = {"[]", "{\"environments\":3}",
	                                  "{\"environments\":[3,\"x\",null]}",
	                                  "{\"environments\":[{\"name\":3},{},[]]}"};
	struct fixture *f = *state;
	struct err e;
	uint64_t first;
	a_repository(f);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		struct event event = {.kind = EVENT_REPO_CONFIGURED, .time_ms = f->now++};
		event.repo_configured = (struct event_repo_configured){.repo = {1}, .plan = str_of(odd[i])};
		assert_ok(store_append(f->store, &event, 1, &first, &e), e);
	}
	struct event broken = {.kind = EVENT_REPO_CONFIGURED, .time_ms = f->now};
	broken.repo_configured = (struct event_repo_configured){.repo = {1}, .plan = STR("{")};
	assert_refused(store_append(f->store, &broken, 1, &first, &e), e, ERR_INVALID);
}

static void names_of_who_may_what(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct read_tokens tokens;
	struct read_token token;
	struct read_keys keys;
	struct read_webhooks hooks;
	struct read_secrets secrets;
	struct digest hash = digest_of(STR("t"));
	HAPPENS(f, TOKEN_CREATED, token_created, .name = STR("ci"), .scopes = STR("read"),
	        .hash = hash);
	assert_ok(read_token(f->store, hash, &f->life, &token, &e), e);
	assert_text(token.name, "ci");
	HAPPENS(f, TOKEN_REVOKED, token_revoked, .name = STR("ci"));
	assert_refused(read_token(f->store, hash, &f->life, &token, &e), e, ERR_NOT_FOUND);
	assert_ok(read_tokens(f->store, &f->life, &tokens, &e), e);
	assert_int_equal(tokens.n, 1);
	HAPPENS(f, KEY_ADDED, key_added, .name = STR("k"), .key = STR("ssh-ed25519 AA"));
	HAPPENS(f, KEY_ADDED, key_added, .name = STR("l"), .key = STR("ssh-ed25519 BB"));
	HAPPENS(f, KEY_REMOVED, key_removed, .name = STR("k"));
	assert_ok(read_keys(f->store, &f->life, &keys, &e), e);
	assert_int_equal(keys.n, 1);
	assert_text(keys.p[0].name, "l");
	HAPPENS(f, WEBHOOK_ADDED, webhook_added, .name = STR("w"), .url = STR("http://x/"));
	HAPPENS(f, WEBHOOK_DELIVERED, webhook_delivered, .name = STR("w"), .upto = 6);
	assert_ok(read_webhooks(f->store, &f->life, &hooks, &e), e);
	assert_int_equal(hooks.p[0].upto, 6);
	HAPPENS(f, WEBHOOK_REMOVED, webhook_removed, .name = STR("w"));
	assert_ok(read_webhooks(f->store, &f->life, &hooks, &e), e);
	assert_int_equal(hooks.n, 0);
	HAPPENS(f, SECRET_SET, secret_set, .repo = {1}, .name = STR("TOKEN"), .by = STR("ada"));
	HAPPENS(f, SECRET_SET, secret_set, .repo = {1}, .name = STR("B"), .by = STR("ada"));
	HAPPENS(f, SECRET_REMOVED, secret_removed, .repo = {1}, .name = STR("B"));
	assert_ok(read_secrets(f->store, (struct repo_id){1}, &f->life, &secrets, &e), e);
	assert_int_equal(secrets.n, 1);
	assert_text(secrets.p[0].name, "TOKEN");
}

// The remaining kinds: their rules must at least be SQL that fits the tables.
static void every_kind_of_event_can_be_projected(void **state) {
	struct fixture *f = *state;
	a_repository(f);
	for (int kind = 1; kind <= EVENT_KIND_MAX; kind++) {
		struct event event = {.kind = (enum event_kind)kind};
		if (event_name(event.kind)) append(f, event);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_change_goes_from_proposed_to_deployed),
		TEST(a_rejected_change_says_why_and_can_be_retried),
		TEST(a_dropped_candidate_gives_the_change_back_to_the_queue),
		TEST(a_new_revision_supersedes_the_old),
		TEST(a_change_is_found_by_a_commit),
		TEST(verdicts_are_the_newest_passed_run),
		TEST(a_recheck_is_counted_and_a_red_one_believed),
		TEST(medians_are_of_the_last_twenty),
		TEST(lists_continue_where_they_ended),
		TEST(releases_are_found_by_number_and_commit),
		TEST(everything_is_counted),
		TEST(an_odd_plan_is_passed_by),
		TEST(names_of_who_may_what),
		TEST(every_kind_of_event_can_be_projected),
	};
	return cmocka_run_group_tests_name("read", tests, NULL, NULL);
}
