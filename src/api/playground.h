// For tests and the server of the browser tests: a host for the API with a real store and state in
// a temporary folder, and adapters that only pretend. It decides as the daemon does; whatever is
// asked of git, jobs and environments is answered at once, except that runs wait for
// playground_start and playground_finish when `manual`.
//
// A run fails when the title of its change holds "fail:JOB".
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api.h"
#include "base/jsonw.h"
#include "conf/conf.h"
#include "core/apply.h"
#include "core/decide.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/read.h"

struct playground {
	char folder[64], live_log[128], env_log[128];
	struct store *log, *reader;
	struct object_store *objects;
	struct state state;
	int64_t now_ms;
	uint64_t seq;
	bool manual, real_time, no_health; // no_health: rollouts fail
	const char *read_only;
	struct str plan;
	struct digest plan_digest;
	struct arena life;
	struct api_host host;
	void (*notify)(void *context);
	void *notify_context;
};

static inline void playground_must(bool ok, const struct err *e) {
	if (ok) return;
	fprintf(stderr, "playground: %s\n", e->text);
	abort();
}

static inline void playground_append(struct playground *p, const struct event *e) {
	uint64_t first;
	struct err why = {0};
	playground_must(store_append(p->log, e, 1, &first, &why), &why);
	p->seq = first;
}

static inline int64_t playground_clock(struct playground *p) {
	int64_t wall = p->real_time ? clock_wall_ms() : p->now_ms + 1000;
	return p->now_ms = wall > p->now_ms ? wall : p->now_ms;
}

static inline bool playground_try(struct playground *p, struct event *e, struct err *why) {
	e->time_ms = playground_clock(p);
	if (!apply_check(&p->state, e, why)) return false;
	apply_event(&p->state, e);
	playground_append(p, e);
	return true;
}

static inline void playground_add(struct playground *p, struct event e) {
	struct err why = {0};
	playground_must(playground_try(p, &e, &why), &why);
}

static inline struct oid playground_oid(const char *text, uint64_t number) {
	AUTO_BUF all = {0};
	buf_printf(&all, "%s %llu", text, (unsigned long long)number);
	struct digest d = digest_of(buf_view(&all));
	struct oid oid = {.n = 20};
	memcpy(oid.b, d.b, 20);
	return oid;
}

static inline struct read_run playground_run(struct playground *p, struct run_id id) {
	struct read_run run;
	struct err e = {0};
	playground_must(read_run(p->reader, id, &p->life, &run, &e), &e);
	return run;
}

static inline struct str playground_title(struct playground *p, struct run_id id) {
	struct read_change c;
	struct err e = {0};
	playground_must(read_change(p->reader, playground_run(p, id).change, &p->life, &c, &e), &e);
	return c.title;
}

static inline void playground_turn(struct playground *p);

static inline void playground_start(struct playground *p, struct run_id id) {
	playground_add(p, (struct event){.kind = EVENT_RUN_STARTED, .run_started = {id, 5, 0}});
}

static inline struct digest playground_log(struct playground *p, const char *text) {
	struct digest name;
	struct err e = {0};
	playground_must(object_put(p->objects, str_of(text), &name, &e), &e);
	return name;
}

