// scene_test FILE...: plays each and prints TAP with what differs; WEIR_SCENE_WRITE=1 rewrites the
// expect lines instead. Without files: tests of the language itself.
#include "sim/scene.h"

#include <stdlib.h>

#include "base/unit.h"

static bool read_file(const char *path, struct buf *out) {
	FILE *f = fopen(path, "rb");
	if (!f) return false;
	for (size_t n = 1; n;) {
		n = fread(buf_grow(out, 4096), 1, 4096, f);
		out->n += n;
	}
	return fclose(f) == 0;
}

static bool write_file(const char *path, struct str text) {
	FILE *f = fopen(path, "wb");
	if (!f) return false;
	bool good = fwrite(text.p, 1, text.n, f) == text.n;
	return fclose(f) == 0 && good;
}

// The first line that differs, with the one above it.
static void show_difference(struct str want, struct str got) {
	struct str above = STR_NONE;
	for (int line = 1; want.p || got.p; line++) {
		struct str a = str_cut(&want, '\n'), b = str_cut(&got, '\n');
		if (!str_eq(a, b)) {
			printf("# line %d, below: " STR_FMT "\n#  want: " STR_FMT "\n#  got:  " STR_FMT "\n",
			       line, STR_ARG(above), STR_ARG(a), STR_ARG(b));
			return;
		}
		above = a;
	}
}

static bool play_file(const char *path) {
	AUTO_BUF want = {0};
	AUTO_BUF got = {0};
	struct err e;
	if (!read_file(path, &want)) return printf("# can't be read: %s\n", path), false;
	if (!scene_play(buf_view(&want), &got, &e)) {
		printf("# %s\n", e.text);
		return false;
	}
	if (str_eq(buf_view(&want), buf_view(&got))) return true;
	if (getenv("WEIR_SCENE_WRITE")) return write_file(path, buf_view(&got));
	show_difference(buf_view(&want), buf_view(&got));
	return false;
}

static int play_files(int count, char **paths) {
	int failed = 0;
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		bool good = play_file(paths[i]);
		failed += !good;
		printf("%sok %d - %s\n", good ? "" : "not ", i + 1, paths[i]);
	}
	return failed ? 1 : 0;
}

static const char first[] = "# A change lands.\n"
							"given repo shop\n"
							"given plan one: test\n"
							"at 10 push fix\n";

static void a_scene_is_told(void **state) {
	(void)state;
	AUTO_BUF out = {0};
	struct err e;
	assert_ok(scene_play(str_of(first), &out, &e), e);
	assert_text(buf_view(&out), "# A change lands.\n"
	                            "given repo shop\n"
	                            "given plan one: test\n"
	                            "at 10 push fix\n"
	                            "expect change.proposed 1.1 fix\n"
	                            "expect change.queued 1.1\n"
	                            "expect candidate.issued c1 = 1.1 on T\n");
}

static void a_wrong_line_is_named(void **state) {
	(void)state;
	AUTO_BUF out = {0};
	struct err e;
	assert_refused(scene_play(STR("given repo shop\nat 5 dance\n"), &out, &e), e, ERR_INVALID);
	assert_true(str_contains(str_of(e.text), STR("dance")));
	assert_refused(scene_play(STR("at -5 wait\n"), &out, &e), e, ERR_INVALID);
	assert_refused(scene_play(STR("given rain\n"), &out, &e), e, ERR_INVALID);
}

static void refusals_are_part_of_it(void **state) {
	(void)state;
	AUTO_BUF out = {0};
	struct err e;
	assert_ok(scene_play(STR("given repo shop\nat 5 withdraw 3\n"), &out, &e), e);
	assert_true(str_contains(buf_view(&out), STR("expect refused open change 3 does not exist")));
}

int main(int argc, char **argv) {
	if (argc > 1) return play_files(argc - 1, argv + 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scene_is_told),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(refusals_are_part_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
