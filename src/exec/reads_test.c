#include "exec/reads.h"

#include "base/unit.h"

static struct arena life;

static struct reads parsed(struct str text) {
	struct reads r;
	struct err e;
	assert_ok(reads_parse(text, &life, &r, &e), e);
	return r;
}

static void is_written_and_read(void **state) {
	(void)state;
	struct reads_entry list[] = {{STR("sub/b c"), STR("1"), READS_SEEN | READS_BYTES},
	                             {STR("gone"), STR(""), READS_ABSENT},
	                             {STR("."), STR("2"), READS_NAMES}};
	struct reads r = {list, ARRAY_LEN(list)};
	AUTO_BUF out = {0};
	reads_write(&r, &out);
	static const char want[] = "l 2 .\0a  gone\0sr 1 sub/b c";
	assert_true(str_eq(buf_view(&out), (struct str){want, sizeof want}));
	struct reads again = parsed(buf_view(&out));
	assert_int_equal(again.n, 3);
	assert_text(again.list[2].path, "sub/b c");
	assert_text(again.list[2].value, "1");
	assert_int_equal(reads_of(&again, STR("gone")), READS_ABSENT);
	assert_int_equal(reads_of(&again, STR("sub")), 0);
}

static void below_is_not_beside(void **state) {
	(void)state;
	static const char text[] = "s  a\0s  a-b\0s  c-d\0s  c.e\0s  c/f";
	struct reads r = parsed((struct str){text, sizeof text});
	assert_true(reads_below(&r, STR("a")));
	assert_true(reads_below(&r, STR("c")));
	assert_false(reads_below(&r, STR("c-")));
	assert_false(reads_below(&r, STR("b")));
}

static void what_is_none_is_refused(void **state) {
	(void)state;
	static const struct str rows[] = {
		{"x  a", 5}, {"  a", 4},         {"s  a", 4},        {"s a", 4},
		{"s  ", 4},  {"s  b\0s  a", 10}, {"s  a\0s  a", 10},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reads r;
		struct err e;
		assert_refused(reads_parse(rows[i], &life, &r, &e), e, ERR_CORRUPT);
	}
}

static int forget(void **state) {
	(void)state;
	arena_free(&life);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(is_written_and_read, forget),
		cmocka_unit_test_teardown(below_is_not_beside, forget),
		cmocka_unit_test_teardown(what_is_none_is_refused, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
