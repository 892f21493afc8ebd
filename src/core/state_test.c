#include "core/state.h"

#include <stdlib.h>
#include <time.h>

#include "core/fixture.h"

static void a_copy_is_the_same_and_apart(void **state) {
	(void)state;
	struct fixture f;
	struct state copy;
	fixture_begin(&f, 2);
	fixture_up_to_landing(&f, 1);
	state_copy(&copy, &f.s);
	assert_true(digest_eq(state_digest(&copy), state_digest(&f.s)));
	assert_int_equal(state_bytes(&copy), state_bytes(&f.s));
	fixture_apply(&f, fixture_landed(&f, 1));
	assert_false(digest_eq(state_digest(&copy), state_digest(&f.s)));
	assert_non_null(state_candidate(&copy, (struct candidate_id){1}));
	state_free(&copy);
	fixture_end(&f);
}

// Rows are rebuilt on dirty memory with other capacities: nothing but values may count.
static void the_digest_sees_values_only(void **state) {
	(void)state;
	struct fixture f;
	struct state other;
	fixture_begin(&f, 2);
	fixture_up_to_landing(&f, 1);
	state_copy(&other, &f.s);
	struct table *changes = &other.candidates;
	for (int i = 0; i < 100; i++) (void)table_add(changes, 1);
	table_remove(changes, changes->count - 100, 100);
	struct repo *r = state_repo(&other, (struct repo_id){1});
	size_t n = r->name.n;
	memset(r->name.p + n, 0x5a, STATE_NAME_MAX - n); // behind the name
	struct candidate *c = state_candidate(&other, (struct candidate_id){1});
	memset(c->commit.b + 20, 0x5a, 12); // behind a short oid
	assert_true(digest_eq(state_digest(&other), state_digest(&f.s)));
	c->released = 1;
	assert_false(digest_eq(state_digest(&other), state_digest(&f.s)));
	state_free(&other);
	fixture_end(&f);
}

static void the_digest_sees_each_counter(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	struct digest before = state_digest(&f.s);
	uint64_t *counters[] = {
		&f.s.next_queue_order, &f.s.next_repo,    &f.s.next_change,  &f.s.next_candidate,
		&f.s.next_run,         &f.s.next_landing, &f.s.next_release, &f.s.next_env,
		&f.s.next_rollout,     &f.s.seed,         &f.s.events};
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		++*counters[i];
		assert_false(digest_eq(before, state_digest(&f.s)));
		--*counters[i];
	}
	assert_true(digest_eq(before, state_digest(&f.s)));
	fixture_end(&f);
}

static void assert_identity(struct state_identity got, struct state_identity want) {
	assert_int_equal(got.change.v, want.change.v);
	assert_int_equal(got.revision, want.revision);
	assert_int_equal(got.same, want.same);
}

static void pushes_are_identified(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	struct repo_id shop = {1}, other = {2};
	fixture_apply(&f, fixture_proposal(&f, 7, 1));
	struct digest seven = fixture_key(7), eight = fixture_key(8);
	struct oid one = fixture_oid(1), two = fixture_oid(2);
	assert_identity(state_identify(&f.s, shop, seven, one), (struct state_identity){{1}, 1, true});
	assert_identity(state_identify(&f.s, shop, seven, two), (struct state_identity){{1}, 2, false});
	assert_identity(state_identify(&f.s, shop, eight, two), (struct state_identity){{2}, 1, false});
	assert_identity(state_identify(&f.s, other, seven, one),
	                (struct state_identity){{2}, 1, false});
	fixture_end(&f);
}

static double ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void a_large_state_is_small(void **state) {
	(void)state;
	enum { OPEN = 10000, REJECTED = 100000 };
	struct fixture f;
	struct state copy;
	fixture_begin(&f, 1);
	for (uint64_t i = 1; i <= OPEN + REJECTED; i++) {
		struct event e = {.kind = EVENT_CHANGE_PROPOSED, .time_ms = f.now_ms};
		e.change_proposed.change.v = i;
		e.change_proposed.revision = 1;
		e.change_proposed.repo.v = 1;
		e.change_proposed.key = fixture_key(i);
		e.change_proposed.head = fixture_oid(i);
		apply_event(&f.s, &e);
		if (i > REJECTED) continue;
		apply_event(&f.s, &(struct event){.kind = EVENT_CHANGE_REJECTED,
		                                  .time_ms = f.now_ms,
		                                  .change_rejected = {.change = {i}, .revision = 1}});
	}
	assert_int_equal(f.s.changes.count, OPEN);
	assert_int_equal(f.s.rejected.count, REJECTED);
	assert_true(state_bytes(&f.s) <= 16 << 20);
	double start = ms();
	state_copy(&copy, &f.s);
	double copied = ms();
	(void)state_digest(&copy);
	double digested = ms();
	size_t events = fixture_decide(&f);
	print_message("%zu bytes, copy %.1f ms, digest %.1f ms, a turn of %zu events %.1f ms\n",
	              state_bytes(&f.s), copied - start, digested - copied, events, ms() - digested);
	state_free(&copy);
	fixture_end(&f);
}

static void the_oldest_blocks_are_forgotten(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 1);
	struct env_id env = {1};
	for (uint64_t i = 1; i <= STATE_BLOCKS_MAX + 5; i++)
		fixture_apply(&f, (struct event){.kind = EVENT_RELEASE_BLOCKED,
		                                 .release_blocked = {{i}, env, REASON_ROLLED_BACK}});
	assert_int_equal(f.s.blocks.count, STATE_BLOCKS_MAX);
	assert_false(state_is_blocked(&f.s, (struct release_id){5}, env));
	assert_true(state_is_blocked(&f.s, (struct release_id){6}, env));
	fixture_apply(&f, (struct event){.kind = EVENT_RELEASE_BLOCKED,
	                                 .release_blocked = {{2}, env, REASON_ROLLED_BACK}});
	assert_int_equal(f.s.blocks.count, STATE_BLOCKS_MAX);
	assert_true(state_is_blocked(&f.s, (struct release_id){2}, env)); // the newcomer stays
	assert_false(state_is_blocked(&f.s, (struct release_id){6}, env));
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_the_same_and_apart),
		cmocka_unit_test(the_digest_sees_values_only),
		cmocka_unit_test(the_digest_sees_each_counter),
		cmocka_unit_test(pushes_are_identified),
		cmocka_unit_test(a_large_state_is_small),
		cmocka_unit_test(the_oldest_blocks_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
