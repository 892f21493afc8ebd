#include "store/object.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/unit.h"
#include "os/clock.h"
#include "os/file.h"

struct fixture {
	char folder[40];
	struct object_store *objects;
};

static int begin(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	strcpy(f->folder, "/tmp/weir-object.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_ok(object_store_open(f->folder, &f->objects, &e), e);
	*state = f;
	return 0;
}

static int end(void **state) {
	struct fixture *f = *state;
	struct err e;
	object_store_close(&f->objects);
	assert_ok(file_remove_tree(f->folder, &e), e);
	free(f);
	return 0;
}

static void path_in(struct fixture *f, struct digest name, struct buf *out) {
	char hex[DIGEST_HEX + 1];
	digest_hex(name, hex);
	buf_printf(out, "%s/objects/%.2s/%s", f->folder, hex, hex + 2);
}

// Text that compresses a little, so that pieces differ in length.
static void fill(struct buf *out, size_t n) {
	struct prng random = prng_seeded(n);
	while (out->n < n) buf_char(out, (char)('a' + prng_below(&random, 20)));
}

static size_t files_below(struct fixture *f, const char *folder) {
	AUTO_ARENA life = {0};
	AUTO_BUF path = {0};
	struct str *names;
	size_t n;
	struct err e;
	buf_printf(&path, "%s/objects/%s", f->folder, folder);
	assert_ok(file_list(path.p, &life, &names, &n, &e), e);
	return n;
}

static void gives_back_what_was_put(void **state) {
	static const size_t sizes[] = {0, 1, 4095, 1 << 20, (1 << 20) + 1, 3 << 20, (3 << 20) + 77};
	struct fixture *f = *state;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		AUTO_BUF bytes = {0};
		AUTO_BUF got = {0};
		struct digest name;
		fill(&bytes, sizes[i]);
		assert_ok(object_put(f->objects, buf_view(&bytes), &name, &e), e);
		assert_true(digest_eq(name, digest_of(buf_view(&bytes))));
		assert_true(object_exists(f->objects, name));
		struct digest again = {{0}};
		assert_ok(object_put(f->objects, buf_view(&bytes), &again, &e), e);
		assert_true(digest_eq(name, again));
		assert_ok(object_get(f->objects, name, sizes[i], &got, &e), e);
		assert_true(str_eq(buf_view(&got), buf_view(&bytes)));
		assert_ok(object_check(f->objects, name, &e), e);
		if (sizes[i] == 0) continue;
		assert_refused(object_get(f->objects, name, sizes[i] - 1, &got, &e), e, ERR_LIMIT);
		assert_int_equal(got.n, sizes[i]);
	}
	assert_int_equal(files_below(f, "tmp"), 0);
}

