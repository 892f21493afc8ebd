#include "api/api.h"

#include <stdlib.h>

#include "api/loglines.h"
#include "api/playground.h"
#include "api/tarwriter.h"
#include "api/urltext.h"
#include "base/json.h"
#include "base/unit.h"

// ---------------------------------------------------------------- asking

struct reply {
	int status;
	struct buf body;
	struct json *json;
	const char *type;
	int calls;
};

static void keep(void *context, struct api_answer *a) {
	struct reply *r = context;
	r->calls++;
	r->status = a->status;
	r->type = a->type;
	buf_str(&r->body, buf_view(&a->body));
	for (int i = 0; a->stream && i < 50 && a->stream->more(a->stream, &r->body); i++) {}
	api_answer_free(a);
}

static void reply_free(struct reply *r) {
	buf_free(&r->body);
	json_free(&r->json);
}
#define AUTO_REPLY __attribute__((cleanup(reply_free))) struct reply

static struct reply ask_as(struct playground *p, unsigned scopes, const char *method,
                           const char *url, const char *body) {
	struct api api = {.host = p->host};
	struct reply r = {0};
	struct str query = str_of(url), path = str_cut(&query, '?');
	api_call(&api,
	         &(struct api_request){.method = str_of(method),
	                               .path = path,
	                               .query = query.p ? query : STR(""),
	                               .body = str_of(body),
	                               .identity = {STR("jonas"), scopes}},
	         keep, &r);
	assert_int_equal(r.calls, 1);
	struct err e;
	if (strcmp(r.type, "application/json") == 0)
		assert_ok(json_parse(buf_view(&r.body), &r.json, &e), e);
	return r;
}

static struct reply ask(struct playground *p, const char *method, const char *url,
                        const char *body) {
	return ask_as(p, OPERATION_SCOPE_ALL, method, url, body);
}

static void assert_error(const struct reply *r, int status, const char *code) {
	assert_int_equal(r->status, status);
	const struct json *error = json_get(r->json, "error");
	assert_text(json_get_str(error, "code"), code);
	assert_true(json_get_str(error, "text").n > 0);
}

static int begin(void **state) {
	struct playground *p = playground_open();
	playground_repository(p);
	*state = p;
	return 0;
}

static int end(void **state) {
	playground_close(*state);
	return 0;
}

// ---------------------------------------------------------------- the table

static void every_operation_is_routed_and_described(void **state) {
	struct playground *p = *state;
	AUTO_REPLY doc = ask_as(p, 0, "GET", "/api/v1/openapi.json", "");
	assert_int_equal(doc.status, 200);
	assert_text(json_get_str(doc.json, "openapi"), "3.1.0");
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *o = operation_at((enum operation_id)i), *found;
		struct str segments[OPERATION_PARAMS_MAX];
		struct err e;
		assert_int_equal(o->id, i);
		assert_true(o->param_count <= OPERATION_PARAMS_MAX);
		assert_ok(operation_route(str_of(o->method), str_of(o->path), &found, segments, &e), e);
		assert_ptr_equal(found, o);
		const struct json *path = json_get(json_get(doc.json, "paths"), o->path);
		const struct json *method = json_get(path, strcmp(o->method, "GET") == 0    ? "get"
		                                           : strcmp(o->method, "POST") == 0 ? "post"
		                                           : strcmp(o->method, "PUT") == 0  ? "put"
		                                                                            : "delete");
		assert_text(json_get_str(method, "operationId"), o->name);
		for (struct str rest = str_of(o->path); rest.p;) { // {x} is a parameter of the path
			struct str part = str_cut(&rest, '/');
			if (!part.n || part.p[0] != '{') continue;
			ptrdiff_t at = operation_param_index(o, str_slice(part, 1, part.n - 1));
			assert_true(at >= 0 && o->params[at].in == OPERATION_IN_PATH && o->params[at].required);
		}
	}
}

