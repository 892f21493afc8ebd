#include "store/collect.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/unit.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/backup.h"

// Times are days; the store's clock and the objects' are moved by the policy's now_ms.
#define DAY ((int64_t)24 * 3600 * 1000)

struct fixture {
	char folder[40];
	struct store *store;
	struct object_store *objects;
};

static int begin(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	strcpy(f->folder, "/tmp/weir-collect.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_ok(store_open(f->folder, STORE_WRITE, &f->store, &e), e);
	assert_ok(object_store_open(f->folder, &f->objects, &e), e);
	*state = f;
	return 0;
}

static int end(void **state) {
	struct fixture *f = *state;
	struct err e;
	store_close(&f->store);
	object_store_close(&f->objects);
	assert_ok(file_remove_tree(f->folder, &e), e);
	free(f);
	return 0;
}

static void append(struct fixture *f, struct event event) {
	struct err e;
	uint64_t first;
	assert_ok(store_append(f->store, &event, 1, &first, &e), e);
}

#define HAPPENS(f, ms, KIND, name, ...) \
	append(f, (struct event){.kind = EVENT_##KIND, .time_ms = (ms), .name = {__VA_ARGS__}})

static struct digest put(struct fixture *f, const char *format, unsigned long long n) {
	AUTO_BUF text = {0};
	struct digest name;
	struct err e;
	buf_cstr(&text, format);
	buf_printf(&text, " %llu", n);
	assert_ok(object_put(f->objects, buf_view(&text), &name, &e), e);
	return name;
}

static struct digest body_of(unsigned long long run) {
	AUTO_BUF text = {0};
	buf_printf(&text, "body %llu", run);
	return digest_of(buf_view(&text));
}

static struct digest put_manifest(struct fixture *f, unsigned long long run) {
	AUTO_BUF text = {0};
	char hex[DIGEST_HEX + 1];
	struct digest name;
	struct err e;
	digest_hex(put(f, "body", run), hex);
	buf_printf(&text, "[{\"path\":\"out\",\"sha256\":\"%s\",\"size\":%llu}]", hex, run);
	assert_ok(object_put(f->objects, buf_view(&text), &name, &e), e);
	return name;
}

struct made {
	struct digest log, manifest, body;
};

// Change n, its candidate and its run, with a log and an artifact.
static struct made change_with_run(struct fixture *f, int64_t ms, uint64_t n) {
	struct made made = {put(f, "log", n), put_manifest(f, n), body_of(n)};
	HAPPENS(f, ms, CHANGE_PROPOSED, change_proposed, .change = {n}, .revision = 1, .repo = {1});
	HAPPENS(f, ms, CANDIDATE_ISSUED, candidate_issued, .candidate = {n}, .repo = {1}, .change = {n},
	        .revision = 1);
	HAPPENS(f, ms, RUN_ISSUED, run_issued, .run = {n}, .candidate = {n}, .name = STR("build"));
	HAPPENS(f, ms, RUN_FINISHED, run_finished, .run = {n}, .outcome = OUTCOME_PASSED,
	        .log = made.log, .artifacts = made.manifest);
	return made;
}

static void landed(struct fixture *f, int64_t ms, uint64_t n, struct made made) {
	AUTO_BUF artifacts = {0};
	char hex[DIGEST_HEX + 1];
	digest_hex(made.manifest, hex);
	buf_printf(&artifacts, "[{\"artifacts\":\"%s\",\"job\":\"build\"}]", hex);
	HAPPENS(f, ms, CHANGE_LANDED, change_landed, .change = {n}, .revision = 1, .candidate = {n},
	        .landing = {n});
	HAPPENS(f, ms, RELEASE_MADE, release_made, .release = {n}, .repo = {1}, .change = {n},
	        .candidate = {n}, .artifacts = buf_view(&artifacts));
}

static struct collect_result collect(struct fixture *f, int64_t now_ms, int64_t releases) {
	struct collect_policy policy = {.now_ms = now_ms, COLLECT_POLICY_USUAL};
	struct collect_result result;
	struct err e;
	uint64_t live;
	policy.releases = releases;
	assert_ok(collect_run(f->store, f->objects, policy, &result, &e), e);
	assert_ok(collect_check(f->store, f->objects, policy, &live, &e), e);
	return result;
}

static bool has(struct fixture *f, struct digest name) {
	return object_exists(f->objects, name);
}

// ---------------------------------------------------------------- tests

static void keeps_what_is_needed_and_forgets_the_rest(void **state) {
	struct fixture *f = *state;
	int64_t now = clock_wall_ms();
	struct made open = change_with_run(f, now - 200 * DAY, 1);
	struct made old = change_with_run(f, now - 200 * DAY, 2);
	HAPPENS(f, now - 200 * DAY, CHANGE_REJECTED, change_rejected, .change = {2}, .revision = 1);
	struct made recent = change_with_run(f, now - 30 * DAY, 3);
	HAPPENS(f, now - 30 * DAY, CHANGE_REJECTED, change_rejected, .change = {3}, .revision = 1);
	struct digest nobodys = put(f, "nobody's", 1);
	struct collect_result none = collect(f, now, 20); // all of it was put within the hour
	assert_int_equal(none.removed, 0);
	struct collect_result result = collect(f, now + DAY / 12, 20);
	assert_true(has(f, open.log) && has(f, open.manifest) && has(f, open.body));
	assert_true(has(f, recent.log));
	assert_false(has(f, recent.manifest) || has(f, recent.body)); // older than artifact_days
	assert_false(has(f, old.log) || has(f, old.manifest) || has(f, old.body));
	assert_false(has(f, nobodys));
	assert_int_equal(result.live, 4);
	assert_int_equal(result.removed, 6);
	assert_true(result.removed_bytes > 96);
}

static void keeps_the_last_releases(void **state) {
	struct fixture *f = *state;
	int64_t now = clock_wall_ms(), then = now - 200 * DAY;
	struct made made[7];
	HAPPENS(f, then, REPO_CONFIGURED, repo_configured, .repo = {1},
	        .plan = STR("{\"environments\":[{\"name\":\"production\"}]}"));
	for (uint64_t n = 1; n <= 6; n++) {
		made[n] = change_with_run(f, then, n);
		landed(f, then, n, made[n]);
	}
	// Releases 2 and 1 are live and its way back; 3 failed, but it is among the last two tried.
	for (uint64_t n = 1; n <= 3; n++) {
		HAPPENS(f, then, ROLLOUT_ISSUED, rollout_issued, .rollout = {n}, .env = {1},
		        .release = {n});
		HAPPENS(f, then, ROLLOUT_FINISHED, rollout_finished, .rollout = {n},
		        .outcome = n < 3 ? OUTCOME_PASSED : OUTCOME_FAILED);
	}
	(void)collect(f, now + DAY, 2);
	static const bool kept[] = {false, true, true, true, false, true, true};
	for (size_t n = 1; n <= 6; n++) {
		assert_int_equal(has(f, made[n].manifest), kept[n]);
		assert_int_equal(has(f, made[n].body), kept[n]);
		assert_false(has(f, made[n].log));
	}
}

static void what_was_renewed_stays_an_hour(void **state) {
	struct fixture *f = *state;
	struct err e;
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct digest manifest = put_manifest(f, 1), body = body_of(1);
	struct digest names[] = {manifest, body};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_BUF path = {0};
		char hex[DIGEST_HEX + 1];
		digest_hex(names[i], hex);
		buf_printf(&path, "%s/objects/%.2s/%s", f->folder, hex, hex + 2);
		assert_int_equal(utimensat(AT_FDCWD, path.p, old, 0), 0);
	}
	assert_ok(collect_renew(f->objects, manifest, &e), e);
	assert_int_equal(collect(f, clock_wall_ms(), 20).removed, 0);
	assert_ok(object_remove(f->objects, body, &e), e);
	assert_refused(collect_renew(f->objects, manifest, &e), e, ERR_NOT_FOUND);
	assert_refused(collect_renew(f->objects, body, &e), e, ERR_NOT_FOUND);
}

static void a_manifest_that_cannot_be_read_stops_it(void **state) {
	struct fixture *f = *state;
	struct err e;
	int64_t now = clock_wall_ms();
	struct made open = change_with_run(f, now, 1);
	struct digest nobodys = put(f, "nobody's", 1);
	struct collect_policy policy = {.now_ms = now + DAY, COLLECT_POLICY_USUAL};
	struct collect_result result;
	uint64_t live;
	AUTO_BUF path = {0};
	char hex[DIGEST_HEX + 1];
	digest_hex(open.manifest, hex);
	buf_printf(&path, "%s/objects/%.2s/%s", f->folder, hex, hex + 2);
	assert_ok(file_write_atomic(path.p, STR("damaged"), 0400, &e), e);
	assert_refused(collect_run(f->store, f->objects, policy, &result, &e), e, ERR_CORRUPT);
	assert_true(has(f, nobodys) && has(f, open.body));
	assert_ok(object_remove(f->objects, open.manifest, &e), e);
	assert_refused(collect_check(f->store, f->objects, policy, &live, &e), e, ERR_CORRUPT);
}

static void a_backup_is_whole(void **state) {
	struct fixture *f = *state;
	struct err e;
	int64_t now = clock_wall_ms();
	struct made made = change_with_run(f, now, 1);
	struct store_head head, copied;
	struct collect_policy policy = {.now_ms = now, COLLECT_POLICY_USUAL};
	AUTO_BUF to = {0};
	AUTO_STORE reader = NULL;
	buf_printf(&to, "%s/backup", f->folder);
	assert_ok(store_head(f->store, &head, &e), e);
	assert_ok(store_open(f->folder, STORE_READ, &reader, &e), e);
	assert_ok(backup_make(reader, f->objects, policy, to.p, &copied, &e), e);
	assert_true(digest_eq(head.hash, copied.hash));
	assert_refused(backup_make(reader, f->objects, policy, to.p, &copied, &e), e, ERR_CONFLICT);
	(void)change_with_run(f, now, 2);
	AUTO_STORE copy = NULL; // it works like any other data
	assert_ok(store_open(to.p, STORE_WRITE, &copy, &e), e);
	assert_ok(store_check_projections(copy, &e), e);
	assert_ok(store_head(copy, &copied, &e), e);
	assert_int_equal(copied.seq, head.seq);
	assert_ok(object_remove(f->objects, made.log, &e), e);
	buf_cstr(&to, "2");
	assert_refused(backup_make(reader, f->objects, policy, to.p, &copied, &e), e, ERR_CORRUPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(keeps_what_is_needed_and_forgets_the_rest),
		TEST(keeps_the_last_releases),
		TEST(what_was_renewed_stays_an_hour),
		TEST(a_manifest_that_cannot_be_read_stops_it),
		TEST(a_backup_is_whole),
	};
	return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
