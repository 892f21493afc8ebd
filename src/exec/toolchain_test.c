#include "exec/toolchain.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unit.h"
#include "os/file.h"

static char folder[] = "/tmp/toolchain-test-XXXXXX";
static char packages[64], local[64], tool[96], cache[64];

static void put(const char *path, const char *text) {
	struct err e = {0};
	assert_ok(file_write_atomic(path, str_of(text), 0644, &e), e);
}

static struct digest id(const char *cached, int64_t now_ms) {
	struct err e = {0};
	struct digest out;
	const char *const folders[] = {local, NULL};
	struct toolchain_paths p = {.packages = packages, .folders = folders};
	assert_ok(toolchain_id(&p, cached, now_ms, &out, &e), e);
	return out;
}

static void changes_with_packages_and_local_tools(void **state) {
	(void)state;
	struct digest first = id(NULL, 0);
	assert_true(digest_eq(first, id(NULL, 0)));
	put(packages, "gcc 13\n");
	struct digest second = id(NULL, 0);
	assert_false(digest_eq(first, second));
	put(tool, "#!/bin/sh\n# longer\n");
	assert_false(digest_eq(second, id(NULL, 0)));
	unlink(packages);
	assert_false(digest_eq(first, id(NULL, 0)));
	put(packages, "gcc 12\n");
}

static void the_cache_is_believed_for_a_while(void **state) {
	(void)state;
	unlink(cache);
	struct digest before = id(cache, 1000);
	put(tool, "changed, deeper than the cache looks\n");
	assert_true(digest_eq(before, id(cache, 1000 + TOOLCHAIN_CACHE_MS - 1)));
	struct digest after = id(cache, 1000 + TOOLCHAIN_CACHE_MS);
	assert_false(digest_eq(before, after));
	put(packages, "gcc 14\n");
	assert_false(digest_eq(after, id(cache, 1001 + TOOLCHAIN_CACHE_MS)));
}

static void a_broken_cache_is_no_harm(void **state) {
	(void)state;
	struct digest want = id(NULL, 0);
	put(cache, "nonsense");
	assert_true(digest_eq(want, id(cache, 0)));
	assert_true(digest_eq(want, id("/nonexistent/cache", 0)));
}

static int make_folder(void **state) {
	(void)state;
	if (!mkdtemp(folder)) return 1;
	snprintf(packages, sizeof packages, "%s/status", folder);
	snprintf(local, sizeof local, "%s/local", folder);
	snprintf(tool, sizeof tool, "%s/deep/er/tool", local);
	snprintf(cache, sizeof cache, "%s/cache", folder);
	char deep[96];
	snprintf(deep, sizeof deep, "%s/deep/er", local);
	if (!file_make_folders(deep, 0755, NULL)) return 1;
	put(packages, "gcc 12\n");
	put(tool, "#!/bin/sh\n");
	return 0;
}

static int remove_folder(void **state) {
	(void)state;
	return file_remove_tree(folder, NULL) ? 0 : 1;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_with_packages_and_local_tools),
		cmocka_unit_test(the_cache_is_believed_for_a_while),
		cmocka_unit_test(a_broken_cache_is_no_harm),
	};
	return cmocka_run_group_tests_name("toolchain", tests, make_folder, remove_folder);
}
