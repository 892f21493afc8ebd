// Secrets at rest: set, read back, refused names, and the first use by many at once.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/secrets.h"
#include "base/unit.h"
#include "os/file.h"

enum { WRITERS = 12 };

static int begin(void **state) {
	char *folder = strdup("/tmp/weir-secrets-XXXXXX");
	*state = folder;
	return folder && mkdtemp(folder) ? 0 : -1;
}

static int end(void **state) {
	struct err e;
	bool ok = file_remove_tree(*state, &e);
	free(*state);
	return ok ? 0 : -1;
}

static void set_and_get(void **state) {
	AUTO_ARENA life = {0};
	AUTO_BUF stored = {0};
	struct str value;
	struct err e;
	char path[200];
	struct stat st;
	assert_true(secrets_set(*state, STR("repo"), STR("TOKEN"), STR("a value of some length"), &e));
	assert_true(secrets_get(*state, STR("repo"), STR("TOKEN"), &life, &value, &e));
	assert_true(str_eq(value, STR("a value of some length")));
	snprintf(path, sizeof path, "%s/secrets/repo/TOKEN", (char *)*state);
	assert_true(file_read(path, 10000, &stored, &e));
	assert_false(str_contains(buf_view(&stored), STR("value")));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(secrets_get(*state, STR("other"), STR("TOKEN"), &life, &value, &e));
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_true(secrets_remove(*state, STR("repo"), STR("TOKEN"), &e));
	assert_false(secrets_get(*state, STR("repo"), STR("TOKEN"), &life, &value, &e));
}

static void refuses_names(void **state) {
	static const char *const names[] = {"", "../x", "a/b", ".", "1A", "A B", "A\n"};
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_false(secrets_set(*state, STR("repo"), str_of(names[i]), STR("0123456789abc"), &e));
		assert_false(secrets_remove(*state, STR("repo"), str_of(names[i]), &e));
	}
}

struct writer {
	const char *folder;
	pthread_barrier_t *together;
	int number;
	bool ok;
};

static void *write_one(void *context) {
	struct writer *w = context;
	char name[20];
	struct err e;
	snprintf(name, sizeof name, "S%d", w->number);
	pthread_barrier_wait(w->together);
	w->ok = secrets_set(w->folder, STR("repo"), str_of(name), STR("0123456789abcdef"), &e);
	return NULL;
}

// All are sealed with the one key that stays.
static void many_at_first(void **state) {
	pthread_t threads[WRITERS];
	pthread_barrier_t together;
	struct writer writers[WRITERS];
	AUTO_ARENA life = {0};
	struct err e;
	pthread_barrier_init(&together, NULL, WRITERS);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){*state, &together, i, false};
		assert_int_equal(pthread_create(&threads[i], NULL, write_one, &writers[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		struct str value;
		char name[20];
		pthread_join(threads[i], NULL);
		assert_true(writers[i].ok);
		snprintf(name, sizeof name, "S%d", i);
		assert_true(secrets_get(*state, STR("repo"), str_of(name), &life, &value, &e));
	}
	pthread_barrier_destroy(&together);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_and_get, begin, end),
		cmocka_unit_test_setup_teardown(refuses_names, begin, end),
		cmocka_unit_test_setup_teardown(many_at_first, begin, end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
