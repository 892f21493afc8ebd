#include "cli/remote.h"

#include "base/buf.h"
#include "base/unit.h"

static void loopback(void **state) {
	(void)state;
	static const struct {
		const char *url;
		bool local;
	} rows[] = {
		{"http://127.0.0.1:8420", true},
		{"http://127.9.8.7", true},
		{"http://localhost:1/x", true},
		{"http://[::1]:8420", true},
		{"http://127.0.0.1.evil.example", false},
		{"http://127.0.0.1@evil.example", false},
		{"http://localhost.evil.example", false},
		{"http://[::1]evil.example", false},
		{"http://10.0.0.1", false},
		{"http://127.0.0", false},
		{"http://127.0.0.256", false},
		{"127.0.0.1", false},
		{"http://[::2]", false},
		{"https://weir.example:8420", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (remote_is_loopback(str_of(rows[i].url)) != rows[i].local) fail_msg("%s", rows[i].url);
}

static void request(enum operation_id id, const char *const *given, const char *path,
                    const char *body) {
	struct str values[OPERATION_PARAMS_MAX] = {0};
	AUTO_BUF address = {0}, bytes = {0};
	const struct operation *o = operation_at(id);
	for (; *given; given += 2) {
		ptrdiff_t at = operation_param_index(o, str_of(given[0]));
		assert_true(at >= 0);
		values[at] = str_of(given[1]);
	}
	remote_request(o, values, &address, &bytes);
	assert_text(buf_view(&address), path);
	assert_text(buf_view(&bytes), body);
}
#define WITH(...)           \
	(const char *const[]) { \
		__VA_ARGS__, NULL   \
	}

static void requests(void **state) {
	(void)state;
	request(OPERATION_JOB_LOG, WITH("id", "12", "job", "test (gcc, 12) 2/4", "follow", "true"),
	        "/api/v1/changes/12/jobs/test%20%28gcc%2C%2012%29%202%2F4/log?follow=true", "");
	request(OPERATION_DEPLOY, WITH("env", "production", "release", "a81f3d0", "force", "true"),
	        "/api/v1/environments/production/deploy", "{\"release\":\"a81f3d0\",\"force\":true}");
	request(OPERATION_DEPLOY, WITH("env", "production", "repo", "a&b"),
	        "/api/v1/environments/production/deploy?repo=a%26b", "{}");
	request(OPERATION_TOKEN_CREATE, WITH("name", "ci", "scopes", "read", "days", "7"),
	        "/api/v1/tokens", "{\"name\":\"ci\",\"scopes\":\"read\",\"days\":7}");
	request(OPERATION_SECRET_SET, WITH("repo", "r", "name", "K", "value", "a\"\\\n"),
	        "/api/v1/repos/r/secrets/K", "{\"value\":\"a\\\"\\\\\\n\"}");
}

static void errors(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct err e = {0};
	const char *next;
	remote_error(409,
	             STR("{\"error\":{\"code\":\"conflict\",\"text\":\"it is blocked\",\"next\":\"add "
	                 "--force\"}}"),
	             &life, &next, &e);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "it is blocked");
	assert_string_equal(next, "add --force");
	remote_error(
		404, STR("{\"error\":{\"code\":\"not-found\",\"text\":\"no such change\",\"next\":null}}"),
		&life, &next, &e);
	assert_int_equal(err_exit_status(e.code), 1);
	assert_null(next);
	// The server was reached: that it can do nothing now is a negative answer.
	remote_error(503, STR("{\"error\":{\"code\":\"unavailable\",\"text\":\"the disk is full\"}}"),
	             &life, &next, &e);
	assert_int_equal(err_exit_status(e.code), 1);
	assert_string_equal(e.text, "the disk is full");
	remote_error(502, STR("<html>Bad Gateway</html>"), &life, &next, &e);
	assert_string_equal(e.text, "the server answered 502");
	assert_int_equal(err_exit_status(e.code), 1);
	remote_error(401, STR(""), &life, &next, &e);
	assert_int_equal(e.code, ERR_DENIED);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback),
		cmocka_unit_test(requests),
		cmocka_unit_test(errors),
	};
	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
