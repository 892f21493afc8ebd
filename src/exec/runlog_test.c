#include "exec/runlog.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "os/file.h"

static char folder[] = "/tmp/runlog-test-XXXXXX";
static char path[64];

static struct runlog *open_log(struct runlog_limits limits) {
	struct runlog *l;
	struct err e = {0};
	unlink(path);
	assert_ok(runlog_create(path, limits, &l, &e), e);
	return l;
}

static struct runlog_totals close_log(struct runlog *l, struct buf *text) {
	struct err e = {0};
	struct runlog_totals totals;
	assert_ok(runlog_close(l, 99, &totals, &e), e);
	assert_ok(file_read(path, 1 << 28, text, &e), e);
	assert_int_equal(totals.file_bytes, text->n);
	return totals;
}

static void writes_lines_with_time_and_channel(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	struct runlog *l = open_log((struct runlog_limits){0});
	runlog_add(l, RUNLOG_OUT, STR("one\ntwo\nthr"), 0);
	runlog_add(l, RUNLOG_ERR, STR("\033[1mbad\377\n\n"), 5);
	runlog_add(l, RUNLOG_OUT, STR("ee\n"), 12);
	runlog_add(l, RUNLOG_WEIR, STR("end\n"), 13);
	struct runlog_totals totals = close_log(l, &text);
	assert_text(buf_view(&text),
	            "0 o one\n0 o two\n5 e \033[1mbad\377\n5 e \n12 o three\n13 w end\n");
	assert_int_equal(totals.text_bytes, 28);
	assert_int_equal(totals.dropped_bytes, 0);
}

static void shows_a_prompt_before_its_line_ends(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	struct err e = {0};
	struct runlog *l = open_log((struct runlog_limits){0});
	runlog_add(l, RUNLOG_OUT, STR("name? "), 1);
	runlog_flush(l, false, 1);
	assert_true(runlog_has_partial(l));
	assert_ok(file_read(path, 100, &text, &e), e);
	assert_text(buf_view(&text), "");
	runlog_flush(l, true, 200);
	assert_false(runlog_has_partial(l));
	runlog_add(l, RUNLOG_OUT, STR("x\nrest"), 201);
	close_log(l, &text);
	assert_text(buf_view(&text), "200 o+name? \n201 o x\n99 o rest\n");
}

static void keeps_head_and_tail_of_a_long_line(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	struct runlog *l = open_log((struct runlog_limits){.line_bytes = 20});
	runlog_add(l, RUNLOG_OUT, STR("aaaaabbbbb"), 0);
	for (int i = 0; i < 100; i++) runlog_add(l, RUNLOG_OUT, STR("0123456"), 1);
	runlog_add(l, RUNLOG_OUT, STR("ccccc\nshort\n"), 2);
	struct runlog_totals totals = close_log(l, &text);
	assert_text(buf_view(&text), "0 o+aaaaabbbbb\n2 d 695\n2 o 23456ccccc\n2 o short\n");
	assert_int_equal(totals.dropped_bytes, 695);
	assert_int_equal(totals.text_bytes, 722);
}

static void a_line_of_just_the_limit_is_whole(void **state) {
	(void)state;
	for (size_t n = 18; n <= 22; n++) {
		AUTO_BUF text = {0};
		AUTO_BUF got = {0};
		struct runlog *l = open_log((struct runlog_limits){.line_bytes = 20});
		char line[32];
		for (size_t i = 0; i < n; i++) {
			line[i] = (char)('a' + i);
			runlog_add(l, RUNLOG_OUT, (struct str){line + i, 1}, 0);
		}
		runlog_add(l, RUNLOG_OUT, STR("\n"), 0);
		struct runlog_totals totals = close_log(l, &text);
		assert_int_equal(totals.dropped_bytes, n > 20 ? n - 20 : 0);
		struct str rest = buf_view(&text);
		struct runlog_record r;
		while (runlog_next(&rest, &r))
			if (r.channel == RUNLOG_OUT) buf_str(&got, r.text);
		assert_int_equal(got.n, n > 20 ? 20 : n);
	}
}

