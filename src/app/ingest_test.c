// What a run left behind is found again by its digests, and its end becomes the fact it means.
#include "app/ingest.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/unpack.h"
#include "base/unit.h"
#include "os/file.h"

struct place {
	struct arena life;
	const char *top, *run, *objects;
};

static int begin(void **state) {
	static struct place place;
	static char name[] = "/tmp/weir-ingest.XXXXXX";
	struct place *p = &place;
	memcpy(name + sizeof name - 7, "XXXXXX", 7);
	*p = (struct place){.top = mkdtemp(name)};
	assert_non_null(p->top);
	p->run = arena_printf(&p->life, "%s/run", p->top).p;
	p->objects = arena_printf(&p->life, "%s/data", p->top).p;
	*state = p;
	return 0;
}

static int end(void **state) {
	struct place *p = *state;
	struct err e;
	assert_ok(file_remove_tree(p->top, &e), e);
	arena_free(&p->life);
	return 0;
}

static void put(struct place *p, const char *below, const char *text) {
	struct err e;
	char *path = arena_cstr(&p->life, arena_printf(&p->life, "%s/%s", p->run, below));
	char *slash = strrchr(path, '/');
	*slash = 0;
	assert_ok(file_make_folders(path, 0755, &e), e);
	*slash = '/';
	assert_ok(file_write_atomic(path, str_of(text), 0644, &e), e);
}

static void assert_object(struct place *p, struct digest name, const char *want) {
	AUTO_OBJECTS s = NULL;
	AUTO_BUF text = {0};
	struct err e;
	assert_ok(object_store_open(p->objects, &s, &e), e);
	assert_ok(object_get(s, name, 4096, &text, &e), e);
	assert_text(buf_view(&text), want);
}

static void put_manifest(struct place *p, const char *body) {
	AUTO_BUF text = {0};
	char hex[DIGEST_HEX + 1];
	digest_hex(digest_of(str_of(body)), hex);
	buf_printf(&text, "[{\"mode\":\"0755\",\"path\":\"bin/app\",\"sha256\":\"%s\"},", hex);
	buf_cstr(&text, "{\"link\":\"bin/app\",\"path\":\"latest\"}]");
	put(p, "out/manifest.json", text.p);
}

static void what_a_run_left_is_stored(void **state) {
	struct place *p = *state;
	struct err e;
	struct ingest got;
	put(p, "log", "5 o hello\n");
	put(p, "results.json", "{}");
	put(p, "coverage/a/lcov.info", "SF:x");
	put(p, "out/files/bin/app", "#!");
	put_manifest(p, "#!");
	struct exec_outcome o = {.has_artifact = true};
	assert_ok(ingest_folder(p->objects, p->run, STR("{\"tree\":1}"), &o, &got, &e), e);
	assert_object(p, digest_of(STR("{\"tree\":1}")), "{\"tree\":1}");
	assert_object(p, got.log, "5 o hello\n");
	assert_object(p, got.results, "{}");
	assert_object(p, digest_of(STR("SF:x")), "SF:x");
	assert_false(digest_is_none(got.coverage));

	AUTO_OBJECTS s = NULL;
	AUTO_BUF app = {0};
	const char *folder = arena_printf(&p->life, "%s/again", p->top).p;
	assert_ok(object_store_open(p->objects, &s, &e), e);
	assert_ok(unpack_artifact(s, got.artifacts, folder, NULL, 0, &e), e);
	assert_ok(file_read(arena_printf(&p->life, "%s/latest", folder).p, 100, &app, &e), e);
	assert_text(buf_view(&app), "#!");
}

static void nothing_left_is_nothing_stored(void **state) {
	struct place *p = *state;
	struct err e;
	struct ingest got;
	assert_ok(file_make_folders(p->run, 0755, &e), e);
	assert_ok(ingest_folder(p->objects, p->run, STR_NONE, &(struct exec_outcome){0}, &got, &e), e);
	assert_true(digest_is_none(got.log) && digest_is_none(got.artifacts));
	assert_true(digest_is_none(got.results) && digest_is_none(got.coverage));
}