static void routes_that_are_none(void **state) {
	struct playground *p = *state;
	static const struct {
		const char *method, *url;
		int status;
	} rows[] = {{"GET", "/api/v1/nothing", 404},
	            {"GET", "/api/v1/changes/", 404},
	            {"GET", "/api/v1/changes/1/x", 404},
	            {"DELETE", "/api/v1/changes", 405},
	            {"GET", "/api/v1/changes/1/withdraw", 405},
	            {"GET", "/api/v1/changes/1", 404},
	            {"GET", "/api/v1/changes/abc", 400},
	            {"GET", "/api/v1/changes/%zz", 400},
	            {"GET", "/api/v1/changes?x=1", 400},
	            {"GET", "/api/v1/changes?limit=1&limit=2", 400},
	            {"GET", "/api/v1/changes?limit=-1", 400},
	            {"GET", "/api/v1/changes?limit=0", 400},
	            {"GET", "/api/v1/changes?limit=1001", 400},
	            {"GET", "/api/v1/environments/nope", 404},
	            {"GET", "/api/v1/releases/99", 404},
	            {"GET", "/api/v1/changes?repo=nope", 404}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_REPLY r = ask(p, rows[i].method, rows[i].url, "");
		if (r.status != rows[i].status)
			print_error("%s %s: %s\n", rows[i].method, rows[i].url, r.body.p);
		assert_int_equal(r.status, rows[i].status);
		assert_true(json_get_str(json_get(r.json, "error"), "text").n > 0);
	}
}

static void scopes_are_asked_for(void **state) {
	struct playground *p = *state;
	AUTO_REPLY nobody = ask_as(p, 0, "GET", "/api/v1/status", "");
	assert_error(&nobody, 401, "denied");
	AUTO_REPLY reader = ask_as(p, OPERATION_SCOPE_READ, "POST",
	                           "/api/v1/environments/production/rollback", "");
	assert_error(&reader, 403, "denied");
	AUTO_REPLY operator= ask_as(p, OPERATION_SCOPE_OPERATE, "GET", "/api/v1/tokens", "");
	assert_error(&operator, 403, "denied");
	AUTO_REPLY reads = ask_as(p, OPERATION_SCOPE_OPERATE, "GET", "/api/v1/status", "");
	assert_int_equal(reads.status, 200);
	unsigned set;
	struct err e;
	assert_ok(operation_scopes_parse(STR("read, propose"), &set, &e), e);
	assert_int_equal(set, OPERATION_SCOPE_READ | OPERATION_SCOPE_PROPOSE);
	assert_refused(operation_scopes_parse(STR("root"), &set, &e), e, ERR_INVALID);
	assert_refused(operation_scopes_parse(STR(""), &set, &e), e, ERR_INVALID);
	assert_false(operation_allows(OPERATION_SCOPE_ADMIN, OPERATION_SCOPE_PIPELINE));
}

static void read_only_refuses_changes_and_says_why(void **state) {
	struct playground *p = *state;
	p->read_only = "the disk is full";
	AUTO_REPLY r = ask(p, "POST", "/api/v1/tokens", "{\"name\":\"x\",\"scopes\":\"read\"}");
	assert_error(&r, 503, "unavailable");
	assert_true(
		str_contains(json_get_str(json_get(r.json, "error"), "text"), STR("the disk is full")));
	AUTO_REPLY health = ask_as(p, 0, "GET", "/healthz", "");
	assert_int_equal(health.status, 503);
	AUTO_REPLY reads = ask(p, "GET", "/api/v1/queue", "");
	assert_int_equal(reads.status, 200);
}

// ---------------------------------------------------------------- changes

