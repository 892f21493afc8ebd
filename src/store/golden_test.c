// The logs that released weirs wrote (test/golden/log/NAME.log: time, kind and body of each event)
// must still be taken by the core and replay to the hash and the state that were recorded beside
// them (NAME.digest).
//
// WEIR_GOLDEN=write records: for a new log, or when the state's encoding was changed on purpose
// before a release.
#include <stdlib.h>

#include "base/unit.h"
#include "core/apply.h"
#include "core/state.h"
#include "os/file.h"
#include "store/store.h"

static const char folder[] = "test/golden/log";

static struct event event_of(struct str line, struct arena *life) {
	struct event event;
	struct err e;
	int64_t time_ms = 0;
	struct str time = str_cut(&line, ' '), kind = str_cut(&line, ' ');
	assert_true(str_to_i64(time, &time_ms));
	assert_ok(event_parse(event_kind_of_name(kind), time_ms, line, life, &event, &e), e);
	return event;
}

static void append_all(struct store *s, struct str text, struct arena *life) {
	while (text.n) {
		struct str line = str_cut(&text, '\n');
		uint64_t first;
		struct err e;
		if (line.n == 0 || line.p[0] == '#') continue;
		struct event event = event_of(line, life);
		assert_ok(store_append(s, &event, 1, &first, &e), e);
	}
}

static bool take(void *state, uint64_t seq, const struct event *event, struct err *e) {
	if (!apply_check(state, event, e))
		return err_context(e, "event %llu, %s", (unsigned long long)seq, event_name(event->kind));
	apply_event(state, event);
	return true;
}

// "chain HEX\nstate HEX\n" of a log.
static void digests_of(struct str log, struct buf *out) {
	char data[] = "/tmp/weir-golden.XXXXXX", hex[DIGEST_HEX + 1];
	AUTO_ARENA life = {0};
	AUTO_STORE s = NULL;
	struct store_head head;
	struct state state;
	struct err e;
	assert_non_null(mkdtemp(data));
	assert_ok(store_open(data, STORE_WRITE, &s, &e), e);
	append_all(s, log, &life);
	assert_ok(store_verify(s, &head, &e), e);
	state_init(&state);
	assert_ok(store_replay(s, 1, UINT64_MAX, take, &state, &e), e);
	assert_ok(store_check_projections(s, &e), e);
	digest_hex(head.hash, hex);
	buf_printf(out, "chain %s\n", hex);
	digest_hex(state_digest(&state), hex);
	buf_printf(out, "state %s\n", hex);
	state_free(&state);
	assert_ok(file_remove_tree(data, &e), e);
}

static void compare(struct str name) {
	AUTO_BUF path = {0};
	AUTO_BUF log = {0};
	AUTO_BUF want = {0};
	AUTO_BUF got = {0};
	struct err e;
	buf_printf(&path, "%s/" STR_FMT, folder, STR_ARG(name));
	assert_ok(file_read(path.p, 1 << 26, &log, &e), e);
	digests_of(buf_view(&log), &got);
	path.n -= strlen(".log");
	buf_cstr(&path, ".digest");
	const char *mode = getenv("WEIR_GOLDEN");
	if (mode && strcmp(mode, "write") == 0)
		assert_ok(file_write_atomic(path.p, buf_view(&got), 0644, &e), e);
	assert_ok(file_read(path.p, 4096, &want, &e), e);
	assert_text(buf_view(&got), want.p);
}

static void old_logs_replay_to_their_digests(void **unused) {
	(void)unused;
	AUTO_ARENA life = {0};
	struct str *names;
	size_t count, logs = 0;
	struct err e;
	assert_ok(file_list(folder, &life, &names, &count, &e), e);
	for (size_t i = 0; i < count; i++) {
		if (!str_ends(names[i], STR(".log"))) continue;
		compare(names[i]);
		logs++;
	}
	assert_true(logs > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(old_logs_replay_to_their_digests)};
	return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
