#include "cli/ink.h"

#include "base/unit.h"

static void columns(void **state) {
	(void)state;
	assert_int_equal(ink_columns(STR("abc")), 3);
	assert_int_equal(ink_columns(STR("häßlich")), 7);
	assert_int_equal(ink_columns(STR("日本")), 4);
	assert_int_equal(ink_columns(STR("e\xcc\x81")), 1); // e and an acute that joins it
	assert_int_equal(ink_columns(STR("\xff\xfe")), 2);  // each bad byte is one U+FFFD
	assert_int_equal(ink_columns(STR("\xe6\x97")), 2);  // cut short
}

static void cutting(void **state) {
	(void)state;
	AUTO_INK k = {.utf8 = true, .width = 80};
	ink_fit(&k, INK_PLAIN, STR("Delete expired links"), 10);
	ink_put(&k, INK_PLAIN, "|");
	assert_text(buf_view(&k.out), "Delete ex…|");
	assert_int_equal(k.column, 11);
	ink_end(&k);
	buf_reset(&k.out);
	ink_fit(&k, INK_PLAIN, STR("日本日本日本"), 6); // no half of a wide character
	ink_put(&k, INK_PLAIN, "|");
	assert_text(buf_view(&k.out), "日本… |");
	buf_reset(&k.out);
	k.width = k.column = 0; // a pipe: nothing is lost
	ink_fit(&k, INK_PLAIN, STR("Delete expired links"), 10);
	assert_text(buf_view(&k.out), "Delete expired links");
}

static void control_characters(void **state) {
	(void)state;
	AUTO_INK k = {.utf8 = true};
	// escape, line, right-to-left override
	ink_str(&k, INK_PLAIN,
	        STR("a\033[2Jb\nc\xe2\x80\xae")); // NOLINT(misc-misleading-bidirectional): on purpose
	assert_text(buf_view(&k.out), "a\uFFFD[2Jb\uFFFDc\uFFFD");
	AUTO_INK plain = {0};
	ink_str(&plain, INK_PLAIN, STR("a\tb"));
	assert_text(buf_view(&plain.out), "a?b");
}

static void colours_repeat_words(void **state) {
	(void)state;
	AUTO_INK k = {.utf8 = true, .colour = true};
	ink_glyph(&k, INK_BAD, INK_FAIL);
	ink_put(&k, INK_PLAIN, " x");
	ink_hint(&k, STR(" see `weir log`."));
	assert_text(buf_view(&k.out), "\033[1;31m✗\033[0m x see \033[1mweir log\033[0m.");
	assert_int_equal(k.column, 17);
	AUTO_INK plain = {0};
	ink_glyph(&plain, INK_BAD, INK_FAIL);
	ink_to(&plain, 6);
	ink_put(&plain, INK_PLAIN, "x  ");
	ink_end(&plain);
	assert_text(buf_view(&plain.out), "FAIL  x\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(cutting),
		cmocka_unit_test(control_characters),
		cmocka_unit_test(colours_repeat_words),
	};
	return cmocka_run_group_tests_name("ink", tests, NULL, NULL);
}
