// The corpus holds what the tools printed (pytest 9, ctest 3.25, meson, bats 1.8, Test::More, node
// 20, mocha, jest 30 with jest-junit and jest-ctrf-json-reporter, go 1.26); surefire, gtest and
// nextest are after their documentation.
#include "probe/results.h"

#include <stdlib.h>

#include "base/unit.h"

static struct str slurp(struct arena *life, const char *name) {
	struct str path = arena_printf(life, "test/corpus/results/%s", name);
	FILE *file = fopen(path.p, "rb");
	if (!file) fail_msg("%s cannot be opened (tests run at the root of the tree)", path.p);
	char *bytes = arena_alloc(life, 1 << 20);
	struct str s = {bytes, fread(bytes, 1, 1 << 20, file)};
	fclose(file);
	return s;
}

static const struct {
	const char *file, *format;
	size_t passed, failed, errors, skipped;
	const char *first; // suite|name|message (first 40 bytes)|file:line of the first failing test
	const char *problem;
} printed[] = {
	{"pytest.xml", "junit", 2, 5, 1, 2,
     "test_shop|test_wrong|AssertionError: price is <wrong> & \"bad\"|test_shop.py:6", ""},
	{"pytest-xunit1.xml", "junit", 2, 5, 1, 2,
     "test_shop|test_wrong|AssertionError: price is <wrong> & \"bad\"|test_shop.py:6", ""},
	{"pytest-collect.xml", "junit", 0, 0, 1, 0,
     "pytest|test_syntax|collection failure|/src/py/test_syntax.py:1", ""},
	{"ctest.xml", "junit", 1, 2, 1, 2,
     "|bad|bad: /src/c/bad.c:3: main: Assertion `n == 2' failed.|/src/c/bad.c:3", ""},
	{"meson.xml", "junit", 2, 2, 1, 3,
     "shop|unit - shop:bad|bad: ../bad.c:3: main: Assertion `n == 2' failed.|../bad.c:3", ""},
	{"bats.xml", "junit", 1, 1, 0, 2, "t.bats|fails # here|(in test file t.bats, line 2)|t.bats:2",
     ""},
	{"node.xml", "junit", 2, 2, 0, 2,
     "|wrong|Expected values to be strictly equal:1 !== 2|/src/node/a.test.js:3", ""},
	{"jest.xml", "junit", 2, 2, 0, 1,
     "shop|shop is wrong|Error: expect(received).toEqual(expected) // deep "
     "equality|/src/js/a.test.js:1",
     ""},
	{"mocha.xml", "junit", 1, 1, 0, 1, "shop|wrong|1 == 2|m.js:1", ""},
	{"surefire.xml", "junit", 2, 1, 1, 1,
     "com.example.ShopTest|wrong|expected:<1> but was:<2>|ShopTest.java:17", ""},
	{"gtest.xml", "junit", 1, 1, 0, 1, "Shop|Wrong|/src/shop_test.cc:11|/src/shop_test.cc:11", ""},
	{"nextest.xml", "junit", 1, 1, 0, 0,
     "shop|tests::wrong|thread 'tests::wrong' panicked at src/main.rs:5:43: assertion `left == "
     "right` failed: math|src/main.rs:5",
     ""},
	{"nested.xml", "junit", 2, 1, 1, 0, "outer > inner|a|src/a.c:7: no|src/a.c:7",
     "suite \"outer\" tells of 3 failing tests, and 2 stand in it"},
	{"truncated.xml", "junit", 2, 1, 0, 0, "s|cut|m|x.c:4",
     "not well-formed XML at line 1 (PCDATA invalid Char value 1); 3 tests were read"},
	{"laughs.xml", "junit", 0, 1, 0, 0, "s|t||:0",
     "not well-formed XML at line 2 (Entity 'd' not defined); 1 tests were read"},
	{"bats.tap", "tap", 1, 1, 0, 2, "|fails # here|(in test file t.bats, line 2)|t.bats:2", ""},
	{"bats13.tap", "tap", 1, 1, 0, 2, "|fails # here|(in test file t.bats, line 2)|t.bats:2", ""},
	{"perl.tap", "tap", 2, 2, 0, 2, "|numbers agree||:0", ""},
	{"node.tap", "tap", 2, 2, 0, 2,
     "|wrong|Expected values to be strictly equal:|/src/node/a.test.js:3", ""},
	{"mocha.tap", "tap", 1, 1, 0, 1, "|shop wrong|1 == 2|m.js:1", ""},
	{"tap14.tap", "tap", 1, 2, 0, 1, "|at|it is wrong|lib/x.js:12", ""},
	{"bail.tap", "tap", 1, 0, 1, 0, "|(bail out)|Bail out!  db down|:0", ""},
	{"short.tap", "tap", 2, 0, 1, 0, "|(plan)|3 of 5 planned tests did not run|:0", ""},
	{"no-plan.tap", "tap", 2, 0, 1, 0,
     "|(plan)|no plan (1..N) was printed: the tests may have ended early|:0", ""},
	{"skip-all.tap", "tap", 0, 0, 0, 1, "", ""},
	{"gotest.json", "go-test", 4, 2, 2, 1,
     "example.com/shop/broken|(package)|undefined: undefined_thing|broken/broken_test.go:3", ""},
	{"gotest-crash.json", "go-test", 0, 0, 3, 0, "p|TestA|panic: old go|:0",
     "line 7 is not JSON and was passed by"},
	{"jest.ctrf.json", "ctrf", 1, 2, 0, 2,
     "a.test.js > shop|shop is wrong|Error: expect(received).toEqual(expected) // deep "
     "equality|/src/js/a.test.js:1",
     ""},
	{"other.ctrf.json", "ctrf", 1, 0, 1, 0, "x > y|b|at src/b.ts:9:2|src/b.ts:9",
     "its summary tells of 3 tests, and 2 stand in it"},
};

