#include "conf/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "conf/manual.h"
#include "conf/jsonschema.h"

static void rows_are_sorted_and_told(void **state) {
	(void)state;
	for (unsigned scope = 0; scope < KEYS_SCOPES_N; scope++) {
		const struct key *last = NULL;
		KEYS_EACH((enum keys_scope)scope, key) {
			if (last && strcmp(last->name, key->name) >= 0)
				fail_msg("%s after %s", key->name, last->name);
			if (!(key->flags & KEY_INTERNAL) &&
			    (!key->doc[0] || key->doc[strlen(key->doc) - 1] != '.'))
				fail_msg("%s has no sentence", key->name);
			last = key;
		}
		assert_non_null(last);
	}
}

static void suggestions(void **state) {
	(void)state;
	assert_string_equal(keys_suggest(KEYS_JOB, STR("artefacts")), "artifacts");
	assert_string_equal(keys_suggest(KEYS_JOB, STR("script")), "run");
	assert_string_equal(keys_suggest(KEYS_ROOT, STR("job")), "jobs");
	assert_null(keys_suggest(KEYS_JOB, STR("xyzzy")));
	assert_null(keys_suggest(KEYS_JOB, STR("")));
	assert_null(keys_suggest(KEYS_JOB, STR("famly"))); // not for the file
	assert_null(keys_find(KEYS_JOB, STR("family")));
}

static void schema_knows_what_is_built(void **state) {
	(void)state;
	AUTO_BUF out = {0};
	AUTO_JSON schema = NULL;
	struct err e = {0};
	jsonschema_write(&out);
	if (!json_parse(buf_view(&out), &schema, &e)) fail_msg("%s", e.text);
	for (unsigned scope = 0; scope < KEYS_SCOPES_N; scope++) {
		const struct json *at = scope == KEYS_ROOT
		                            ? schema
		                            : json_get(json_get(schema, "$defs"),
		                                       keys_scope_name((enum keys_scope)scope));
		assert_false(json_bool(json_get(at, "additionalProperties"), true));
		KEYS_EACH((enum keys_scope)scope, key) {
			bool built = !(key->flags & (KEY_INTERNAL | KEY_NOT_YET));
			if ((json_get(json_get(at, "properties"), key->name) != NULL) != built)
				fail_msg("%s", key->name);
		}
	}
}

static void manual_names_every_key(void **state) {
	(void)state;
	AUTO_BUF out = {0};
	manual_write(&out);
	assert_true(str_starts(buf_view(&out), STR(".TH WEIR.YML 5\n")));
	assert_true(str_contains(buf_view(&out), STR(".B working\\-directory\n")));
	for (unsigned scope = 0; scope < KEYS_SCOPES_N; scope++)
		KEYS_EACH((enum keys_scope)scope, key) {
			AUTO_BUF line = {0};
			if (strchr(key->name, '-')) continue;
			buf_printf(&line, "\n.B %s\n", key->name);
			if (str_contains(buf_view(&out), buf_view(&line)) == !!(key->flags & KEY_INTERNAL) &&
			    strcmp(key->name, "key") != 0)
				fail_msg("%s", key->name); // "key" is internal of a job and a key of tls
		}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_and_told),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(schema_knows_what_is_built),
		cmocka_unit_test(manual_names_every_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
