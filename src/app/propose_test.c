// Which change a pushed commit belongs to, and what can be no change.
#include "app/propose.h"

#include "core/fixture.h"
#include "git/playground.h"

static void priorities_are_words_or_numbers(void **state) {
	(void)state;
	static const struct {
		const char *text;
		int64_t want; // 1000 = refused
	} rows[] = {{"", 0},        {"high", 10},  {"normal", 0},  {"low", -10},   {"100", 100},
	            {"-100", -100}, {"101", 1000}, {"-101", 1000}, {"High", 1000}, {"1e1", 1000}};
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got;
		bool ok = propose_priority(str_of(rows[i].text), &got, &e);
		if (ok != (rows[i].want != 1000) || (ok && got != rows[i].want))
			fail_msg("\"%s\": %d, %lld", rows[i].text, ok, (long long)got);
	}
}

// ---------------------------------------------------------------- which change

static enum turn_fill identify(struct fixture *f, struct event *e, uint64_t head, bool draft,
                               int64_t priority, bool names_priority) {
	*e = (struct event){.kind = EVENT_CHANGE_PROPOSED,
	                    .change_proposed = {.repo = {1},
	                                        .key = fixture_key(7),
	                                        .head = fixture_oid(head),
	                                        .draft = draft,
	                                        .priority = priority}};
	return propose_identify(&f->s, names_priority, e);
}

static void assert_ids(const struct event *e, uint64_t change, uint32_t revision) {
	assert_int_equal(e->change_proposed.change.v, change);
	assert_int_equal(e->change_proposed.revision, revision);
}

static void the_same_push_is_nothing_unless_it_says_something_new(void **state) {
	(void)state;
	struct fixture f;
	struct event e;
	fixture_begin(&f, 1);
	assert_int_equal(identify(&f, &e, 1, false, 0, false), TURN_GO);
	assert_ids(&e, 1, 1);
	fixture_apply(&f, e);
	assert_int_equal(identify(&f, &e, 1, false, 10, true), TURN_NOTHING); // not queued yet
	fixture_decide(&f);
	assert_int_equal(identify(&f, &e, 1, false, 0, false), TURN_NOTHING);
	assert_ids(&e, 1, 1);
	assert_int_equal(identify(&f, &e, 2, false, 0, false), TURN_GO);
	assert_ids(&e, 1, 2);
	assert_int_equal(identify(&f, &e, 1, true, 0, false), TURN_GO); // now only to be tested
	assert_ids(&e, 1, 2);
	assert_int_equal(identify(&f, &e, 1, false, 10, true), TURN_GO); // the same, but sooner
	assert_ids(&e, 1, 1);
	assert_int_equal(identify(&f, &e, 1, false, 0, true), TURN_NOTHING);   // as it is
	assert_int_equal(identify(&f, &e, 1, false, 10, false), TURN_NOTHING); // nobody asked for it
	fixture_end(&f);
}

// ---------------------------------------------------------------- what a commit says

static struct daemon_repo shop;
static struct arena life;

static int open_shop(void **state) {
	if (playground_open(state)) return -1;
	shop = (struct daemon_repo){.id = {1}, .name = "shop", .trunk = "main", .git = pg.repo};
	make_work_tree();
	sh("cd w; seq 9 >f; git add f; git commit -qm base");
	return 0;
}

static int close_shop(void **state) {
	arena_free(&life);
	return playground_close(state);
}

// Of this commit against the branch main of the work tree.
static struct event_change_proposed judged(struct oid head, const char *topic, const char *pusher) {
	struct propose p = {.repo = &shop,
	                    .target = STR("main"),
	                    .head = head,
	                    .tip = sh_oid("cd w; git rev-parse main"),
	                    .topic = str_of(topic),
	                    .pusher = str_of(pusher)};
	struct event e = {0};
	struct err why;
	assert_ok(propose_judge(&p, &life, &e, &why), why);
	return e.change_proposed;
}

