// A database of one repository to which events are appended: for the tests of what is read.
#pragma once
#include <stdlib.h>

#include "base/unit.h"
#include "os/file.h"
#include "store/read.h"

struct fixture {
	char folder[32];
	struct store *store;
	struct arena life;
	int64_t now;
};

static inline int begin(void **state) {
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	strcpy(f->folder, "/tmp/weir-read.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_ok(store_open(f->folder, STORE_WRITE, &f->store, &e), e);
	f->now = 1000;
	*state = f;
	return 0;
}

static inline int end(void **state) {
	struct fixture *f = *state;
	struct err e;
	arena_free(&f->life);
	assert_ok(store_check_projections(f->store, &e), e);
	store_close(&f->store);
	assert_ok(file_remove_tree(f->folder, &e), e);
	free(f);
	return 0;
}

static inline void append(struct fixture *f, struct event event) {
	struct err e;
	uint64_t first;
	event.time_ms = f->now++;
	assert_ok(store_append(f->store, &event, 1, &first, &e), e);
}

#define HAPPENS(f, KIND, name, ...) \
	append(f, (struct event){.kind = EVENT_##KIND, .name = {__VA_ARGS__}})
#define OID(x) ((struct oid){.n = 20, .b = {(uint8_t)(x), 0xab, 0xcd}})

static const char plan[] = "{\"environments\":[{\"name\":\"staging\"},{\"name\":\"production\"}],"
						   "\"jobs\":[]}";

static inline void a_repository(struct fixture *f) {
	HAPPENS(f, SERVER_STARTED, server_started, .version = STR("1"));
	HAPPENS(f, REPO_ADDED, repo_added, .repo = {1}, .name = STR("shop"), .trunk = STR("main"));
	HAPPENS(f, TRUNK_MOVED, trunk_moved, .repo = {1}, .to = OID(1));
	HAPPENS(f, REPO_CONFIGURED, repo_configured, .repo = {1}, .commit = OID(1),
	        .plan_digest = digest_of(STR("plan")), .plan = STR(plan));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
