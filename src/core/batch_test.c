#include "core/batch.h"

#include "core/fixture.h"

static void propose(struct fixture *f, uint64_t key) {
	fixture_apply(f, fixture_proposal(f, key, 1000 + key));
}

// Four changes for one slot: candidate 1 tests all of them.
static void begin(struct fixture *f) {
	fixture_begin(f, 1);
	for (uint64_t key = 1; key <= 4; key++) propose(f, key);
	fixture_decide(f);
}

static const struct candidate *candidate(const struct fixture *f, uint64_t id) {
	return state_candidate(&f->s, (struct candidate_id){id});
}

static void many_changes_share_a_candidate(void **state) {
	(void)state;
	struct fixture f;
	begin(&f);
	const struct candidate *c = candidate(&f, 1);
	assert_int_equal(f.s.candidates.count, 1);
	assert_int_equal(batch_size(&f.s, c), 4);
	assert_int_equal(c->change.v, 4);
	for (size_t i = 0; i < 4; i++) {
		struct member m = batch_member(&f.s, c, i);
		assert_int_equal(m.change.v, i + 1);
		assert_int_equal(m.revision, 1);
		assert_true(oid_eq(m.head, fixture_oid(1001 + i)));
		assert_true(batch_has(&f.s, c, m.change));
		assert_ptr_equal(state_candidate_of_change(&f.s, m.change), c);
	}
	assert_false(batch_has(&f.s, c, (struct change_id){5}));
	fixture_end(&f);
}

static void whoever_leaves_is_no_member_any_more(void **state) {
	(void)state;
	struct fixture f;
	begin(&f);
	struct candidate *c = state_candidate(&f.s, (struct candidate_id){1});
	batch_leave(&f.s, c, (struct change_id){2});
	assert_int_equal(batch_size(&f.s, c), 3);
	assert_int_equal(batch_member(&f.s, c, 1).change.v, 3);
	batch_leave(&f.s, c, (struct change_id){4}); // its own: the one before is the last now
	assert_int_equal(batch_size(&f.s, c), 2);
	assert_int_equal(c->change.v, 3);
	assert_true(oid_eq(c->head, fixture_oid(1003)));
	batch_forget(&f.s, c->id);
	assert_int_equal(batch_size(&f.s, c), 1);
	assert_int_equal(f.s.members.count, 0);
	fixture_end(&f);
}

static struct event issued(struct fixture *f, const char *members) {
	struct event e = {.kind = EVENT_CANDIDATE_ISSUED, .time_ms = f->s.now_ms};
	e.candidate_issued = (struct event_candidate_issued){.candidate = {f->s.next_candidate},
	                                                     .repo = {1},
	                                                     .change = {4},
	                                                     .revision = 1,
	                                                     .members = str_of(members)};
	return e;
}

static void odd_members_are_refused(void **state) {
	(void)state;
	struct fixture f;
	begin(&f);
	static const char head[] = "\"00000000000000000000000000000000000003e9\"";
	static const char *const bad[] = {
		"{}",
		"[]",
		"[1]",
		"[[1]]",
		"[[1,1,\"x\"]]",
		"[[0,1,%s]]",
		"[[9,1,%s]]",
		"[[1,2,%s]]",
		"[[1,4294967297,%s]]",
		"[[4,1,%s]]",
		"[[1,1,%s],[1,1,%s]]",
		"no list",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_BUF text = {0};
		struct err why = {0};
		for (const char *p = bad[i]; *p; p++) {
			if (p[0] == '%') buf_cstr(&text, head), p++;
			else buf_char(&text, *p);
		}
		struct event e = issued(&f, text.p);
		if (apply_check(&f.s, &e, &why)) fail_msg("%s is taken", text.p);
		assert_true(why.text[0]);
	}
	AUTO_BUF good = {0};
	buf_printf(&good, "[[1,1,%s]]", head);
	struct event e = issued(&f, good.p);
	struct err why = {0};
	assert_ok(apply_check(&f.s, &e, &why), why);
	fixture_end(&f);
}

static void what_is_written_is_read(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct member list[3] = {{.change = {7}, .head = fixture_oid(1), .revision = 2},
	                         {.change = {9}, .head = fixture_oid(2), .revision = 1},
	                         {.change = {8}, .head = fixture_oid(3), .revision = 1}};
	struct member *out = NULL;
	size_t n = 0;
	assert_int_equal(batch_text(list, 1, &life).n, 0);
	assert_true(batch_read(batch_text(list, 3, &life), &life, &out, &n));
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(out[i].change.v, list[i].change.v);
		assert_int_equal(out[i].revision, list[i].revision);
		assert_true(oid_eq(out[i].head, list[i].head));
	}
	assert_true(batch_read(STR_NONE, &life, &out, &n));
	assert_int_equal(n, 0);
}

// In this order only, and trunk is the batch with the last of them.
static void a_batch_lands_member_by_member(void **state) {
	(void)state;
	struct fixture f;
	begin(&f);
	fixture_apply(&f, fixture_built(1));
	for (int job = 0; job < 2; job++) {
		fixture_decide(&f);
		fixture_apply(&f, fixture_finished(f.s.next_run - 1, OUTCOME_PASSED));
	}
	fixture_decide(&f);
	const struct repo *r = state_repo(&f.s, (struct repo_id){1});
	assert_int_equal(r->landing.v, 1);
	struct event second = batch_landed(&f.s, r, 1);
	struct err why = {0};
	second.time_ms = f.s.now_ms;
	assert_false(apply_check(&f.s, &second, &why));
	struct event withdrawn = {.kind = EVENT_CHANGE_WITHDRAWN,
	                          .time_ms = f.s.now_ms,
	                          .change_withdrawn = {.change = {2}, .revision = 1}};
	assert_false(apply_check(&f.s, &withdrawn, &why));
	for (uint64_t i = 1; i <= 4; i++) {
		assert_int_equal(r->landing.v, 1);
		assert_true(oid_eq(r->tip, fixture_oid(100)));
		fixture_apply(&f, batch_landed(&f.s, r, 0));
		assert_null(state_change(&f.s, (struct change_id){i}));
	}
	assert_int_equal(r->landing.v, 0);
	assert_true(oid_eq(r->tip, fixture_oid(201)));
	assert_int_equal(f.s.members.count, 0);
	fixture_end(&f);
}

static void how_many_is_bounded(void **state) {
	(void)state;
	for (int64_t most = 1; most <= 3; most++) {
		struct fixture f;
		fixture_begin(&f, 1);
		fixture_apply(&f, (struct event){.kind = EVENT_SERVER_STARTED,
		                                 .server_started = {.slots = 1, .batch = most}});
		for (uint64_t key = 1; key <= 4; key++) propose(&f, key);
		fixture_decide(&f);
		assert_int_equal(batch_size(&f.s, candidate(&f, 1)), most);
		fixture_end(&f);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_changes_share_a_candidate),
		cmocka_unit_test(whoever_leaves_is_no_member_any_more),
		cmocka_unit_test(odd_members_are_refused),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_batch_lands_member_by_member),
		cmocka_unit_test(how_many_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