static void a_landed_change_has_the_promised_shape(void **state) {
	struct playground *p = *state;
	playground_push(p, "Count redirects");
	AUTO_REPLY r = ask(p, "GET", "/api/v1/changes/1", "");
	assert_int_equal(r.status, 200);
	const struct json *c = r.json, *times = json_get(c, "times"),
					  *job = json_at(json_get(c, "jobs"), 0);
	assert_int_equal(json_get_int(c, "id", 0), 1);
	assert_int_equal(json_get_int(c, "revision", 0), 1);
	assert_text(json_get_str(c, "repo"), "shortlink");
	assert_text(json_get_str(c, "title"), "Count redirects");
	assert_text(json_get_str(c, "author"), "heron");
	assert_int_equal(json_get_str(c, "head").n, 40);
	assert_text(json_get_str(c, "state"), "landed");
	assert_int_equal(json_kind(json_get(c, "reason")), JSON_KIND_NULL);
	assert_int_equal(json_get_str(json_get(c, "candidate"), "commit").n, 40);
	assert_int_equal(json_get_str(json_get(c, "candidate"), "tree").n, 40);
	assert_int_equal(json_get_str(c, "landed_commit").n, 40);
	assert_int_equal(json_length(json_get(c, "jobs")), 2);
	assert_text(json_get_str(job, "name"), "build");
	assert_text(json_get_str(job, "state"), "passed");
	assert_false(json_get_bool(job, "reused", true));
	assert_int_equal(json_get_int(job, "duration_ms", 0), 2000);
	assert_int_equal(json_kind(json_get(job, "failed_tests")), JSON_KIND_ARRAY);
	static const char *const keys[] = {"proposed", "queued", "landed", "deployed"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct str t = json_get_str(times, keys[i]);
		assert_int_equal(t.n, 24);
		assert_true(str_ends(t, STR("Z")) && t.p[19] == '.');
	}
}

static void a_rejected_change_says_why(void **state) {
	struct playground *p = *state;
	playground_push(p, "Cache links fail:test");
	AUTO_REPLY r = ask(p, "GET", "/api/v1/changes/1", "");
	const struct json *reason = json_get(r.json, "reason"),
					  *test = json_at(json_get(r.json, "jobs"), 1);
	assert_text(json_get_str(r.json, "state"), "rejected");
	assert_text(json_get_str(reason, "code"), "test-failed");
	assert_false(json_get_bool(reason, "stays_queued", true));
	assert_text(json_str(json_at(json_get(test, "failed_tests"), 0)), "delete_then_follow");
	assert_int_equal(json_get_int(test, "tests_failed", 0), 1);
	const struct json *failures = json_get(test, "failures"), *one = json_at(failures, 0);
	assert_int_equal(json_length(failures), 1);
	assert_text(json_get_str(one, "name"), "delete_then_follow");
	assert_text(json_get_str(one, "message"), "expected 404, got 302");
	assert_text(json_get_str(one, "file"), "test/http_test.c");
	assert_int_equal(json_get_int(one, "line", 0), 212);
	assert_int_equal(json_length(json_get(json_at(json_get(r.json, "jobs"), 0), "failures")), 0);
	AUTO_REPLY list = ask(p, "GET", "/api/v1/changes", ""); // only one change tells the details
	const struct json *listed = json_at(json_get(list.json, "changes"), 0);
	assert_null(json_get(json_at(json_get(listed, "jobs"), 1), "failures"));
	assert_int_equal(json_kind(json_get(r.json, "landed_commit")), JSON_KIND_NULL);
	assert_int_equal(json_kind(json_get(json_get(r.json, "times"), "landed")), JSON_KIND_NULL);
	AUTO_REPLY conflict_pushed = {0};
	playground_push(p, "a conflict");
	conflict_pushed = ask(p, "GET", "/api/v1/changes/2", "");
	assert_text(json_get_str(json_at(json_get(conflict_pushed.json, "conflicts"), 0), "path"),
	            "src/key.c");
}

static void the_status_counts_the_last_hour(void **state) {
	struct playground *p = *state;
	playground_push(p, "Count redirects");
	playground_push(p, "Cache links fail:test");
	AUTO_REPLY r = ask(p, "GET", "/api/v1/status", "");
	const struct json *hour = json_get(r.json, "last_hour");
	assert_int_equal(json_get_int(hour, "proposed", -1), 2);
	assert_int_equal(json_get_int(hour, "landed", -1), 1);
	assert_int_equal(json_get_int(hour, "rejected", -1), 1);
	assert_int_equal(json_get_int(hour, "rolled_back", -1), 0);
}

