#include "core/outbox.h"

#include "core/fixture.h"

static struct outbox_list pending(struct fixture *f) {
	return outbox_pending(&f->s, &f->life);
}

static void each_intent_is_listed_until_it_is_settled(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	assert_int_equal(pending(&f).count, 0);
	fixture_apply(&f, fixture_proposal(&f, 1, 1));
	fixture_decide(&f);
	struct outbox_list p = pending(&f);
	assert_int_equal(p.count, 1);
	assert_true(p.items[0].kind == OUTBOX_CANDIDATE && p.items[0].id == 1);

	fixture_apply(&f, fixture_built(1));
	fixture_decide(&f);
	p = pending(&f);
	assert_int_equal(p.count, 1);
	assert_true(p.items[0].kind == OUTBOX_RUN && p.items[0].id == 1 && !p.items[0].cancel);
	assert_true(p.items[0].candidate.v == 1 && p.items[0].job == 0 && p.items[0].repo.v == 1);

	fixture_apply(&f, fixture_finished(1, OUTCOME_PASSED));
	fixture_decide(&f);
	fixture_apply(&f, fixture_finished(2, OUTCOME_PASSED));
	fixture_decide(&f);
	p = pending(&f);
	assert_int_equal(p.count, 1);
	assert_true(p.items[0].kind == OUTBOX_LANDING && p.items[0].id == 1);
	assert_true(oid_eq(p.items[0].from, fixture_oid(100)));
	assert_true(oid_eq(p.items[0].to, fixture_oid(201)));

	fixture_apply(&f, fixture_landed(&f, 1));
	fixture_decide(&f);
	p = pending(&f);
	assert_int_equal(p.count, 1);
	assert_true(p.items[0].kind == OUTBOX_ROLLOUT && p.items[0].release.v == 1);
	fixture_apply(&f,
	              (struct event){.kind = EVENT_ROLLOUT_FINISHED,
	                             .rollout_finished = {.rollout = {1}, .outcome = OUTCOME_PASSED}});
	fixture_decide(&f);
	assert_int_equal(pending(&f).count, 0);
	fixture_end(&f);
}

static void what_was_cancelled_says_so(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	fixture_apply(&f, fixture_proposal(&f, 1, 1));
	fixture_decide(&f);
	fixture_apply(&f, fixture_built(1));
	fixture_decide(&f);
	fixture_apply(
		&f, (struct event){.kind = EVENT_CHANGE_WITHDRAWN, .change_withdrawn = {{1}, 1, STR_NONE}});
	fixture_decide(&f);
	struct outbox_list p = pending(&f);
	assert_int_equal(p.count, 1);
	assert_true(p.items[0].kind == OUTBOX_RUN && p.items[0].cancel);
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_intent_is_listed_until_it_is_settled),
		cmocka_unit_test(what_was_cancelled_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
