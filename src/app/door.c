#include "app/door.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/bootstrap.h"
#include "app/rollouts.h"
#include "app/room.h"
#include "app/runs.h"
#include "app/secrets.h"
#include "app/version.h"
#include "cli/doctor.h"
#include "git/query.h"
#include "os/file.h"

enum { DIFF_MAX = 4 << 20 };

static int64_t now_ms(void *context) {
	return turn_now(((struct daemon *)context)->turn);
}

static const struct state *state(void *context) {
	return turn_state(((struct daemon *)context)->turn);
}

static uint64_t seq(void *context) {
	return turn_seq(((struct daemon *)context)->turn);
}

static const char *read_only(void *context) {
	struct daemon *d = context;
	const char *why = room_full(d->room); // says what to do
	return why ? why : turn_read_only(d->turn);
}

static const char *runs_wait(void *context) {
	return room_runs_wait(((struct daemon *)context)->room);
}

static bool records(void *context) {
	return !turn_read_only(((struct daemon *)context)->turn);
}

// ---------------------------------------------------------------- events

struct submission {
	api_done_fn *done;
	void *context;
};

static void submitted(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct submission *s = context;
	s->done(s->context, ok, applied, why);
	free(s);
}

static struct submission *submission_new(api_done_fn *done, void *context) {
	struct submission *s = calloc(1, sizeof *s);
	if (!s) abort();
	*s = (struct submission){done, context};
	return s;
}

static void submit(void *context, const struct event *e, api_done_fn *done, void *done_context) {
	struct daemon *d = context;
	turn_submit(d->turn, e, NULL, submitted, submission_new(done, done_context));
}

static void repo_add(void *context, const struct api_repo_add *add, api_done_fn *done,
                     void *done_context) {
	struct bootstrap_repo repo = {.name = add->name,
	                              .source = add->source,
	                              .trunk = add->trunk,
	                              .changes = add->changes,
	                              .follow = add->follow,
	                              .poll_ms = add->poll_ms};
	bootstrap_add(context, &repo, submitted, submission_new(done, done_context));
}

// ---------------------------------------------------------------- secrets

struct secret_task {
	struct daemon *daemon;
	struct arena life;
	struct repo_id repo;
	struct str repo_name, name, value, by;
	bool removes, ok;
	struct err error;
	api_done_fn *done;
	void *context;
};

static void secret_work(void *context) {
	struct secret_task *t = context;
	t->ok = t->removes ? secrets_remove(t->daemon->data, t->repo_name, t->name, &t->error)
	                   : secrets_set(t->daemon->data, t->repo_name, t->name, t->value, &t->error);
}

static void secret_recorded(void *context, bool ok, const struct err *why,
                            const struct event *applied) {
	struct secret_task *t = context;
	t->done(t->context, ok, applied, why);
	arena_free(&t->life);
	free(t);
}

static void secret_done(void *context) {
	struct secret_task *t = context;
	struct event set = {.kind = EVENT_SECRET_SET, .secret_set = {t->repo, t->name, t->by}};
	struct event removed = {.kind = EVENT_SECRET_REMOVED,
	                        .secret_removed = {t->repo, t->name, t->by}};
	explicit_bzero((void *)(uintptr_t)t->value.p, t->value.n);
	if (!t->ok) secret_recorded(t, false, &t->error, NULL);
	else turn_submit(t->daemon->turn, t->removes ? &removed : &set, NULL, secret_recorded, t);
}

static void secret_set(void *context, struct repo_id repo, struct str name, struct str value,
                       struct str by, api_done_fn *done, void *done_context) {
	struct daemon *d = context;
	struct daemon_repo *r = daemon_repo(d, repo);
	struct secret_task *t = calloc(1, sizeof *t);
	if (!t) abort();
	t->daemon = d;
	t->repo = repo;
	t->repo_name = arena_str(&t->life, r ? str_of(r->name) : STR("none"));
	t->name = arena_str(&t->life, name);
	t->value = arena_str(&t->life, value);
	t->by = arena_str(&t->life, by);
	t->removes = value.p == NULL;
	t->done = done;
	t->context = done_context;
	loop_work(d->loop, secret_work, secret_done, t);
}

// ---------------------------------------------------------------- texts that take time

struct text_task {
	struct daemon *daemon;
	struct git_repo *git;
	struct oid base, head;
	struct buf text;
	bool ok;
	struct err error;
	api_text_fn *done;
	void *context;
};

static void text_done(void *context) {
	struct text_task *t = context;
	t->done(t->context, t->ok, buf_view(&t->text), &t->error);
	buf_free(&t->text);
	free(t);
}

static void diff_work(void *context) {
	struct text_task *t = context;
	bool cut;
	t->ok = git_query_diff(t->git, t->base, t->head, DIFF_MAX, &t->text, &cut, &t->error);
}

static void diff(void *context, struct repo_id repo, struct oid base, struct oid head,
                 api_text_fn *done, void *done_context) {
	struct daemon *d = context;
	struct daemon_repo *r = daemon_repo(d, repo);
	struct text_task *t = calloc(1, sizeof *t);
	if (!t) abort();
	*t = (struct text_task){.daemon = d,
	                        .git = r ? r->git : NULL,
	                        .base = base,
	                        .head = head,
	                        .done = done,
	                        .context = done_context};
	if (r) {
		loop_work(d->loop, diff_work, text_done, t);
		return;
	}
	err_set(&t->error, ERR_NOT_FOUND, "the repository is not known");
	text_done(t);
}

static void doctor_work(void *context) {
	struct text_task *t = context;
	doctor_examine(t->daemon->data, &t->text);
	t->ok = true;
}

static void doctor(void *context, api_text_fn *done, void *done_context) {
	struct text_task *t = calloc(1, sizeof *t);
	if (!t) abort();
	*t = (struct text_task){.daemon = context, .done = done, .context = done_context};
	loop_work(t->daemon->loop, doctor_work, text_done, t);
}

// ---------------------------------------------------------------- logs that still grow

static bool run_log(void *context, struct run_id run, struct buf *path) {
	struct daemon *d = context;
	AUTO_ARENA scratch = {0};
	struct str folder = runs_folder(d->runs, run, &scratch);
	if (!folder.n) return false;
	buf_str(path, folder);
	buf_cstr(path, "/log");
	return true;
}

static bool env_log(void *context, struct env_id env, struct buf *path) {
	struct daemon *d = context;
	AUTO_ARENA scratch = {0};
	struct str log = rollouts_log(d->rollouts, env, &scratch);
	if (!log.n || !file_exists(log.p)) return false;
	buf_str(path, log);
	return true;
}

void door_fill(struct daemon *d, struct object_store *objects, struct api_host *out) {
	*out = (struct api_host){
		.context = d,
		.store = d->reader,
		.objects = objects,
		.version = VERSION_TEXT,
		.url = d->public_url,
		.data = d->data,
		.started_ms = d->started_ms,
		.now_ms = now_ms,
		.state = state,
		.seq = seq,
		.read_only = read_only,
		.records = records,
		.runs_wait = runs_wait,
		.submit = submit,
		.repo_add = repo_add,
		.secret_set = secret_set,
		.diff = diff,
		.doctor = doctor,
		.run_log = run_log,
		.env_log = env_log,
	};
}