static void changes_are_withdrawn_retried_cancelled(void **state) {
	struct playground *p = *state;
	p->manual = true;
	playground_push(p, "One");
	playground_push(p, "Two");
	AUTO_REPLY queue = ask(p, "GET", "/api/v1/queue", "");
	assert_int_equal(json_length(json_get(queue.json, "changes")), 2);
	assert_int_equal(json_get_int(json_at(json_get(queue.json, "changes"), 1), "place", -1), 1);
	AUTO_REPLY waits = ask(p, "GET", "/api/v1/changes/2", "");
	const struct json *first = json_at(json_get(waits.json, "waits_for"), 0);
	assert_int_equal(json_get_int(first, "change", 0), 1);
	assert_text(json_get_str(first, "why"), "what they touch is not known yet");
	AUTO_REPLY withdrawn = ask(p, "POST", "/api/v1/changes/2/withdraw", "");
	assert_text(json_get_str(withdrawn.json, "state"), "withdrawn");
	AUTO_REPLY again = ask(p, "POST", "/api/v1/changes/2/withdraw", "{}");
	assert_error(&again, 409, "conflict");
	AUTO_REPLY cancelled = ask(p, "POST", "/api/v1/changes/1/cancel", "");
	assert_text(json_get_str(cancelled.json, "state"), "rejected");
	assert_text(json_get_str(json_get(cancelled.json, "reason"), "code"), "cancelled");
	AUTO_REPLY twice = ask(p, "POST", "/api/v1/changes/1/cancel", "");
	assert_error(&twice, 409, "conflict");
	AUTO_REPLY retried = ask(p, "POST", "/api/v1/changes/1/retry", "");
	assert_int_equal(retried.status, 200);
	assert_text(json_get_str(retried.json, "state"), "testing");
	AUTO_REPLY untried = ask(p, "POST", "/api/v1/changes/1/retry", "");
	assert_error(&untried, 409, "conflict");
	AUTO_REPLY bad = ask(p, "POST", "/api/v1/changes/1/retry", "{\"x\":1}");
	assert_error(&bad, 400, "invalid");
	AUTO_REPLY torn = ask(p, "POST", "/api/v1/changes/1/retry", "{");
	assert_error(&torn, 400, "invalid");
	AUTO_REPLY list = ask(p, "GET", "/api/v1/changes?state=open", "");
	assert_int_equal(json_length(json_get(list.json, "changes")), 1);
}

static void logs_come_as_text_and_json(void **state) {
	struct playground *p = *state;
	playground_push(p, "Cache links fail:test");
	AUTO_REPLY text = ask(p, "GET", "/api/v1/changes/1/jobs/test/log", "");
	assert_text(buf_view(&text.body),
	            "ok 1 - create\nnot ok 2 - delete_then_follow\ntest/http_test.c:212: expected 404, "
	            "got 302\n"
	            "<script>alert(1)</script>\nmake: *** [Makefile:41: test] Error 1\n");
	AUTO_REPLY two = ask(p, "GET", "/api/v1/changes/1/jobs/test/log?from=2&lines=1", "");
	assert_text(buf_view(&two.body), "not ok 2 - delete_then_follow\n");
	AUTO_REPLY json = ask(p, "GET", "/api/v1/changes/1/jobs/test/log?format=json&from=3&lines=1",
	                      "");
	assert_text(buf_view(&json.body), "{\"channel\":\"e\",\"line\":3,\"ms\":3,\"text\":\"test/"
	                                  "http_test.c:212: expected 404, got 302\"}\n");
	AUTO_REPLY none = ask(p, "GET", "/api/v1/changes/1/jobs/lint/log", "");
	assert_error(&none, 404, "not-found");
	AUTO_REPLY diff = ask(p, "GET", "/api/v1/changes/1/diff", "");
	assert_true(str_starts(buf_view(&diff.body), STR("diff --git ")));
}

static void note_line(void *context, uint64_t number, char channel, int64_t ms, struct str line) {
	(void)ms;
	buf_printf(context, "%llu%c" STR_FMT "|", (unsigned long long)number, channel, STR_ARG(line));
}