static void assert_no_change(struct oid head, enum err_code code, const char *says) {
	struct propose p = {.repo = &shop,
	                    .target = STR("main"),
	                    .head = head,
	                    .tip = sh_oid("cd w; git rev-parse main")};
	struct event e = {0};
	struct err why;
	assert_refused(propose_judge(&p, &life, &e, &why), why, code);
	if (!strstr(why.text, says)) fail_msg("\"%s\" does not say \"%s\"", why.text, says);
}

static void a_commit_tells_who_wrote_it_and_how_large_it_is(void **state) {
	(void)state;
	struct oid head = sh_oid("cd w; git checkout -q -b x; echo ten >>f; sed -i 1d f; "
	                         "git commit -qam 'Add ten'; echo >g; git add g; "
	                         "git commit -q --author 'dep[bot] <d@example.org>' -m 'Add g'; "
	                         "git rev-parse HEAD");
	struct event_change_proposed p = judged(head, "", "ann");
	assert_text(p.title, "Add g");
	assert_text(p.author, "dep[bot]");
	assert_text(p.email, "d@example.org");
	assert_text(p.author_kind, "agent");
	assert_text(p.pusher, "ann");
	assert_int_equal(p.commits, 2);
	assert_int_equal(p.files, 2);
	assert_int_equal(p.lines_added, 2);
	assert_int_equal(p.lines_deleted, 1);
	assert_true(p.first_commit_ms > 0 && oid_eq(p.base, sh_oid("cd w; git rev-parse main")));
}

static void the_key_survives_a_new_revision(void **state) {
	(void)state;
	struct oid one = sh_oid("cd w; git checkout -q -b x main; echo ten >>f; git commit -qam one; "
	                        "git rev-parse HEAD");
	struct digest key = judged(one, "", "ann").key, topic = judged(one, "t", "ann").key;
	struct oid same = sh_oid("cd w; git commit -q --amend -m two; git rev-parse HEAD");
	assert_true(digest_eq(judged(same, "", "ann").key, key)); // the same patch of the same pusher
	assert_false(digest_eq(judged(same, "", "bob").key, key));
	struct oid other = sh_oid("cd w; echo more >>f; git commit -qa --amend -m two; "
	                          "git rev-parse HEAD");
	assert_false(digest_eq(judged(other, "", "ann").key, key));
	assert_true(digest_eq(judged(other, "t", "bob").key, topic)); // whoever pushes to the topic
	struct oid marked = sh_oid("cd w; git commit -q --amend -m 'x\n\nChange-Id: I%040d'; "
	                           "git rev-parse HEAD",
	                           1);
	struct digest id = judged(marked, "", "ann").key;
	struct oid again = sh_oid(
		"cd w; echo y >>f; git commit -qa --amend -m 'z\n\nChange-Id: I%040d'; "
		"git rev-parse HEAD",
		1);
	assert_true(digest_eq(judged(again, "", "bob").key, id));
	assert_false(digest_eq(id, key));
}

static void what_can_be_no_change_is_told_why(void **state) {
	(void)state;
	assert_no_change(sh_oid("cd w; git rev-parse main"), ERR_CONFLICT, "nothing to land");
	assert_no_change(sh_oid("cd w; git checkout -q --orphan o; git commit -qm o; "
	                        "git rev-parse HEAD"),
	                 ERR_INVALID, "no common history with main");
	assert_no_change(
		sh_oid("cd w; git checkout -q main; t=$(git rev-parse main^{tree}); c=$(git "
	           "rev-parse main); for i in $(seq 1001); do c=$(git commit-tree -p $c -m "
	           "$i $t); done; echo $c"),
		ERR_LIMIT, "more than 1000 commits");
}

int main(void) {
#define SHOP(name) cmocka_unit_test_setup_teardown(name, open_shop, close_shop)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priorities_are_words_or_numbers),
		cmocka_unit_test(the_same_push_is_nothing_unless_it_says_something_new),
		SHOP(a_commit_tells_who_wrote_it_and_how_large_it_is),
		SHOP(the_key_survives_a_new_revision),
		SHOP(what_can_be_no_change_is_told_why),
	};
	return cmocka_run_group_tests_name("propose", tests, NULL, NULL);
}
