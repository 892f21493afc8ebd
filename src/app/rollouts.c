#include "app/rollouts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/secrets.h"
#include "app/unpack.h"
#include "base/glob.h"
#include "base/jsonw.h"
#include "conf/plan.h"
#include "deploy/environment.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"
#include "store/read.h"

enum { ROLLOUT_TIMEOUT_MS = 30 * 60 * 1000, WATCH_AGAIN_MS = 1000 };

struct watcher { // one environment whose supervisor is followed
	struct rollouts *set;
	struct env_id env;
	struct str folder;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *again;
	struct buf line;
	bool connecting;
};

struct rollouts {
	struct daemon *daemon;
	struct arena life;
	struct active active;
	struct watcher **watchers;
	size_t count;
	bool closing;
};

static struct str release_name(struct release_id id, struct oid commit, struct arena *life) {
	char hex[OID_HEX_MAX + 1];
	oid_hex(commit, hex);
	return arena_printf(life, "%llu-%.12s", (unsigned long long)id.v, hex);
}

static struct str env_folder(const struct daemon *d, struct str repo, struct str env,
                             struct arena *life) {
	return daemon_path(d, life, "envs/" STR_FMT "." STR_FMT, STR_ARG(repo), STR_ARG(env));
}

// ---------------------------------------------------------------- following a supervisor

static void watch_later(struct watcher *w) {
	loop_unwatch(w->watch);
	w->watch = NULL;
	file_close(&w->fd);
	buf_reset(&w->line);
	if (!w->set->closing) loop_timer_set(w->again, WATCH_AGAIN_MS);
}

static void take_line(struct watcher *w, struct str line) {
	AUTO_JSON v = NULL;
	struct event e = {0};
	int64_t release;
	if (!json_parse(line, &v, NULL)) return;
	struct str what = json_get_str(v, "event"), name = json_get_str(v, "release");
	if (!str_to_i64(str_cut(&name, '-'), &release)) return;
	struct release_id id = {(uint64_t)release};
	if (str_eq(what, STR("unhealthy")) && json_get_bool(v, "in_hold", false)) {
		e = (struct event){.kind = EVENT_ENV_UNHEALTHY,
		                   .env_unhealthy = {w->env, id, json_get_str(v, "why")}};
	} else if (str_eq(what, STR("healthy"))) {
		e = (struct event){.kind = EVENT_ENV_HEALTHY, .env_healthy = {w->env, id}};
	}
	if (e.kind != EVENT_NONE) turn_submit(w->set->daemon->turn, &e, NULL, NULL, NULL);
}

static void on_readable(void *context) {
	struct watcher *w = context;
	char *room = buf_grow(&w->line, 65536);
	ssize_t n = read(w->fd, room, 65536);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n <= 0) {
		watch_later(w);
		return;
	}
	w->line.n += (size_t)n;
	struct str rest = buf_view(&w->line);
	while (str_find_char(rest, '\n') < rest.n) take_line(w, str_cut(&rest, '\n'));
	size_t left = rest.n;
	if (left) memmove(w->line.p, rest.p, left);
	w->line.n = left;
}

static void connect_work(void *context) {
	struct watcher *w = context;
	struct err e;
	if (!environment_ensure(w->folder.p, w->set->daemon->program, &e) ||
	    !environment_watch(w->folder.p, &w->fd, &e)) {
		note(NOTE_WARN, "environment %s: %s", w->folder.p, e.text);
		w->fd = -1;
	}
}

static void connected(void *context) {
	struct watcher *w = context;
	w->connecting = false;
	if (w->fd < 0 || w->set->closing) {
		watch_later(w);
		return;
	}
	w->watch = loop_watch(w->set->daemon->loop, w->fd, true, false, on_readable, w);
}

static void on_again(void *context) {
	struct watcher *w = context;
	if (w->connecting || w->fd >= 0 || w->set->closing) return;
	w->connecting = true;
	loop_work(w->set->daemon->loop, connect_work, connected, w);
}

// An environment that ever had a release has a supervisor: find it, or start it so that it adopts
// what runs.
static void watch_environment(struct rollouts *set, const struct env *row) {
	struct daemon_repo *repo = daemon_repo(set->daemon, row->repo);
	for (size_t i = 0; i < set->count; i++)
		if (set->watchers[i]->env.v == row->id.v) return;
	struct watcher *w = calloc(1, sizeof *w);
	set->watchers = realloc(set->watchers, (set->count + 1) * sizeof(struct watcher *));
	if (!w || !set->watchers) abort();
	*w = (struct watcher){.set = set, .env = row->id, .fd = -1};
	w->folder = env_folder(set->daemon, str_of(repo->name), state_name(&row->name), &set->life);
	w->again = loop_timer(set->daemon->loop, on_again, w);
	set->watchers[set->count++] = w;
	loop_timer_set(w->again, 0);
}

