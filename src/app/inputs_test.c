// A verdict holds for another tree or not: two ways to find out agree on trees that nobody chose.
#include "app/inputs.h"

#include "base/prng.h"
#include "git/lookup.h"
#include "git/playground.h"

enum { TREES = 40, CASES = 3000 };

static struct arena life;

static struct str made(struct git_reader *reader, struct oid tree, struct reads *record) {
	AUTO_BUF text = {0};
	struct str out;
	struct err e = {0};
	reads_write(record, &text);
	assert_ok(inputs_make(reader, tree, arena_str(&life, buf_view(&text)), &life, &out, &e), e);
	return out;
}

static void changed(struct git_reader *reader, const struct inputs *in, struct oid from,
                    struct oid to, struct str *why) {
	struct git_differences d = {0};
	struct err e = {0};
	assert_ok(git_tree_diff(reader, from, to, true, &life, &d, &e), e);
	assert_ok(inputs_changed(in, &d, reader, &life, why, &e), e);
}

// ---------------------------------------------------------------- one story

static const char first[] =
	"cd w; mkdir -p src doc; echo 'int a;' >src/a.c; echo a >src/a.h; echo doc >doc/a; "
	"ln -s a.c src/link; git add -A; git commit -qm 1; git rev-parse HEAD^{tree}";

static const struct {
	const char *then, *why;
} rows[] = {
	{"echo more >doc/b; echo x >doc/a", ""},
	{"echo 'int b;' >src/a.c", "src/a.c changed"},
	{"echo b >src/a.h", ""}, // its size is all that was asked for
	{"echo longer >src/a.h", "src/a.h has another size"},
	{"chmod +x src/a.h", "src/a.h may be executed, or no longer"},
	{"rm src/a.h", "src/a.h is gone"},
	{"echo >src/b.h", "src/b.h is new, and it had looked for it"},
	{"mkdir src/b.h; echo >src/b.h/x", "src/b.h is new, and it had looked for it"},
	{"mkdir src/c.h; echo >src/c.h", ""},
	{"ln -sf b.c src/link", "src/link changed"},
	{"echo >new", "new is new where it listed the folder"},
	{"git mv doc doc2", "doc is gone where it listed the folder, and 1 more"},
	{"rm doc/a; rmdir doc; echo >doc", "doc is of another kind"},
	{"chmod +x src/a.c", "src/a.c may be executed, or no longer"},
};

static void what_changed_is_named(void **state) {
	(void)state;
	AUTO_READER reader = {0};
	struct err e = {0};
	make_work_tree();
	struct oid from = sh_oid("%s", first);
	assert_ok(git_object_open(pg.repo, &reader, &e), e);
	struct reads_entry list[] = {{.path = STR("."), .what = READS_NAMES},
	                             {.path = STR("src"), .what = READS_SEEN},
	                             {.path = STR("src/a.c"), .what = READS_SEEN | READS_BYTES},
	                             {.path = STR("src/a.h"), .what = READS_SEEN},
	                             {.path = STR("src/b.h"), .what = READS_ABSENT},
	                             {.path = STR("src/link"), .what = READS_SEEN | READS_BYTES}};
	struct inputs in;
	assert_ok(
		inputs_parse(made(&reader, from, &(struct reads){list, ARRAY_LEN(list)}), &life, &in, &e),
		e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str why;
		bool hold;
		struct oid to = sh_oid("cd w; git checkout -q main; git reset -q --hard; git clean -qfd; "
		                       "{\n%s\n} 2>/dev/null || true; "
		                       "git add -A; git write-tree; git reset -q --hard",
		                       rows[i].then);
		changed(&reader, &in, from, to, &why);
		if (!str_eq(why, str_of(rows[i].why)))
			fail_msg("%s: \"" STR_FMT "\"", rows[i].then, STR_ARG(why));
		assert_ok(inputs_hold(&in, &reader, to, &hold, &e), e);
		assert_int_equal(hold, why.n == 0);
	}
}

static void a_tree_that_is_not_the_run_s_is_refused(void **state) {
	(void)state;
	AUTO_READER reader = {0};
	struct err e = {0};
	struct str out;
	make_work_tree();
	struct oid tree = sh_oid("%s", first);
	assert_ok(git_object_open(pg.repo, &reader, &e), e);
	static const char gone[] = "s  src/nowhere", there[] = "a  src/a.c";
	assert_refused(inputs_make(&reader, tree, (struct str){gone, sizeof gone}, &life, &out, &e), e,
	               ERR_CORRUPT);
	assert_refused(inputs_make(&reader, tree, (struct str){there, sizeof there}, &life, &out, &e),
	               e, ERR_CORRUPT);
}

