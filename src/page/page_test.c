// The pages against test/golden/page/*.html (without style and script). After a wanted change of a
// page: WEIR_GOLDEN=write build/dev/test/page/page_test, look at the difference, commit it.
#include "page/pages.h"

#include <stdlib.h>

#include "base/unit.h"
#include "page/asset.h"
#include "page/diffview.h"
#include "page/frame.h"

#define HOSTILE "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\x01\xff"
static const int64_t now = 1795098730000; // 2026-11-19T14:32:10Z

static struct view_frame frame(const char *title, const char *nav, const char *live) {
	return (struct view_frame){.title = title,
	                           .nav = nav,
	                           .repo = STR("shortlink, branch main"),
	                           .command = STR("weir status"),
	                           .json = STR("/api/v1/queue"),
	                           .live = str_of(live),
	                           .csrf = STR("token"),
	                           .may_operate = true,
	                           .now_ms = now};
}

static struct view_ref ref(uint64_t id, const char *title) {
	return (struct view_ref){id, str_of(title), STR("heron"), STR("agent")};
}

static struct view_moving moving(struct view_ref r) {
	return (struct view_moving){.ref = r,
	                            .tone = TONE_RUN,
	                            .icon = ICON_RUN,
	                            .state = STR("testing 1 of 3"),
	                            .next = STR("usually 40 s"),
	                            .label = STR("Waited 20 s, testing for 40 s"),
	                            .segments = {{SEGMENT_WAITED, now - 60000, now - 40000},
	                                         {SEGMENT_RUNNING, now - 40000, now},
	                                         {SEGMENT_EXPECTED, now, now + 20000}},
	                            .segment_count = 3};
}

static void cut(struct buf *page, const char *open, const char *close) {
	struct str all = buf_view(page);
	size_t from = str_find(all, str_of(open)), to = str_find(all, str_of(close));
	if (from >= to || to >= all.n) return;
	AUTO_BUF out = {0};
	buf_str(&out, str_slice(all, 0, from + strlen(open)));
	buf_str(&out, str_from(all, to));
	buf_reset(page);
	buf_str(page, buf_view(&out));
}

static void golden(const char *name, struct buf *page) {
	assert_true(page->n <= 40960);
	cut(page, "<style>", "</style>");
	cut(page, "<script>", "</script>");
	char path[200];
	snprintf(path, sizeof path, "test/golden/page/%s.html", name);
	const char *mode = getenv("WEIR_GOLDEN");
	FILE *f = fopen(path, mode ? "w" : "r");
	assert_non_null(f);
	if (mode) {
		fwrite(page->p, 1, page->n, f);
	} else {
		AUTO_BUF want = {0};
		size_t n = fread(buf_grow(&want, 100000), 1, 100000, f);
		want.n += n;
		if (!str_eq(buf_view(page), buf_view(&want))) {
			print_error("%s differs; got:\n%s\n", path, page->p);
			fail();
		}
	}
	fclose(f);
}

static struct view_flow flow_view(const struct view_moving *rows, const struct view_feed *feed,
                                  const struct view_env *env) {
	struct view_flow v = {.frame = frame("Flow", "flow", "/live?page=/"),
	                      .gauges = {{"Queue", 1, 5000},
	                                 {"Slot wait", 0, 0},
	                                 {"Testing", 2, 61000},
	                                 {"Landing", 0, 0},
	                                 {"Deploy wait", 0, 0},
	                                 {"Rollout", 1, 900}},
	                      .slots = 2,
	                      .slots_busy = 1,
	                      .typical = {20, 20000, 41000, 90000},
	                      .moving = rows,
	                      .moving_count = 1,
	                      .moving_total = 3,
	                      .feed = feed,
	                      .feed_count = 2,
	                      .landed_hour = 31,
	                      .ejected_hour = 3,
	                      .envs = env,
	                      .env_count = 1,
	                      .repo_count = 1};
	v.queued_by_hour[13] = 4;
	v.landed_by_hour[14] = 2;
	return v;
}

