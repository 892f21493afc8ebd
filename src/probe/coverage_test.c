#include "probe/coverage.h"

#include <stdlib.h>

#include "base/unit.h"

static void reads_every_format(void **state) {
	(void)state;
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"TN:\nSF:b.c\nDA:5,1\nend_of_record\nSF:a.c\nDA:1,2\nDA:2,0\nend_of_record\nSF:a.c\nDA:2,"
	     "3,sum\nDA:3,0\nend_of_record\n",
	     "{\"covered\":3,\"files\":[{\"covered\":2,\"lines\":3,\"path\":\"a.c\"},{\"covered\":1,"
	     "\"lines\":1,\"path\":\"b.c\"}],"
	     "\"format\":\"lcov\",\"lines\":4,\"problem\":\"\"}"},
		{"<coverage><class filename='a.py'><methods><line number='2' "
	     "hits='1'/></methods><lines><line number='2' hits='1'/>"
	     "<line number='4' hits='0'/></lines></class></coverage>",
	     "{\"covered\":1,\"files\":[{\"covered\":1,\"lines\":2,\"path\":\"a.py\"}],\"format\":"
	     "\"cobertura\",\"lines\":2,\"problem\":\"\"}"},
		{"<report><package name='com/x'><class name='com/x/A'/><sourcefile name='A.java'><line "
	     "nr='3' ci='2'/><line nr='4' ci='0'/>"
	     "</sourcefile></package></report>",
	     "{\"covered\":1,\"files\":[{\"covered\":1,\"lines\":2,\"path\":\"com/x/"
	     "A.java\"}],\"format\":\"jacoco\",\"lines\":2,\"problem\":\"\"}"},
		{"mode: set\nm/a.go:3.10,5.2 2 1\nm/a.go:7.1,8.2 1 0\nm/a.go:5.2,7.3 1 0\n",
	     "{\"covered\":3,\"files\":[{\"covered\":3,\"lines\":6,\"path\":\"m/"
	     "a.go\"}],\"format\":\"go\",\"lines\":6,\"problem\":\"\"}"},
		{"SF:a\nDA:x\nDA:1,-1\nend_of_record",
	     "{\"covered\":0,\"files\":[{\"covered\":0,\"lines\":1,\"path\":\"a\"}],"
	     "\"format\":\"lcov\",\"lines\":1,\"problem\":\"1 lines of it could not be read\"}"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		AUTO_BUF b = {0};
		struct coverage c = {0};
		struct err e = {0};
		assert_ok(coverage_read(str_of(rows[i].text), STR("x"), &life, &c, &e), e);
		struct jsonw w = jsonw_to(&b);
		coverage_json(&c, &w);
		assert_text(buf_view(&b), rows[i].want);
	}
}

static void refuses_with_a_reason(void **state) {
	(void)state;
	static const struct {
		const char *text;
		enum err_code code;
	} rows[] = {{"", ERR_INVALID},
	            {"hello", ERR_INVALID},
	            {"<a/>", ERR_INVALID},
	            {"<", ERR_INVALID},
	            {"mode: set\na.go:1.1,4000000000.1 1 1\n", ERR_LIMIT}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct coverage c = {.count = 77};
		struct err e = {0};
		assert_refused(coverage_read(str_of(rows[i].text), STR("x"), &life, &c, &e), e,
		               rows[i].code);
		assert_true(str_starts(str_of(e.text), STR("x: ")));
		assert_int_equal(c.count, 77);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_format),
		cmocka_unit_test(refuses_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
