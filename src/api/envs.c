// Operations on environments: what runs where, deploys, rollbacks, the service's log.
#include <stdlib.h>

#include "api/call.h"
#include "api/logsource.h"

static void write_release(struct call *c, struct jsonw *w, const char *key, struct release_id id) {
	struct read_release r;
	struct err e = {0};
	jsonw_key(w, key);
	if (!id.v || !read_release(c->store, id, &c->life, &r, &e)) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_key_i(w, "change", (int64_t)r.change.v);
	call_key_oid(w, "commit", r.commit);
	jsonw_key_i(w, "id", (int64_t)r.id.v);
	jsonw_key_s(w, "title", r.title);
	jsonw_object_end(w);
}

static void write_rollout(struct call *c, struct jsonw *w, const struct read_rollout *r) {
	jsonw_object(w);
	call_key_text(w, "by", r->by);
	jsonw_key_s(w, "cause", r->cause);
	jsonw_key(w, "duration_ms");
	if (r->ended_ms) jsonw_int(w, r->duration_ms);
	else jsonw_null(w);
	jsonw_key_i(w, "id", (int64_t)r->id.v);
	write_release(c, w, "previous", r->previous);
	jsonw_key(w, "reason");
	if (r->reason == REASON_NONE) jsonw_null(w);
	else {
		jsonw_object(w);
		jsonw_key_s(w, "code", reason_code(r->reason));
		jsonw_key_s(w, "next", reason_next(r->reason));
		jsonw_key_s(w, "text", r->reason_text.n ? r->reason_text : reason_code(r->reason));
		jsonw_object_end(w);
	}
	write_release(c, w, "release", r->release);
	jsonw_key_s(w, "state", r->state);
	jsonw_key(w, "times");
	jsonw_object(w);
	jsonw_key_t(w, "began", r->issued_ms);
	jsonw_key_t(w, "ended", r->ended_ms);
	jsonw_key_t(w, "exposed", r->exposed_ms);
	jsonw_object_end(w);
	jsonw_object_end(w);
}

// The fields of an environment, without the braces.
static void write_env(struct call *c, struct jsonw *w, const struct read_env *e) {
	struct read_rollout rollout;
	struct err why = {0};
	jsonw_key_b(w, "defined", e->defined != 0);
	call_key_text(w, "health", e->health);
	call_key_text(w, "health_text", e->health_text);
	jsonw_key_i(w, "id", (int64_t)e->id.v);
	jsonw_key_t(w, "live_since", e->live_ms);
	jsonw_key_s(w, "name", e->name);
	write_release(c, w, "previous", e->previous);
	write_release(c, w, "release", e->release);
	jsonw_key_s(w, "repo", e->repo_name);
	jsonw_key(w, "rollout");
	if (e->rollout.v && read_rollout(c->store, e->rollout, &c->life, &rollout, &why))
		write_rollout(c, w, &rollout);
	else jsonw_null(w);
	jsonw_key_s(w, "url",
	            arena_printf(&c->life, "%s/environment/" STR_FMT "/" STR_FMT, c->host->url,
	                         STR_ARG(e->repo_name), STR_ARG(e->name)));
}

