#include "base/jsonw.h"

#include "base/unit.h"

static void writes_every_kind(void **state) {
	(void)state;
	AUTO_BUF b = {0};
	struct jsonw w = jsonw_to(&b);
	jsonw_object(&w);
	jsonw_key(&w, "a");
	jsonw_array(&w);
	jsonw_array_end(&w);
	jsonw_key(&w, "b");
	jsonw_array(&w);
	jsonw_int(&w, INT64_MIN);
	jsonw_int(&w, INT64_MAX);
	jsonw_bool(&w, true);
	jsonw_null(&w);
	jsonw_str(&w, STR("x\"y"));
	jsonw_cstr(&w, NULL);
	jsonw_object(&w);
	jsonw_object_end(&w);
	jsonw_raw(&w, STR("[1]"));
	jsonw_raw(&w, STR_NONE);
	jsonw_time(&w, 1);
	jsonw_time(&w, 0);
	jsonw_array_end(&w);
	jsonw_key_str(&w, STR("c\n"));
	jsonw_bool(&w, false);
	jsonw_object_end(&w);
	assert_text(
		buf_view(&b),
		"{\"a\":[],\"b\":[-9223372036854775808,9223372036854775807,true,null,\"x\\\"y\",null,"
		"{},[1],null,\"1970-01-01T00:00:00.001Z\",null],\"c\\n\":false}");
}

static void writes_pairs(void **state) {
	(void)state;
	AUTO_BUF b = {0};
	struct jsonw w = jsonw_to(&b);
	jsonw_object(&w);
	jsonw_key_b(&w, "b", true);
	jsonw_key_i(&w, "i", -3);
	jsonw_key_s(&w, "s", STR("v"));
	jsonw_key_t(&w, "t", 1000);
	jsonw_key_z(&w, "z", NULL);
	jsonw_object_end(&w);
	assert_text(buf_view(&b),
	            "{\"b\":true,\"i\":-3,\"s\":\"v\",\"t\":\"1970-01-01T00:00:01.000Z\",\"z\":null}");
}

static void nests_63_deep(void **state) {
	(void)state;
	AUTO_BUF b = {0};
	struct jsonw w = jsonw_to(&b);
	for (int i = 0; i < 63; i++) {
		jsonw_array(&w);
		jsonw_int(&w, i);
	}
	for (int i = 0; i < 63; i++) jsonw_array_end(&w);
	assert_true(str_starts(buf_view(&b), STR("[0,[1,[2,")));
	assert_true(str_ends(buf_view(&b), STR(",[62]]]]")) ||
	            str_contains(buf_view(&b), STR(",[62]]]]")));
	assert_int_equal(w.depth, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_every_kind),
		cmocka_unit_test(writes_pairs),
		cmocka_unit_test(nests_63_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
