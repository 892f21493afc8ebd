#include "store/snapshot.h"

#include <stdlib.h>

#include "base/unit.h"
#include "os/file.h"
#include "store/sql.h"

struct fixture {
	char folder[40];
	struct store *store;
};

static int begin(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	uint64_t first;
	struct event events[9];
	strcpy(f->folder, "/tmp/weir-snapshot.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_ok(store_open(f->folder, STORE_WRITE, &f->store, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = (struct event){.kind = EVENT_CLOCK_PASSED, .time_ms = 1};
	assert_ok(store_append(f->store, events, ARRAY_LEN(events), &first, &e), e);
	*state = f;
	return 0;
}

static int end(void **state) {
	struct fixture *f = *state;
	struct err e;
	store_close(&f->store);
	assert_ok(file_remove_tree(f->folder, &e), e);
	free(f);
	return 0;
}

static void expect(struct fixture *f, const char *layout, uint64_t want_seq, struct str want) {
	AUTO_BUF got = {0};
	uint64_t seq = 0;
	struct err e;
	assert_ok(snapshot_get(f->store, str_of(layout), &seq, &got, &e), e);
	assert_int_equal(seq, want_seq);
	assert_true(str_eq(buf_view(&got), want));
}

static void expect_none(struct fixture *f, const char *layout) {
	AUTO_BUF got = {0};
	uint64_t seq;
	struct err e;
	assert_refused(snapshot_get(f->store, str_of(layout), &seq, &got, &e), e, ERR_NOT_FOUND);
}

static void put(struct fixture *f, uint64_t seq, const char *layout, struct str bytes) {
	struct err e;
	assert_ok(snapshot_put(f->store, seq, str_of(layout), bytes, &e), e);
}

static void the_newest_comes_back(void **state) {
	struct fixture *f = *state;
	AUTO_BUF large = {0};
	expect_none(f, "1");
	for (int i = 0; i < 200000; i++) buf_printf(&large, "%d,", i % 977);
	put(f, 3, "1", STR("old"));
	put(f, 5, "1", buf_view(&large));
	expect(f, "1", 5, buf_view(&large));
	put(f, 6, "1", STR_NONE);
	expect(f, "1", 6, STR_NONE);
	int64_t n;
	struct err e;
	assert_ok(sql_int(store_db(f->store), "SELECT count(*) FROM snapshots", 0, &n, &e), e);
	assert_int_equal(n, 2);
}

static void another_layout_is_thrown_away(void **state) {
	struct fixture *f = *state;
	put(f, 3, "1", STR("one"));
	expect_none(f, "2");
	put(f, 4, "2", STR("two"));
	expect_none(f, "1");
	expect(f, "2", 4, STR("two"));
}

static void a_damaged_one_is_passed_by(void **state) {
	static const char *const damage[] = {
		"UPDATE snapshots SET state = x'00' WHERE seq = 4",
		"UPDATE snapshots SET digest = x'00' WHERE seq = 4",
		"UPDATE snapshots SET digest = zeroblob(32) WHERE seq = 4",
		"UPDATE snapshots SET bytes = bytes - 1 WHERE seq = 4",
		"UPDATE snapshots SET bytes = -1 WHERE seq = 4",
		"UPDATE snapshots SET seq = 99 WHERE seq = 4", // after the end of the log
	};
	struct fixture *f = *state;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(damage); i++) {
		assert_ok(sql_exec(store_db(f->store), "DELETE FROM snapshots", &e), e);
		put(f, 3, "1", STR("three"));
		put(f, 4, "1", STR("four"));
		assert_ok(sql_exec(store_db(f->store), damage[i], &e), e);
		expect(f, "1", 3, STR("three"));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(the_newest_comes_back),
		TEST(another_layout_is_thrown_away),
		TEST(a_damaged_one_is_passed_by),
	};
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
