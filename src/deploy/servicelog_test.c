// Lines get their time, long ones are broken, files are rotated, and the pipe outlives its reader.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "deploy/servicelog.h"
#include "os/file.h"

struct place {
	char folder[40];
	char pipe[60], log[60], older[60];
	struct loop *loop;
	struct servicelog *s;
};

static int set_up(void **state) {
	struct place *p = calloc(1, sizeof *p);
	struct err e;
	if (!p) abort();
	strcpy(p->folder, "/tmp/weir-servicelog-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->pipe, sizeof p->pipe, "%s/x.pipe", p->folder);
	snprintf(p->log, sizeof p->log, "%s/x.log", p->folder);
	snprintf(p->older, sizeof p->older, "%s/x.log.1", p->folder);
	assert_ok(loop_open(&p->loop, &e), e);
	assert_ok(servicelog_open(p->loop, p->pipe, p->log, 0, &p->s, &e), e);
	*state = p;
	return 0;
}

static int tear_down(void **state) {
	struct place *p = *state;
	struct err e;
	servicelog_close(p->s);
	loop_close(p->loop);
	assert_ok(file_remove_tree(p->folder, &e), e);
	free(p);
	return 0;
}

static void say(struct servicelog *s, struct str text) {
	AUTO_FD fd = servicelog_writer(s);
	struct err e;
	assert_ok(file_write_all(fd, text, &e), e);
}

// What stands behind the 24 characters of the time and a blank.
static void assert_lines(const struct place *p, const char *const *want, size_t count) {
	AUTO_BUF text = {0};
	struct err e;
	assert_ok(file_read(p->log, 1 << 20, &text, &e), e);
	struct str rest = buf_view(&text);
	for (size_t i = 0; i < count; i++) {
		struct str line = str_cut(&rest, '\n');
		assert_true(line.n >= 25 && line.p[23] == 'Z' && line.p[24] == ' ');
		assert_text(str_from(line, 25), want[i]);
	}
	assert_text(rest, "");
}

static void lines_get_their_time(void **state) {
	struct place *p = *state;
	say(p->s, STR("one\ntw"));
	say(p->s, STR("o\n\nend without newline"));
	servicelog_close(p->s);
	p->s = NULL;
	assert_lines(p, (const char *const[]){"one", "two", "", "end without newline"}, 4);
	assert_false(file_exists(p->pipe));
}

static void a_long_line_is_broken(void **state) {
	struct place *p = *state;
	AUTO_BUF line = {0};
	for (int i = 0; i < SERVICELOG_LINE + 10; i++) buf_char(&line, 'x');
	buf_char(&line, '\n');
	say(p->s, buf_view(&line));
	servicelog_close(p->s);
	p->s = NULL;
	AUTO_BUF text = {0};
	struct err e;
	assert_ok(file_read(p->log, 1 << 20, &text, &e), e);
	struct str rest = buf_view(&text);
	assert_int_equal(str_cut(&rest, '\n').n, 25 + SERVICELOG_LINE);
	assert_int_equal(str_cut(&rest, '\n').n, 25 + 10);
}

static void the_pipe_outlives_its_reader(void **state) {
	struct place *p = *state;
	struct err e;
	AUTO_FD service = servicelog_writer(p->s);
	AUTO_BUF path = {0}; // a killed supervisor leaves the name too
	buf_printf(&path, "%s.kept", p->pipe);
	assert_int_equal(link(p->pipe, path.p), 0);
	servicelog_close(p->s);
	p->s = NULL;
	assert_ok(file_write_all(service, STR("nobody reads\n"), &e), e); // no SIGPIPE
	assert_int_equal(rename(path.p, p->pipe), 0);
	assert_ok(servicelog_open(p->loop, p->pipe, p->log, 0, &p->s, &e), e);
	servicelog_close(p->s);
	p->s = NULL;
	assert_lines(p, (const char *const[]){"nobody reads"}, 1);
}

static void a_full_file_becomes_the_older_one(void **state) {
	struct place *p = *state;
	char filler[1000];
	memset(filler, 'y', sizeof filler);
	for (int i = 0; i < SERVICELOG_BYTES / 1000 + 10; i++)
		servicelog_line(p->s, "%.*s", (int)sizeof filler, filler);
	servicelog_line(p->s, "last");
	AUTO_BUF tail = {0};
	assert_true(file_exists(p->older));
	servicelog_tail(p->log, 200, &tail); // the newer one has fewer: both are read
	size_t lines = 0;
	for (size_t i = 0; i < tail.n; i++) lines += tail.p[i] == '\n';
	assert_int_equal(lines, 200);
	assert_true(str_ends(buf_view(&tail), STR("last\n")));
	buf_reset(&tail);
	servicelog_tail(p->log, 1, &tail);
	assert_int_equal(str_find_char(buf_view(&tail), '\n'), tail.n - 1);
}

static void a_missing_log_has_no_lines(void **state) {
	AUTO_BUF tail = {0};
	(void)state;
	servicelog_tail("/nowhere/at/all", 10, &tail);
	assert_int_equal(tail.n, 0);
}

static bool is_x(const void *context, struct str name) {
	return str_starts(name, str_of(context));
}

static void the_newest_logs_stay(void **state) {
	struct place *p = *state;
	char path[80];
	for (int i = 0; i < 6; i++) {
		struct timespec written[2] = {{1000 + i, 0}, {1000 + i, 0}};
		struct err e;
		snprintf(path, sizeof path, "%s/r%d.0.log", p->folder, i);
		assert_ok(file_replace(path, STR("x"), 0600, &e), e);
		assert_int_equal(utimensat(AT_FDCWD, path, written, 0), 0);
	}
	servicelog_tidy(p->folder, 6, is_x, "x.");
	servicelog_tidy(p->folder, 2, is_x, "x.");
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof path, "%s/r%d.0.log", p->folder, i);
		assert_int_equal(file_exists(path), i >= 4);
	}
	assert_true(file_exists(p->log));
	servicelog_tidy("/nonexistent", 2, is_x, "x.");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_get_their_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_line_is_broken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_pipe_outlives_its_reader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_file_becomes_the_older_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_newest_logs_stay, set_up, tear_down),
		cmocka_unit_test(a_missing_log_has_no_lines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