static struct view_env production(void) {
	return (struct view_env){.name = STR("production"),
	                         .repo = STR("shortlink"),
	                         .release = 7,
	                         .previous = 6,
	                         .commit = STR("7c1e09d11111"),
	                         .previous_commit = STR("90be77122222"),
	                         .change = 1839,
	                         .previous_change = 1836,
	                         .live_ms = now - 2000000,
	                         .health_ms = now - 2000000,
	                         .health = STR("healthy"),
	                         .defined = true};
}

static void flow_is_as_recorded(void **state) {
	(void)state;
	struct view_moving row = moving(ref(1844, "Report the database age"));
	struct view_feed feed[] = {
		{.kind = FEED_EJECTED,
	     .at_ms = now - 80000,
	     .ref = ref(1845, "Cache links"),
	     .test = STR("delete_then_follow"),
	     .next = STR("fix it and push again"),
	     .took_ms = -1},
		{.kind = FEED_LANDED,
	     .at_ms = now - 240000,
	     .ref = ref(1843, "Refuse long links"),
	     .commit = STR("b81d4f0aaaa"),
	     .took_ms = 570000},
	};
	struct view_env env = production();
	struct view_flow v = flow_view(&row, feed, &env);
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	flow_page(&w, &v);
	assert_true(w.region_count >= 6);
	for (size_t i = 0; i < w.region_count; i++) assert_true(w.regions[i].end > w.regions[i].begin);
	golden("flow", &out);
}

static void an_ejected_change_is_not_open(void **state) {
	(void)state;
	struct view_moving row = moving(ref(1844, "Report the database age"));
	struct view_feed feed[2] = {{.kind = FEED_EJECTED,
	                             .ref = ref(1844, "Report the database age"),
	                             .text = STR("conflicts with the target in <a>"),
	                             .took_ms = -1}};
	struct view_env env = production();
	row.tone = TONE_BAD;
	struct view_flow v = flow_view(&row, feed, &env);
	v.moving_total = v.feed_count = 1;
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	flow_page(&w, &v);
	assert_true(str_contains(buf_view(&out), STR("Moving now <span>none open")));
	assert_true(str_contains(buf_view(&out), STR("<p>Conflicts with the target in &lt;a&gt;. ")));
}

static void an_empty_server_says_what_to_do(void **state) {
	(void)state;
	struct view_flow v = {.frame = frame("Flow", "flow", ""),
	                      .gauges = {{"Queue", 0, 0},
	                                 {"Slot wait", 0, 0},
	                                 {"Testing", 0, 0},
	                                 {"Landing", 0, 0},
	                                 {"Deploy wait", 0, 0},
	                                 {"Rollout", 0, 0}}};
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	flow_page(&w, &v);
	assert_true(str_contains(buf_view(&out), STR("weir repo add NAME PATH")));
	assert_true(str_contains(buf_view(&out), STR("none open")));
	assert_false(str_contains(buf_view(&out), STR("http-equiv=\"refresh\"")));
}

static void queue_is_as_recorded(void **state) {
	(void)state;
	struct view_job jobs[] = {
		{.name = STR("build"), .state = JOB_VIEW_REUSED, .expected_ms = 10000},
		{.name = STR("test"),
	     .state = JOB_VIEW_RUNNING,
	     .started_ms = now - 5000,
	     .expected_ms = 20000},
		{.name = STR("lint"), .state = JOB_VIEW_WAITS, .expected_ms = -1}};
	struct view_node node = {ref(12, "Count redirects"), TONE_RUN, ICON_RUN,
	                         STR("testing 1 of 3"),      jobs,     3};
	struct view_lane lane = {
		STR("shortlink"), STR("main"), STR("b81d4f0aaaa"), now - 240000, &node, 1, 1};
	struct view_slot slot = {ref(12, "Count redirects"), STR("test"), now - 5000, 20000};
	struct view_queue v = {.frame = frame("Queue", "queue", "/live?page=/queue"),
	                       .lanes = &lane,
	                       .lane_count = 1,
	                       .running = &slot,
	                       .running_count = 1,
	                       .slots = 2,
	                       .landed_hour = 4,
	                       .typical = {3, 0, 0, 0}};
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	queue_page(&w, &v);
	assert_true(str_contains(buf_view(&out), STR("no data yet")));
	golden("queue", &out);
}

