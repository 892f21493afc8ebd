#include "app/envwatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/envspec.h"
#include "base/jsonw.h"
#include "deploy/environment.h"
#include "os/file.h"
#include "os/note.h"
#include "store/read.h"

enum {
	WATCH_AGAIN_MS = 1000,
	SETTLE_MS = 3000, // a service that was restarted meanwhile is no news
	FAILURES_TOLD = 3,
	WATCH_LINE_MAX = 4 << 20,
	SECRETS_PATIENCE_MS = 5000,
	SECRETS_PAUSE_MS = 30000
};

struct watcher { // one environment whose supervisor is followed
	struct envwatch *set;
	struct env_id env;
	struct repo_id repo;
	struct str name, folder;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *again, *settled;
	struct buf line;
	bool connecting;
	int failures;   // to find or start its supervisor, in a row
	bool ill, told; // how it is; and what the log says
	struct buf why;
	struct err trouble; // why there is no supervisor
	struct given {      // secrets: to which release, when
		char release[80];
		int64_t at_ms;
	} given[2]; // the active and the kept one
};

struct envwatch {
	struct daemon *daemon;
	struct arena life;
	struct watcher **watchers;
	size_t count;
};

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

// ---- how it is, also when nobody will roll back

static void on_settled(void *context) {
	struct watcher *w = context;
	struct turn *turn = w->set->daemon->turn;
	const struct env *env = state_env(turn_state(turn), w->env);
	if (!env || !env->history[0].v || w->ill == w->told) return;
	struct event e = {.kind = EVENT_ENV_HEALTHY, .env_healthy = {w->env, env->history[0]}};
	if (w->ill)
		e = (struct event){
			.kind = EVENT_ENV_UNHEALTHY,
			.env_unhealthy = {w->env, env->history[0], buf_view(&w->why), .settled = 1}};
	w->told = w->ill;
	turn_submit(turn, &e, NULL, NULL, NULL);
}

static void set_ill(struct watcher *w, bool ill, struct str why) {
	w->ill = ill;
	buf_reset(&w->why);
	buf_str(&w->why, why);
	loop_timer_set(w->settled, ill ? SETTLE_MS : 0);
}

// In the hold it is what a rollback needs, at once.
static void tell_ill(struct watcher *w, struct release_id release, struct str why) {
	struct event e = {.kind = EVENT_ENV_UNHEALTHY,
	                  .env_unhealthy = {w->env, release, why, .settled = 0}};
	w->ill = w->told = true;
	turn_submit(w->set->daemon->turn, &e, NULL, NULL, NULL);
}

// The first line says how things are: what became unhealthy while nobody listened, and what waits
// for its secrets since the supervisor itself was started again.
static void take_status(struct watcher *w, const struct json *status) {
	struct str active = json_get_str(status, "active");
	const struct json *releases = json_get(status, "releases");
	struct release_id id;
	bool well = true;
	if (!release_of(active, &id)) {
		if (!json_get_bool(status, "busy", false))
			set_ill(w, true, STR("no release runs: it was stopped; weir deploy starts one"));
		return;
	}
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
		if (!serves || !ill) continue;
		well = false;
		if (json_get_bool(status, "in_hold", false)) tell_ill(w, id, why);
		else set_ill(w, true, why);
	}
	if (well) set_ill(w, false, STR_NONE);
}

static void take_line(struct watcher *w, struct str line) {
	AUTO_JSON v = NULL;
	struct release_id id;
	if (!json_parse(line, &v, NULL)) return;
	struct str what = json_get_str(v, "event"), name = json_get_str(v, "release");
	if (!what.n) take_status(w, v);
	if (!what.n || !release_of(name, &id)) return;
	if (str_eq(what, STR("needs_secrets"))) {
		give_secrets(w, name);
	} else if (str_eq(what, STR("unhealthy"))) {
		if (json_get_bool(v, "in_hold", false)) tell_ill(w, id, json_get_str(v, "why"));
		else set_ill(w, true, json_get_str(v, "why"));
	} else if (str_eq(what, STR("healthy"))) {
		set_ill(w, false, STR_NONE);
	}
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
		w->trouble = e;
		w->fd = -1;
	}
}

