#include "cli/delivery.h"

#include "base/clocktext.h"
#include "cli/grid.h"
#include "cli/screen.h"
#include "os/clock.h"

enum { ASK_MS = 100, LIVE_LINE_MS = 300, SETTLE_MS = 3000, TIMEOUT_MS = 15 * 60000 };

const struct args_option delivery_options[] = {
	{"no-wait", 0, NULL, "return as soon as it is asked for", NULL},
	{"timeout", 0, "DURATION", "wait no longer; 15m unless said", NULL},
	{0},
};

static struct str short_commit(const struct json *release) {
	return str_slice(json_get_str(release, "commit"), 0, 7);
}

static void add_took(struct ink *out, int64_t ms) {
	if (ms < 0) return;
	if (ms < 10000) ink_put(out, INK_QUIET, "%.2f s", (double)ms / 1000);
	else {
		AUTO_BUF text = {0};
		clocktext_duration_text(&text, ms);
		ink_str(out, INK_QUIET, buf_view(&text));
	}
}

// ---- an environment

static void add_rollout(const struct json *r, int64_t now_ms, struct ink *out) {
	AUTO_BUF when = {0};
	grid_time(&when, grid_json_time(grid_get(r, "times.began")), now_ms);
	ink_to(out, 2);
	ink_put(out, INK_QUIET, "%s", when.p ? when.p : "");
	ink_to(out, 18);
	grid_state(out, json_get_str(r, "state"), 14);
	ink_put(out, INK_PLAIN, " " STR_FMT " ", STR_ARG(short_commit(json_get(r, "release"))));
	ink_fit(out, INK_PLAIN, json_get_str(json_get(r, "release"), "title"), 30);
	ink_put(out, INK_QUIET, " " STR_FMT, STR_ARG(json_get_str(r, "cause")));
	struct str by = json_get_str(r, "by");
	if (by.n) ink_put(out, INK_QUIET, " by " STR_FMT, STR_ARG(by));
	ink_put(out, INK_PLAIN, "  ");
	add_took(out, json_get_int(r, "duration_ms", -1));
	ink_end(out);
	struct str text = json_get_str(json_get(r, "reason"), "text");
	if (!text.n) return;
	ink_to(out, 20);
	ink_str(out, INK_PLAIN, str_cut(&text, '\n'));
	ink_end(out);
}

int delivery_show(struct cli *cli, const struct json *env, struct ink *out) {
	const struct json *release = json_get(env, "release"), *previous = json_get(env, "previous"),
					  *rollouts = json_get(env, "rollouts");
	int64_t now = clock_wall_ms(), live = grid_json_time(json_get(env, "live_since"));
	AUTO_BUF since = {0};
	(void)cli;
	ink_str(out, INK_HEAD, json_get_str(env, "name"));
	ink_put(out, INK_PLAIN, "  ");
	if (json_kind(release) != JSON_KIND_OBJECT) ink_put(out, INK_QUIET, "no release is live yet");
	else {
		if (live) grid_time(&since, live, now);
		ink_put(out, INK_HEAD, STR_FMT " ", STR_ARG(short_commit(release)));
		ink_str(out, INK_PLAIN, json_get_str(release, "title"));
		if (live) ink_put(out, INK_QUIET, "  live since %s", since.p);
	}
	ink_end(out);
	if (json_get_str(env, "health").n) {
		ink_to(out, 2);
		grid_state(out, json_get_str(env, "health"), 0);
		ink_put(out, INK_PLAIN, "  " STR_FMT, STR_ARG(json_get_str(env, "health_text")));
		ink_end(out);
	}
	if (json_kind(previous) == JSON_KIND_OBJECT) {
		ink_put(out, INK_PLAIN, "  Back to " STR_FMT " with ", STR_ARG(short_commit(previous)));
		ink_put(out, INK_HEAD, "weir rollback " STR_FMT, STR_ARG(json_get_str(env, "name")));
		ink_end(out);
	}
	if (json_length(rollouts)) ink_end(out);
	for (size_t i = 0; i < json_length(rollouts); i++) add_rollout(json_at(rollouts, i), now, out);
	return 0;
}

// ---- waiting

static int64_t newest(const struct json *env) {
	const struct json *rollouts = json_get(env, "rollouts");
	int64_t id = 0;
	for (size_t i = 0; i < json_length(rollouts); i++) {
		int64_t one = json_get_int(json_at(rollouts, i), "id", 0);
		if (one > id) id = one;
	}
	return id;
}

static const struct json *find_rollout(const struct json *env, int64_t id) {
	const struct json *rollouts = json_get(env, "rollouts");
	for (size_t i = 0; i < json_length(rollouts); i++)
		if (json_get_int(json_at(rollouts, i), "id", 0) == id) return json_at(rollouts, i);
	return NULL;
}

struct wait {
	struct cli *cli;
	struct verb_call *call;
	struct str env_values[OPERATION_PARAMS_MAX]; // of the same environment
	struct buf body;
	struct json *env;
	int64_t before; // the newest rollout when it was asked for
	bool cancels;   // a rollback takes back a rollout under way
};

static bool look(struct wait *w, const char **next, struct err *e) {
	struct buf body = {0};
	struct json *env = NULL;
	if (!remote_ask(w->call->remote, OPERATION_ENV, w->env_values, &body, next, e) ||
	    !json_parse(buf_view(&body), &env, e)) {
		buf_free(&body);
		return false;
	}
	buf_free(&w->body);
	json_free(&w->env);
	w->body = body;
	w->env = env;
	return true;
}

