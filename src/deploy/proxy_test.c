// The configuration HAProxy is started with: only servers that are to get traffic get it from the
// first moment.
#include <stdlib.h>
#include <sys/socket.h>

#include "base/unit.h"
#include "deploy/proxy.h"
#include "os/file.h"
#include "os/process.h"

static const struct proxy_plan plan = {
	{{{9001, PROXY_READY}, {9002, PROXY_MAINT}}, {{9003, PROXY_DRAIN}}}};

static void only_ready_servers_are_enabled(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	proxy_config(&plan, STR_NONE, false, &text);
	assert_non_null(strstr(text.p, "  server blue0 127.0.0.1:9001\n"));
	assert_non_null(strstr(text.p, "  server blue1 127.0.0.1:9002 disabled\n"));
	assert_non_null(strstr(text.p, "  server green0 127.0.0.1:9003 disabled\n")); // no old requests
	assert_non_null(strstr(text.p, "  server green7 127.0.0.1:1 disabled\n"));
	assert_null(strstr(text.p, "ssl crt"));
	assert_null(strstr(text.p, "uid"));
}

static void only_what_may_be_repeated_is_repeated(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	proxy_config(&plan, STR_NONE, true, &text);
	assert_non_null(
		strstr(text.p, "http-request disable-l7-retry unless { method GET HEAD OPTIONS }\n"));
	assert_non_null(strstr(text.p, "  uid 61002\n"));
}

// HAProxy itself reads it; descriptor 3 is a socket, as it will be.
static void haproxy_accepts_it(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	AUTO_OUTPUT output = {0};
	AUTO_FD listener = -1;
	struct err e;
	char path[] = "/tmp/weir-proxy-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	file_close(&fd);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	proxy_config(&plan, STR_NONE, false, &text);
	assert_ok(file_write_atomic(path, buf_view(&text), 0600, &e), e);
	const char *argv[] = {"/usr/sbin/haproxy", "-c", "-q", "-f", path, NULL};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv, .pass = &listener,
	                            .pass_count = 1};
	assert_ok(process_run(&spec, STR_NONE, 65536, 10000, &output, &e), e);
	remove(path);
	assert_text(buf_view(&output.err), "");
	assert_int_equal(output.status.code, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_ready_servers_are_enabled),
	                                   cmocka_unit_test(only_what_may_be_repeated_is_repeated),
	                                   cmocka_unit_test(haproxy_accepts_it)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
