#include "base/json.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/unit.h"

static void reads_values(void **state) {
	(void)state;
	struct err e = {0};
	AUTO_JSON doc = NULL;
	assert_ok(
		json_parse(
			STR("{\"s\":\"x\\ny\",\"i\":-5,\"b\":true,\"n\":null,\"r\":1.5,\"a\":[1,2],\"o\":{}}"),
			&doc, &e),
		e);
	static const struct {
		const char *key;
		enum json_kind kind;
	} rows[] = {
		{"s", JSON_KIND_STRING}, {"i", JSON_KIND_INT},         {"b", JSON_KIND_BOOL},
		{"n", JSON_KIND_NULL},   {"r", JSON_KIND_REAL},        {"a", JSON_KIND_ARRAY},
		{"o", JSON_KIND_OBJECT}, {"absent", JSON_KIND_ABSENT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct json *v = json_get(doc, rows[i].key);
		assert_int_equal(json_kind(v), rows[i].kind);
		if (rows[i].kind != JSON_KIND_STRING) assert_null(json_str(v).p);
		if (rows[i].kind != JSON_KIND_INT) assert_int_equal(json_int(v, 99), 99);
		if (rows[i].kind != JSON_KIND_BOOL) assert_true(json_bool(v, true) && !json_bool(v, false));
	}
	assert_text(json_get_str(doc, "s"), "x\ny");
	assert_int_equal(json_get_int(doc, "i", 0), -5);
	assert_true(json_get_bool(doc, "b", false));
	assert_int_equal(json_length(json_get(doc, "a")), 2);
	assert_int_equal(json_length(doc), 7);
	assert_int_equal(json_int(json_at(json_get(doc, "a"), 1), 0), 2);
	assert_null(json_at(json_get(doc, "a"), 2));
	assert_null(json_get(json_get(doc, "a"), "s"));
	assert_int_equal(json_length(NULL), 0);
	json_free(&doc);
	assert_null(doc);
	json_free(&doc);
}

static void iterates_in_order(void **state) {
	(void)state;
	static const char *const want[] = {"zeta", "alpha", "mid"};
	struct err e = {0};
	AUTO_JSON doc = NULL;
	assert_ok(json_parse(STR("{\"zeta\":0,\"alpha\":1,\"mid\":2}"), &doc, &e), e);
	struct str key;
	struct json *value;
	int64_t n = 0;
	for (void *it = NULL; json_next(doc, &it, &key, &value); n++) {
		assert_text(key, n < 3 ? want[n] : "no more");
		assert_int_equal(json_int(value, -1), n);
	}
	assert_int_equal(n, 3);
	void *it = NULL;
	assert_false(json_next(NULL, &it, &key, &value));
}

static void prints_canonically(void **state) {
	(void)state;
	static const struct {
		const char *in, *want;
	} rows[] = {
		{" { \"b\" : [ 1 , true , null ] , \"a\" : \"\\u00e9\\/\" } ",
	     "{\"a\":\"\xc3\xa9/\",\"b\":[1,true,null]}"},
		{"\"x\"", "\"x\""},
		{"-0", "0"},
		{"[]", "[]"},
		{"null", "null"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		AUTO_JSON doc = NULL;
		AUTO_BUF b = {0};
		assert_ok(json_parse(str_of(rows[i].in), &doc, &e), e);
		json_print(&b, doc);
		assert_text(buf_view(&b), rows[i].want);
	}
	AUTO_BUF b = {0};
	json_print(&b, NULL);
	assert_text(buf_view(&b), "null");
}

// There is one canonical form: what buf_json writes, json_print repeats byte for byte.
static void both_writers_agree(void **state) {
	(void)state;
	for (int c = 1; c < 256; c++) {
		char in[] = {'a', (char)c, 'b'};
		struct err e = {0};
		AUTO_JSON doc = NULL;
		AUTO_BUF first = {0};
		AUTO_BUF second = {0};
		buf_json(&first, (struct str){in, 3});
		assert_ok(json_parse(buf_view(&first), &doc, &e), e);
		json_print(&second, doc);
		assert_text(buf_view(&second), first.p);
	}
}

static void refuses_what_is_not_json(void **state) {
	(void)state;
	static const char *const rows[] = {"",
	                                   "{",
	                                   "{\"a\":1,\"a\":2}",
	                                   "[1,]",
	                                   "01",
	                                   "\"\xff\"",
	                                   "[1] x",
	                                   "nul",
	                                   "'x'",
	                                   "99999999999999999999",
	                                   "\"\\ud800\"",
	                                   "\"a\nb\"",
	                                   "\"\\u0000\"",
	                                   "{\"a\" 1}"};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		struct json *doc = NULL;
		assert_refused(json_parse(str_of(rows[i]), &doc, &e), e, ERR_INVALID);
		assert_null(doc);
	}
	struct err e = {0};
	struct json *doc = NULL;
	assert_false(json_parse(STR("{\n \"a\": x}"), &doc, &e));
	assert_true(str_contains(str_of(e.text), STR("line 2")));
	assert_false(json_parse(STR_NONE, &doc, &e));
}

static void has_limits(void **state) {
	(void)state;
	static const struct {
		int depth;
		bool ok;
	} rows[] = {{1, true}, {512, true}, {513, false}, {2000, false}, {100000, false}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = {0};
		AUTO_JSON doc = NULL;
		AUTO_BUF b = {0};
		buf_cstr(&b, "[\"]\\\"[\",");
		for (int k = 1; k < rows[i].depth; k++) buf_char(&b, '[');
		if (rows[i].depth == 1) buf_char(&b, '1');
		for (int k = 0; k < rows[i].depth; k++) buf_char(&b, ']');
		if (rows[i].ok) assert_ok(json_parse(buf_view(&b), &doc, &e), e);
		else assert_refused(json_parse(buf_view(&b), &doc, &e), e, ERR_LIMIT);
	}
	size_t n = 64u * 1024 * 1024 + 1;
	char *blanks = malloc(n);
	assert_non_null(blanks);
	memset(blanks, ' ', n);
	struct err e = {0};
	struct json *doc = NULL;
	assert_refused(json_parse((struct str){blanks, n}, &doc, &e), e, ERR_LIMIT);
	free(blanks);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values),
		cmocka_unit_test(iterates_in_order),
		cmocka_unit_test(prints_canonically),
		cmocka_unit_test(both_writers_agree),
		cmocka_unit_test(refuses_what_is_not_json),
		cmocka_unit_test(has_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