// ---------------------------------------------------------------- any story

static const char *name(struct prng *r) {
	static const char *const names[] = {"a", "a-b", "b"};
	return names[prng_below(r, ARRAY_LEN(names))];
}

static const char *path(struct prng *r) {
	switch (prng_below(r, 3)) {
	case 0: return name(r);
	case 1: return arena_printf(&life, "%s/%s", name(r), name(r)).p;
	default: return arena_printf(&life, "%s/%s/%s", name(r), name(r), name(r)).p;
	}
}

static struct oid any_tree(struct prng *r) {
	AUTO_BUF script = {0};
	buf_cstr(&script, "cd w; git rm -rfq --cached . >/dev/null 2>&1 || true; rm -rf -- *\n");
	for (uint64_t i = prng_below(r, 8); i > 0; i--) {
		const char *at = path(r);
		buf_printf(&script, "{ mkdir -p \"$(dirname %s)\" && ", at);
		if (prng_chance(r, 1, 6)) buf_printf(&script, "ln -s %s %s", name(r), at);
		else buf_printf(&script, "echo %s >%s", prng_chance(r, 1, 2) ? name(r) : "text", at);
		if (prng_chance(r, 1, 6)) buf_printf(&script, " && chmod +x %s", at);
		buf_cstr(&script, "; } 2>/dev/null || true\n");
	}
	buf_cstr(&script, "git add -A; git write-tree");
	return sh_oid("%s", script.p);
}

static void note(struct reads *r, struct str at, unsigned what) {
	for (size_t i = 0; i < r->n; i++) {
		if (!str_eq(r->list[i].path, at)) continue;
		r->list[i].what |= what;
		return;
	}
	r->list[r->n++] = (struct reads_entry){.path = arena_str(&life, at), .what = what};
}

// As the kernel asks: each folder on the way, and nothing below what is none.
static void ask(struct git_reader *reader, struct oid tree, struct prng *r, struct reads *out) {
	AUTO_LOOKUP l = {.reader = reader, .tree = tree};
	struct str wanted = str_of(path(r));
	struct git_entry entry;
	struct err e = {0};
	if (prng_chance(r, 1, 4)) note(out, STR("."), READS_NAMES);
	for (size_t end = 1; end <= wanted.n; end++) {
		if (end < wanted.n && wanted.p[end] != '/') continue;
		struct str at = str_slice(wanted, 0, end);
		assert_ok(git_lookup_path(&l, at, &entry, &e), e);
		bool folder = entry.mode == GIT_MODE_FOLDER, deeper = prng_chance(r, 1, 2);
		note(out, at,
		     entry.mode == GIT_MODE_NONE ? READS_ABSENT
		     : !deeper                   ? READS_SEEN
		     : folder                    ? READS_SEEN | READS_NAMES
		                                 : READS_SEEN | READS_BYTES);
		if (!folder) return;
	}
}

static void both_ways_agree(void **state) {
	(void)state;
	AUTO_READER reader = {0};
	struct err e = {0};
	struct prng r = prng_seeded(20261128);
	struct oid trees[TREES];
	size_t held = 0;
	make_work_tree();
	for (size_t i = 0; i < TREES; i++) trees[i] = any_tree(&r);
	assert_ok(git_object_open(pg.repo, &reader, &e), e);
	for (size_t i = 0; i < CASES; i++) {
		struct oid from = trees[prng_below(&r, TREES)], to = trees[prng_below(&r, TREES)];
		struct reads_entry list[64];
		struct reads record = {.list = list};
		struct inputs in;
		struct str why;
		bool hold;
		for (uint64_t n = prng_below(&r, 4); n > 0; n--) ask(&reader, from, &r, &record);
		struct str object = made(&reader, from, &record);
		assert_ok(inputs_parse(object, &life, &in, &e), e);
		changed(&reader, &in, from, to, &why);
		assert_ok(inputs_hold(&in, &reader, to, &hold, &e), e);
		if (hold != (why.n == 0))
			fail_msg("case %zu: %s by asking again, \"" STR_FMT "\"", i, hold ? "holds" : "not",
			         STR_ARG(why));
		held += hold;
		arena_reset(&life);
	}
	assert_in_range(held, CASES / 10, CASES * 9 / 10);
}

static int forget(void **state) {
	arena_free(&life);
	return playground_close(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, playground_open, forget)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(what_changed_is_named),
		TEST(a_tree_that_is_not_the_run_s_is_refused),
		TEST(both_ways_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