void rollouts_configured(struct rollouts *set) {
	const struct state *s = turn_state(set->daemon->turn);
	for (size_t i = 0; i < s->envs.count; i++) {
		const struct env *row = table_at(&s->envs, i);
		if (row->history[0].v) watch_environment(set, row);
	}
}

// ---------------------------------------------------------------- one rollout

struct rollout {
	struct rollouts *set;
	struct rollout_id id;
	struct arena life;
	struct read_rollout row;
	struct read_release release;
	struct read_repo repo;
	struct str plan, env_name, folder;
	bool rollback;
	int64_t began_us;
	struct event fact;
};

static void finish(struct rollout *r, enum outcome outcome, enum reason reason, struct str text,
                   int64_t exposed_ms) {
	int64_t took = (clock_mono_us() - r->began_us) / 1000;
	r->fact = (struct event){
		.kind = EVENT_ROLLOUT_FINISHED,
		.rollout_finished = {r->id, outcome, reason, arena_str(&r->life, text), exposed_ms, took}};
}

static const struct conf_environment *environment_of(struct rollout *r, struct conf_plan **plan,
                                                     struct err *e) {
	AUTO_JSON v = NULL;
	if (!json_parse(r->plan, &v, e) || !plan_from_json(v, &r->life, plan, e)) return NULL;
	const struct conf_environment *env = plan_find_environment(*plan, r->env_name);
	if (!env)
		err_set(e, ERR_NOT_FOUND, "trunk's weir.yml has no environment " STR_FMT,
		        STR_ARG(r->env_name));
	return env;
}

static void spec_json(struct rollout *r, const struct conf_environment *env, struct buf *out) {
	const struct conf_service *s = &env->service;
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_s(&w, "environment", r->env_name);
	jsonw_key_s(&w, "listen", env->listen.text);
	if (env->tls.certificate.n) {
		jsonw_key(&w, "tls");
		jsonw_object(&w);
		jsonw_key_s(&w, "cert", env->tls.certificate);
		jsonw_key_s(&w, "key", env->tls.key);
		jsonw_object_end(&w);
	}
	jsonw_key(&w, "service");
	jsonw_object(&w);
	jsonw_key_s(&w, "run", s->run);
	jsonw_key_s(&w, "before", s->before);
	jsonw_key_s(&w, "health", s->health);
	jsonw_key_i(&w, "instances", s->instances ? s->instances : 1);
	jsonw_key_i(&w, "grace_ms", s->grace_ms);
	jsonw_key(&w, "env");
	jsonw_object(&w);
	for (size_t i = 0; i < s->env.n; i++) {
		jsonw_key_str(&w, s->env.p[i].name);
		jsonw_str(&w, s->env.p[i].value);
	}
	jsonw_object_end(&w);
	jsonw_key(&w, "secrets");
	jsonw_array(&w);
	for (size_t i = 0; i < s->secrets.n; i++) jsonw_str(&w, s->secrets.p[i]);
	jsonw_array_end(&w);
	jsonw_object_end(&w);
	jsonw_object_end(&w);
}

// The release's files that the environment asks for, laid out once.
static bool lay_out(struct rollout *r, const struct conf_environment *env, struct str folder,
                    struct err *e) {
	AUTO_JSON list = NULL;
	AUTO_OBJECTS objects = NULL;
	if (file_exists(folder.p)) return true;
	struct str partial = arena_printf(&r->life, "%s.partial", folder.p);
	if (!file_remove_tree(partial.p, e) || !file_make_folders(partial.p, 0755, e)) return false;
	if (!json_parse(r->release.artifacts.n ? r->release.artifacts : STR("[]"), &list, e))
		return false;
	if (!object_store_open(r->set->daemon->data, &objects, e)) return false;
	for (size_t i = 0; i < json_length(list); i++) {
		struct digest manifest;
		if (!digest_parse(json_get_str(json_at(list, i), "artifacts"), &manifest)) continue;
		if (!unpack_artifact(objects, manifest, partial.p, env->artifacts.p, env->artifacts.n, e))
			return false;
	}
	for (size_t i = 0; i < env->artifacts.n; i++)
		if (!unpack_has(partial.p, env->artifacts.p[i]))
			return err_set(e, ERR_NOT_FOUND, "the release has no artifact " STR_FMT,
			               STR_ARG(env->artifacts.p[i]));
	if (rename(partial.p, folder.p))
		return err_set(e, ERR_IO, "cannot rename %s: %s", partial.p, strerror(errno));
	return true;
}

