#include "app/rollouts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/releasefiles.h"
#include "app/secrets.h"
#include "base/jsonw.h"
#include "conf/plan.h"
#include "deploy/environment.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"
#include "store/read.h"

enum {
	ROLLOUT_TIMEOUT_MS = 30 * 60 * 1000,
	WATCH_AGAIN_MS = 1000,
	ROLLOUTS_MAX = 16,
	WATCH_LINE_MAX = 4 << 20,
	SECRETS_PATIENCE_MS = 5000,
	STATUS_PATIENCE_MS = 2000,
	SECRETS_PAUSE_MS = 30000
};

struct watcher { // one environment whose supervisor is followed
	struct rollouts *set;
	struct env_id env;
	struct repo_id repo;
	struct str name, folder;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *again;
	struct buf line;
	bool connecting;
	struct given { // secrets: to which release, when
		char release[80];
		int64_t at_ms;
	} given[2]; // the active and the kept one
};

struct rollouts {
	struct daemon *daemon;
	struct arena life;
	struct loop_lane *lane; // a rollout lasts, and a cancel must get past it
	struct active active;
	struct watcher **watchers;
	size_t count;
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
	loop_timer_set(w->again, WATCH_AGAIN_MS);
}

static bool release_of(struct str name, struct release_id *out) {
	return str_to_u64(str_cut(&name, '-'), &out->v);
}

static void give_secrets(struct watcher *w, struct str release);

// The first line says how things are: what became unhealthy while nobody listened, and what waits
// for its secrets since the supervisor itself was started again.
static void take_status(struct watcher *w, const struct json *status) {
	struct str active = json_get_str(status, "active");
	const struct json *releases = json_get(status, "releases");
	struct release_id id;
	if (!release_of(active, &id)) return;
	for (size_t i = 0; i < json_length(releases); i++) {
		const struct json *r = json_at(releases, i), *instances = json_get(r, "instances");
		bool serves = str_eq(json_get_str(r, "id"), active), off = false, ill = false;
		struct str why = STR_NONE;
		for (size_t n = 0; n < json_length(instances); n++) {
			struct str state = json_get_str(json_at(instances, n), "state");
			off = off || str_eq(state, STR("off"));
			if (!str_eq(state, STR("unhealthy")) && !str_eq(state, STR("waiting"))) continue;
			ill = true;
			why = json_get_str(json_at(instances, n), "why");
		}
		if (off) give_secrets(w, json_get_str(r, "id"));
		if (!serves || !ill || !json_get_bool(status, "in_hold", false)) continue;
		struct event e = {.kind = EVENT_ENV_UNHEALTHY, .env_unhealthy = {w->env, id, why}};
		turn_submit(w->set->daemon->turn, &e, NULL, NULL, NULL);
	}
}