static void an_artifact_that_changed_since_is_refused(void **state) {
	struct place *p = *state;
	struct err e;
	struct ingest got;
	struct exec_outcome o = {.has_artifact = true};
	put(p, "out/files/bin/app", "other");
	put_manifest(p, "#!");
	assert_refused(ingest_folder(p->objects, p->run, STR_NONE, &o, &got, &e), e, ERR_CORRUPT);
}

// ---------------------------------------------------------------- the fact

static void an_end_has_one_meaning(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	const struct {
		struct exec_outcome o;
		enum event_kind kind;
		enum reason reason;
	} rows[] = {
		{{.end = EXEC_PASSED}, EVENT_RUN_FINISHED, REASON_NONE},
		{{.end = EXEC_FAILED, .exit_code = 2}, EVENT_RUN_FINISHED, REASON_JOB_FAILED},
		{{.end = EXEC_FAILED, .exit_code = -1, .signal = 11}, EVENT_RUN_FINISHED, REASON_SIGNALLED},
		{{.end = EXEC_FAILED, .tests_failed = 1}, EVENT_RUN_FINISHED, REASON_TEST_FAILED},
		{{.end = EXEC_FAILED, .reason_code = STR("artifact-missing"), .tests_failed = 1},
	     EVENT_RUN_FINISHED,
	     REASON_ARTIFACT_MISSING},
		{{.end = EXEC_FAILED, .reason_code = STR("artifact-secret")},
	     EVENT_RUN_FINISHED,
	     REASON_SECRET_IN_OUTPUT},
		{{.end = EXEC_TIMEOUT}, EVENT_RUN_FINISHED, REASON_JOB_TIMED_OUT},
		{{.end = EXEC_KILLED}, EVENT_RUN_FINISHED, REASON_JOB_KILLED},
		{{.end = EXEC_CANCELLED}, EVENT_RUN_STOPPED, REASON_NONE},
		{{.end = EXEC_ERROR}, EVENT_RUN_LOST, REASON_NONE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct event e = ingest_event((struct run_id){9}, &rows[i].o, &(struct ingest){0}, &life);
		if (e.kind != rows[i].kind) fail_msg("row %zu: event %d", i, (int)e.kind);
		if (e.kind != EVENT_RUN_FINISHED) continue;
		bool passed = rows[i].o.end == EXEC_PASSED;
		assert_int_equal(e.run_finished.run.v, 9);
		assert_int_equal(e.run_finished.outcome, passed ? OUTCOME_PASSED : OUTCOME_FAILED);
		if (e.run_finished.reason != rows[i].reason)
			fail_msg("row %zu: reason %d", i, (int)e.run_finished.reason);
		assert_true(e.run_finished.exit_status >= 0);
	}
}

static void failed_tests_and_both_texts_are_told(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct str names[] = {STR("a \"b\""), STR("c")};
	struct exec_outcome o = {.end = EXEC_FAILED,
	                         .reason_text = STR("exit status 1"),
	                         .results_error = STR("x.xml is no XML"),
	                         .tests = 5,
	                         .tests_failed = 2,
	                         .failed_tests = names,
	                         .failed_tests_n = 2};
	struct event e = ingest_event((struct run_id){9}, &o, &(struct ingest){0}, &life);
	assert_text(e.run_finished.failed_tests, "[\"a \\\"b\\\"\",\"c\"]");
	assert_text(e.run_finished.text, "exit status 1; x.xml is no XML");
}

int main(void) {
#define PLACE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		PLACE(what_a_run_left_is_stored),
		PLACE(nothing_left_is_nothing_stored),
		PLACE(an_artifact_that_changed_since_is_refused),
		cmocka_unit_test(an_end_has_one_meaning),
		cmocka_unit_test(failed_tests_and_both_texts_are_told),
	};
	return cmocka_run_group_tests_name("ingest", tests, NULL, NULL);
}