static void log_lines_survive_any_cut(void **state) {
	(void)state;
	struct str text = STR("1 o+par\n2 e err\n3 o tial\n4 d 17\n5 w end\n");
	for (size_t cut = 0; cut <= text.n; cut++) {
		struct loglines l = {0};
		AUTO_BUF seen = {0};
		loglines_feed(&l, str_slice(text, 0, cut), note_line, &seen);
		loglines_feed(&l, str_from(text, cut), note_line, &seen);
		loglines_end(&l, note_line, &seen);
		assert_text(buf_view(&seen), "1eerr|2opartial|3d17 bytes are missing here|4wend|");
		loglines_free(&l);
	}
}

// ---------------------------------------------------------------- delivery

static void releases_deploy_and_roll_back(void **state) {
	struct playground *p = *state;
	AUTO_REPLY early = ask(p, "POST", "/api/v1/environments/production/deploy", "");
	assert_error(&early, 409, "conflict");
	playground_push(p, "One");
	AUTO_REPLY first = ask(p, "POST", "/api/v1/environments/production/rollback", "");
	assert_error(&first, 409, "conflict");
	playground_push(p, "Two");
	AUTO_REPLY env = ask(p, "GET", "/api/v1/environments/production", "");
	assert_int_equal(json_get_int(json_get(env.json, "release"), "id", 0), 2);
	AUTO_REPLY back = ask(p, "POST", "/api/v1/environments/production/rollback",
	                      "{\"reason\":\"5xx\"}");
	assert_int_equal(back.status, 200);
	assert_int_equal(json_get_int(json_get(back.json, "release"), "id", 0), 1);
	AUTO_REPLY blocked = ask(p, "POST", "/api/v1/environments/production/deploy",
	                         "{\"release\":\"2\"}");
	assert_error(&blocked, 409, "conflict");
	AUTO_REPLY forced = ask(p, "POST", "/api/v1/environments/production/deploy",
	                        "{\"release\":\"2\",\"force\":true}");
	assert_int_equal(json_get_int(json_get(forced.json, "release"), "id", 0), 2);
	AUTO_REPLY release = ask(p, "GET", "/api/v1/releases/1", "");
	assert_text(json_get_str(json_at(json_get(release.json, "files"), 0), "path"),
	            "build/shortlink");
	AUTO_BUF by_commit = {0}; // in the only repository that has it, nobody need name it
	buf_printf(&by_commit, "/api/v1/releases/" STR_FMT,
	           STR_ARG(str_slice(json_get_str(release.json, "commit"), 0, 7)));
	AUTO_REPLY named = ask(p, "GET", by_commit.p, "");
	assert_int_equal(named.status, 200);
	AUTO_REPLY file = ask(p, "GET", "/api/v1/releases/1/artifact?path=build/shortlink", "");
	assert_text(buf_view(&file.body), "#!/bin/sh\necho shortlink\n");
	AUTO_REPLY tar = ask(p, "GET", "/api/v1/releases/1/artifact", "");
	assert_int_equal(tar.body.n, 512 * 4);
	AUTO_REPLY none = ask(p, "GET", "/api/v1/releases/1/artifact?path=nope", "");
	assert_error(&none, 404, "not-found");
}

static void service_logs_end_with_the_last_lines(void **state) {
	struct playground *p = *state;
	struct err e;
	AUTO_REPLY none = ask(p, "GET", "/api/v1/environments/production/log", "");
	assert_error(&none, 404, "not-found");
	assert_ok(file_write_atomic(p->env_log, STR("a\nb\nc\n"), 0600, &e), e);
	AUTO_REPLY two = ask(p, "GET", "/api/v1/environments/production/log?lines=2", "");
	assert_text(buf_view(&two.body), "b\nc\n");
	AUTO_REPLY all = ask(p, "GET", "/api/v1/environments/production/log", "");
	assert_text(buf_view(&all.body), "a\nb\nc\n");
}

// ---------------------------------------------------------------- administration

