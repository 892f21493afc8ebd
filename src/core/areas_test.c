// Who waits for whom.
#include "core/areas.h"

#include "core/bits.h"
#include "core/fixture.h"

static void propose(struct fixture *f, uint64_t key, const char *affects, bool draft) {
	struct event e = fixture_proposal(f, key, 1000 + key);
	e.change_proposed.draft = draft;
	fixture_apply(f, e);
	fixture_apply(f, (struct event){.kind = EVENT_CHANGE_QUEUED,
	                                .change_queued = {.change = {key}, .revision = 1}});
	areas_set(&f->s, state_change(&f->s, (struct change_id){key}), str_of(affects));
}

static bool waits(struct fixture *f, size_t i, size_t k) {
	struct areas_order o;
	areas_order(&f->s, (struct repo_id){1}, &f->life, &o);
	return bits_has(o.before[i], k);
}

static void who_waits_for_whom(void **state) {
	(void)state;
	struct fixture f;
	static const struct {
		const char *affects;
		bool draft;
		const char *before; // indices
	} rows[] = {
		{"{\"files\":[1],\"jobs\":[\"lib\"]}", false, ""},
		{"{\"files\":[2],\"jobs\":[\"app\"]}", false, ""},
		{"{\"files\":[3],\"jobs\":[\"app\",\"lib\"]}", false, "01"},
		{"{\"files\":[2],\"jobs\":[]}", false, "1"},
		{"", false, "0123"}, // not known: everything
		{"{\"files\":[9],\"jobs\":[]}", false, "4"},
		{"{\"files\":[1],\"jobs\":[]}", true, "04"},
		{"{\"files\":[1],\"jobs\":[]}", false, "04"}, // not for the draft
		{"not json", false,
	     "012345"
	     "7"},
	};
	fixture_begin(&f, 2);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) propose(&f, i + 1, rows[i].affects, rows[i].draft);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			bool want = strchr(rows[i].before, '0' + (int)k) != NULL;
			if (waits(&f, i, k) != want) fail_msg("%zu waits for %zu: %d", i, k, !want);
			const struct change *a = state_change(&f.s, (struct change_id){i + 1}),
								*b = state_change(&f.s, (struct change_id){k + 1});
			if (k < i && !b->draft) assert_int_equal(areas_meet(&f.s, a, b), want);
		}
	fixture_end(&f);
}

static void a_file_s_number_is_no_job_s(void **state) {
	(void)state;
	struct fixture f;
	AUTO_BUF text = {0};
	fixture_begin(&f, 2);
	buf_printf(&text, "{\"files\":[%u],\"jobs\":[]}", areas_of_file(STR("lib")));
	propose(&f, 1, text.p, false);
	propose(&f, 2, "{\"files\":[],\"jobs\":[\"lib\"]}", false);
	assert_false(waits(&f, 1, 0));
	fixture_end(&f);
}

static void more_than_the_limit_is_everything(void **state) {
	(void)state;
	struct fixture f;
	AUTO_BUF text = {0};
	fixture_begin(&f, 2);
	buf_cstr(&text, "{\"files\":[0");
	for (int i = 1; i <= AREAS_MAX; i++) buf_printf(&text, ",%d", i);
	buf_cstr(&text, "],\"jobs\":[]}");
	propose(&f, 1, text.p, false);
	assert_int_equal(state_change(&f.s, (struct change_id){1})->areas_known, 0);
	assert_int_equal(f.s.areas.count, 0);
	fixture_end(&f);
}

static void a_new_revision_touches_what_it_touches(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 2);
	propose(&f, 1, "{\"files\":[1],\"jobs\":[]}", false);
	propose(&f, 2, "{\"files\":[2],\"jobs\":[]}", false);
	assert_false(waits(&f, 1, 0));
	fixture_apply(&f, fixture_proposal(&f, 1, 5000));
	assert_int_equal(state_change(&f.s, (struct change_id){1})->areas_known, 0);
	assert_int_equal(f.s.areas.count, 1);
	fixture_end(&f);
}

static void other_jobs_are_another_answer(void **state) {
	(void)state;
	struct fixture f;
	fixture_begin(&f, 2);
	propose(&f, 1, "{\"files\":[1],\"jobs\":[]}", false);
	propose(&f, 2, "{\"files\":[2],\"jobs\":[]}", false);
	assert_false(waits(&f, 1, 0));
	struct str plan = STR(
		"{\"environments\":[],\"jobs\":[{\"name\":\"new\",\"when\":\"change\"}]}");
	struct event e = {
		.kind = EVENT_REPO_CONFIGURED,
		.repo_configured = {.repo = {1}, .plan_digest = digest_of(plan), .plan = plan}};
	fixture_apply(&f, e);
	assert_true(waits(&f, 1, 0));
	fixture_end(&f);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_for_whom),
		cmocka_unit_test(a_file_s_number_is_no_job_s),
		cmocka_unit_test(more_than_the_limit_is_everything),
		cmocka_unit_test(a_new_revision_touches_what_it_touches),
		cmocka_unit_test(other_jobs_are_another_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