// The rollout that answers the request: a newer one that has ended; or, of a rollback, the one
// before that it cancelled, when none followed.
static const struct json *ended(const struct wait *w, int64_t waited_ms) {
	const struct json *last = find_rollout(w->env, newest(w->env));
	bool over = grid_json_time(grid_get(last, "times.ended")) != 0;
	bool idle = json_kind(json_get(w->env, "rollout")) != JSON_KIND_OBJECT;
	if (newest(w->env) > w->before) return over ? last : NULL;
	if (idle && w->cancels && over) return last;
	return idle && waited_ms > SETTLE_MS ? last : NULL;
}

static void draw(struct wait *w, struct screen *screen, int64_t waited_ms) {
	const struct json *r = json_get(w->env, "rollout");
	AUTO_INK ink = cli_ink(w->cli);
	if (json_kind(r) != JSON_KIND_OBJECT) r = find_rollout(w->env, newest(w->env));
	ink_glyph(&ink, INK_MOVE, INK_RUNNING);
	ink_put(&ink, INK_PLAIN, " " STR_FMT " to " STR_FMT "  %.1f s",
	        STR_ARG(short_commit(json_get(r, "release"))), STR_ARG(json_get_str(w->env, "name")),
	        (double)waited_ms / 1000);
	ink_end(&ink);
	screen_draw(screen, &ink);
}

static int tell(struct wait *w, const struct json *r, bool rollback) {
	struct str state = json_get_str(r, "state"), name = json_get_str(w->env, "name");
	const struct json *release = json_get(w->env, "release"), *reason = json_get(r, "reason");
	bool live = str_eq(state, STR("live"));
	bool kept = rollback && str_eq(state, STR("cancelled"));
	AUTO_INK out = cli_ink(w->cli);
	if (live || kept) {
		ink_glyph(&out, rollback ? INK_WARN : INK_GOOD, rollback ? INK_BACK : INK_OK);
		ink_put(&out, INK_PLAIN, " " STR_FMT " %s ", STR_ARG(name),
		        rollback ? "is back on" : "serves");
		ink_put(&out, INK_HEAD, STR_FMT, STR_ARG(short_commit(release)));
		ink_put(&out, INK_PLAIN, " ");
		ink_str(&out, INK_PLAIN, json_get_str(release, "title"));
		ink_put(&out, INK_PLAIN, "  ");
		add_took(&out, json_get_int(r, "duration_ms", -1));
		ink_end(&out);
		cli_print(&out);
		return 0;
	}
	struct err e = {0};
	struct str text = json_get_str(reason, "text"), next = json_get_str(reason, "next");
	err_set(&e, ERR_CONFLICT, STR_FMT " did not go live in " STR_FMT ": " STR_FMT,
	        STR_ARG(short_commit(json_get(r, "release"))), STR_ARG(name),
	        STR_ARG(text.n ? text : state));
	return cli_fail(w->cli, &e, next.n ? arena_cstr(w->cli->life, next) : NULL);
}

static int wait_for(struct wait *w, bool rollback) {
	int64_t timeout = TIMEOUT_MS, began = clock_mono_us() / 1000, waited = 0;
	struct err e = {0};
	const char *next = NULL;
	if (!args_duration(&w->cli->args, "timeout", &timeout, &e))
		return cli_usage(w->cli, "%s", e.text);
	bool json = cli_has(w->cli, "json"), stay = true;
	struct screen screen = screen_begin(w->cli->tty && !json);
	const struct json *r = NULL;
	bool there = look(w, &next, &e);
	while (there && stay && waited < timeout && !(r = ended(w, waited))) {
		if (waited >= LIVE_LINE_MS) draw(w, &screen, waited);
		stay = screen_wait(&screen, ASK_MS);
		there = look(w, &next, &e);
		waited = clock_mono_us() / 1000 - began;
	}
	screen_end(&screen, false);
	if (!there) return cli_fail(w->cli, &e, next);
	if (json) cli_out(buf_view(&w->body)), cli_out(STR("\n"));
	if (!r) {
		err_set(&e, ERR_TIMEOUT, "the rollout goes on, it has no end yet");
		return cli_fail(w->cli, &e, "See `weir status`");
	}
	if (!json) return tell(w, r, rollback);
	bool yes = str_eq(json_get_str(r, "state"), STR("live")) ||
	           (rollback && str_eq(json_get_str(r, "state"), STR("cancelled")));
	return yes ? 0 : 1;
}

static int act(struct cli *cli, enum operation_id id, bool rollback) {
	struct verb_call call;
	int status = 0;
	struct err e = {0};
	const char *next = NULL;
	if (!verb_begin(cli, id, &call, &status)) return status;
	struct wait w = {.cli = cli, .call = &call, .cancels = rollback};
	const struct operation *get = operation_at(OPERATION_ENV);
	for (size_t i = 0; i < get->param_count; i++) {
		ptrdiff_t at = operation_param_index(call.operation, str_of(get->params[i].name));
		if (at >= 0) w.env_values[i] = call.values[at];
	}
	AUTO_BUF body = {0};
	AUTO_JSON answer = NULL;
	if (!look(&w, &next, &e)) status = cli_fail(cli, &e, next);
	else {
		w.before = newest(w.env);
		if (!verb_ask(cli, &call, &body, &answer, &status)) goto out;
		if (!cli_has(cli, "no-wait")) status = wait_for(&w, rollback);
		else if (cli_has(cli, "json")) cli_out(buf_view(&body)), cli_out(STR("\n"));
	}
out:
	buf_free(&w.body);
	json_free(&w.env);
	verb_end(&call);
	return status;
}

int delivery_deploy(struct cli *cli) {
	return act(cli, OPERATION_DEPLOY, false);
}

int delivery_rollback(struct cli *cli) {
	return act(cli, OPERATION_ROLLBACK, true);
}
