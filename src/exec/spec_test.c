#include "exec/spec.h"

#include "base/unit.h"

static bool parse(const char *json, struct arena *life, struct exec_spec *out, struct err *e) {
	return spec_parse(str_of(json), life, out, e);
}

static void fills_in_defaults(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct err e = {0};
	struct exec_spec s;
	assert_ok(parse("{\"id\":\"r1\",\"command\":\"true\",\"lowers\":[\"/b\"]}", &life, &s, &e), e);
	assert_int_equal(s.timeout_ms, 3600 * 1000);
	assert_int_equal(s.pids, 4096);
	assert_int_equal(s.memory_bytes, 0);
	assert_int_equal(s.artifact_files, 10000);
	assert_false(s.network);
}

static void goes_there_and_back(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF first = {0};
	AUTO_BUF second = {0};
	struct err e = {0};
	struct exec_spec s;
	assert_ok(
		parse("{\"artifact_bytes\":1,\"artifact_files\":2,\"artifacts\":[\"a\",\"b/"
	          "**\"],\"command\":\"x\\ny\","
	          "\"coverage\":[\"c\"],\"cpu_milli\":3,\"disk_bytes\":4,\"env\":{\"A\":\"b "
	          "c\"},\"folder\":\"src\","
	          "\"id\":\"r-1.2\",\"log_bytes\":5,\"log_line_bytes\":6,\"lowers\":[\"/a\",\"/b\"],"
	          "\"memory_bytes\":7,\"mounts\":{\"cache\":\"/"
	          "c\"},\"network\":true,\"pids\":8,\"results\":[\"r\"],"
	          "\"scratch_bytes\":9,\"secrets\":[\"S\"],\"timeout_ms\":10}",
	          &life, &s, &e),
		e);
	assert_int_equal(s.lowers.n, 2);
	assert_text(s.lowers.p[0], "/a");
	assert_text(s.env.p[0].value, "b c");
	assert_int_equal(s.scratch_bytes, 9);
	spec_json(&s, &first);
	assert_ok(spec_parse(buf_view(&first), &life, &s, &e), e);
	spec_json(&s, &second);
	assert_text(buf_view(&second), first.p);
}

static void refuses_what_leads_astray(void **state) {
	(void)state;
	static const char *const bad[] = {
		"{\"command\":\"x\",\"lowers\":[\"/b\"]}",
		"{\"id\":\"../x\",\"command\":\"x\",\"lowers\":[\"/b\"]}",
		"{\"id\":\".x\",\"command\":\"x\",\"lowers\":[\"/b\"]}",
		"{\"id\":\"r\",\"command\":\"\",\"lowers\":[\"/b\"]}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[]}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"b\"]}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[1]}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":\"/b\"}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"folder\":\"/etc\"}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"folder\":\"a/../../b\"}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"env\":{\"A=B\":\"x\"}}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"env\":[]}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"secrets\":[\"a/b\"]}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"mounts\":{\"../x\":\"/c\"}}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"mounts\":{\"x\":\"c\"}}",
		"{\"id\":\"r\",\"command\":\"x\",\"lowers\":[\"/b\"],\"pids\":-1}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO_ARENA life = {0};
		struct err e = {0};
		struct exec_spec s;
		if (!parse(bad[i], &life, &s, &e) && e.code == ERR_INVALID) continue;
		fail_msg("accepted: %s", bad[i]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(goes_there_and_back),
		cmocka_unit_test(refuses_what_leads_astray),
	};
	return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
