#include "base/buf.h"

#include "base/unit.h"

static void grows_and_stays_terminated(void **state) {
	(void)state;
	AUTO_BUF b = {0};
	assert_int_equal(buf_view(&b).n, 0);
	for (int i = 0; i < 1000; i++) {
		buf_printf(&b, "%03d", i);
		assert_int_equal(b.p[b.n], 0);
	}
	assert_int_equal(b.n, 3000);
	assert_memory_equal(b.p + 2997, "999", 4);
	buf_reset(&b);
	assert_string_equal(b.p, "");
	buf_str(&b, STR_NONE);
	buf_cstr(&b, "a");
	buf_char(&b, 0);
	buf_add(&b, "bc", 2);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "a\0bc", 5);
	memcpy(buf_grow(&b, 100), "tail", 4);
	b.n += 4;
	assert_memory_equal(b.p, "a\0bctail", 8);
}

typedef void escape_fn(struct buf *, struct str);

struct escape_row {
	const char *in, *want;
};

static void check_rows(escape_fn *escape, const struct escape_row *rows, size_t n) {
	AUTO_BUF b = {0};
	for (size_t i = 0; i < n; i++) {
		buf_reset(&b);
		escape(&b, str_of(rows[i].in));
		assert_text(buf_view(&b), rows[i].want);
	}
}

static void escapes_json(void **state) {
	(void)state;
	static const struct escape_row rows[] = {
		{"", "\"\""},
		{"plain / 'x'", "\"plain / 'x'\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"\n\r\t\b\f", "\"\\n\\r\\t\\b\\f\""},
		{"\x01\x1b[0m", "\"\\u0001\\u001B[0m\""},
		{"\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
		{"\xff", "\"\xef\xbf\xbd\""},
		{"a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xe2\x82z", "\"\xef\xbf\xbd\xef\xbf\xbdz\""},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	check_rows(buf_json, rows, ARRAY_LEN(rows));
	AUTO_BUF b = {0}; // no reader of ours takes \u0000, so it must never be written
	buf_json(&b, STR("a\0b"));
	assert_text(buf_view(&b), "\"a\xef\xbf\xbd"
	                          "b\"");
}

static void escapes_html(void **state) {
	// As bytes: a literal that turns what follows would turn it in an editor, too.
	static const char override[] = {'u', 's', 'e', 'r', '\xe2', '\x80', '\xae',
	                                ' ', 't', 'x', 't', '.',    'c',    0};
	static const char isolate[] = {'\xe2', '\x81', '\xa6', 'x', '\xe2', '\x82', '\xac', 0};
	(void)state;
	static const struct escape_row rows[] = {
		{"", ""},
		{"a b", "a b"},
		{"<a href=\"x\">'&'", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;"},
		{"a\n\tb", "a\n\tb"},
		{"\x1b[31m", "\xef\xbf\xbd[31m"},
		{"\x7f", "\xef\xbf\xbd"},
		{"\xc2\x85", "\xef\xbf\xbd"}, // U+0085, a control of C1
		{"\xc3\xa9", "\xc3\xa9"},
		{"\xff<", "\xef\xbf\xbd&lt;"},
		{override, "user\xef\xbf\xbd txt.c"},
		{isolate, "\xef\xbf\xbdx\xe2\x82\xac"},
	};
	check_rows(buf_html, rows, ARRAY_LEN(rows));
}

static void mends_utf8(void **state) {
	static const struct escape_row rows[] = {
		{"h\xc3\xa9\t\x1b", "h\xc3\xa9\t\x1b"},
		{"\xff\xc2\x9b"
	     "2Jz\xe2\x82",
	     "\xef\xbf\xbd\xef\xbf\xbd"
	     "2Jz\xef\xbf\xbd\xef\xbf\xbd"},
	};
	(void)state;
	check_rows(buf_utf8, rows, ARRAY_LEN(rows));
}

static void escapes_urls(void **state) {
	(void)state;
	static const struct escape_row rows[] = {
		{"", ""},
		{"AZaz09-._~", "AZaz09-._~"},
		{"a/b c?d&e=f#g%", "a%2Fb%20c%3Fd%26e%3Df%23g%25"},
		{"\xc3\xa9", "%C3%A9"},
	};
	check_rows(buf_url, rows, ARRAY_LEN(rows));
}

static void escapes_shell_words(void **state) {
	(void)state;
	static const struct escape_row rows[] = {
		{"", "''"},
		{"plain-1.2_x/y", "plain-1.2_x/y"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"$(x)`y`", "'$(x)`y`'"},
		{"~root", "'~root'"},
		{"*", "'*'"},
		{"A=b:~d", "'A=b:~d'"},
		{"a\nb", "'a\nb'"},
		{"#x", "'#x'"},
	};
	check_rows(buf_shell, rows, ARRAY_LEN(rows));
}

static void prints_hex(void **state) {
	(void)state;
	AUTO_BUF b = {0};
	buf_hex(&b, "\x00\xff\x1a", 3);
	assert_text(buf_view(&b), "00ff1a");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),
		cmocka_unit_test(escapes_json),
		cmocka_unit_test(escapes_html),
		cmocka_unit_test(mends_utf8),
		cmocka_unit_test(escapes_urls),
		cmocka_unit_test(escapes_shell_words),
		cmocka_unit_test(prints_hex),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
