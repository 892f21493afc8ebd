#include "store/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/unit.h"
#include "os/file.h"
#include "store/project.h"
#include "store/sql.h"

// ---------------------------------------------------------------- a folder and some events

static int begin(void **state) {
	char *folder = strdup("/tmp/weir-store.XXXXXX");
	assert_non_null(mkdtemp(folder));
	*state = folder;
	return 0;
}

static int end(void **state) {
	struct err e;
	assert_ok(file_remove_tree(*state, &e), e);
	free(*state);
	return 0;
}

static struct store *open_store(const char *folder, enum store_mode mode) {
	struct store *s;
	struct err e;
	assert_ok(store_open(folder, mode, &s, &e), e);
	return s;
}

static struct event repo_added(int64_t time_ms) {
	return (struct event){.kind = EVENT_REPO_ADDED,
	                      .time_ms = time_ms,
	                      .repo_added = {.repo = {1}, .name = STR("shop"), .trunk = STR("main")}};
}

static struct event proposed(int64_t time_ms, uint64_t change) {
	struct event event = {.kind = EVENT_CHANGE_PROPOSED, .time_ms = time_ms};
	event.change_proposed = (struct event_change_proposed){.change = {change},
	                                                       .revision = 1,
	                                                       .repo = {1},
	                                                       .target = STR("main"),
	                                                       .title = STR("Say \"hello\""),
	                                                       .author = STR("Ada"),
	                                                       .key = digest_of(STR("k")),
	                                                       .head = {.n = 20, .b = {7}}};
	return event;
}

static void append(struct store *s, struct event event) {
	struct err e;
	uint64_t first;
	assert_ok(store_append(s, &event, 1, &first, &e), e);
}

static bool count_events(void *context, uint64_t seq, const struct event *event, struct err *e) {
	(void)event;
	(void)e;
	uint64_t *last = context;
	assert_int_equal(seq, *last + 1);
	*last = seq;
	return true;
}

static void raw_sql(const char *folder, const char *sql) {
	sqlite3 *db;
	struct err e;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/weir.db", folder);
	assert_int_equal(sqlite3_open(path.p, &db), SQLITE_OK);
	assert_ok(sql_exec(db, sql, &e), e);
	sqlite3_close(db);
}

static int64_t number(struct store *s, const char *sql) {
	int64_t v;
	struct err e;
	assert_ok(sql_int(store_db(s), sql, -1, &v, &e), e);
	return v;
}

// ---------------------------------------------------------------- tests

static void keeps_what_was_appended(void **state) {
	struct err e;
	uint64_t first = 0, last = 0;
	struct event two[] = {repo_added(1000), proposed(1001, 1)};
	{
		AUTO_STORE s = open_store(*state, STORE_WRITE);
		assert_ok(store_append(s, two, 2, &first, &e), e);
		assert_int_equal(first, 1);
		append(s, proposed(1001, 2));
	}
	AUTO_STORE s = open_store(*state, STORE_READ);
	struct store_head head, verified;
	assert_ok(store_head(s, &head, &e), e);
	assert_int_equal(head.seq, 3);
	assert_int_equal(head.time_ms, 1001);
	assert_ok(store_verify(s, &verified, &e), e);
	assert_true(digest_eq(head.hash, verified.hash));
	assert_ok(store_replay(s, 1, UINT64_MAX, count_events, &last, &e), e);
	assert_int_equal(last, 3);
	last = 1;
	assert_ok(store_replay(s, 2, 2, count_events, &last, &e), e);
	assert_int_equal(last, 2);
	assert_int_equal(number(s, "SELECT count(*) FROM changes WHERE state = 'proposed'"), 2);
	assert_int_equal(number(s, "SELECT seq FROM v_events WHERE kind = 'change.proposed'"
	                           " AND repo = 'shop' AND time = '1970-01-01T00:00:01.001Z'"),
	                 2);
}

static bool same_as_written(void *context, uint64_t seq, const struct event *event, struct err *e) {
	(void)seq;
	(void)e;
	AUTO_BUF got = {0};
	AUTO_BUF want = {0};
	event_body(event, &got);
	event_body(context, &want);
	assert_text(buf_view(&got), want.p);
	assert_int_equal(event->time_ms, ((const struct event *)context)->time_ms);
	return true;
}

static void replays_the_same_event(void **state) {
	struct err e;
	struct event event = proposed(5, 1);
	AUTO_STORE s = open_store(*state, STORE_WRITE);
	append(s, event);
	assert_ok(store_replay(s, 1, 1, same_as_written, &event, &e), e);
}

