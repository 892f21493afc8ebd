// What HAProxy 2.6.12 answers (copied from it), and what it would never answer.
#include "base/unit.h"
#include "deploy/runtime.h"

static const char servers[] =
	"1\n"
	"# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
	"srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
	"srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
	"srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
	"3 app 1 blue0 127.0.0.1 2 0 1 1 1 1 0 0 0 0 0 0 - 21689 - 0 0 - - 0\n"
	"3 app 2 blue1 127.0.0.1 0 5 1 1 1 1 0 0 0 0 0 0 - 1 - 0 0 - - 0\n"
	"3 app 9 green0 127.0.0.1 2 8 1 1 1 1 0 0 0 0 0 0 - 23041 - 0 0 - - 0\n"
	"\n";

static const char stat[] = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,\n"
						   "app,blue0,0,0,3,10,,114,\n"
						   "app,blue1,0,0,4,10,,114,\n"
						   "app,green0,0,0,50,10,,114,\n";

static void servers_are_read(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct runtime_server *list;
	size_t count;
	struct err e;
	assert_ok(runtime_parse_servers(str_of(servers), &life, &list, &count, &e), e);
	assert_int_equal(count, 3);
	assert_text(list[0].name, "blue0");
	assert_int_equal(list[0].port, 21689);
	assert_false(list[0].maintenance || list[0].drain);
	assert_true(list[1].maintenance);
	assert_true(list[2].drain && !list[2].maintenance);
}

static void sessions_are_summed(void **state) {
	(void)state;
	int64_t n = -1;
	struct err e;
	assert_ok(runtime_parse_sessions(str_of(stat), STR("blue"), &n, &e), e);
	assert_int_equal(n, 7);
	assert_ok(runtime_parse_sessions(str_of(stat), STR("green"), &n, &e), e);
	assert_int_equal(n, 50);
}

static void other_answers_are_refused(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	AUTO_BUF bad = {0};
	struct runtime_server *list;
	size_t count;
	int64_t n;
	struct err e;
	assert_refused(runtime_parse_servers(STR("Can't find backend.\n"), &life, &list, &count, &e), e,
	               ERR_CORRUPT);
	assert_refused(runtime_parse_servers(STR(""), &life, &list, &count, &e), e, ERR_CORRUPT);
	buf_str(&bad, str_slice(str_of(servers), 0, sizeof servers - 40)); // cut in a line
	assert_refused(runtime_parse_servers(buf_view(&bad), &life, &list, &count, &e), e, ERR_CORRUPT);
	assert_refused(runtime_parse_sessions(STR("app,blue0,0,0,3\n"), STR("b"), &n, &e), e,
	               ERR_CORRUPT);
}

static void nobody_there_is_unavailable(void **state) {
	(void)state;
	AUTO_BUF answer = {0};
	struct err e;
	assert_refused(runtime_ask("no-such.sock", STR("show info"), &answer, &e), e, ERR_UNAVAILABLE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_read), cmocka_unit_test(sessions_are_summed),
		cmocka_unit_test(other_answers_are_refused), cmocka_unit_test(nobody_there_is_unavailable)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