static void a_file_is_put_and_extracted(void **state) {
	struct fixture *f = *state;
	struct err e;
	AUTO_BUF bytes = {0};
	AUTO_BUF path = {0};
	AUTO_BUF got = {0};
	struct digest name;
	uint64_t n;
	struct stat st;
	fill(&bytes, 2500000);
	buf_printf(&path, "%s/file", f->folder);
	assert_refused(object_put_file(f->objects, path.p, 0, &name, &n, &e), e, ERR_NOT_FOUND);
	assert_ok(file_write_atomic(path.p, buf_view(&bytes), 0600, &e), e);
	assert_refused(object_put_file(f->objects, path.p, 2499999, &name, &n, &e), e, ERR_LIMIT);
	assert_ok(object_put_file(f->objects, path.p, 2500000, &name, &n, &e), e);
	assert_int_equal(n, 2500000);
	assert_refused(object_extract(f->objects, name, path.p, 0755, &e), e, ERR_CONFLICT);
	unlink(path.p);
	assert_ok(object_extract(f->objects, name, path.p, 0755, &e), e);
	assert_ok(file_read(path.p, 1 << 24, &got, &e), e);
	assert_true(str_eq(buf_view(&got), buf_view(&bytes)));
	assert_int_equal(stat(path.p, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(files_below(f, "tmp"), 0);
}

static void a_small_file_that_is_there_is_told_as_a_new_one(void **state) {
	struct fixture *f = *state;
	struct err e;
	AUTO_BUF path = {0};
	struct digest name;
	uint64_t n = 0;
	buf_printf(&path, "%s/file", f->folder);
	assert_ok(object_put(f->objects, STR("small"), &name, &e), e);
	assert_ok(file_write_atomic(path.p, STR("small"), 0600, &e), e);
	struct digest again = {{0}};
	assert_refused(object_put_file(f->objects, path.p, 4, &again, &n, &e), e, ERR_LIMIT);
	assert_ok(object_put_file(f->objects, path.p, 5, &again, &n, &e), e);
	assert_true(digest_eq(name, again));
	assert_int_equal(n, 5);
}

static void ranges_are_read_without_the_rest(void **state) {
	struct fixture *f = *state;
	struct err e;
	AUTO_BUF bytes = {0};
	struct digest name;
	struct prng random = prng_seeded(1);
	fill(&bytes, 3500000);
	assert_ok(object_put(f->objects, buf_view(&bytes), &name, &e), e);
	for (int i = 0; i < 60; i++) {
		AUTO_BUF got = {0};
		size_t from = prng_below(&random, 3600000), most = prng_below(&random, 1500000);
		uint64_t total;
		assert_ok(object_read(f->objects, name, from, most, &got, &total, &e), e);
		assert_int_equal(total, 3500000);
		struct str want = str_slice(str_from(buf_view(&bytes), from), 0, most);
		assert_true(str_eq(buf_view(&got), want));
	}
	AUTO_BUF got = {0};
	uint64_t total;
	assert_ok(object_read(f->objects, name, UINT64_MAX, SIZE_MAX, &got, &total, &e), e);
	assert_int_equal(got.n, 0);
}

static void a_batch_is_there_after_its_commit(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct digest names[300];
	object_batch_begin(f->objects);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_BUF text = {0};
		buf_printf(&text, "object %zu", i / 2 * 2); // each twice
		assert_ok(object_put(f->objects, buf_view(&text), &names[i], &e), e);
	}
	assert_false(object_exists(f->objects, names[299]));
	assert_ok(object_batch_commit(f->objects, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_ok(object_check(f->objects, names[i], &e), e);
	assert_int_equal(files_below(f, "tmp"), 0);
	struct object_store *other;
	struct digest name;
	assert_ok(object_store_open(f->folder, &other, &e), e);
	object_batch_begin(other);
	assert_ok(object_put(other, STR("never committed"), &name, &e), e);
	object_store_close(&other);
	assert_false(object_exists(f->objects, name));
	assert_int_equal(files_below(f, "tmp"), 0);
}

// Every byte of a small object's file flipped, and every length cut: refused, or (a bit that zstd
// does not use) still the same bytes.
static void damage_is_seen(void **state) {
	struct fixture *f = *state;
	struct err e;
	AUTO_BUF path = {0};
	AUTO_BUF file = {0};
	struct digest name;
	AUTO_BUF text = {0};
	size_t taken = 0;
	fill(&text, 300);
	assert_ok(object_put(f->objects, buf_view(&text), &name, &e), e);
	path_in(f, name, &path);
	assert_ok(file_read(path.p, 4096, &file, &e), e);
	for (size_t i = 0; i < file.n * 9; i++) {
		AUTO_BUF bad = {0};
		AUTO_BUF got = {0};
		buf_add(&bad, file.p, i < file.n * 8 ? file.n : i - file.n * 8);
		if (i < file.n * 8) bad.p[i / 8] = (char)(bad.p[i / 8] ^ (1 << i % 8));
		AUTO_FD fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_ok(file_write_all(fd, buf_view(&bad), &e), e);
		if (object_get(f->objects, name, SIZE_MAX, &got, &e)) {
			assert_true(str_eq(buf_view(&got), buf_view(&text)));
			taken++;
			continue;
		}
		assert_int_equal(e.code, ERR_CORRUPT);
		assert_int_equal(got.n, 0);
		assert_refused(object_check(f->objects, name, &e), e, ERR_CORRUPT);
	}
	assert_true(taken <= 8);
	buf_char(&file, 'x');
	assert_ok(file_write_atomic(path.p, buf_view(&file), 0600, &e), e);
	assert_refused(object_check(f->objects, name, &e), e, ERR_CORRUPT);
}

static void another_object_in_its_place_is_seen(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct digest a, b;
	AUTO_BUF from = {0};
	AUTO_BUF to = {0};
	AUTO_BUF out = {0};
	assert_ok(object_put(f->objects, STR("a"), &a, &e), e);
	assert_ok(object_put(f->objects, STR("b"), &b, &e), e);
	path_in(f, a, &from);
	path_in(f, b, &to);
	assert_int_equal(rename(from.p, to.p), 0);
	buf_printf(&out, "%s/out", f->folder);
	assert_refused(object_extract(f->objects, b, out.p, 0644, &e), e, ERR_CORRUPT);
	assert_false(file_exists(out.p));
	assert_refused(object_extract(f->objects, a, out.p, 0644, &e), e, ERR_NOT_FOUND);
}

static bool count_one(void *context, struct digest name, uint64_t disk_bytes, int64_t renewed_ms,
                      struct err *e) {
	(void)name;
	(void)e;
	assert_true(disk_bytes > 16);
	assert_true(renewed_ms > clock_wall_ms() - 60000);
	++*(size_t *)context;
	return true;
}

static void a_backup_has_every_object(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct digest a, b;
	size_t count = 0;
	AUTO_BUF to = {0};
	AUTO_OBJECTS copy = NULL;
	assert_ok(object_put(f->objects, STR("a"), &a, &e), e);
	assert_ok(object_put(f->objects, STR("b"), &b, &e), e);
	buf_printf(&to, "%s/backup", f->folder);
	assert_ok(object_backup(f->objects, to.p, &e), e);
	assert_ok(object_backup(f->objects, to.p, &e), e); // once more over the same
	assert_ok(object_remove(f->objects, a, &e), e);
	assert_ok(object_store_open(to.p, &copy, &e), e);
	assert_ok(object_check(copy, a, &e), e);
	assert_ok(object_check(copy, b, &e), e);
	assert_ok(object_each(copy, count_one, &count, &e), e);
	assert_int_equal(count, 2);
}

static void what_puts_left_behind_goes_after_a_day(void **state) {
	struct fixture *f = *state;
	struct err e;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/objects/tmp/1.1", f->folder);
	assert_ok(file_write_atomic(path.p, STR("x"), 0600, &e), e);
	assert_ok(object_tidy(f->objects, &e), e);
	assert_true(file_exists(path.p));
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	assert_int_equal(utimensat(AT_FDCWD, path.p, old, 0), 0);
	assert_ok(object_tidy(f->objects, &e), e);
	assert_false(file_exists(path.p));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(gives_back_what_was_put),
		TEST(a_file_is_put_and_extracted),
		TEST(a_small_file_that_is_there_is_told_as_a_new_one),
		TEST(ranges_are_read_without_the_rest),
		TEST(a_batch_is_there_after_its_commit),
		TEST(damage_is_seen),
		TEST(another_object_in_its_place_is_seen),
		TEST(a_backup_has_every_object),
		TEST(what_puts_left_behind_goes_after_a_day),
	};
	return cmocka_run_group_tests_name("object", tests, NULL, NULL);
}
