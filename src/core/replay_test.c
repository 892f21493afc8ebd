// A recorded log must give the state that it gave when it was recorded: apply is only ever
// extended. test/golden/state/NAME.log holds one event a line, NAME.digest what state_digest said.
// WEIR_GOLDEN_WRITE=1 records the digest of a new log; that of an old one never changes.
#include <stdlib.h>

#include "base/json.h"
#include "core/fixture.h"

static void read_file(const char *path, struct buf *out) {
	FILE *f = fopen(path, "rb");
	if (!f) fail_msg("%s can't be read", path);
	for (size_t n = 1; n;) {
		n = fread(buf_grow(out, 65536), 1, 65536, f);
		out->n += n;
	}
	fclose(f);
}

static struct event parse(struct str line, struct arena *life) {
	AUTO_JSON v = NULL;
	AUTO_BUF body = {0};
	AUTO_BUF again = {0};
	struct event e;
	struct err why;
	assert_ok(json_parse(line, &v, &why), why);
	enum event_kind kind = event_kind_of_name(json_get_str(v, "kind"));
	json_print(&body, json_get(v, "body"));
	assert_ok(event_parse(kind, json_get_int(v, "time_ms", 0), buf_view(&body), life, &e, &why),
	          why);
	buf_printf(&again, "{\"kind\":\"%s\",\"time_ms\":%lld,\"body\":", event_name(kind),
	           (long long)e.time_ms);
	event_body(&e, &again);
	buf_char(&again, '}');
	assert_true(str_eq(buf_view(&again), line)); // same event, same bytes
	return e;
}

static void replay(const char *name, bool seen[EVENT_KIND_MAX + 1]) {
	AUTO_BUF log = {0};
	AUTO_BUF want = {0};
	AUTO_ARENA life = {0};
	struct state s;
	char hex[DIGEST_HEX + 1];
	const char *digest = arena_printf(&life, "test/golden/state/%s.digest", name).p;
	read_file(arena_printf(&life, "test/golden/state/%s.log", name).p, &log);
	state_init(&s);
	for (struct str rest = buf_view(&log); rest.n;) {
		struct event e = parse(str_cut(&rest, '\n'), &life);
		struct err why;
		assert_ok(apply_check(&s, &e, &why), why);
		apply_event(&s, &e);
		seen[e.kind] = true;
	}
	digest_hex(state_digest(&s), hex);
	if (getenv("WEIR_GOLDEN_WRITE")) {
		FILE *f = fopen(digest, "wb");
		assert_non_null(f);
		fprintf(f, "%s\n", hex);
		fclose(f);
	}
	read_file(digest, &want);
	assert_text(str_trim(buf_view(&want)), hex);
	state_free(&s);
}

static void recorded_logs_give_their_states(void **state) {
	(void)state;
	bool seen[EVENT_KIND_MAX + 1] = {0};
	replay("first", seen);
	replay("apart", seen);
	replay("doubt", seen);
	for (int kind = 0; kind <= EVENT_KIND_MAX; kind++)
		if (event_name((enum event_kind)kind) && !seen[kind])
			fail_msg("%s is in no recorded log; record another one that has it",
			         event_name((enum event_kind)kind));
}

int main(void) {
	const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_logs_give_their_states)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
