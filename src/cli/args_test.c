#include "cli/args.h"

#include "base/unit.h"

static const struct args_option table[] = {
	{"follow", 'f', NULL, "go on", NULL},
	{"watch", 'w', NULL, "draw again", NULL},
	{"lines", 'n', "N", "at most", NULL},
	{"format", 0, "FORMAT", "how", "text json"},
	{0},
};

static bool parse(struct arena *life, struct args *out, struct err *e, size_t n,
                  const char *const *argv) {
	return args_read(table, n, argv, life, out, e);
}
#define READ(...)                                                                     \
	parse(&life, &a, &e, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), \
	      (const char *const[]){__VA_ARGS__})

static void words_and_options(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct args a = {0};
	struct err e = {0};
	assert_ok(
		READ("12", "-fw", "--lines", "5", "test", "-n7", "--format=json", "--", "--watch", "-x"),
		e);
	assert_int_equal(a.word_count, 4);
	assert_string_equal(a.words[1], "test");
	assert_string_equal(a.words[2], "--watch");
	assert_true(args_has(&a, "follow"));
	assert_true(args_has(&a, "watch"));
	assert_string_equal(args_value(&a, "lines"), "7"); // the last one
	assert_string_equal(args_value(&a, "format"), "json");
	assert_null(args_value(&a, "follow"));
	assert_false(args_has(&a, "nothing"));
	assert_ok(READ("-"), e); // standard input is a word
	assert_int_equal(a.word_count, 1);
	assert_ok(READ("--lines", "-5"), e); // what follows is its value, whatever it looks like
	assert_string_equal(args_value(&a, "lines"), "-5");
}

static void refusals(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct args a = {0};
	struct err e = {0};
	assert_refused(READ("--folow"), e, ERR_INVALID);
	assert_string_equal(e.text, "unknown option --folow, did you mean --follow?");
	assert_refused(READ("--fol"), e, ERR_INVALID); // no guessing by the beginning
	assert_string_equal(e.text, "unknown option --fol, did you mean --follow?");
	assert_refused(READ("--zzzzzz"), e, ERR_INVALID);
	assert_string_equal(e.text, "unknown option --zzzzzz");
	assert_refused(READ("-fz"), e, ERR_INVALID);
	assert_refused(READ("--follow=yes"), e, ERR_INVALID);
	assert_refused(READ("--lines"), e, ERR_INVALID);
	assert_string_equal(e.text, "--lines needs a value: --lines N");
	assert_refused(READ("-n"), e, ERR_INVALID);
	assert_refused(READ("--format", "xml"), e, ERR_INVALID);
	assert_string_equal(e.text, "--format is one of: text json; not \"xml\"");
	assert_refused(READ("--format", "tex"), e, ERR_INVALID);
}

static void durations_and_numbers(void **state) {
	(void)state;
	static const struct args_option options[] = {{"timeout", 0, "DURATION", "", NULL}, {0}};
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {{"5m", 300000}, {"90", 90000}, {"1500ms", 1500}, {"1h30m", 5400000},
	            {"0", 0},       {"-1", 0},     {"soon", 0}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct args_set set = {&options[0], rows[i].text};
		struct args a = {.set = &set, .set_count = 1};
		struct err e = {0};
		int64_t ms = -7;
		assert_int_equal(args_duration(&a, "timeout", &ms, &e), rows[i].ms != 0);
		assert_int_equal(ms, rows[i].ms ? rows[i].ms : -7);
		int64_t number = -7;
		bool right = args_number(&a, "timeout", 0, 100, &number, &e);
		assert_int_equal(right, i == 1 || i == 4);
	}
	struct args none = {0};
	struct err e = {0};
	int64_t kept = 42;
	assert_ok(args_duration(&none, "timeout", &kept, &e), e);
	assert_int_equal(kept, 42);
}

static void nearest(void **state) {
	(void)state;
	static const char *const names[] = {"check", "cancel", "queue", "status", "serve"};
	assert_string_equal(args_nearest("chekc", names, 5), "check");
	assert_string_equal(args_nearest("que", names, 5), "queue");
	assert_string_equal(args_nearest("stauts", names, 5), "status");
	assert_null(args_nearest("frobnicate", names, 5));
	assert_null(args_nearest("x", names, 5));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_options),
		cmocka_unit_test(refusals),
		cmocka_unit_test(durations_and_numbers),
		cmocka_unit_test(nearest),
	};
	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