static struct view_change change_view(const char *title) {
	return (struct view_change){.frame = frame("#1845", "", "/live?page=/change/1845"),
	                            .ref = ref(1845, title),
	                            .repo = STR("shortlink"),
	                            .target = STR("main"),
	                            .head = STR("5be02d7777"),
	                            .state = STR("rejected"),
	                            .revision = 2,
	                            .files = 4,
	                            .lines_added = 118,
	                            .lines_deleted = 12,
	                            .reason_code = STR("test-failed"),
	                            .reason_text = STR("1 test fails"),
	                            .reason_next = STR("fix it and push again"),
	                            .may_retry = true,
	                            .may_withdraw = true,
	                            .proposed_ms = now - 556000,
	                            .queued_ms = now - 556000,
	                            .tested_from_ms = now - 436000,
	                            .tested_to_ms = now - 78000,
	                            .ended_ms = now - 78000};
}

static void a_change_says_with_whom_it_landed(void **state) {
	(void)state;
	struct view_change v = change_view("Cache resolved links for 60 s");
	static const uint64_t with[] = {1843, 1846, 1847, 1848, 1849, 1850, 1851, 1852, 1853};
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	v.state = STR("landed");
	v.with = with;
	v.with_count = 2;
	change_page(&w, &v);
	assert_true(str_contains(
		buf_view(&out), STR(" Tested and landed together with <a href=\"/change/1843\">#1843</a>, "
	                        "<a href=\"/change/1846\">#1846</a>.")));
	buf_reset(&out);
	v.with_count = ARRAY_LEN(with);
	change_page(&w, &v);
	assert_true(str_contains(buf_view(&out), STR("#1852</a> and 1 more.")));
	assert_false(str_contains(buf_view(&out), STR("#1853")));
}

static void change_is_as_recorded(void **state) {
	(void)state;
	struct view_change v = change_view("Cache resolved links for 60 s");
	struct view_test test = {STR("http"), STR("delete_then_follow"), STR("expected 404, got 302"),
	                         STR("test/http_test.c:212"), STR_NONE};
	struct view_job jobs[] = {
		{.name = STR("http"),
	     .facts = STR("1 of 92 tests failed"),
	     .state = JOB_VIEW_FAILED,
	     .run = 9,
	     .issued_ms = now - 436000,
	     .started_ms = now - 320000,
	     .ended_ms = now - 78000,
	     .duration_ms = 242000,
	     .expected_ms = -1},
		{.name = STR("lint"),
	     .facts = STR("same inputs as an earlier run"),
	     .state = JOB_VIEW_REUSED,
	     .run = 10,
	     .issued_ms = now - 436000,
	     .ended_ms = now - 435900,
	     .duration_ms = 21000,
	     .expected_ms = 21000},
	};
	struct view_conflict conflict = {STR("src/cache.c"), STR("contents"), STR_NONE, STR("int a;\n"),
	                                 STR("int b;\n")};
	struct view_log_line line = {118, 'o', STR("not ok 63 - delete_then_follow"), true};
	v.tests = &test;
	v.test_count = v.tests_failed = 1;
	v.tests_run = 214;
	v.jobs = jobs;
	v.job_count = 2;
	v.conflicts = &conflict;
	v.conflict_count = 1;
	v.log = (struct view_log){STR("http"), &line, 1, 122, false, STR_NONE};
	v.diff = STR("diff --git a/src/cache.c b/src/cache.c\nindex 1..2 100644\n--- "
	             "a/src/cache.c\n+++ b/src/cache.c\n"
	             "@@ -35,2 +35,2 @@ int f\n a < b\n-old\n+new\n\\ No newline at end of file\n");
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	change_page(&w, &v);
	golden("change", &out);
}

