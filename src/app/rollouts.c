#include "app/rollouts.h"

#include <stdlib.h>

#include "app/envspec.h"
#include "app/envwatch.h"
#include "app/releasefiles.h"
#include "app/room.h"
#include "base/jsonw.h"
#include "deploy/environment.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"
#include "store/read.h"

enum {
	ROLLOUT_TIMEOUT_MS = 30 * 60 * 1000,
	ROLLOUTS_MAX = 16,
	STATUS_PATIENCE_MS = 2000,
	ROOM_AGAIN_MS = 1000,
	ROOM_TRIES = 5 // with room on the disk; without, it waits for as long as it takes
};

struct rollouts {
	struct daemon *daemon;
	struct loop_lane *lane; // a rollout lasts, and a cancel must get past it
	struct active active;
	struct rollout *under_way;
};

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
	bool no_room, told_room; // it failed because the disk was full; somebody was told
	bool cancelled;
	int tries;
	struct loop_timer *again; // set while it waits for room
	struct rollout *next;
};

static void finish(struct rollout *r, enum outcome outcome, enum reason reason, struct str text) {
	int64_t took = (clock_mono_us() - r->began_us) / 1000;
	r->fact = (struct event){
		.kind = EVENT_ROLLOUT_FINISHED,
		.rollout_finished = {r->id, outcome, reason, arena_str(&r->life, text), 0, took}};
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
	if (str_starts(text, STR("cancelled: "))) return REASON_CANCELLED;
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
	enum reason reason = reason_of(json_get_str(json_get(answer, "error"), "text"));
	finish(r, reason == REASON_CANCELLED ? OUTCOME_CANCELLED : OUTCOME_FAILED, reason,
	       failure_text(r, answer));
	r->no_room = json_get_bool(answer, "no_room", false);
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
	struct str name = envspec_release(r->row.release, r->release.commit, &r->life);
	struct str folder = arena_printf(&r->life, "%s/releases/" STR_FMT, r->folder.p, STR_ARG(name));
	const struct conf_environment *env = envspec_of(r->plan, r->env_name, &r->life, e);
	if (!env) return false;
	envspec_json(r->env_name, env, &text);
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
	if (!envspec_secrets(r->set->daemon, r->repo.name, env, &r->life, &w, e)) return false;
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
	struct str name = envspec_release(r->row.release, r->release.commit, &r->life);
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
	r->no_room = false;
	if (!file_make_folders(r->folder.p, 0755, &e) || (r->rollback && !switch_back(r, &done, &e)) ||
	    (!done && !deploy(r, &e))) {
		finish(r, OUTCOME_FAILED, REASON_DEPLOY_FAILED, str_of(e.text));
		r->no_room = e.code == ERR_NO_ROOM;
	}
}

static void rollout_free(struct rollout *r) {
	struct rollout **p = &r->set->under_way;
	while (*p != r) p = &(*p)->next;
	*p = r->next;
	loop_timer_free(r->again);
	arena_free(&r->life);
	free(r);
}

static void rollout_done(void *context);

// A rollback needs next to nothing and is tried each time; what is laid out waits for room.
static void on_room_due(void *context) {
	struct rollout *r = context;
	struct daemon *d = r->set->daemon;
	bool room = room_for_run(d->room);
	if (!room && !r->rollback) {
		loop_timer_set(r->again, ROOM_AGAIN_MS);
		return;
	}
	loop_timer_free(r->again);
	r->again = NULL;
	r->tries += room;
	r->fact.kind = EVENT_NONE;
	loop_lane_work(r->set->lane, rollout_work, rollout_done, r);
}

// A full disk is not the release's fault. What still finds no room when there is some lacks it
// elsewhere.
static bool wait_for_room(struct rollout *r) {
	struct daemon *d = r->set->daemon;
	struct str rest = r->fact.rollout_finished.text, why = str_cut(&rest, '\n'); // no log
	if (!r->no_room || r->cancelled || r->tries >= ROOM_TRIES || d->stopping) return false;
	if (!r->told_room)
		note(NOTE_WARN, "rollout %llu: " STR_FMT "; tried again when there is room",
		     (unsigned long long)r->id.v, STR_ARG(why));
	r->told_room = true;
	r->again = loop_timer(d->loop, on_room_due, r);
	loop_timer_set(r->again, ROOM_AGAIN_MS);
	return true;
}

