#include "base/err.h"

#include "base/unit.h"

static void carries_code_and_text(void **state) {
	(void)state;
	struct err e = {0};
	assert_false(err_set(&e, ERR_BUSY, "lock of %s", "x.db"));
	assert_int_equal(e.code, ERR_BUSY);
	assert_string_equal(e.text, "lock of x.db");
	assert_false(err_context(&e, "open %d", 3));
	assert_int_equal(e.code, ERR_BUSY);
	assert_string_equal(e.text, "open 3: lock of x.db");
	assert_false(err_set(NULL, ERR_IO, "nobody listens"));
	assert_false(err_context(NULL, "nobody listens"));
}

// A two-byte character before the cut in either phase: the text must end in "…" and stay UTF-8.
static void long_texts_end_in_an_ellipsis(void **state) {
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		char text[3000] = "";
		memset(text, 'x', shift);
		for (size_t at = shift; at + 2 < sizeof text; at += 2) memcpy(text + at, "\xc3\xa9", 3);
		struct err e = {0};
		err_set(&e, ERR_IO, "%s", text);
		assert_true(str_ends(str_of(e.text), STR("…")));
		assert_int_equal(str_utf8_bad(str_of(e.text)), strlen(e.text));
		err_context(&e, "context");
		assert_true(str_starts(str_of(e.text), STR("context: x")) || shift == 0);
		assert_true(str_ends(str_of(e.text), STR("…")));
		assert_int_equal(str_utf8_bad(str_of(e.text)), strlen(e.text));
		err_context(&e, "%s", text);
		assert_true(str_ends(str_of(e.text), STR("…")));
		assert_int_equal(str_utf8_bad(str_of(e.text)), strlen(e.text));
	}
}

static void codes_have_names_and_statuses(void **state) {
	(void)state;
	static const struct {
		enum err_code code;
		const char *name;
		int http, exit;
	} rows[] = {
		{ERR_NONE, "none", 200, 0},
		{ERR_INVALID, "invalid", 400, 2},
		{ERR_DENIED, "denied", 403, 1},
		{ERR_NOT_FOUND, "not-found", 404, 1},
		{ERR_CONFLICT, "conflict", 409, 1},
		{ERR_LIMIT, "limit", 413, 1},
		{ERR_UNSUPPORTED, "unsupported", 422, 1},
		{ERR_BUSY, "busy", 423, 1},
		{ERR_UNAVAILABLE, "unavailable", 503, 3},
		{ERR_CORRUPT, "corrupt", 500, 1},
		{ERR_IO, "io", 500, 1},
		{ERR_NO_ROOM, "no-room", 507, 1},
		{ERR_TIMEOUT, "timeout", 504, 1},
		{(enum err_code)99, "unknown", 500, 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(err_code_name(rows[i].code), rows[i].name);
		assert_int_equal(err_http_status(rows[i].code), rows[i].http);
		assert_int_equal(err_exit_status(rows[i].code), rows[i].exit);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_code_and_text),
		cmocka_unit_test(long_texts_end_in_an_ellipsis),
		cmocka_unit_test(codes_have_names_and_statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