static void keeps_head_and_tail_of_a_long_log(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	struct runlog *l = open_log((struct runlog_limits){.total_bytes = 4000});
	uint64_t printed = 0, read = 0, dropped = 0;
	char line[32];
	for (int i = 0; i < 100000; i++) {
		int n = snprintf(line, sizeof line, "line %d\n", i);
		printed += (uint64_t)n;
		runlog_add(l, RUNLOG_OUT, (struct str){line, (size_t)n}, i);
	}
	struct runlog_totals totals = close_log(l, &text);
	assert_true(text.n <= 4100 && text.n > 3000);
	struct str rest = buf_view(&text);
	struct runlog_record r, last = {0};
	assert_true(runlog_next(&rest, &r));
	assert_text(r.text, "line 0");
	read = r.text.n + 1;
	while (runlog_next(&rest, &r)) {
		if (r.channel == RUNLOG_DROPPED) dropped += r.dropped;
		else read += r.text.n + 1;
		last = r;
	}
	assert_text(last.text, "line 99999");
	assert_int_equal(last.ms, 99999);
	assert_int_equal(totals.dropped_bytes, dropped);
	assert_true(printed - read - dropped < 200); // line feeds of what was cut are not text
	assert_int_equal(totals.text_bytes, printed);
}

static void an_endless_line_stays_bounded(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	AUTO_BUF block = {0};
	memset(buf_grow(&block, 1 << 20), 'x', 1 << 20);
	block.n = 1 << 20;
	struct runlog *l = open_log((struct runlog_limits){.total_bytes = 8 << 20});
	for (int i = 0; i < 300; i++) runlog_add(l, RUNLOG_OUT, buf_view(&block), i);
	struct runlog_totals totals = close_log(l, &text);
	assert_int_equal(totals.text_bytes, 300u << 20);
	assert_true(text.n <= 8 << 20);
	assert_true(totals.dropped_bytes > 290u << 20);
}

static void one_huge_write_stays_bounded(void **state) {
	(void)state;
	AUTO_BUF text = {0};
	AUTO_BUF block = {0};
	for (int i = 0; i < 1 << 20; i++) buf_cstr(&block, "y\n");
	struct runlog *l = open_log((struct runlog_limits){.total_bytes = 100000});
	for (int i = 0; i < 20; i++) runlog_add(l, RUNLOG_OUT, buf_view(&block), i);
	close_log(l, &text);
	assert_true(text.n < 125000);
}

static void reads_past_damage(void **state) {
	(void)state;
	struct str rest = STR("1 o a\nnonsense\n2 z b\n-3 o c\n4 d x\n5 d 17\n6 o+\n7 o torn");
	struct runlog_record r;
	assert_true(runlog_next(&rest, &r));
	assert_text(r.text, "a");
	assert_true(runlog_next(&rest, &r));
	assert_int_equal(r.channel, RUNLOG_DROPPED);
	assert_int_equal(r.dropped, 17);
	assert_true(runlog_next(&rest, &r));
	assert_true(r.goes_on);
	assert_int_equal(r.ms, 6);
	assert_false(runlog_next(&rest, &r));
	assert_text(rest, "7 o torn");
}

static void never_writes_through_a_link(void **state) {
	(void)state;
	struct err e = {0};
	struct runlog *l;
	unlink(path);
	assert_int_equal(symlink("/dev/full", path), 0);
	assert_refused(runlog_create(path, (struct runlog_limits){0}, &l, &e), e, ERR_IO);
	unlink(path);
}

static int make_folder(void **state) {
	(void)state;
	if (!mkdtemp(folder)) return 1;
	snprintf(path, sizeof path, "%s/log", folder);
	return 0;
}

static int remove_folder(void **state) {
	(void)state;
	return file_remove_tree(folder, NULL) ? 0 : 1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_lines_with_time_and_channel),
		cmocka_unit_test(shows_a_prompt_before_its_line_ends),
		cmocka_unit_test(keeps_head_and_tail_of_a_long_line),
		cmocka_unit_test(a_line_of_just_the_limit_is_whole),
		cmocka_unit_test(keeps_head_and_tail_of_a_long_log),
		cmocka_unit_test(an_endless_line_stays_bounded),
		cmocka_unit_test(one_huge_write_stays_bounded),
		cmocka_unit_test(reads_past_damage),
		cmocka_unit_test(never_writes_through_a_link),
	};
	return cmocka_run_group_tests_name("runlog", tests, make_folder, remove_folder);
}
