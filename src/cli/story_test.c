// Every test/golden/cli/x.json gives what stands in x.expected (UTF-8, 80 columns), x.plain (a dumb
// terminal) and x.colour. GOLDEN_WRITE=1 writes them.
#include "cli/story.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clocktext.h"
#include "base/unit.h"
#include "cli/cli.h"
#include "cli/feed.h"
#include "os/file.h"

#define FOLDER "test/golden/cli/"

static int64_t now(void) {
	int64_t ms = 0;
	assert_true(clocktext_parse(STR("2026-11-19T14:32:10.000Z"), &ms));
	return ms;
}

static void draw(const char *name, const struct json *v, struct ink *out) {
	if (!strcmp(name, "queue") || !strncmp(name, "queue-", 6)) story_queue(v, now(), out);
	else story_change(v, now(), out);
}

static void compare(const char *name, const char *kind, struct str got) {
	char path[256];
	struct err e = {0};
	AUTO_BUF want = {0};
	snprintf(path, sizeof path, FOLDER "%s.%s", name, kind);
	if (getenv("GOLDEN_WRITE")) {
		assert_ok(file_write_atomic(path, got, 0644, &e), e);
		return;
	}
	assert_ok(file_read(path, 1 << 20, &want, &e), e);
	if (str_eq(got, buf_view(&want))) return;
	fail_msg("%s; got:\n" STR_FMT, path, STR_ARG(got));
}

static void golden(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct err e = {0};
	struct str *names;
	size_t n, tested = 0;
	assert_ok(file_list(FOLDER, &life, &names, &n, &e), e);
	for (size_t i = 0; i < n; i++) {
		if (!str_ends(names[i], STR(".json"))) continue;
		AUTO_BUF text = {0};
		AUTO_JSON v = NULL;
		char *name = arena_cstr(&life, str_slice(names[i], 0, names[i].n - 5));
		assert_ok(
			file_read(arena_printf(&life, FOLDER STR_FMT, STR_ARG(names[i])).p, 1 << 20, &text, &e),
			e);
		assert_ok(json_parse(buf_view(&text), &v, &e), e);
		AUTO_INK rich = {.utf8 = true, .width = 80};
		AUTO_INK plain = {0};
		AUTO_INK colour = {.utf8 = true, .width = 80, .colour = true};
		draw(name, v, &rich);
		draw(name, v, &plain);
		draw(name, v, &colour);
		compare(name, "expected", buf_view(&rich.out));
		compare(name, "plain", buf_view(&plain.out));
		compare(name, "colour", buf_view(&colour.out));
		tested++;
	}
	assert_true(tested >= 7);
}

static enum story_end ended(const char *text, const char *wanted) {
	AUTO_JSON v = NULL;
	struct err e = {0};
	assert_ok(json_parse(str_of(text), &v, &e), e);
	return story_ended(v, str_of(wanted));
}

static void waiting(void **state) {
	(void)state;
	const char *testing = "{\"state\":\"testing\",\"reason\":null}";
	const char *requeued =
		"{\"state\":\"queued\",\"reason\":{\"code\":\"base-changed\",\"stays_queued\":true}}";
	const char *landed = "{\"state\":\"landed\",\"times\":{\"deployed\":null}}";
	const char *live =
		"{\"state\":\"landed\",\"times\":{\"deployed\":\"2026-11-19T14:32:10.000Z\"}}";
	const char *refused = "{\"state\":\"landed\",\"times\":{\"deployed\":null},"
						  "\"delivery\":{\"state\":\"failed\"}}";
	const char *rejected = "{\"state\":\"rejected\",\"reason\":{\"code\":\"test-failed\"}}";
	const char *draft = "{\"state\":\"rejected\",\"reason\":{\"code\":\"draft-tested\"}}";
	const char *there = "{\"state\":\"rejected\",\"reason\":{\"code\":\"already-landed\"}}";
	assert_int_equal(ended(testing, "done"), STORY_GOES_ON);
	assert_int_equal(ended(requeued, "landed"), STORY_GOES_ON);
	assert_int_equal(ended(landed, "landed"), STORY_YES);
	assert_int_equal(ended(landed, "done"), STORY_YES);
	assert_int_equal(ended(landed, "deployed"), STORY_GOES_ON);
	assert_int_equal(ended(live, "deployed"), STORY_YES);
	assert_int_equal(ended(refused, "deployed"), STORY_NO);
	assert_int_equal(ended(refused, "landed"), STORY_YES);
	assert_int_equal(ended(rejected, "done"), STORY_NO);
	assert_int_equal(ended(rejected, "deployed"), STORY_NO);
	assert_int_equal(ended(draft, "done"), STORY_YES);
	assert_int_equal(ended(draft, "landed"), STORY_NO);
	assert_int_equal(ended(there, "landed"), STORY_YES);
}

static void records(void **state) {
	(void)state;
	AUTO_JSON v = NULL;
	struct err e = {0};
	AUTO_BUF out = {0};
	assert_ok(
		json_parse(
			STR("{\"id\":1845,\"state\":\"rejected\",\"reason\":{\"code\":\"test-failed\",\"text\":"
	            "\"a\\tb\"},"
	            "\"jobs\":[{\"name\":\"http\",\"state\":\"failed\",\"failed_tests\":[\"x\\ny\"]}],"
	            "\"times\":{\"ended\":\"2026-11-19T14:30:52.021Z\"}}"),
			&v, &e),
		e);
	story_record(v, now(), &out);
	assert_text(buf_view(&out),
	            "2026-11-19T14:30:52.021Z\t1845\trejected\ttest-failed\thttp\tx y\n");
}

static void events(void **state) {
	(void)state;
	AUTO_INK out = {0};
	feed_event(STR("{\"seq\":7,\"kind\":\"change.landed\",\"entity\":\"change/"
	               "12\",\"time\":\"2026-11-19T14:30:52.021Z\","
	               "\"body\":{\"commit\":\"0123456789012345678901234567890123456789\",\"none\":"
	               "null,\"empty\":\"\","
	               "\"list\":[1,2],\"n\":3}}"),
	           now(), &out);
	assert_text(buf_view(&out.out),
	            "14:30:52      7 change.landed change/12 commit=0123456 list=2 n=3\n");
	feed_event(STR("half a line"), now(), &out); // is passed by
	assert_int_equal(out.column, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(waiting),
		cmocka_unit_test(records),
		cmocka_unit_test(events),
	};
	return cmocka_run_group_tests_name("story", tests, NULL, NULL);
}