static inline void playground_finish(struct playground *p, struct run_id id) {
	struct read_run run = playground_run(p, id);
	struct str wanted = arena_printf(&p->life, "fail:" STR_FMT, STR_ARG(run.name));
	bool fails = str_contains(playground_title(p, id), wanted);
	struct event e = {.kind = EVENT_RUN_FINISHED};
	e.run_finished = (struct event_run_finished){
		.run = id,
		.outcome = fails ? OUTCOME_FAILED : OUTCOME_PASSED,
		.reason = fails ? REASON_TEST_FAILED : REASON_NONE,
		.text = fails ? STR("1 of 3 tests failed") : STR_NONE,
		.exit_status = fails,
		.duration_ms = 2000,
		.log = playground_log(
			p,
			fails
				? "1 o ok 1 - create\n2 o \033[31mnot ok 2 - delete_then_follow\033[0m\n"
				  "3 e test/http_test.c:212: expected 404, got 302\n4 o <script>alert(1)</script>\n"
				  "5 e make: *** [Makefile:41: test] Error 1\n"
				: "1 o ok 1 - create\n2 o ok 2 - delete\n"),
		.tests = 3,
		.tests_failed = fails,
		.failed_tests = fails ? STR("[\"delete_then_follow\"]") : STR_NONE,
		.key = digest_of(arena_printf(&p->life, "key %llu", (unsigned long long)id.v)),
	};
	if (fails)
		e.run_finished.results = playground_log(p,
		                                        "[{\"path\":\"junit.xml\",\"results\":{\"tests\":[{"
		                                        "\"name\":\"create\",\"outcome\":\"passed\"},"
		                                        "{\"name\":\"delete_then_follow\",\"outcome\":"
		                                        "\"failed\",\"message\":\"expected 404, got 302\","
		                                        "\"file\":\"test/http_test.c\",\"line\":212}]}}]");
	else if (str_eq(run.name, STR("build"))) {
		struct digest file = playground_log(p, "#!/bin/sh\necho shortlink\n");
		char hex[DIGEST_HEX + 1];
		digest_hex(file, hex);
		e.run_finished.artifacts = playground_log(
			p,
			arena_printf(
				&p->life,
				"[{\"mode\":\"0755\",\"path\":\"build/shortlink\",\"sha256\":\"%s\",\"size\":25}]",
				hex)
				.p);
	}
	playground_add(p, e);
}

// What an adapter would answer to an intent; nothing for facts.
static inline void playground_adapter(struct playground *p, const struct event *e) {
	if (e->kind == EVENT_CANDIDATE_ISSUED) {
		struct read_change c;
		struct err why = {0};
		struct candidate_id id = e->candidate_issued.candidate;
		playground_must(read_change(p->reader, e->candidate_issued.change, &p->life, &c, &why),
		                &why);
		if (str_contains(c.title, STR("conflict")))
			playground_add(
				p, (struct event){
					   .kind = EVENT_CANDIDATE_REFUSED,
					   .candidate_refused = {
						   .candidate = id,
						   .reason = REASON_CONFLICT_WITH_BASE,
						   .text = STR("conflicts with the target in src/key.c"),
						   .conflicts = STR("[{\"kind\":\"contents\",\"ours\":\"int a = "
			                                "1;\\n\",\"path\":\"src/key.c\","
			                                "\"text\":\"\",\"theirs\":\"int a = 2;\\n\"}]")}});
		else
			playground_add(
				p, (struct event){.kind = EVENT_CANDIDATE_BUILT,
			                      .candidate_built = {.candidate = id,
			                                          .commit = playground_oid("commit", id.v),
			                                          .tree = playground_oid("tree", id.v),
			                                          .plan_digest = p->plan_digest,
			                                          .plan = p->plan}});
	} else if (e->kind == EVENT_RUN_ISSUED && !p->manual) {
		playground_start(p, e->run_issued.run);
		playground_finish(p, e->run_issued.run);
	} else if (e->kind == EVENT_RUN_CANCEL_ISSUED) {
		playground_add(p, (struct event){.kind = EVENT_RUN_STOPPED,
		                                 .run_stopped = {.run = e->run_cancel_issued.run}});
	} else if (e->kind == EVENT_LANDING_ISSUED) {
		const struct event_landing_issued *l = &e->landing_issued;
		playground_add(p, (struct event){.kind = EVENT_CHANGE_LANDED,
		                                 .change_landed = {l->change, l->revision, l->candidate,
		                                                   l->landing, l->to, l->from, l->tree}});
	} else if (e->kind == EVENT_ROLLOUT_ISSUED) {
		struct event done = {.kind = EVENT_ROLLOUT_FINISHED};
		bool bad = p->no_health && !str_eq(e->rollout_issued.cause, STR("rollback"));
		done.rollout_finished = (struct event_rollout_finished){
			.rollout = e->rollout_issued.rollout,
			.outcome = bad ? OUTCOME_FAILED : OUTCOME_PASSED,
			.reason = bad ? REASON_HEALTH_NEVER_GREEN : REASON_NONE,
			.text = bad ? STR("/healthz answered 503") : STR_NONE,
			.duration_ms = 400};
		playground_add(p, done);
	}
}