static void finds_every_tampering(void **state) {
	static const char *const tampering[] = {
		"UPDATE events SET body = replace(body, 'Ada', 'Eve') WHERE seq = 2",
		"UPDATE events SET time_ms = time_ms + 1 WHERE seq = 3",
		"UPDATE events SET kind = 11 WHERE seq = 2",
		"UPDATE events SET version = 2 WHERE seq = 2",
		"UPDATE events SET repo = 2 WHERE seq = 2",
		"UPDATE events SET entity = 'change/9' WHERE seq = 2",
		"DELETE FROM events WHERE seq = 2",
		"DELETE FROM events WHERE seq = 1",
		"UPDATE events SET hash = x'00' WHERE seq = 3",
	};
	for (size_t i = 0; i < ARRAY_LEN(tampering); i++) {
		struct err e;
		struct store_head head;
		AUTO_BUF folder = {0};
		buf_printf(&folder, "%s/%zu", (char *)*state, i);
		AUTO_STORE s = open_store(folder.p, STORE_WRITE);
		append(s, repo_added(1));
		append(s, proposed(2, 1));
		append(s, proposed(3, 2));
		assert_ok(store_verify(s, &head, &e), e);
		raw_sql(folder.p, tampering[i]);
		assert_refused(store_verify(s, &head, &e), e, ERR_CORRUPT);
	}
}

static void refuses_a_gap_in_replay(void **state) {
	struct err e;
	uint64_t last = 0;
	AUTO_STORE s = open_store(*state, STORE_WRITE);
	for (int i = 1; i <= 4; i++) append(s, proposed(i, (uint64_t)i));
	raw_sql(*state, "DELETE FROM events WHERE seq = 3");
	assert_refused(store_replay(s, 1, 4, count_events, &last, &e), e, ERR_CORRUPT);
}

static void refuses_foreign_and_newer_data(void **state) {
	struct err e;
	struct store *s = NULL;
	assert_refused(store_open(*state, STORE_READ, &s, &e), e, ERR_NOT_FOUND);
	raw_sql(*state, "CREATE TABLE t(x)");
	assert_refused(store_open(*state, STORE_WRITE, &s, &e), e, ERR_INVALID);
	AUTO_BUF folder = {0};
	buf_printf(&folder, "%s/newer", (char *)*state);
	AUTO_STORE made = open_store(folder.p, STORE_WRITE);
	store_close(&made);
	raw_sql(folder.p, "PRAGMA user_version = 99");
	assert_refused(store_open(folder.p, STORE_WRITE, &s, &e), e, ERR_UNSUPPORTED);
	assert_refused(store_open(folder.p, STORE_READ, &s, &e), e, ERR_UNSUPPORTED);
	AUTO_BUF garbage = {0};
	buf_printf(&garbage, "%s/garbage", (char *)*state);
	assert_ok(file_make_folders(garbage.p, 0700, &e), e);
	buf_cstr(&garbage, "/weir.db");
	assert_ok(file_write_atomic(garbage.p,
	                            STR("this is no database, but long enough to be read "
	                                "as one by a careless program ................."),
	                            0600, &e),
	          e);
	garbage.p[garbage.n - strlen("/weir.db")] = 0;
	assert_refused(store_open(garbage.p, STORE_WRITE, &s, &e), e, ERR_CORRUPT);
	assert_null(s);
}

static void makes_projections_of_another_weir_anew(void **state) {
	struct err e;
	AUTO_STORE s = open_store(*state, STORE_WRITE);
	append(s, repo_added(1));
	append(s, proposed(2, 1));
	store_close(&s);
	raw_sql(*state, "UPDATE meta SET value = 'older'; DROP TABLE changes;"
	                "DELETE FROM kinds; UPDATE repos SET name = 'x'");
	assert_refused(store_open(*state, STORE_READ, &s, &e), e, ERR_UNSUPPORTED);
	s = open_store(*state, STORE_WRITE);
	assert_int_equal(number(s, "SELECT count(*) FROM changes"), 1);
	assert_int_equal(number(s, "SELECT count(*) FROM repos WHERE name = 'shop'"), 1);
	assert_int_equal(number(s, "SELECT count(*) FROM kinds WHERE name = 'change.landed'"), 1);
	assert_ok(store_check_projections(s, &e), e);
}

static void tells_a_busy_database(void **state) {
	struct err e;
	uint64_t first;
	AUTO_STORE s = open_store(*state, STORE_WRITE);
	sqlite3 *other;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/weir.db", (char *)*state);
	assert_int_equal(sqlite3_open(path.p, &other), SQLITE_OK);
	assert_ok(sql_exec(other, "BEGIN IMMEDIATE", &e), e);
	struct event event = repo_added(1);
	assert_refused(store_append(s, &event, 1, &first, &e), e, ERR_BUSY);
	assert_ok(sql_exec(other, "ROLLBACK", &e), e);
	sqlite3_close(other);
	append(s, event);
}

