#include "core/state_pack.h"

#include "base/unit.h"

static void comes_back_with_its_digest(void **context) {
	struct state s, copy;
	AUTO_BUF bytes = {0};
	(void)context;
	state_init(&s);
	state_init(&copy);
	s.now_ms = 42;
	s.next_change = 7;
	struct change *c = table_add(&s.changes, 2);
	c[0].id.v = 1;
	c[1].id.v = 2;
	struct env *env = table_add(&s.envs, 1);
	env->id.v = 1;
	state_pack(&s, &bytes);
	assert_true(state_pack_read(&copy, buf_view(&bytes)));
	assert_true(digest_eq(state_digest(&s), state_digest(&copy)));
	state_free(&s);
	state_free(&copy);
}

static void half_of_it_is_refused(void **context) {
	struct state s, copy;
	AUTO_BUF bytes = {0};
	(void)context;
	state_init(&s);
	state_init(&copy);
	(void)table_add(&s.changes, 3);
	state_pack(&s, &bytes);
	for (size_t n = 0; n < bytes.n; n += 7)
		assert_false(state_pack_read(&copy, (struct str){bytes.p, n}));
	buf_char(&bytes, 0);
	assert_false(state_pack_read(&copy, buf_view(&bytes)));
	state_free(&s);
	state_free(&copy);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_with_its_digest),
		cmocka_unit_test(half_of_it_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