static inline void playground_turn(struct playground *p) {
	for (bool silent = false; !silent;) {
		AUTO_ARENA turn = {0};
		struct decide_list list = {.life = &turn};
		decide_turn(&p->state, playground_clock(p), &list);
		silent = list.count == 0;
		for (size_t i = 0; i < list.count; i++) playground_append(p, &list.events[i]);
		for (size_t i = 0; i < list.count; i++) playground_adapter(p, &list.events[i]);
	}
	if (p->notify) p->notify(p->notify_context);
}

static inline struct change_id playground_push(struct playground *p, const char *title) {
	struct change_id id = {p->state.next_change};
	struct event e = {.kind = EVENT_CHANGE_PROPOSED};
	e.change_proposed = (struct event_change_proposed){
		.change = id,
		.revision = 1,
		.repo = {1},
		.target = STR("main"),
		.key = digest_of(arena_printf(&p->life, "change %llu", (unsigned long long)id.v)),
		.head = playground_oid("head", id.v),
		.base = playground_oid("base", id.v),
		.title = str_of(title),
		.author = STR("heron"),
		.author_kind = STR("agent"),
		.pusher = STR("heron"),
		.commits = 1,
		.files = 2,
		.lines_added = 18,
		.lines_deleted = 3};
	playground_add(p, e);
	playground_turn(p);
	return id;
}

// ---------------------------------------------------------------- the host's functions

static inline const struct state *playground_state(void *context) {
	return &((struct playground *)context)->state;
}
static inline int64_t playground_now(void *context) {
	struct playground *p = context;
	return p->real_time ? clock_wall_ms() : p->now_ms;
}
static inline uint64_t playground_seq(void *context) {
	return ((struct playground *)context)->seq;
}
static inline const char *playground_why(void *context) {
	return ((struct playground *)context)->read_only;
}
static inline void playground_submit(void *context, const struct event *e, api_done_fn *done,
                                     void *done_context) {
	struct playground *p = context;
	struct event copy = *e;
	struct err why = {0};
	bool ok = playground_try(p, &copy, &why);
	if (ok) playground_turn(p);
	done(done_context, ok, ok ? &copy : NULL, ok ? NULL : &why);
}
static inline void playground_secret(void *context, struct repo_id repo, struct str name,
                                     struct str value, struct str by, api_done_fn *done,
                                     void *done_context) {
	struct event e = {.kind = EVENT_SECRET_SET, .secret_set = {repo, name, by}};
	if (!value.p)
		e = (struct event){.kind = EVENT_SECRET_REMOVED, .secret_removed = {repo, name, by}};
	playground_submit(context, &e, done, done_context);
}
static inline void playground_repo(void *context, const struct api_repo_add *add, api_done_fn *done,
                                   void *done_context) {
	struct playground *p = context;
	struct event e = {.kind = EVENT_REPO_ADDED};
	e.repo_added = (struct event_repo_added){.repo = {p->state.next_repo},
	                                         .name = add->name,
	                                         .trunk = add->trunk.n ? add->trunk : STR("main"),
	                                         .url = add->source,
	                                         .follow = add->follow,
	                                         .changes = add->changes,
	                                         .poll_ms = add->poll_ms};
	playground_submit(context, &e, done, done_context);
}
static inline void playground_diff(void *context, struct repo_id repo, struct oid base,
                                   struct oid head, api_text_fn *done, void *done_context) {
	(void)context, (void)repo, (void)base, (void)head;
	done(done_context, true,
	     STR("diff --git a/src/cache.c b/src/cache.c\n--- a/src/cache.c\n+++ b/src/cache.c\n@@ "
	         "-35,3 +35,4 @@\n static struct entry *slot(void);\n"
	         " \n-bool cache_find(struct cache *c);\n+bool cache_find(struct cache *c, int64_t "
	         "now_ms);\n+// a < b && c > d\n"),
	     NULL);
}
static inline void playground_doctor(void *context, api_text_fn *done, void *done_context) {
	(void)context;
	done(done_context, true, STR("{\"findings\":[]}"), NULL);
}
static inline bool playground_run_log(void *context, struct run_id run, struct buf *path) {
	struct playground *p = context;
	(void)run;
	buf_cstr(path, p->live_log);
	return file_exists(p->live_log);
}
static inline bool playground_env_log(void *context, struct env_id env, struct buf *path) {
	struct playground *p = context;
	(void)env;
	buf_cstr(path, p->env_log);
	return file_exists(p->env_log);
}