void envs_list(struct call *c) {
	struct err e = {0};
	struct repo_id repo;
	struct read_envs envs;
	if (!call_repo(c, &repo)) return;
	if (!read_envs(c->store, repo, &c->life, &envs, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "environments");
	jsonw_array(w);
	for (size_t i = 0; i < envs.n; i++) {
		jsonw_object(w);
		write_env(c, w, &envs.p[i]);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_object_end(w);
	call_finish(c);
}

void envs_get(struct call *c) {
	struct err e = {0};
	struct read_env env;
	struct read_rollouts rollouts;
	if (!call_env(c, &env)) return;
	if (!read_rollouts(c->store, env.id, (struct rollout_id){0}, 20, &c->life, &rollouts, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	write_env(c, w, &env);
	jsonw_key(w, "rollouts");
	jsonw_array(w);
	for (size_t i = 0; i < rollouts.n; i++) write_rollout(c, w, &rollouts.p[i]);
	jsonw_array_end(w);
	jsonw_object_end(w);
	call_finish(c);
}

// ---------------------------------------------------------------- changing

static void changed(struct call *c, const struct event *applied) {
	(void)applied;
	envs_get(c);
}

void envs_deploy(struct call *c) {
	struct err e = {0};
	struct read_env env;
	struct read_release release;
	struct read_releases newest;
	struct str name = call_text(c, "release");
	if (!call_env(c, &env)) return;
	if (name.n) {
		if (!call_release(c, env.repo, name, &release)) return;
	} else if (!read_releases(c->store, env.repo, (struct release_id){0}, 1, &c->life, &newest,
	                          &e)) {
		call_fail(c, &e, NULL);
		return;
	} else if (!newest.n) {
		err_set(&e, ERR_CONFLICT, "there is no release yet");
		call_fail(c, &e, "the first change that lands makes one");
		return;
	} else release = newest.p[0];
	bool there = env.release.v == release.id.v && !env.rollout.v &&
	             str_eq(env.health, STR("healthy"));
	if (there) { // done already: no deployment, in no statistic
		envs_get(c);
		return;
	}
	call_submit(c,
	            &(struct event){.kind = EVENT_DEPLOY_REQUESTED,
	                            .deploy_requested = {env.id, release.id, call_flag(c, "force"),
	                                                 c->identity.name}},
	            changed);
}

void envs_rollback(struct call *c) {
	struct read_env env;
	if (!call_env(c, &env)) return;
	call_submit(
		c,
		&(struct event){.kind = EVENT_ROLLBACK_REQUESTED,
	                    .rollback_requested = {env.id, c->identity.name, call_text(c, "reason")}},
		changed);
}

// ---------------------------------------------------------------- the log

struct follow {
	struct api_stream stream;
	char *path;
	uint64_t offset;
};

static bool more(struct api_stream *s, struct buf *out) {
	struct follow *f = (struct follow *)s;
	struct err e = {0};
	uint64_t total = f->offset;
	if (!logsource_file(f->path, f->offset, 256 << 10, out, &total, &e))
		return e.code == ERR_NOT_FOUND;
	f->offset = total < f->offset               ? 0
	            : total - f->offset > 256 << 10 ? f->offset + (256 << 10)
	                                            : total;
	return true;
}

static void end(struct api_stream *s) {
	struct follow *f = (struct follow *)s;
	free(f->path);
	free(f);
}

static struct str last_lines(struct str text, int64_t lines) {
	size_t start = text.n && text.p[text.n - 1] == '\n' ? text.n - 1 : text.n;
	if (lines <= 0) return STR_NONE;
	while (start && (text.p[start - 1] != '\n' || --lines > 0)) start--;
	return str_from(text, start);
}

void envs_log(struct call *c) {
	struct err e = {0};
	struct read_env env;
	AUTO_BUF path = {0};
	AUTO_BUF tail = {0};
	uint64_t total = 0, unused;
	if (!call_env(c, &env)) return;
	if (!c->host->env_log(c->host->context, env.id, &path) ||
	    !logsource_file(path.p, 0, 0, &tail, &total, &e)) {
		err_set(&e, ERR_NOT_FOUND, "the service of " STR_FMT " has printed nothing yet",
		        STR_ARG(env.name));
		call_fail(c, &e, NULL);
		return;
	}
	uint64_t from = total > 1 << 20 ? total - (1 << 20) : 0;
	if (!logsource_file(path.p, from, (size_t)(total - from), &tail, &unused, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	buf_str(&c->answer.body, last_lines(buf_view(&tail), call_int(c, "lines", 200)));
	c->answer.type = "text/plain; charset=utf-8";
	if (call_flag(c, "follow")) {
		struct follow *f = calloc(1, sizeof *f);
		if (!f) abort();
		*f = (struct follow){{true, more, end}, strdup(path.p), from + tail.n};
		c->answer.stream = &f->stream;
	}
	call_finish(c);
}