static bool add_secrets(struct rollout *r, const struct conf_environment *env, struct jsonw *w,
                        struct err *e) {
	jsonw_key(w, "secrets");
	jsonw_object(w);
	for (size_t i = 0; i < env->service.secrets.n; i++) {
		struct str value;
		struct str name = env->service.secrets.p[i];
		if (!secrets_get(r->set->daemon->data, r->repo.name, name, &r->life, &value, e))
			return false;
		jsonw_key_str(w, name);
		jsonw_str(w, value);
	}
	jsonw_object_end(w);
	return true;
}

static bool ask(struct rollout *r, struct str command, struct json **answer, struct err *e) {
	// An error means that the outcome is unknown; the same id again is safe.
	for (int i = 0; i < 3; i++) {
		if (!environment_ensure(r->folder.p, r->set->daemon->program, e)) return false;
		if (environment_command(r->folder.p, command, ROLLOUT_TIMEOUT_MS, answer, e)) return true;
	}
	return false;
}

static enum reason reason_of(struct str text) {
	if (str_contains(text, STR("cancelled"))) return REASON_CANCELLED;
	if (str_starts(text, STR("service.before"))) return REASON_BEFORE_FAILED;
	if (str_contains(text, STR("not healthy within"))) return REASON_HEALTH_NEVER_GREEN;
	if (str_contains(text, STR("before it was healthy"))) return REASON_SERVICE_EXITED;
	return REASON_DEPLOY_FAILED;
}

// The answer's own sentence, with the last lines of the service's log when it carries some.
static struct str failure_text(struct rollout *r, const struct json *answer) {
	AUTO_BUF text = {0};
	buf_str(&text, json_get_str(json_get(answer, "error"), "text"));
	const struct json *log = json_get(answer, "log");
	for (size_t i = 0; i < json_length(log); i++) {
		buf_cstr(&text, "\n");
		buf_str(&text, json_str(json_at(log, i)));
	}
	return arena_str(&r->life, buf_view(&text));
}

static void take_answer(struct rollout *r, const struct json *answer) {
	if (json_get_bool(answer, "ok", false)) {
		finish(r, OUTCOME_PASSED, REASON_NONE, STR_NONE, clock_wall_ms());
		return;
	}
	struct str text = failure_text(r, answer);
	enum reason reason = reason_of(text);
	finish(r, reason == REASON_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_FAILED, reason, text, 0);
}

static bool deploy(struct rollout *r, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON answer = NULL;
	struct conf_plan *plan;
	struct str name = release_name(r->row.release, r->release.commit, &r->life);
	struct str folder = arena_printf(&r->life, "%s/releases/" STR_FMT, r->folder.p, STR_ARG(name));
	const struct conf_environment *env = environment_of(r, &plan, e);
	if (!env) return false;
	spec_json(r, env, &text);
	if (!file_make_folders(arena_printf(&r->life, "%s/releases", r->folder.p).p, 0755, e) ||
	    !lay_out(r, env, folder, e) ||
	    !file_write_atomic(arena_printf(&r->life, "%s/spec.json", r->folder.p).p, buf_view(&text),
	                       0644, e))
		return false;
	buf_reset(&text);
	struct jsonw w = jsonw_to(&text);
	jsonw_object(&w);
	jsonw_key_z(&w, "do", "deploy");
	jsonw_key_s(&w, "id", arena_printf(&r->life, "rollout-%llu", (unsigned long long)r->id.v));
	jsonw_key_s(&w, "release", name);
	jsonw_key_s(&w, "folder", folder);
	if (!add_secrets(r, env, &w, e)) return false;
	jsonw_object_end(&w);
	if (!ask(r, buf_view(&text), &answer, e)) return false;
	take_answer(r, answer);
	return true;
}

// To the release that is kept ready; *done says whether the supervisor had it.
static bool switch_back(struct rollout *r, bool *done, struct err *e) {
	AUTO_JSON status = NULL;
	AUTO_JSON answer = NULL;
	struct str name = release_name(r->row.release, r->release.commit, &r->life);
	*done = false;
	if (!ask(r, STR("{\"do\":\"status\"}"), &status, e)) return false;
	if (!str_eq(json_get_str(status, "kept"), name)) return true;
	struct str command = arena_printf(&r->life, "{\"do\":\"rollback\",\"id\":\"rollout-%llu\"}",
	                                  (unsigned long long)r->id.v);
	if (!ask(r, command, &answer, e)) return false;
	take_answer(r, answer);
	*done = r->fact.rollout_finished.outcome == OUTCOME_PASSED;
	return true;
}