static inline struct playground *playground_open(void) {
	static const char yml[] = "jobs:\n  build:\n    run: make\n    artifacts: [build/shortlink]\n  "
							  "test:\n    needs: [build]\n    run: make check\n"
							  "environments:\n  production:\n    artifacts: [build/shortlink]\n    "
							  "service: {run: build/shortlink, health: /healthz}\n"
							  "    listen: 127.0.0.1:8000\n";
	struct playground *p = calloc(1, sizeof *p);
	if (!p) abort();
	struct err e = {0};
	struct conf_plan *plan;
	struct conf_diagnostics d = {.life = &p->life};
	AUTO_BUF text = {0};
	snprintf(p->folder, sizeof p->folder, "/tmp/weir-playground.XXXXXX");
	if (!mkdtemp(p->folder)) abort();
	snprintf(p->live_log, sizeof p->live_log, "%s/live", p->folder);
	snprintf(p->env_log, sizeof p->env_log, "%s/service.log", p->folder);
	p->now_ms = 1795098730000;
	playground_must(store_open(p->folder, STORE_WRITE, &p->log, &e) &&
	                    store_open(p->folder, STORE_READ, &p->reader, &e) &&
	                    object_store_open(p->folder, &p->objects, &e),
	                &e);
	if (!conf_parse(STR(yml), &p->life, &plan, &d)) abort();
	plan_json(plan, &text);
	p->plan = arena_str(&p->life, buf_view(&text));
	p->plan_digest = digest_of(p->plan);
	state_init(&p->state);
	p->host = (struct api_host){
		.context = p,
		.store = p->reader,
		.objects = p->objects,
		.version = "0.1",
		.url = "http://127.0.0.1:8420",
		.started_ms = p->now_ms,
		.now_ms = playground_now,
		.state = playground_state,
		.seq = playground_seq,
		.read_only = playground_why,
		.submit = playground_submit,
		.repo_add = playground_repo,
		.secret_set = playground_secret,
		.diff = playground_diff,
		.doctor = playground_doctor,
		.run_log = playground_run_log,
		.env_log = playground_env_log,
	};
	playground_add(
		p, (struct event){.kind = EVENT_SERVER_STARTED,
	                      .server_started = {.version = STR("0.1"), .seed = 1, .slots = 2}});
	return p;
}

static inline void playground_repository(struct playground *p) {
	playground_add(
		p, (struct event){
			   .kind = EVENT_REPO_ADDED,
			   .repo_added = {.repo = {1}, .name = STR("shortlink"), .trunk = STR("main")}});
	playground_add(
		p, (struct event){.kind = EVENT_TRUNK_MOVED,
	                      .trunk_moved = {{1}, {0}, playground_oid("tip", 0), STR("jonas")}});
	playground_add(
		p, (struct event){.kind = EVENT_REPO_CONFIGURED,
	                      .repo_configured = {
							  {1}, playground_oid("tip", 0), p->plan_digest, p->plan, STR_NONE}});
	playground_turn(p);
}

static inline void playground_close(struct playground *p) {
	struct err e = {0};
	store_close(&p->log);
	store_close(&p->reader);
	object_store_close(&p->objects);
	state_free(&p->state);
	playground_must(file_remove_tree(p->folder, &e), &e);
	arena_free(&p->life);
	free(p);
}
