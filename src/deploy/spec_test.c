// spec.json: defaults, every refusal, and that the service part survives being written and read.
#include "base/buf.h"
#include "base/unit.h"
#include "deploy/spec.h"

static bool read_text(const char *text, struct arena *life, struct spec *out, struct err *e) {
	AUTO_JSON v = NULL;
	return json_parse(str_of(text), &v, e) && spec_read(v, life, out, e);
}

static void small_one_has_defaults(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct spec s = {0};
	struct err e;
	assert_ok(read_text("{\"environment\":\"production\",\"listen\":\"127.0.0.1:8000\","
	                    "\"service\":{\"run\":\"./x\"}}",
	                    &life, &s, &e),
	          e);
	assert_text(s.host, "127.0.0.1");
	assert_int_equal(s.port, 8000);
	assert_int_equal(s.hold_ms, 10000);
	assert_int_equal(s.health_failures, 2);
	assert_int_equal(s.service.instances, 1);
	assert_int_equal(s.service.grace_ms, 10000);
	assert_int_equal(s.service.start_timeout_ms, 60000);
	assert_int_equal(s.service.before.n, 0);
	assert_int_equal(s.tls_cert.n, 0);
}

static void listen_forms(void **state) {
	static const struct {
		const char *listen, *host;
		int port;
	} rows[] = {{"*:80", "", 80}, {"[::1]:8000", "::1", 8000}, {"localhost:1", "127.0.0.1", 1}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		AUTO_BUF text = {0};
		struct spec s = {0};
		struct err e;
		buf_printf(&text, "{\"environment\":\"p\",\"listen\":\"%s\",\"service\":{\"run\":\"x\"}}",
		           rows[i].listen);
		assert_ok(read_text(text.p, &life, &s, &e), e);
		assert_text(s.host, rows[i].host);
		assert_int_equal(s.port, rows[i].port);
	}
}

static void what_is_wrong_is_named(void **state) {
	static const struct {
		const char *text, *named;
	} rows[] = {
		{"{}", "environment"},
		{"{\"environment\":\"a b\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\"}}", "environment"},
		{"{\"environment\":\"p\",\"service\":{\"run\":\"x\"}}", "listen"},
		{"{\"environment\":\"p\",\"listen\":\"8000\",\"service\":{\"run\":\"x\"}}", "listen"},
		{"{\"environment\":\"p\",\"listen\":\"*:70000\",\"service\":{\"run\":\"x\"}}", "listen"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\"}", "run"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":7}}", "run"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\","
	     "\"instances\":9}}",
	     "instances"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\",\"grace_ms\":\"1\"}"
	     "}",
	     "grace_ms"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\","
	     "\"health\":\"/a\\r\\nX: y\"}}",
	     "health"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\",\"health\":\"a\"}}",
	     "health"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\","
	     "\"env\":{\"A=B\":\"1\"}}}",
	     "env"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"x\","
	     "\"secrets\":[\"1A\"]}}",
	     "secrets"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"tls\":{\"cert\":\"/c\"},"
	     "\"service\":{\"run\":\"x\"}}",
	     "tls"},
		{"{\"environment\":\"p\",\"listen\":\"*:1\",\"tls\":{\"cert\":\"/c d\",\"key\":\"/k\"},"
	     "\"service\":{\"run\":\"x\"}}",
	     "tls"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct spec s = {.port = 7};
		struct err e;
		assert_refused(read_text(rows[i].text, &life, &s, &e), e, ERR_INVALID);
		if (!strstr(e.text, rows[i].named)) fail_msg("%s: %s", rows[i].text, e.text);
		assert_int_equal(s.port, 7); // untouched
	}
}

static void service_is_read_from_its_own_text(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_JSON again = NULL;
	struct spec s = {0};
	struct spec_service back;
	struct err e;
	assert_ok(read_text("{\"environment\":\"p\",\"listen\":\"*:1\",\"service\":{\"run\":\"a b\","
	                    "\"env\":{\"B\":\"2\",\"A\":\"1\"},\"secrets\":[\"K\"],\"instances\":3}}",
	                    &life, &s, &e),
	          e);
	assert_ok(json_parse(s.service.json, &again, &e), e);
	assert_ok(spec_read_service(again, &life, &back, &e), e);
	assert_text(back.run, "a b");
	assert_int_equal(back.instances, 3);
	assert_int_equal(back.env_count, 2);
	assert_int_equal(back.secret_count, 1);
	assert_true(str_eq(back.json, s.service.json));
}

static void release_names(void **state) {
	static const char *const good[] = {"r1", "2026.11.22-abc_d", "a"};
	static const char *const bad[] = {"", ".", "..", ".r", "a/b", "a b", "\n", "ä"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) assert_true(spec_is_release_name(str_of(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_false(spec_is_release_name(str_of(bad[i])));
	char longest[66];
	memset(longest, 'a', sizeof longest);
	assert_true(spec_is_release_name((struct str){longest, 64}));
	assert_false(spec_is_release_name((struct str){longest, 65}));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_one_has_defaults), cmocka_unit_test(listen_forms),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(service_is_read_from_its_own_text), cmocka_unit_test(release_names)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