static void hostile_texts_stay_texts(void **state) {
	(void)state;
	struct str bad = STR(HOSTILE);
	struct view_change v = change_view(HOSTILE);
	v.ref.author = v.repo = v.target = v.reason_text = v.deployed_env = bad;
	struct view_test test = {bad, bad, bad, bad, bad};
	struct view_job job = {.name = bad, .facts = bad, .run = 1};
	struct view_conflict conflict = {bad, bad, bad, bad, bad};
	v.tests = &test;
	v.test_count = 1;
	v.jobs = &job;
	v.job_count = 1;
	v.conflicts = &conflict;
	v.conflict_count = 1;
	v.diff = STR("diff --git a/" HOSTILE " b/" HOSTILE "\n@@ -1 +1 @@\n+" HOSTILE "\n-" HOSTILE
	             "\n");
	v.frame.command = v.frame.json = v.frame.csrf = v.frame.read_only = bad;
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	change_page(&w, &v);
	struct view_env env = production();
	env.name = bad;
	env.repo = bad;
	env.health_text = bad;
	env.commit = bad;
	env.health = STR("unhealthy");
	struct view_environment e = {
		.frame = frame(HOSTILE, "environments", ""), .env = env, .listen = bad, .notice = bad};
	struct view_moving row = moving(ref(1, HOSTILE));
	row.state = row.next = row.label = bad;
	struct view_feed feed[] = {
		{.kind = FEED_EJECTED, .ref = ref(1, HOSTILE), .test = bad, .next = bad},
		{.kind = FEED_DEPLOY_FAILED,
	     .ref = ref(1, HOSTILE),
	     .env = bad,
	     .text = bad,
	     .commit = bad}};
	struct view_flow flow = flow_view(&row, feed, &env);
	struct view_notice notice = {
		.frame = frame(HOSTILE, "", ""), .status = 404, .title = bad, .text = bad, .next = bad};
	struct html w2 = {.out = &out}, w3 = {.out = &out}, w4 = {.out = &out};
	environment_page(&w2, &e);
	flow_page(&w3, &flow);
	notice_page(&w4, &notice);
	cut(&out, "<script>(", "</script>");
	struct str all = buf_view(&out);
	assert_false(str_contains(all, STR("<script>alert")));
	assert_false(str_contains(all, STR("<img")));
	assert_false(str_contains(all, STR("\x01")));
	assert_int_equal(str_utf8_bad(all), all.n);
	assert_true(str_contains(all, STR("&lt;script&gt;alert(1)")));
}

static void environment_is_as_recorded(void **state) {
	(void)state;
	struct view_rollout rollouts[] = {{.commit = STR("7c1e09d11111"),
	                                   .state = STR("live"),
	                                   .cause = STR("landed"),
	                                   .change = 1839,
	                                   .began_ms = now - 2003000,
	                                   .ended_ms = now - 2000000,
	                                   .took_ms = 3000},
	                                  {.commit = STR("a81f3d022222"),
	                                   .state = STR("failed"),
	                                   .cause = STR("deploy"),
	                                   .by = STR("jonas"),
	                                   .change = 1828,
	                                   .reason_text = STR("/healthz answered 503"),
	                                   .began_ms = now - 3000000,
	                                   .ended_ms = now - 2999000,
	                                   .took_ms = 1000}};
	struct view_release releases[] = {
		{7, 1839, STR("7c1e09d11111"), STR("Count"), now - 2010000, 1, false, true},
		{6, 1836, STR("90be77122222"), STR("Shorten"), now - 4000000, 1, true, false}};
	struct view_environment v = {.frame = frame("production", "environments",
	                                            "/live?page=/environment/shortlink/production"),
	                             .env = production(),
	                             .listen = STR("127.0.0.1:8000"),
	                             .rollouts = rollouts,
	                             .rollout_count = 2,
	                             .releases = releases,
	                             .release_count = 2,
	                             .log = {.gone = STR("nothing runs")}};
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	environment_page(&w, &v);
	golden("environment", &out);
}