static void tokens_open_doors_until_they_are_void(void **state) {
	struct playground *p = *state;
	struct api api = {.host = p->host};
	struct api_identity who;
	struct err e;
	AUTO_ARENA life = {0};
	AUTO_REPLY made = ask(p, "POST", "/api/v1/tokens",
	                      "{\"name\":\"ci\",\"scopes\":\"read,propose\",\"days\":1}");
	assert_int_equal(made.status, 200);
	struct str token = json_get_str(made.json, "token");
	assert_true(str_starts(token, STR("weir_")) && token.n == 69);
	assert_ok(api_identify(&api, token, &life, &who, &e), e);
	assert_text(who.name, "ci");
	assert_int_equal(who.scopes, OPERATION_SCOPE_READ | OPERATION_SCOPE_PROPOSE);
	AUTO_REPLY ages = ask(p, "POST", "/api/v1/tokens",
	                      "{\"name\":\"ages\",\"scopes\":\"read\",\"days\":3651}");
	assert_error(&ages, 400, "invalid");
	AUTO_REPLY twice = ask(p, "POST", "/api/v1/tokens", "{\"name\":\"ci\",\"scopes\":\"admin\"}");
	assert_error(&twice, 409, "conflict");
	AUTO_REPLY list = ask(p, "GET", "/api/v1/tokens", "");
	assert_false(str_contains(buf_view(&list.body), token));
	AUTO_REPLY events = ask(p, "GET", "/api/v1/events?from=1", "");
	assert_false(str_contains(buf_view(&events.body), token));
	p->now_ms += INT64_C(2) * 86400000;
	assert_refused(api_identify(&api, token, &life, &who, &e), e, ERR_DENIED);
	p->now_ms -= INT64_C(2) * 86400000;
	AUTO_REPLY revoked = ask(p, "DELETE", "/api/v1/tokens/ci", "");
	assert_int_equal(revoked.status, 200);
	assert_refused(api_identify(&api, token, &life, &who, &e), e, ERR_DENIED);
	assert_refused(api_identify(&api, STR("weir_no"), &life, &who, &e), e, ERR_DENIED);
}

static void secrets_never_come_out(void **state) {
	struct playground *p = *state;
	AUTO_REPLY set = ask(p, "PUT", "/api/v1/repos/shortlink/secrets/KEY",
	                     "{\"value\":\"hunter2\"}");
	assert_int_equal(set.status, 200);
	AUTO_REPLY list = ask(p, "GET", "/api/v1/repos/shortlink/secrets", "");
	assert_true(str_contains(buf_view(&list.body), STR("KEY")));
	assert_false(str_contains(buf_view(&list.body), STR("hunter2")));
	AUTO_REPLY bad = ask(p, "PUT", "/api/v1/repos/shortlink/secrets/a%2Fb", "{\"value\":\"x\"}");
	assert_error(&bad, 400, "invalid");
	AUTO_REPLY rm = ask(p, "DELETE", "/api/v1/repos/shortlink/secrets/KEY", "");
	assert_int_equal(rm.status, 200);
	AUTO_REPLY gone = ask(p, "DELETE", "/api/v1/repos/shortlink/secrets/KEY", "");
	assert_error(&gone, 404, "not-found");
}

static void keys_and_webhooks_are_judged(void **state) {
	struct playground *p = *state;
	AUTO_REPLY key = ask(p, "POST", "/api/v1/keys",
	                     "{\"name\":\"jonas\",\"key\":\"ssh-ed25519 "
	                     "AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000 a\"}");
	assert_int_equal(key.status, 200);
	AUTO_REPLY options = ask(p, "POST", "/api/v1/keys",
	                         "{\"name\":\"eve\",\"key\":\"command=\\\"sh\\\" ssh-ed25519 "
	                         "AAAAC3NzaC1lZDI1NTE5AAAAIJ00000000000000000000000000000\"}");
	assert_error(&options, 400, "invalid");
	AUTO_REPLY lines = ask(p, "POST", "/api/v1/keys",
	                       "{\"name\":\"eve\",\"key\":\"ssh-rsa "
	                       "AAAAB3NzaC1yc2EAAAADAQABAAABAQC0000000000000\\nssh-rsa x\"}");
	assert_error(&lines, 400, "invalid");
	AUTO_REPLY hook = ask(p, "POST", "/api/v1/webhooks",
	                      "{\"name\":\"chat\",\"url\":\"https://example.org/x\"}");
	assert_int_equal(hook.status, 200);
	AUTO_REPLY file = ask(p, "POST", "/api/v1/webhooks",
	                      "{\"name\":\"chat\",\"url\":\"file:///etc/passwd\"}");
	assert_error(&file, 400, "invalid");
	AUTO_REPLY list = ask(p, "GET", "/api/v1/webhooks", "");
	assert_true(str_contains(buf_view(&list.body), STR("landed,rejected,deployed")));
}