static void rollout_work(void *context) {
	struct rollout *r = context;
	struct err e;
	bool done = false;
	if (r->fact.kind != EVENT_NONE) return;
	if (!file_make_folders(r->folder.p, 0755, &e) || (r->rollback && !switch_back(r, &done, &e)) ||
	    (!done && !deploy(r, &e)))
		finish(r, OUTCOME_FAILED, REASON_DEPLOY_FAILED, str_of(e.text), 0);
}

static void rollout_done(void *context) {
	struct rollout *r = context;
	struct rollouts *set = r->set;
	daemon_end(&set->active, r->id.v);
	turn_submit(set->daemon->turn, &r->fact, NULL, NULL, NULL);
	const struct env *env = state_env(turn_state(set->daemon->turn), r->row.env);
	if (env && r->fact.rollout_finished.outcome == OUTCOME_PASSED) watch_environment(set, env);
	arena_free(&r->life);
	free(r);
}

static bool read_rows(struct rollout *r, struct err *e) {
	struct store *reader = r->set->daemon->reader;
	const struct state *s = turn_state(r->set->daemon->turn);
	if (!read_rollout(reader, r->id, &r->life, &r->row, e)) return false;
	const struct env *env = state_env(s, r->row.env);
	r->env_name = arena_str(&r->life, state_name(&env->name));
	r->rollback = str_eq(r->row.cause, STR("rollback"));
	if (!read_repo(reader, env->repo, &r->life, &r->repo, e)) return false;
	r->folder = env_folder(r->set->daemon, r->repo.name, r->env_name, &r->life);
	return read_release(reader, r->row.release, &r->life, &r->release, e) &&
	       read_plan(reader, r->repo.plan_digest, &r->life, &r->plan, e);
}

void rollouts_start(struct rollouts *set, struct rollout_id id) {
	struct err e;
	if (!daemon_begin(&set->active, id.v)) return;
	struct rollout *r = calloc(1, sizeof *r);
	if (!r) abort();
	r->set = set;
	r->id = id;
	r->began_us = clock_mono_us();
	if (!read_rows(r, &e)) finish(r, OUTCOME_FAILED, REASON_DEPLOY_FAILED, str_of(e.text), 0);
	loop_work(set->daemon->loop, rollout_work, rollout_done, r);
}

struct cancel {
	struct str folder;
	struct arena life;
};

static void cancel_work(void *context) {
	struct cancel *c = context;
	AUTO_JSON answer = NULL;
	struct err e;
	if (!environment_command(c->folder.p, STR("{\"do\":\"cancel\"}"), 5000, &answer, &e))
		note(NOTE_WARN, "cancel: %s", e.text);
}

static void cancel_done(void *context) {
	struct cancel *c = context;
	arena_free(&c->life);
	free(c);
}

void rollouts_cancel(struct rollouts *set, struct rollout_id id) {
	const struct env *env = state_env_of_rollout(turn_state(set->daemon->turn), id);
	struct daemon_repo *repo = env ? daemon_repo(set->daemon, env->repo) : NULL;
	if (!repo) return;
	struct cancel *c = calloc(1, sizeof *c);
	if (!c) abort();
	c->folder = env_folder(set->daemon, str_of(repo->name), state_name(&env->name), &c->life);
	loop_work(set->daemon->loop, cancel_work, cancel_done, c);
}

struct str rollouts_log(const struct rollouts *set, struct env_id id, struct arena *life) {
	const struct env *env = state_env(turn_state(set->daemon->turn), id);
	struct daemon_repo *repo = env ? daemon_repo(set->daemon, env->repo) : NULL;
	struct read_release release;
	struct err e;
	if (!repo || !env->history[0].v ||
	    !read_release(set->daemon->reader, env->history[0], life, &release, &e))
		return STR_NONE;
	struct str folder = env_folder(set->daemon, str_of(repo->name), state_name(&env->name), life);
	struct str name = release_name(release.id, release.commit, life);
	return arena_printf(life, STR_FMT "/log/" STR_FMT ".0.log", STR_ARG(folder), STR_ARG(name));
}

bool rollouts_open(struct daemon *d, struct rollouts **out, struct err *e) {
	struct rollouts *set = calloc(1, sizeof *set);
	(void)e;
	if (!set) abort();
	set->daemon = d;
	*out = set;
	return true;
}

void rollouts_close(struct rollouts *set) {
	set->closing = true;
	for (size_t i = 0; i < set->count; i++) {
		struct watcher *w = set->watchers[i];
		loop_unwatch(w->watch);
		loop_timer_free(w->again);
		file_close(&w->fd);
		buf_free(&w->line);
	}
}
