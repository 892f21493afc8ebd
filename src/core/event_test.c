#include "core/event.h"

#include "base/unit.h"
#include "core/eventfield.h"
#include "core/eventread.h"

// An event of this kind with a value in every field, different for each.
static struct event filled(enum event_kind kind) {
	struct event e = {.kind = kind, .time_ms = 123};
	size_t count;
	const struct eventfield *fields = eventfield_of(kind, &count);
	for (size_t i = 0; i < count; i++) {
		void *p = (char *)&e + fields[i].offset;
		switch ((int)fields[i].type) {
		case EVENTFIELD_STR: *(struct str *)p = STR("a \"text\"\n"); break;
		case EVENTFIELD_JSON: *(struct str *)p = STR("[1,{\"a\":2}]"); break;
		case EVENTFIELD_OID: *(struct oid *)p = (struct oid){20, {1, (uint8_t)i}}; break;
		case EVENTFIELD_DIGEST: *(struct digest *)p = (struct digest){{2, (uint8_t)i}}; break;
		case EVENTFIELD_REASON: *(enum reason *)p = REASON_JOB_FAILED; break;
		case EVENTFIELD_OUTCOME: *(enum outcome *)p = OUTCOME_CANCELLED; break;
		case EVENTFIELD_LATER:
		case EVENTFIELD_INT: *(int64_t *)p = -5 - (int64_t)i; break;
		default: *(uint64_t *)p = 1000 + i; break;
		}
	}
	return e;
}

static void round_trip(enum event_kind kind, struct event e) {
	AUTO_BUF body = {0};
	AUTO_BUF again = {0};
	AUTO_ARENA life = {0};
	struct event back, fast;
	struct err why;
	event_body(&e, &body);
	assert_ok(event_parse(kind, e.time_ms, buf_view(&body), &life, &back, &why), why);
	assert_int_equal(back.kind, kind);
	assert_int_equal(back.time_ms, e.time_ms);
	event_body(&back, &again);
	assert_text(buf_view(&again), body.p);
	assert_true(eventread_parse(kind, e.time_ms, buf_view(&body), &life, &fast));
	buf_reset(&again);
	event_body(&fast, &again);
	assert_text(buf_view(&again), body.p);
}

static void every_kind_goes_there_and_back(void **state) {
	(void)state;
	size_t kinds = 0;
	for (int kind = 0; kind <= EVENT_KIND_MAX; kind++) {
		const char *name = event_name((enum event_kind)kind);
		if (!name) continue;
		kinds++;
		round_trip((enum event_kind)kind, filled((enum event_kind)kind));
		round_trip((enum event_kind)kind, (struct event){.kind = (enum event_kind)kind});
		assert_int_equal(event_kind_of_name(str_of(name)), kind);
		assert_true(strlen(event_doc((enum event_kind)kind)) > 5);
	}
	assert_true(kinds > 40);
	assert_null(event_name((enum event_kind)99));
	assert_int_equal(event_kind_of_name(STR("no.such")), EVENT_NONE);
}

static void a_copy_lives_by_itself(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	char text[] = "first";
	struct event e = {.kind = EVENT_SECRET_SET, .secret_set = {{1}, str_of(text), STR_NONE}};
	struct event copy = event_copy(&e, &life);
	text[0] = 'X';
	assert_text(copy.secret_set.name, "first");
}

static void names_of_entities(void **state) {
	(void)state;
	AUTO_BUF out = {0};
	struct event e = {.kind = EVENT_RUN_LOST, .run_lost = {.run = {12}}};
	event_entity(&e, &out);
	assert_text(buf_view(&out), "run/12");
	buf_reset(&out);
	event_entity(&(struct event){.kind = EVENT_CLOCK_PASSED}, &out);
	assert_int_equal(out.n, 0);
	e = (struct event){.kind = EVENT_TRUNK_MOVED, .trunk_moved = {.repo = {4}}};
	assert_int_equal(event_repo(&e).v, 4);
	assert_int_equal(event_repo(&(struct event){.kind = EVENT_RUN_LOST}).v, 0);
}

static void bad_bodies_are_refused(void **state) {
	(void)state;
	static const struct {
		int kind;
		const char *body;
		enum err_code code;
	} rows[] = {
		{EVENT_RUN_LOST, "", ERR_INVALID},
		{EVENT_RUN_LOST, "[]", ERR_CORRUPT},
		{EVENT_RUN_LOST, "{\"run\":\"1\"}", ERR_CORRUPT},
		{EVENT_RUN_LOST, "{\"run\":1.5}", ERR_CORRUPT},
		{EVENT_RUN_LOST, "{\"run\":1,\"text\":3}", ERR_CORRUPT},
		{EVENT_TRUNK_MOVED, "{\"repo\":1,\"to\":\"xyz\"}", ERR_CORRUPT},
		{EVENT_CHANGE_REJECTED, "{\"change\":1,\"reason\":\"bad-mood\"}", ERR_CORRUPT},
		{EVENT_RUN_FINISHED, "{\"run\":1,\"outcome\":\"maybe\"}", ERR_CORRUPT},
		{98, "{}", ERR_UNSUPPORTED},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct event out = {.time_ms = 77};
		struct err e;
		bool taken = event_parse((enum event_kind)rows[i].kind, 1, str_of(rows[i].body), &life,
		                         &out, &e);
		if (taken || e.code != rows[i].code) fail_msg("%s: %s", rows[i].body, e.text);
		assert_int_equal(out.time_ms, 77);
	}
}

static void unknown_fields_are_refused(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct event out;
	struct err e;
	assert_false(
		event_parse(EVENT_RUN_LOST, 1, STR("{\"run\":1,\"shoe_size\":44}"), &life, &out, &e));
	assert_true(str_contains(str_of(e.text), STR("shoe_size")));
}

static void outcomes_and_reasons(void **state) {
	(void)state;
	enum outcome o;
	enum reason r;
	assert_true(event_outcome_parse(STR("failed"), &o));
	assert_int_equal(o, OUTCOME_FAILED);
	assert_false(event_outcome_parse(STR("fail"), &o));
	for (int i = 0; i < REASON_COUNT; i++) {
		assert_true(reason_parse(reason_code((enum reason)i), &r));
		assert_int_equal(r, i);
		assert_true(i == 0 || reason_next((enum reason)i).n > 0);
	}
	assert_true(reason_stays_queued(REASON_BASE_CHANGED));
	assert_false(reason_stays_queued(REASON_JOB_FAILED));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_goes_there_and_back),
		cmocka_unit_test(a_copy_lives_by_itself),
		cmocka_unit_test(names_of_entities),
		cmocka_unit_test(bad_bodies_are_refused),
		cmocka_unit_test(unknown_fields_are_refused),
		cmocka_unit_test(outcomes_and_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