static void connected(void *context) {
	struct watcher *w = context;
	w->connecting = false;
	if (w->fd < 0) {
		if (++w->failures == FAILURES_TOLD) set_ill(w, true, str_of(w->trouble.text));
		watch_later(w);
		return;
	}
	w->failures = 0;
	w->watch = loop_watch(w->set->daemon->loop, w->fd, true, false, on_readable, w);
	if (!w->watch) watch_later(w);
}

static void on_again(void *context) {
	struct watcher *w = context;
	if (w->connecting || w->fd >= 0 || w->set->daemon->stopping) return;
	w->connecting = true;
	loop_work(w->set->daemon->loop, connect_work, connected, w);
}

// What the log says of it.
static bool was_ill(const struct daemon *d, const struct env *row) {
	AUTO_ARENA scratch = {0};
	struct read_envs envs;
	if (!read_envs(d->reader, row->repo, &scratch, &envs, NULL)) return false;
	for (size_t i = 0; i < envs.n; i++)
		if (envs.p[i].id.v == row->id.v) return str_eq(envs.p[i].health, STR("unhealthy"));
	return false;
}

// An environment that ever had a release has a supervisor: find it, or start it so that it adopts
// what runs.
static void follow(struct envwatch *set, const struct env *row) {
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
	w->folder = envspec_folder(set->daemon, state_name(&repo->name), w->name, &set->life);
	w->again = loop_timer(set->daemon->loop, on_again, w);
	w->settled = loop_timer(set->daemon->loop, on_settled, w);
	w->told = w->ill = was_ill(set->daemon, row);
	set->watchers[set->count++] = w;
	loop_timer_set(w->again, 0);
}

void envwatch_passed(struct envwatch *set, const struct env *row) {
	follow(set, row);
	for (size_t i = 0; i < set->count; i++) {
		struct watcher *w = set->watchers[i];
		if (w->env.v == row->id.v)
			w->told = w->ill = false; // as its end says (store/project.def.h)
	}
}

void envwatch_configured(struct envwatch *set) {
	const struct state *s = turn_state(set->daemon->turn);
	for (size_t i = 0; i < s->envs.count; i++) {
		const struct env *row = table_at(&s->envs, i);
		if (row->history[0].v) follow(set, row);
	}
}

void envwatch_look_again(struct envwatch *set) {
	for (size_t i = 0; i < set->count; i++)
		if (set->watchers[i]->watch) watch_later(set->watchers[i]);
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
	const struct conf_environment *env = envspec_of(g->plan, w->name, &g->life, e);
	if (!env || !env->service.secrets.n) return env != NULL;
	struct jsonw json = jsonw_to(&text);
	jsonw_object(&json);
	jsonw_key_z(&json, "do", "secrets");
	jsonw_key_z(&json, "id", "secrets");
	jsonw_key_s(&json, "release", g->release);
	if (!envspec_secrets(w->set->daemon, g->repo.name, env, &g->life, &json, e)) return false;
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

// ---------------------------------------------------------------- all of them

struct envwatch *envwatch_open(struct daemon *d) {
	struct envwatch *set = calloc(1, sizeof *set);
	if (!set) abort();
	set->daemon = d;
	envwatch_configured(set);
	return set;
}

void envwatch_close(struct envwatch *set) {
	if (!set) return;
	for (size_t i = 0; i < set->count; i++) {
		struct watcher *w = set->watchers[i];
		loop_unwatch(w->watch);
		loop_timer_free(w->again);
		loop_timer_free(w->settled);
		buf_free(&w->why);
		file_close(&w->fd);
		buf_free(&w->line);
		free(w);
	}
	free(set->watchers);
	arena_free(&set->life);
	free(set);
}