static void log_is_as_recorded(void **state) {
	(void)state;
	struct view_log_line lines[] = {{1, 'o', STR("ok"), false},
	                                {2, 'e', STR("<span class=\"ansi-red\">no</span>"), false}};
	struct view_log_page v = {.frame = frame("Log", "", "/live?page=/change/12/log/test"),
	                          .ref = ref(12, "Count"),
	                          .job = {.name = STR("test"),
	                                  .state = JOB_VIEW_RUNNING,
	                                  .started_ms = now - 5000,
	                                  .expected_ms = 9000},
	                          .log = {STR("test"), lines, 2, 0, true, STR_NONE},
	                          .first = 1,
	                          .last = 2};
	AUTO_BUF out = {0};
	struct html w = {.out = &out};
	log_page(&w, &v);
	golden("log", &out);
}

static void words_for_times_and_numbers(void **state) {
	(void)state;
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {{0, "under\xc2\xa0"
	                "1\xc2\xa0ms"},
	            {43, "43\xc2\xa0ms"},
	            {100, "0.1\xc2\xa0s"},
	            {430, "0.4\xc2\xa0s"},
	            {41000, "41\xc2\xa0s"},
	            {88000, "1\xc2\xa0min\xc2\xa0"
	                    "28\xc2\xa0s"},
	            {3600000 * 2 + 300000, "2\xc2\xa0h\xc2\xa0"
	                                   "05\xc2\xa0min"},
	            {100000000, "1\xc2\xa0"
	                        "d\xc2\xa0"
	                        "3\xc2\xa0h"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_BUF out = {0};
		html_duration(&out, rows[i].ms);
		assert_text(buf_view(&out), rows[i].want);
	}
	AUTO_BUF n = {0};
	html_number(&n, 1234567);
	buf_char(&n, ' ');
	html_number(&n, -1000);
	struct html w = {.out = &n};
	html_put(&w, " %c, %c, %c", INT64_C(1), "line", INT64_C(0), "test", INT64_C(4321), "file");
	assert_text(buf_view(&n), "1,234,567 -1,000 1 line, 0 tests, 4,321 files");
}

static void a_long_diff_is_cut(void **state) {
	(void)state;
	AUTO_BUF diff = {0}, out = {0};
	buf_cstr(&diff, "diff --git a/x b/x\n@@ -0,0 +1,900 @@\n");
	for (int i = 0; i < 900; i++) buf_cstr(&diff, "+line\n");
	struct html w = {.out = &out};
	assert_false(diffview_write(&w, buf_view(&diff), 400));
	assert_true(diffview_write(&w, buf_view(&diff), 4000));
}

static void assets_keep_their_budget(void **state) {
	(void)state;
	assert_in_range(asset_style().n, 1000, 12 * 1024);
	assert_in_range(asset_script().n, 1000, 8 * 1024);
	assert_false(str_contains(asset_script(), STR("</script")));
	assert_false(str_contains(asset_style(), STR("</style")));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_is_as_recorded),
		cmocka_unit_test(an_ejected_change_is_not_open),
		cmocka_unit_test(an_empty_server_says_what_to_do),
		cmocka_unit_test(queue_is_as_recorded),
		cmocka_unit_test(change_is_as_recorded),
		cmocka_unit_test(a_change_says_with_whom_it_landed),
		cmocka_unit_test(environment_is_as_recorded),
		cmocka_unit_test(log_is_as_recorded),
		cmocka_unit_test(hostile_texts_stay_texts),
		cmocka_unit_test(words_for_times_and_numbers),
		cmocka_unit_test(a_long_diff_is_cut),
		cmocka_unit_test(assets_keep_their_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