static void rollout_done(void *context) {
	struct rollout *r = context;
	struct rollouts *set = r->set;
	bool passed = r->fact.rollout_finished.outcome == OUTCOME_PASSED;
	if (wait_for_room(r)) return;
	daemon_end(&set->active, r->id.v);
	if (passed) r->fact.rollout_finished.exposed_ms = turn_now(set->daemon->turn);
	turn_submit(set->daemon->turn, &r->fact, NULL, NULL, NULL);
	const struct env *env = state_env(turn_state(set->daemon->turn), r->row.env);
	if (env && passed) envwatch_passed(set->daemon->envwatch, env);
	rollout_free(r);
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
	r->folder = envspec_folder(r->set->daemon, r->repo.name, r->env_name, &r->life);
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
	r->next = set->under_way;
	set->under_way = r;
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

// True: it waited for room, and has ended.
static bool end_waiting(struct rollouts *set, struct rollout_id id) {
	struct rollout *r = set->under_way;
	while (r && r->id.v != id.v) r = r->next;
	if (!r) return false;
	r->cancelled = true;
	if (!r->again) return false;
	finish(r, OUTCOME_CANCELLED, REASON_CANCELLED, STR("cancelled while it waited for room"));
	rollout_done(r);
	return true;
}

void rollouts_cancel(struct rollouts *set, struct rollout_id id) {
	if (end_waiting(set, id)) return;
	const struct env *env = state_env_of_rollout(turn_state(set->daemon->turn), id);
	const struct repo *repo = env ? state_repo(turn_state(set->daemon->turn), env->repo) : NULL;
	if (!repo) return;
	struct cancel *c = calloc(1, sizeof *c);
	if (!c) abort();
	c->folder = envspec_folder(set->daemon, state_name(&repo->name), state_name(&env->name),
	                           &c->life);
	loop_work(set->daemon->loop, cancel_work, cancel_done, c);
}

// Where nothing was ever live, people ask why.
static struct release_id tried_last(const struct rollouts *set, struct env_id id,
                                    struct arena *life) {
	struct read_rollouts tried;
	bool any = read_rollouts(set->daemon->reader, id, (struct rollout_id){0}, 1, life, &tried,
	                         NULL);
	return any && tried.n ? tried.p[0].release : (struct release_id){0};
}

struct str rollouts_log(const struct rollouts *set, struct env_id id, struct arena *life) {
	const struct env *env = state_env(turn_state(set->daemon->turn), id);
	const struct repo *repo = env ? state_repo(turn_state(set->daemon->turn), env->repo) : NULL;
	struct read_release release;
	struct err e;
	if (!repo) return STR_NONE;
	struct release_id shown = env->history[0].v ? env->history[0] : tried_last(set, id, life);
	if (!shown.v || !read_release(set->daemon->reader, shown, life, &release, &e)) return STR_NONE;
	struct str folder = envspec_folder(set->daemon, state_name(&repo->name), state_name(&env->name),
	                                   life);
	struct str name = envspec_release(release.id, release.commit, life);
	return arena_printf(life, STR_FMT "/log/" STR_FMT ".0.log", STR_ARG(folder), STR_ARG(name));
}

bool rollouts_open(struct daemon *d, struct rollouts **out, struct err *e) {
	struct rollouts *set = calloc(1, sizeof *set);
	(void)e;
	if (!set) abort();
	set->daemon = d;
	set->lane = loop_lane(d->loop, ROLLOUTS_MAX);
	*out = set;
	return true;
}

void rollouts_close(struct rollouts *set) {
	if (!set) return;
	for (struct rollout *r = set->under_way, *next; r; r = next) {
		next = r->next;
		if (r->again) rollout_free(r); // the others' work has still to end
	}
	free(set->active.ids);
	loop_lane_free(set->lane);
	free(set);
}
