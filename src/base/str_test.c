#include "base/str.h"

#include "base/unit.h"

static void finds_parts(void **state) {
	(void)state;
	static const struct {
		const char *s, *part;
		size_t at;
	} rows[] = {{"abcabc", "ca", 2}, {"abc", "abc", 0}, {"abc", "abcd", 3},
	            {"", "a", 0},        {"abc", "", 0},    {"abc", "x", 3}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str s = str_of(rows[i].s), part = str_of(rows[i].part);
		assert_int_equal(str_find(s, part), rows[i].at);
		assert_int_equal(str_contains(s, part), part.n == 0 || rows[i].at < s.n);
	}
	assert_int_equal(str_find_char(STR("a\0b"), 'b'), 2);
	assert_int_equal(str_find_char(STR_NONE, 'b'), 0);
}

static void compares_bytes(void **state) {
	(void)state;
	static const struct {
		const char *a, *b;
		int sign;
	} rows[] = {{"", "", 0},     {"a", "b", -1}, {"b", "a", 1},
	            {"a", "ab", -1}, {"ab", "a", 1}, {"\xff", "a", 1}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int c = str_compare(str_of(rows[i].a), str_of(rows[i].b));
		assert_int_equal((c > 0) - (c < 0), rows[i].sign);
		assert_int_equal(str_eq(str_of(rows[i].a), str_of(rows[i].b)), rows[i].sign == 0);
	}
	assert_true(str_eq(STR_NONE, STR("")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
}

static void starts_and_ends(void **state) {
	(void)state;
	assert_true(str_starts(STR("refs/heads/x"), STR("refs/")));
	assert_false(str_starts(STR("ref"), STR("refs/")));
	assert_true(str_starts(STR("x"), STR_NONE));
	assert_true(str_ends(STR("a_test.c"), STR("_test.c")));
	assert_false(str_ends(STR("test.c"), STR("_test.c")));
	assert_true(str_ends(STR("x"), STR("")));
}

static void slices_stay_inside(void **state) {
	(void)state;
	assert_text(str_slice(STR("hello"), 1, 3), "el");
	assert_text(str_slice(STR("hello"), 3, 99), "lo");
	assert_text(str_slice(STR("hello"), 4, 2), "");
	assert_text(str_slice(STR("hello"), 99, 100), "");
	assert_text(str_from(STR("hello"), 2), "llo");
	assert_text(str_from(STR("hello"), 6), "");
	assert_null(str_from(STR_NONE, 3).p);
	assert_text(str_trim(STR(" \t\r\n a b \n")), "a b");
	assert_text(str_trim(STR(" \t")), "");
}

static void cuts_lines(void **state) {
	(void)state;
	static const char *const want[] = {"a", "", "b", ""};
	struct str rest = STR("a\n\nb\n");
	size_t n = 0;
	while (rest.p) {
		assert_true(n < ARRAY_LEN(want));
		assert_text(str_cut(&rest, '\n'), want[n++]);
	}
	assert_int_equal(n, ARRAY_LEN(want));
}

static void reads_numbers(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"42", true, 42},
		{"-7", true, -7},
		{"007", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"9223372036854775808", false, 0},
		{"-9223372036854775808", true, INT64_MIN},
		{"-9223372036854775809", false, 0},
		{"99999999999999999999", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"+1", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1.0", false, 0},
		{"0x1", false, 0},
		{"--1", false, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 123;
		bool ok = str_to_i64(str_of(rows[i].text), &got);
		if (ok != rows[i].ok || got != (ok ? rows[i].value : 123))
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
	uint64_t u = 5;
	assert_true(str_to_u64(STR("18446744073709551615"), &u));
	assert_true(u == UINT64_MAX);
	assert_false(str_to_u64(STR("18446744073709551616"), &u));
	assert_false(str_to_u64(STR("-1"), &u));
	assert_true(u == UINT64_MAX);
}

static void finds_bad_utf8(void **state) {
	(void)state;
	static const struct {
		const char *text;
		size_t bad;
	} rows[] = {
		{"plain", 5},
		{"", 0},
		{"h\xc3\xa9", 3},
		{"\xe2\x82\xac", 3},
		{"\xf0\x9f\x98\x80", 4},
		{"a\xc0\xaf", 1},        // overlong
		{"\xe0\x80\x80", 0},     // overlong
		{"\xed\xa0\x80", 0},     // surrogate
		{"\xed\x9f\xbf", 3},     // the last before them
		{"\xf4\x90\x80\x80", 0}, // above U+10FFFF
		{"\xf4\x8f\xbf\xbf", 4},
		{"ab\xe2\x82", 2}, // cut off
		{"\x80", 0},
		{"\xff", 0},
		{"\xe2\x28\xa1", 0},
		{"\xf0\x9f\x98\x28", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_utf8_bad(str_of(rows[i].text)) != rows[i].bad) fail_msg("row %zu", i);
}

static void measures_distance(void **state) {
	(void)state;
	static const struct {
		const char *a, *b;
		size_t distance;
	} rows[] = {{"", "", 0},
	            {"abc", "", 3},
	            {"", "ab", 2},
	            {"kitten", "sitting", 3},
	            {"timout", "timeout", 1},
	            {"needs", "needs", 0},
	            {"ab", "ba", 1},
	            {"rnu", "run", 1},
	            {"abcd", "badc", 2}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(str_distance(str_of(rows[i].a), str_of(rows[i].b)), rows[i].distance);
	char z[65] = {0};
	struct str long_name = {memset(z, 'z', sizeof z), sizeof z};
	assert_true(str_distance(long_name, STR("z")) == SIZE_MAX);
	assert_int_equal(str_distance(str_from(long_name, 1), STR("z")), 63);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_parts),     cmocka_unit_test(compares_bytes),
		cmocka_unit_test(starts_and_ends), cmocka_unit_test(slices_stay_inside),
		cmocka_unit_test(cuts_lines),      cmocka_unit_test(reads_numbers),
		cmocka_unit_test(finds_bad_utf8),  cmocka_unit_test(measures_distance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