static void reads_what_tools_print(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(printed); i++) {
		AUTO_ARENA life = {0};
		struct probe_results r = {0};
		struct err e = {0};
		print_message("# %s\n", printed[i].file);
		assert_ok(probe_results_read(slurp(&life, printed[i].file), STR("x"), &life, &r, &e), e);
		assert_string_equal(r.format, printed[i].format);
		assert_int_equal(r.passed, printed[i].passed);
		assert_int_equal(r.failed, printed[i].failed);
		assert_int_equal(r.errors, printed[i].errors);
		assert_int_equal(r.skipped, printed[i].skipped);
		assert_text(r.problem, printed[i].problem);
		struct str first = STR_NONE;
		for (size_t k = 0; k < r.count && !first.n; k++) {
			const struct probe_test *t = &r.tests[k];
			if (t->group || (t->outcome != PROBE_FAILED && t->outcome != PROBE_ERROR)) continue;
			struct str rest = t->message, line = str_cut(&rest, '\n');
			first = arena_printf(&life, STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT ":%lld",
			                     STR_ARG(t->suite), STR_ARG(t->name), STR_ARG(line),
			                     STR_ARG(t->file), (long long)t->line);
		}
		assert_text(first, printed[i].first);
	}
}

static void read_text(struct arena *life, struct str text, struct probe_results *r) {
	struct err e = {0};
	assert_ok(probe_results_read(text, STR("x"), life, r, &e), e);
}

