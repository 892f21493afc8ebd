#include "probe/ansi.h"

#include "base/unit.h"

static const struct {
	const char *in, *stripped, *html;
} rows[] = {
	{"plain <&>", "plain <&>", "plain &lt;&amp;&gt;"},
	{"\x1b[31mred\x1b[0m x", "red x", "<span class=\"ansi-red\">red</span> x"},
	{"\x1b[1;4;92;44mb\x1b[39;22mc\x1b[m", "bc",
     "<span class=\"ansi-bold ansi-underline ansi-bright-green ansi-on-blue\">b</span>"
     "<span class=\"ansi-underline ansi-on-blue\">c</span>"},
	{"\x1b[31ma\nb", "a\nb",
     "<span class=\"ansi-red\">a</span>\n<span class=\"ansi-red\">b</span>"},
	{"\x1b[38;5;196mr\x1b[38;2;0;0;255mb\x1b[48;5;2mg", "rbg",
     "<span class=\"ansi-bright-red\">r</span><span class=\"ansi-bright-blue\">b</span>"
     "<span class=\"ansi-bright-blue ansi-on-green\">g</span>"},
	{"\x1b[7mi\x1b[31mj", "ij",
     "<span class=\"ansi-inverse\">i</span><span class=\"ansi-on-red\">j</span>"},
	{"\x1b]0;title\x07"
     "a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
     "alink", "alink"},
	{"\x1b[2K\x1b[1Gx\x1b[?25l\x1b(By\x1b"
     "7z\x1bPdcs\x1b\\.",
     "xyz.", "xyz."},
	{"a\rb\r\nc\x08\x07\x7f\td", "a\nb\nc\td", "a\nb\nc\td"},
	{"\x1b[31;\"onclick=x\"m<b>", "nclick=x\"m<b>", "nclick=x&quot;m&lt;b&gt;"},
	{"\x1b]never ends\nnext", "\nnext", "\nnext"},
	{"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
     "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
	{"\xff\xe2\x82z\xc3", "\xff\xe2\x82z\xc3", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd"},
};

static void strips(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		for (size_t cut = 0; cut <= in.n; cut++) { // the same whatever the chunks
			AUTO_BUF b = {0};
			struct ansi a = {0};
			ansi_strip(&a, str_slice(in, 0, cut), &b);
			ansi_strip(&a, str_from(in, cut), &b);
			assert_text(buf_view(&b), rows[i].stripped);
		}
	}
}

static void keeps_colours_and_nothing_else(void **state) {
	(void)state;
	struct ansi a = {0};
	AUTO_BUF b = {0};
	ansi_colours(&a,
	             STR("\x1b[1;31mred\x1b[0m\x1b[2J\x1b[3;1H\x1b]52;c;aGk=\x07\x1b[>4;2m\x1b"
	                 "c\x1b[38:5:3mx\x1b[m"),
	             &b);
	assert_text(buf_view(&b), "\x1b[1;31mred\x1b[0m\x1b[38:5:3mx\x1b[m");
}

static void makes_html(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF b = {0};
		struct ansi a = {0};
		ansi_html(&a, str_of(rows[i].in), &b);
		ansi_html_end(&a, &b);
		assert_text(buf_view(&b), rows[i].html);
	}
}

static void html_joins_characters_of_two_chunks(void **state) {
	(void)state;
	struct str in = STR("\x1b[32ma\xf0\x9f\x98\x80z");
	for (size_t cut = 0; cut <= in.n; cut++) {
		AUTO_BUF b = {0};
		struct ansi a = {0};
		ansi_html(&a, str_slice(in, 0, cut), &b);
		ansi_html(&a, str_from(in, cut), &b);
		ansi_html_end(&a, &b);
		assert_false(str_contains(buf_view(&b), STR("\xef\xbf\xbd")));
		assert_true(str_contains(buf_view(&b), STR("\xf0\x9f\x98\x80")));
	}
}

static void endless_sequences_do_not_swallow_the_log(void **state) {
	(void)state;
	AUTO_BUF in = {0};
	AUTO_BUF b = {0};
	struct ansi a = {0};
	buf_cstr(&in, "\x1b]");
	for (int i = 0; i < 5000; i++) buf_char(&in, 'x');
	buf_cstr(&in, "seen");
	ansi_strip(&a, buf_view(&in), &b);
	assert_true(str_ends(buf_view(&b), STR("seen")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strips),
		cmocka_unit_test(keeps_colours_and_nothing_else),
		cmocka_unit_test(makes_html),
		cmocka_unit_test(html_joins_characters_of_two_chunks),
		cmocka_unit_test(endless_sequences_do_not_swallow_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
