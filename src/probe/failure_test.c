// The logs are what the tools printed: gcc 12, GNU make and ld, Python 3.11, pytest, go, cargo,
// prove, bash, ctest, meson, sanitizers.
#include "probe/failure.h"

#include "base/unit.h"

static struct str slurp(struct arena *life, const char *name) {
	struct str path = arena_printf(life, "test/corpus/failure/%s", name);
	FILE *file = fopen(path.p, "rb");
	if (!file) fail_msg("%s cannot be opened (tests run at the root of the tree)", path.p);
	char *bytes = arena_alloc(life, 1 << 16);
	struct str s = {bytes, fread(bytes, 1, 1 << 16, file)};
	fclose(file);
	return s;
}

static void finds_the_line_that_explains(void **state) {
	(void)state;
	static const struct {
		const char *log, *text, *file;
		size_t number;
		int64_t line;
	} rows[] = {
		{"gcc.log", "e.c:1:37: error: 'y' undeclared (first use in this function)", "e.c", 5, 1},
		{"ld.log", "l.c:(.text+0x5): undefined reference to `f'", "", 2, 0},
		{"make.log", "e.c:1:37: error: 'y' undeclared (first use in this function)", "e.c", 6, 1},
		{"norule.log", "make: *** No rule to make target 'gone.h', needed by 'all'.  Stop.", "", 1,
	     0},
		{"assert.log", "bad: /src/c/bad.c:3: main: Assertion `n == 2' failed.", "/src/c/bad.c", 1,
	     3},
		{"python.log", "ValueError: boom", "/src/logs/t.py", 6, 2},
		{"pysyntax.log", "SyntaxError: '(' was never closed", "/src/logs/s.py", 4, 1},
		{"pytest.log", "E   RuntimeError: fixture broke", "test_shop.py", 8, 10},
		{"cargo-build.log", "error[E0308]: mismatched types", "src/main.rs", 2, 1},
		{"cargo-test.log",
	     "thread 'tests::index' (2885) panicked at src/main.rs:7:61:", "src/main.rs", 15, 7},
		{"gotest.log", "panic: assignment to entry in nil map [recovered, repanicked]",
	     "/src/go/panics/p_test.go", 15, 4},
		{"bash.log", "s.sh: line 3: nosuchcommand: command not found", "", 2, 0},
		{"node.log", "Error: Cannot find module './gone'", "/src/logs/n.js", 5, 1},
		{"prove.log", "#   Failed test 'numbers agree'", "perl/a.t", 2, 3},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct failure_line f[1] = {0};
		print_message("# %s\n", rows[i].log);
		assert_int_equal(failure_find(slurp(&life, rows[i].log), 1, &life, f), 1);
		assert_text(f[0].text, rows[i].text);
		assert_text(f[0].file, rows[i].file);
		assert_int_equal(f[0].number, rows[i].number);
		assert_int_equal(f[0].line, rows[i].line);
	}
}

static void finds_nothing_in_a_good_log(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct failure_line f[3];
	assert_int_equal(
		failure_find(STR("cc -c error.c\nx.c:1:2: warning: unused\n0 errors\nall passed\n"), 3,
	                 &life, f),
		0);
	assert_int_equal(failure_find(STR_NONE, 3, &life, f), 0);
	assert_int_equal(failure_find(STR("error: x\n"), 0, &life, f), 0);
}

static void causes_win_and_order_stays(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct failure_line f[2];
	struct str log = STR("make: *** [x] Error 1\na.c:1:1: error: one\nmake: *** [y] Error "
	                     "1\n\x1b[31mb.c:2:1: error: two\x1b[0m\nc.c:3:1: error: three\n");
	assert_int_equal(failure_find(log, 2, &life, f), 2);
	assert_text(f[0].text, "a.c:1:1: error: one");
	assert_text(f[1].text, "b.c:2:1: error: two");
	assert_int_equal(f[1].number, 4);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_line_that_explains),
		cmocka_unit_test(finds_nothing_in_a_good_log),
		cmocka_unit_test(causes_win_and_order_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
