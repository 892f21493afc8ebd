#include "base/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void match(void **state) {
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool yes;
	} rows[] = {
		{"build/x", "build/x", true}, {"build", "build/x/y", true},
		{"build/x", "build", false},  {"build/x", "build/xy", false},
		{"*.c", "a.c", true},         {"*.c", "src/a.c", false},
		{"**/*.c", "a.c", true},      {"**/*.c", "src/deep/a.c", true},
		{"src/**", "src/a/b", true},  {"src/**", "src", true},
		{"a/**/b", "a/b", true},      {"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/x/y/c", false}, {"a/**/b/*.c", "a/b/b/x.c", true},
		{"?.c", "\xc3\xa4.c", true},  {"??.c", "\xc3\xa4.c", false},
		{"*a*b*", "xxaxxbxx", true},  {"*a*b*", "xxbxxaxx", false},
		{"*a", "aaaab", false},       {"**", "anything/at/all", true},
		{"a*", "b/a", false},         {"**/t/**/x", "t/a/t/b/x", true},
		{"[a].c", "[a].c", true},     {"*", "a/b", true},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (glob_match(str_of(rows[i].pattern), str_of(rows[i].path)) != rows[i].yes)
			fail_msg("%s against %s is not %d", rows[i].pattern, rows[i].path, rows[i].yes);
}

static void overlap(void **state) {
	(void)state;
	static const struct {
		const char *a, *b;
		bool yes;
	} rows[] = {
		{"build/x", "build/x", true},
		{"build", "build/x", true},
		{"build/x", "build/y", false},
		{"build/x", "build/xy", false},
		{"build/*", "build/x", true},
		{"build/*.o", "build/x.a", false},
		{"a*", "*b", true},
		{"a*c", "ab*d", false},
		{"**/x", "a/b", true}, // a/b/x
		{"*.o", "out/*.o", false},
		{"src/?", "src/ab", false},
		{"src/**/z", "src/a/b/z", true},
		{"lib/*/x", "lib/a/y", false},
		{"??", "\xc3\xa4", true}, // errs on the side of an overlap: `?` is one byte here
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool want = rows[i].yes;
		if (glob_overlap(str_of(rows[i].a), str_of(rows[i].b)) != want ||
		    glob_overlap(str_of(rows[i].b), str_of(rows[i].a)) != want)
			fail_msg("%s with %s is not %d", rows[i].a, rows[i].b, want);
	}
	assert_true(glob_is_plain(STR("a/b")));
	assert_false(glob_is_plain(STR("a/*")));
	assert_false(glob_is_plain(STR("a?")));
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(match), cmocka_unit_test(overlap)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