static void events_and_metrics_count_what_happened(void **state) {
	struct playground *p = *state;
	playground_push(p, "One");
	AUTO_REPLY events = ask(p, "GET", "/api/v1/events?from=1&entity=change/1", "");
	assert_true(str_contains(buf_view(&events.body), STR("\"kind\":\"change.landed\"")));
	assert_false(str_contains(buf_view(&events.body), STR("server.started")));
	AUTO_REPLY one = ask(p, "GET", "/api/v1/events?from=1&limit=1", "");
	assert_true(str_contains(buf_view(&one.body), STR("\"seq\":1")) &&
	            str_ends(buf_view(&one.body), STR("}\n")));
	AUTO_REPLY metrics = ask(p, "GET", "/metrics", "");
	assert_true(str_contains(buf_view(&metrics.body), STR("\nweir_changes_total 1\n")));
	assert_true(str_contains(buf_view(&metrics.body), STR("# TYPE weir_changes_total counter\n")));
	AUTO_REPLY status = ask(p, "GET", "/api/v1/status", "");
	assert_int_equal(json_get_int(status.json, "slots", 0), 2);
	AUTO_REPLY repos = ask(p, "POST", "/api/v1/repos", "{\"name\":\"second\"}");
	assert_text(json_get_str(repos.json, "git_url"), "http://127.0.0.1:8420/git/second.git");
}

static void texts_of_urls(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct urltext_pairs pairs;
	struct str out;
	struct err e;
	assert_ok(urltext_pairs(STR("a=1&b=x+y%26&c&&d="), &life, &pairs, &e), e);
	assert_text(urltext_get(&pairs, "b"), "x y&");
	assert_int_equal(pairs.n, 4);
	assert_refused(urltext_pairs(STR("a=%"), &life, &pairs, &e), e, ERR_INVALID);
	assert_refused(urltext_pairs(STR("a=1&a=2"), &life, &pairs, &e), e, ERR_INVALID);
	assert_false(urltext_decode(STR("%00"), false, &life, &out));
	assert_false(urltext_decode(STR("%ff"), false, &life, &out));
	assert_true(urltext_decode(STR("%41%c3%a9"), false, &life, &out));
	assert_text(out, "A\xc3\xa9");
	assert_text(urltext_cookie(STR("a=1; weir=abc; b=2"), "weir"), "abc");
	assert_null(urltext_cookie(STR("xweir=abc"), "weir").p);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
int main(void) {
	const struct CMUnitTest tests[] = {
		WITH(every_operation_is_routed_and_described),
		WITH(routes_that_are_none),
		WITH(scopes_are_asked_for),
		WITH(read_only_refuses_changes_and_says_why),
		WITH(a_landed_change_has_the_promised_shape),
		WITH(a_rejected_change_says_why),
		WITH(the_status_counts_the_last_hour),
		WITH(changes_are_withdrawn_retried_cancelled),
		WITH(logs_come_as_text_and_json),
		cmocka_unit_test(log_lines_survive_any_cut),
		WITH(releases_deploy_and_roll_back),
		WITH(service_logs_end_with_the_last_lines),
		WITH(tokens_open_doors_until_they_are_void),
		WITH(secrets_never_come_out),
		WITH(keys_and_webhooks_are_judged),
		WITH(events_and_metrics_count_what_happened),
		cmocka_unit_test(texts_of_urls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