static void sees_a_second_writer(void **state) {
	struct err e;
	uint64_t first;
	AUTO_STORE a = open_store(*state, STORE_WRITE);
	AUTO_STORE b = open_store(*state, STORE_WRITE);
	append(a, repo_added(1));
	struct event event = proposed(2, 1);
	assert_refused(store_append(b, &event, 1, &first, &e), e, ERR_CONFLICT);
	append(a, proposed(2, 1));
	struct store_head head;
	assert_ok(store_verify(a, &head, &e), e);
	assert_int_equal(head.seq, 2);
}

// A disk that is full at the n-th page, for every n: nothing half, and it goes on when there is
// room.
static void survives_a_full_disk_at_every_append(void **state) {
	struct err e = {0};
	AUTO_STORE s = open_store(*state, STORE_WRITE);
	append(s, repo_added(1));
	uint64_t seq = 1, refusals = 0;
	static char long_title[3000];
	memset(long_title, 'x', sizeof long_title);
	for (int round = 0; round < 60; round++) {
		AUTO_BUF limit = {0};
		buf_printf(&limit, "PRAGMA max_page_count = %lld",
		           (long long)number(s, "PRAGMA page_count") + round % 7);
		assert_true(number(s, limit.p) > 0);
		for (int i = 0; i < 8; i++) {
			struct event events[3];
			uint64_t first;
			for (size_t k = 0; k < 3; k++) {
				events[k] = proposed((int64_t)seq + 1, seq + k);
				events[k].change_proposed.title = (struct str){long_title, sizeof long_title};
			}
			if (store_append(s, events, 3, &first, &e)) {
				assert_int_equal(first, seq + 1);
				seq += 3;
				continue;
			}
			assert_int_equal(e.code, ERR_NO_ROOM);
			refusals++;
			break;
		}
		assert_int_equal(number(s, "SELECT count(*) FROM events"), seq);
		assert_int_equal(number(s, "SELECT count(*) FROM changes"), seq - 1);
		assert_true(number(s, "PRAGMA max_page_count = 1000000") > 0);
		append(s, proposed((int64_t)seq + 1, seq));
		seq++;
	}
	assert_true(refusals >= 30);
	struct store_head head;
	assert_ok(store_verify(s, &head, &e), e);
	assert_int_equal(head.seq, seq);
	assert_ok(store_check_projections(s, &e), e);
}

// Bits of the database's file flip: the log is refused, or it is the same log.
static void damage_to_the_file_is_seen(void **state) {
	struct err e;
	struct store_head head, got;
	struct prng random = prng_seeded(3);
	AUTO_BUF path = {0};
	AUTO_BUF file = {0};
	int refused = 0;
	AUTO_STORE s = open_store(*state, STORE_WRITE);
	append(s, repo_added(1));
	for (int i = 2; i <= 60; i++) append(s, proposed(i, (uint64_t)i));
	assert_ok(store_head(s, &head, &e), e);
	store_close(&s); // the write-ahead log is gone then
	buf_printf(&path, "%s/weir.db", (char *)*state);
	assert_ok(file_read(path.p, 1 << 26, &file, &e), e);
	for (int i = 0; i < 400; i++) {
		size_t at = prng_below(&random, file.n);
		char saved = file.p[at];
		file.p[at] = (char)(saved ^ (1 << prng_below(&random, 8)));
		assert_ok(file_write_atomic(path.p, buf_view(&file), 0600, &e), e);
		if (store_open(*state, STORE_READ, &s, &e) && store_verify(s, &got, &e))
			assert_true(digest_eq(got.hash, head.hash));
		else refused++;
		store_close(&s);
		file.p[at] = saved;
	}
	assert_true(refused > 20);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_what_was_appended, begin, end),
		cmocka_unit_test_setup_teardown(replays_the_same_event, begin, end),
		cmocka_unit_test_setup_teardown(finds_every_tampering, begin, end),
		cmocka_unit_test_setup_teardown(refuses_a_gap_in_replay, begin, end),
		cmocka_unit_test_setup_teardown(refuses_foreign_and_newer_data, begin, end),
		cmocka_unit_test_setup_teardown(makes_projections_of_another_weir_anew, begin, end),
		cmocka_unit_test_setup_teardown(tells_a_busy_database, begin, end),
		cmocka_unit_test_setup_teardown(sees_a_second_writer, begin, end),
		cmocka_unit_test_setup_teardown(damage_to_the_file_is_seen, begin, end),
		cmocka_unit_test_setup_teardown(survives_a_full_disk_at_every_append, begin, end),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
