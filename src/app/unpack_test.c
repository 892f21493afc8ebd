// Artifacts become the files they were, and nothing that a manifest names leaves the folder.
#include "app/unpack.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "os/file.h"

struct place {
	struct arena life;
	struct object_store *objects;
	struct digest body; // of "bytes"
	const char *top, *folder;
};

static int begin(void **state) {
	static char name[] = "/tmp/weir-unpack.XXXXXX";
	static struct place place;
	struct place *p = &place;
	struct err e;
	memcpy(name + sizeof name - 7, "XXXXXX", 7);
	*p = (struct place){.top = mkdtemp(name)};
	assert_non_null(p->top);
	p->folder = arena_printf(&p->life, "%s/out", p->top).p;
	assert_ok(file_make_folders(p->folder, 0755, &e), e);
	assert_ok(object_store_open(p->top, &p->objects, &e), e);
	assert_ok(object_put(p->objects, STR("bytes"), &p->body, &e), e);
	*state = p;
	return 0;
}

static int end(void **state) {
	struct place *p = *state;
	struct err e;
	object_store_close(&p->objects);
	assert_ok(file_remove_tree(p->top, &e), e);
	arena_free(&p->life);
	return 0;
}

// A manifest of entries "path", "path*" (executable) or "path>target" (link), with blanks between.
static struct digest manifest(struct place *p, const char *entries) {
	AUTO_BUF text = {0};
	struct digest name;
	struct err e;
	char hex[DIGEST_HEX + 1];
	digest_hex(p->body, hex);
	buf_char(&text, '[');
	for (struct str rest = str_of(entries); rest.p;) {
		struct str target = str_cut(&rest, ' '), path = str_cut(&target, '>');
		bool executable = str_ends(path, STR("*"));
		if (executable) path.n--;
		if (text.n > 1) buf_char(&text, ',');
		buf_printf(&text, "{\"path\":\"" STR_FMT "\",", STR_ARG(path));
		if (target.p) buf_printf(&text, "\"link\":\"" STR_FMT "\"}", STR_ARG(target));
		else
			buf_printf(&text, "\"mode\":\"%s\",\"sha256\":\"%s\"}", executable ? "0755" : "0644",
			           hex);
	}
	buf_char(&text, ']');
	assert_ok(object_put(p->objects, buf_view(&text), &name, &e), e);
	return name;
}

static bool unpack(struct place *p, const char *entries, const char *pattern, struct err *e) {
	struct str wanted = str_of(pattern);
	return unpack_artifact(p->objects, manifest(p, entries), p->folder, &wanted, pattern != NULL,
	                       e);
}

static const char *at(struct place *p, const char *below) {
	return arena_printf(&p->life, "%s/%s", p->folder, below).p;
}

static void assert_file(struct place *p, const char *below, mode_t mode) {
	AUTO_BUF text = {0};
	struct err e;
	struct stat s;
	assert_ok(file_read(at(p, below), 100, &text, &e), e);
	assert_text(buf_view(&text), "bytes");
	assert_int_equal(stat(at(p, below), &s), 0);
	assert_int_equal(s.st_mode & 0777, mode);
}

static void files_links_and_modes_come_back(void **state) {
	struct place *p = *state;
	struct err e;
	char target[40] = "";
	assert_ok(unpack(p, "a b/c/run* b/latest>c/run b/c/d", NULL, &e), e);
	assert_file(p, "a", 0644);
	assert_file(p, "b/c/run", 0755);
	assert_file(p, "b/c/d", 0644);
	assert_int_equal(readlink(at(p, "b/latest"), target, sizeof target - 1), 5);
	assert_string_equal(target, "c/run");
}

static void patterns_choose(void **state) {
	struct place *p = *state;
	struct err e;
	assert_ok(unpack(p, "a b/c b/d", "b/*", &e), e);
	assert_false(file_exists(at(p, "a")));
	assert_file(p, "b/c", 0644);
	assert_true(unpack_has(p->folder, STR("b/d")) && !unpack_has(p->folder, STR("a")));
	assert_true(unpack_has(p->folder, STR("none/*"))); // a pattern is believed
}

static void the_same_name_twice_is_a_conflict(void **state) {
	struct place *p = *state;
	struct err e;
	assert_ok(unpack(p, "a", NULL, &e), e);
	assert_refused(unpack(p, "a", NULL, &e), e, ERR_CONFLICT);
}

static void nothing_leaves_the_folder(void **state) {
	struct place *p = *state;
	static const char *const bad[] = {"/tmp/x", "../x", "a/../../x", "a//x", "./x", "a/.."};
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(unpack(p, bad[i], NULL, &e), e, ERR_CORRUPT);
	// Also not through a link, whoever made it: each looks harmless where it was collected.
	assert_ok(unpack(p, "up>.. inner/x deep/er>.. in>inner", NULL, &e), e);
	assert_refused(unpack(p, "up/x", NULL, &e), e, ERR_CORRUPT);
	assert_refused(unpack(p, "up/new/x", NULL, &e), e, ERR_CORRUPT);
	assert_refused(unpack(p, "deep/er/up/x", NULL, &e), e, ERR_CORRUPT);
	assert_ok(unpack(p, "in/y deep/er/z", NULL, &e), e);
	assert_file(p, "inner/y", 0644);
	assert_file(p, "z", 0644);
	assert_false(file_exists(arena_printf(&p->life, "%s/x", p->top).p));
	assert_false(file_exists(arena_printf(&p->life, "%s/new", p->top).p));
}

static void what_is_no_manifest_is_refused(void **state) {
	struct place *p = *state;
	struct err e;
	assert_refused(unpack_artifact(p->objects, p->body, p->folder, NULL, 0, &e), e, ERR_INVALID);
	assert_refused(unpack_artifact(p->objects, (struct digest){{1}}, p->folder, NULL, 0, &e), e,
	               ERR_NOT_FOUND);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_links_and_modes_come_back, begin, end),
		cmocka_unit_test_setup_teardown(patterns_choose, begin, end),
		cmocka_unit_test_setup_teardown(the_same_name_twice_is_a_conflict, begin, end),
		cmocka_unit_test_setup_teardown(nothing_leaves_the_folder, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_manifest_is_refused, begin, end),
	};
	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