static void tells_durations(void **state) {
	(void)state;
	static const struct {
		const char *time;
		int64_t ms;
	} rows[] = {
		{"0.004", 4},
		{"1,234.567", 1234567},
		{"1,234", 1234000},
		{"12,345,678.9", 12345678900},
		{"0,5", 500},
		{"0,123", 123},
		{"1e-3", 1},
		{"1.5E+1", 15000},
		{"1e-05", 0},
		{".5", 500},
		{"7.", 7000},
		{"", -1},
		{"-1", -1},
		{"NaN", -1},
		{"1s", -1},
		{"1e400", -1},
		{"0.00234035", 2},
		{"0.333333333333333333333333333", 333},
		{"99999999999999999999999", -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct probe_results r = {0};
		read_text(&life,
		          arena_printf(&life, "<testsuite><testcase name='a' time='%s'/></testsuite>",
		                       rows[i].time),
		          &r);
		if (r.tests[0].duration_ms != rows[i].ms)
			fail_msg("\"%s\" gives %lld", rows[i].time, (long long)r.tests[0].duration_ms);
	}
}

static void refuses_with_a_reason(void **state) {
	(void)state;
	static const struct {
		const char *text, *reason;
		enum err_code code;
	} rows[] = {
		{"", "x: it is empty", ERR_INVALID},
		{" \n", "x: it is empty", ERR_INVALID},
		{"hello", "x: neither JUnit XML, TAP, go test -json nor CTRF JSON", ERR_INVALID},
		{"<coverage/>", "x: XML that is not JUnit: its root element is <coverage>",
	     ERR_UNSUPPORTED},
		{"<", "x: not XML at line 1: ", ERR_INVALID},
		{"{\"a\":1}", "x: JSON that is not CTRF: it has no results.tests", ERR_UNSUPPORTED},
		{"{\"a\":", "x: not JSON at line 1, ", ERR_INVALID},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct probe_results r = {.count = 77};
		struct err e = {0};
		assert_refused(probe_results_read(str_of(rows[i].text), STR("x"), &life, &r, &e), e,
		               rows[i].code);
		if (!str_starts(str_of(e.text), str_of(rows[i].reason))) fail_msg("%s", e.text);
		assert_int_equal(r.count, 77);
	}
}

static void has_limits(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF b = {0};
	struct probe_results r = {0};
	struct err e = {0};
	for (int i = 0; i < PROBE_RESULTS_TESTS_MAX; i++) buf_cstr(&b, "ok 1\n");
	buf_printf(&b, "1..%d\n", PROBE_RESULTS_TESTS_MAX);
	read_text(&life, buf_view(&b), &r);
	assert_int_equal(r.passed, PROBE_RESULTS_TESTS_MAX);
	buf_cstr(&b, "ok 1\n");
	assert_refused(probe_results_read(buf_view(&b), STR("x"), &life, &r, &e), e, ERR_LIMIT);
	char *large = calloc(1, PROBE_RESULTS_BYTES_MAX + 1);
	assert_non_null(large);
	assert_refused(probe_results_read((struct str){large, PROBE_RESULTS_BYTES_MAX + 1}, STR("x"),
	                                  &life, &r, &e),
	               e, ERR_LIMIT);
	free(large);
}

// A cut text says so, and stays UTF-8.
static void bounds_texts(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF b = {0};
	struct probe_results r = {0};
	buf_cstr(&b, "<testsuite><testcase name='a'><failure message='m'>x");
	for (int i = 0; i < 100000; i++) buf_cstr(&b, "é");
	buf_cstr(&b, "</failure></testcase><testcase name='");
	for (int i = 0; i < 1001; i++) buf_char(&b, 'n');
	buf_cstr(&b, "'/></testsuite>");
	read_text(&life, buf_view(&b), &r);
	struct str output = r.tests[0].output;
	assert_int_equal(str_utf8_bad(output), output.n);
	assert_true(str_ends(output, STR("é… 192002 bytes more")));
	assert_int_equal(str_find(output, STR("…")), 7999);
	assert_true(str_ends(r.tests[1].name, STR("n… 1 bytes more")));
}

static void cleans_texts(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct probe_results r = {0};
	read_text(&life, STR("1..1\nnot ok 1 - \x1b[31mred\x1b[0m \xff\0x\n"), &r);
	assert_text(r.tests[0].name, "red \xef\xbf\xbdx");
}

static void stores_and_reads_back(void **state) {
	(void)state;
	static const char *const files[] = {"pytest.xml", "gotest.json", "node.tap", "other.ctrf.json",
	                                    "truncated.xml"};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		AUTO_ARENA life = {0};
		AUTO_BUF first = {0};
		AUTO_BUF second = {0};
		struct probe_results r = {0}, back = {0};
		struct err e = {0};
		read_text(&life, slurp(&life, files[i]), &r);
		struct jsonw w = jsonw_to(&first);
		probe_results_json(&r, &w);
		assert_ok(probe_results_from_json(buf_view(&first), &life, &back, &e), e);
		assert_int_equal(back.failed, r.failed);
		w = jsonw_to(&second);
		probe_results_json(&back, &w);
		assert_text(buf_view(&second), first.p);
		assert_null(strstr(first.p, "\"line\":0.")); // integers only
		buf_char(&first, ' ');
		assert_refused(probe_results_from_json(buf_view(&first), &life, &back, &e), e, ERR_CORRUPT);
	}
	AUTO_ARENA life = {0};
	struct probe_results back = {0};
	struct err e = {0};
	assert_refused(probe_results_from_json(STR("{}"), &life, &back, &e), e, ERR_CORRUPT);
	assert_refused(probe_results_from_json(STR("x"), &life, &back, &e), e, ERR_CORRUPT);
}

static void sums_up_with_failures_first(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF b = {0};
	struct probe_results r = {0};
	read_text(&life, STR("1..4\nok 1 - a\nnot ok 2 - b\n# why\nok 3 - c # SKIP\nnot ok 4 - d\n"),
	          &r);
	struct jsonw w = jsonw_to(&b);
	probe_results_summary(&r, 1, &w);
	assert_text(buf_view(&b),
	            "{\"counts\":{\"error\":0,\"failed\":2,\"passed\":1,\"skipped\":1},\"failed_"
	            "tests\":[{\"duration_ms\":-1,"
	            "\"file\":\"\",\"flaky\":false,\"line\":0,\"message\":\"why\",\"name\":\"b\","
	            "\"outcome\":\"failed\","
	            "\"suite\":\"\"}],\"format\":\"tap\",\"more_failed\":1,\"problem\":\"\"}");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_tools_print), cmocka_unit_test(tells_durations),
		cmocka_unit_test(refuses_with_a_reason),  cmocka_unit_test(has_limits),
		cmocka_unit_test(bounds_texts),           cmocka_unit_test(cleans_texts),
		cmocka_unit_test(stores_and_reads_back),  cmocka_unit_test(sums_up_with_failures_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