static void take_line(struct watcher *w, struct str line) {
	AUTO_JSON v = NULL;
	struct event e = {0};
	struct release_id id;
	if (!json_parse(line, &v, NULL)) return;
	struct str what = json_get_str(v, "event"), name = json_get_str(v, "release");
	if (!what.n) take_status(w, v);
	if (!what.n || !release_of(name, &id)) return;
	if (str_eq(what, STR("needs_secrets"))) {
		give_secrets(w, name);
	} else if (str_eq(what, STR("unhealthy")) && json_get_bool(v, "in_hold", false)) {
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
	if (left > WATCH_LINE_MAX) watch_later(w); // no line of a supervisor is that long
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
	if (w->fd < 0) {
		watch_later(w);
		return;
	}
	w->watch = loop_watch(w->set->daemon->loop, w->fd, true, false, on_readable, w);
	if (!w->watch) watch_later(w);
}

static void on_again(void *context) {
	struct watcher *w = context;
	if (w->connecting || w->fd >= 0 || w->set->daemon->stopping) return;
	w->connecting = true;
	loop_work(w->set->daemon->loop, connect_work, connected, w);
}

// An environment that ever had a release has a supervisor: find it, or start it so that it adopts
// what runs.
static void watch_environment(struct rollouts *set, const struct env *row) {
	const struct repo *repo = state_repo(turn_state(set->daemon->turn), row->repo);
	for (size_t i = 0; i < set->count; i++)
		if (set->watchers[i]->env.v == row->id.v) return;
	struct watcher *w = calloc(1, sizeof *w);
	if (!w) abort();
	struct watcher **grown = realloc(set->watchers, (set->count + 1) * sizeof(struct watcher *));
	if (!grown) abort();
	set->watchers = grown;
	*w = (struct watcher){.set = set, .env = row->id, .repo = row->repo, .fd = -1};
	w->name = arena_str(&set->life, state_name(&row->name));
	w->folder = env_folder(set->daemon, state_name(&repo->name), w->name, &set->life);
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

void rollouts_look_again(struct rollouts *set) {
	for (size_t i = 0; i < set->count; i++)
		if (set->watchers[i]->watch) watch_later(set->watchers[i]);
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

static void finish(struct rollout *r, enum outcome outcome, enum reason reason, struct str text) {
	int64_t took = (clock_mono_us() - r->began_us) / 1000;
	r->fact = (struct event){
		.kind = EVENT_ROLLOUT_FINISHED,
		.rollout_finished = {r->id, outcome, reason, arena_str(&r->life, text), 0, took}};
}

static const struct conf_environment *environment_of(struct str text, struct str name,
                                                     struct arena *life, struct err *e) {
	AUTO_JSON v = NULL;
	struct conf_plan *plan;
	if (!json_parse(text, &v, e) || !plan_from_json(v, life, &plan, e)) return NULL;
	const struct conf_environment *env = plan_find_environment(plan, name);
	if (!env)
		err_set(e, ERR_NOT_FOUND, "trunk's weir.yml has no environment " STR_FMT, STR_ARG(name));
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

static bool add_secrets(const struct daemon *d, struct str repo, const struct conf_environment *env,
                        struct arena *life, struct jsonw *w, struct err *e) {
	jsonw_key(w, "secrets");
	jsonw_object(w);
	for (size_t i = 0; i < env->service.secrets.n; i++) {
		struct str value;
		struct str name = env->service.secrets.p[i];
		if (!secrets_get(d->data, repo, name, life, &value, e)) return false;
		jsonw_key_str(w, name);
		jsonw_str(w, value);
	}
	jsonw_object_end(w);
	return true;
}

// ---------------------------------------------------------------- secrets, asked for again

struct gift { // a supervisor forgets secrets when it ends, its services may not
	struct watcher *watcher;
	struct arena life;
	struct read_repo repo;
	struct str release, plan;
};

static bool send_secrets(struct gift *g, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON answer = NULL;
	struct watcher *w = g->watcher;
	const struct conf_environment *env = environment_of(g->plan, w->name, &g->life, e);
	if (!env || !env->service.secrets.n) return env != NULL;
	struct jsonw json = jsonw_to(&text);
	jsonw_object(&json);
	jsonw_key_z(&json, "do", "secrets");
	jsonw_key_z(&json, "id", "secrets");
	jsonw_key_s(&json, "release", g->release);
	if (!add_secrets(w->set->daemon, g->repo.name, env, &g->life, &json, e)) return false;
	jsonw_object_end(&json);
	bool sent = environment_command(w->folder.p, buf_view(&text), SECRETS_PATIENCE_MS, &answer, e);
	explicit_bzero(text.p, text.n);
	return sent;
}

static void gift_work(void *context) {
	struct gift *g = context;
	struct err e;
	if (!send_secrets(g, &e)) note(NOTE_WARN, "secrets for %s: %s", g->watcher->folder.p, e.text);
}

static void gift_done(void *context) {
	struct gift *g = context;
	arena_free(&g->life);
	free(g);
}

// At most every half minute: a supervisor that still lacks one asks again at once.
static bool may_give(struct watcher *w, struct str release, int64_t now) {
	struct given *oldest = &w->given[0];
	for (size_t i = 0; i < ARRAY_LEN(w->given); i++) {
		struct given *g = &w->given[i];
		if (str_eq(str_of(g->release), release)) {
			oldest = g;
			if (now - g->at_ms < SECRETS_PAUSE_MS) return false;
			break;
		}
		if (g->at_ms < oldest->at_ms) oldest = g;
	}
	oldest->at_ms = now;
	snprintf(oldest->release, sizeof oldest->release, STR_FMT, STR_ARG(release));
	return true;
}

static void give_secrets(struct watcher *w, struct str release) {
	struct daemon *d = w->set->daemon;
	struct err e;
	if (d->stopping || !may_give(w, release, loop_now_ms(d->loop))) return;
	struct gift *g = calloc(1, sizeof *g);
	if (!g) abort();
	g->watcher = w;
	g->release = arena_str(&g->life, release);
	if (read_repo(d->reader, w->repo, &g->life, &g->repo, &e) &&
	    read_plan(d->reader, g->repo.plan_digest, &g->life, &g->plan, &e)) {
		loop_work(d->loop, gift_work, gift_done, g);
		return;
	}
	note(NOTE_WARN, "secrets for %s: %s", w->folder.p, e.text);
	gift_done(g);
}

// ---------------------------------------------------------------- what the supervisor is told

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
		finish(r, OUTCOME_PASSED, REASON_NONE, STR_NONE);
		return;
	}
	struct str text = failure_text(r, answer);
	enum reason reason = reason_of(text);
	finish(r, reason == REASON_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_FAILED, reason, text);
}

// Deploys to one environment are one after the other: nobody lays out a release there meanwhile.
static void prune(struct rollout *r, struct str folder) {
	AUTO_JSON status = NULL;
	struct err e;
	if (!environment_command(r->folder.p, STR("{\"do\":\"status\"}"), STATUS_PATIENCE_MS, &status,
	                         &e))
		return; // the next one prunes
	const struct json *releases = json_get(status, "releases");
	size_t n = json_length(releases);
	struct str *used = ARENA_ARRAY(&r->life, struct str, n + 1);
	for (size_t i = 0; i < n; i++) used[i] = json_get_str(json_at(releases, i), "id");
	while (folder.n && folder.p[folder.n - 1] != '/') folder.n--;
	releasefiles_prune(arena_cstr(&r->life, folder), used, n);
}

static bool deploy(struct rollout *r, struct err *e) {
	AUTO_BUF text = {0};
	AUTO_JSON answer = NULL;
	struct str name = release_name(r->row.release, r->release.commit, &r->life);
	struct str folder = arena_printf(&r->life, "%s/releases/" STR_FMT, r->folder.p, STR_ARG(name));
	const struct conf_environment *env = environment_of(r->plan, r->env_name, &r->life, e);
	if (!env) return false;
	spec_json(r, env, &text);
	if (!file_make_folders(arena_printf(&r->life, "%s/releases", r->folder.p).p, 0755, e) ||
	    !releasefiles_lay_out(r->set->daemon->data, r->release.artifacts, &env->artifacts, folder.p,
	                          e) ||
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
	if (!add_secrets(r->set->daemon, r->repo.name, env, &r->life, &w, e)) return false;
	jsonw_object_end(&w);
	bool answered = ask(r, buf_view(&text), &answer, e);
	explicit_bzero(text.p, text.n);
	if (!answered) return false;
	take_answer(r, answer);
	if (r->fact.rollout_finished.outcome == OUTCOME_PASSED) prune(r, folder);
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
		finish(r, OUTCOME_FAILED, REASON_DEPLOY_FAILED, str_of(e.text));
}

static void rollout_done(void *context) {
	struct rollout *r = context;
	struct rollouts *set = r->set;
	bool passed = r->fact.rollout_finished.outcome == OUTCOME_PASSED;
	daemon_end(&set->active, r->id.v);
	if (passed) r->fact.rollout_finished.exposed_ms = turn_now(set->daemon->turn);
	turn_submit(set->daemon->turn, &r->fact, NULL, NULL, NULL);
	const struct env *env = state_env(turn_state(set->daemon->turn), r->row.env);
	if (env && passed) watch_environment(set, env);
	arena_free(&r->life);
	free(r);
}

static bool read_rows(struct rollout *r, struct err *e) {
	struct store *reader = r->set->daemon->reader;
	const struct state *s = turn_state(r->set->daemon->turn);
	if (!read_rollout(reader, r->id, &r->life, &r->row, e)) return false;
	const struct env *env = state_env(s, r->row.env);
	if (!env) return err_set(e, ERR_NOT_FOUND, "its environment is gone");
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
	if (!read_rows(r, &e)) finish(r, OUTCOME_FAILED, REASON_DEPLOY_FAILED, str_of(e.text));
	loop_lane_work(set->lane, rollout_work, rollout_done, r);
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
	const struct repo *repo = env ? state_repo(turn_state(set->daemon->turn), env->repo) : NULL;
	if (!repo) return;
	struct cancel *c = calloc(1, sizeof *c);
	if (!c) abort();
	c->folder = env_folder(set->daemon, state_name(&repo->name), state_name(&env->name), &c->life);
	loop_work(set->daemon->loop, cancel_work, cancel_done, c);
}

struct str rollouts_log(const struct rollouts *set, struct env_id id, struct arena *life) {
	const struct env *env = state_env(turn_state(set->daemon->turn), id);
	const struct repo *repo = env ? state_repo(turn_state(set->daemon->turn), env->repo) : NULL;
	struct read_release release;
	struct err e;
	if (!repo || !env->history[0].v ||
	    !read_release(set->daemon->reader, env->history[0], life, &release, &e))
		return STR_NONE;
	struct str folder = env_folder(set->daemon, state_name(&repo->name), state_name(&env->name),
	                               life);
	struct str name = release_name(release.id, release.commit, life);
	return arena_printf(life, STR_FMT "/log/" STR_FMT ".0.log", STR_ARG(folder), STR_ARG(name));
}

bool rollouts_open(struct daemon *d, struct rollouts **out, struct err *e) {
	struct rollouts *set = calloc(1, sizeof *set);
	(void)e;
	if (!set) abort();
	set->daemon = d;
	set->lane = loop_lane(d->loop, ROLLOUTS_MAX);
	rollouts_configured(set);
	*out = set;
	return true;
}

void rollouts_close(struct rollouts *set) {
	if (!set) return;
	for (size_t i = 0; i < set->count; i++) {
		struct watcher *w = set->watchers[i];
		loop_unwatch(w->watch);
		loop_timer_free(w->again);
		file_close(&w->fd);
		buf_free(&w->line);
		free(w);
	}
	free(set->watchers);
	free(set->active.ids);
	loop_lane_free(set->lane);
	arena_free(&set->life);
	free(set);
}
