#include "cli/watch.h"

#include <stdio.h>

#include "base/clocktext.h"
#include "cli/grid.h"
#include "cli/screen.h"
#include "cli/story.h"
#include "cli/verb.h"
#include "os/clock.h"

enum { ASK_MS = 250, LIVE_LINE_MS = 300, GONE_MS = 60000 };

// One question; while somebody watches, a server that is away for a moment (it starts anew) is no
// reason to end.
struct asked {
	struct remote *remote;
	struct buf body;
	struct json *answer;
	int64_t away_since_ms; // 0 = it answers
};

static void asked_free(struct asked *a) {
	buf_free(&a->body);
	json_free(&a->answer);
}

static bool ask(struct asked *a, enum operation_id id, const char *word, bool patient,
                const char **next, struct err *e) {
	struct str values[OPERATION_PARAMS_MAX] = {str_of(word)};
	struct buf body = {0};
	struct json *answer = NULL;
	if (remote_ask(a->remote, id, values, &body, next, e) &&
	    json_parse(buf_view(&body), &answer, e)) {
		asked_free(a);
		a->body = body;
		a->answer = answer;
		a->away_since_ms = 0;
		return true;
	}
	buf_free(&body);
	int64_t now = clock_mono_us() / 1000;
	if (!a->away_since_ms) a->away_since_ms = now;
	return patient && a->answer && e->code == ERR_UNAVAILABLE && now - a->away_since_ms < GONE_MS;
}

// ---- one change

static void draw_change(struct cli *cli, struct screen *screen, const struct asked *a, bool whole) {
	AUTO_INK ink = cli_ink(cli);
	if (whole) story_change(a->answer, clock_wall_ms(), &ink);
	else {
		story_line(a->answer, clock_wall_ms(), &ink);
		ink_end(&ink);
	}
	if (a->away_since_ms) {
		ink_put(&ink, INK_WARN, "no answer from %s, asking again", remote_url(a->remote));
		ink_end(&ink);
	}
	screen_draw(screen, &ink);
}

// A line for a pipe whenever state, reason or the verdicts of jobs have changed.
static void record(const struct json *change, struct buf *last) {
	AUTO_BUF line = {0};
	story_record(change, 0, &line);
	struct str now = str_from(buf_view(&line), str_find_char(buf_view(&line), '\t'));
	if (str_eq(now, buf_view(last))) return;
	buf_reset(last);
	buf_str(last, now);
	buf_reset(&line);
	story_record(change, clock_wall_ms(), &line);
	cli_out(buf_view(&line));
}

static int finish(struct cli *cli, const struct asked *a, bool quiet) {
	if (cli_has(cli, "json")) {
		cli_out(buf_view(&a->body));
		if (a->body.n && a->body.p[a->body.n - 1] != '\n') cli_out(STR("\n"));
	} else if (!quiet) {
		AUTO_INK ink = cli_ink(cli);
		story_change(a->answer, clock_wall_ms(), &ink);
		cli_print(&ink);
	}
	return 0;
}

static int gave_up(struct cli *cli, const struct asked *a, const char *wanted, int64_t ms) {
	struct err e = {0};
	AUTO_BUF text = {0};
	clocktext_duration_text(&text, ms);
	finish(cli, a, true);
	err_set(&e, ERR_TIMEOUT, "change %lld is not %s after %s, it is " STR_FMT,
	        (long long)json_get_int(a->answer, "id", 0), wanted, text.p,
	        STR_ARG(json_get_str(a->answer, "state")));
	return cli_fail(cli, &e, NULL);
}

static int follow_change(struct cli *cli, struct asked *a, const char *id) {
	const char *wanted = cli_value(cli, "wait"), *next = NULL;
	bool watch = cli_has(cli, "watch"), json = cli_has(cli, "json");
	int64_t timeout = 0, began = clock_mono_us() / 1000;
	struct err e = {0};
	AUTO_BUF last = {0};
	if (!args_duration(&cli->args, "timeout", &timeout, &e)) return cli_usage(cli, "%s", e.text);
	if (!ask(a, OPERATION_CHANGE, id, false, &next, &e)) return cli_fail(cli, &e, next);
	if (!wanted && !watch) return finish(cli, a, false);

	struct str end = str_of(wanted ? wanted : "done");
	struct screen screen = screen_begin(cli->tty && !json);
	enum story_end outcome;
	bool stay = true, late = false, away = false;
	while ((outcome = story_ended(a->answer, end)) == STORY_GOES_ON && stay && !late && !away) {
		int64_t waited = clock_mono_us() / 1000 - began;
		if (!cli->tty && !json) record(a->answer, &last);
		if (watch || waited >= LIVE_LINE_MS) draw_change(cli, &screen, a, watch);
		stay = screen_wait(&screen, ASK_MS);
		late = timeout && clock_mono_us() / 1000 - began >= timeout;
		away = !ask(a, OPERATION_CHANGE, id, true, &next, &e);
	}
	screen_end(&screen, false);
	if (away) return cli_fail(cli, &e, next);
	if (outcome == STORY_GOES_ON && late) return gave_up(cli, a, end.p, timeout);
	if (!cli->tty && !json) record(a->answer, &last);
	finish(cli, a, !cli->tty && outcome != STORY_NO);
	return outcome == STORY_YES || (!wanted && !stay) ? 0 : 1;
}

// ---- everything

static void add_environments(const struct json *list, int64_t now_ms, struct ink *out) {
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json *env = json_at(list, i), *release = json_get(env, "release"),
						  *rollout = json_get(env, "rollout");
		if (i == 0) ink_end(out);
		ink_fit(out, INK_HEAD, json_get_str(env, "name"), 14);
		ink_put(out, INK_PLAIN, " ");
		if (json_kind(release) != JSON_KIND_OBJECT) ink_put(out, INK_QUIET, "no release yet");
		else {
			bool bad = str_eq(json_get_str(env, "health"), STR("unhealthy"));
			ink_glyph(out, bad ? INK_BAD : INK_GOOD, bad ? INK_FAIL : INK_OK);
			ink_put(out, INK_PLAIN, " " STR_FMT " ",
			        STR_ARG(str_slice(json_get_str(release, "commit"), 0, 7)));
			ink_fit(out, INK_PLAIN, json_get_str(release, "title"), 34);
			AUTO_BUF since = {0};
			int64_t live = grid_json_time(json_get(env, "live_since"));
			if (live) grid_time(&since, live, now_ms);
			if (bad) ink_put(out, INK_BAD, " unhealthy");
			else if (live) ink_put(out, INK_QUIET, " live since %s", since.p);
		}
		ink_end(out);
		if (json_kind(rollout) != JSON_KIND_OBJECT) continue;
		ink_to(out, 15);
		ink_glyph(out, INK_MOVE, INK_RUNNING);
		ink_put(out, INK_MOVE, " rolling out " STR_FMT,
		        STR_ARG(str_slice(json_get_str(json_get(rollout, "release"), "commit"), 0, 7)));
		ink_end(out);
	}
}

struct overview {
	struct asked status, changes, environments;
};

static bool ask_all(struct overview *o, bool patient, const char **next, struct err *e) {
	return ask(&o->status, OPERATION_STATUS, NULL, patient, next, e) &&
	       ask(&o->changes, OPERATION_QUEUE, NULL, patient, next, e) &&
	       ask(&o->environments, OPERATION_ENVS, NULL, patient, next, e);
}

static void draw_all(struct cli *cli, const struct overview *o, bool watch, struct ink *out) {
	const struct json *s = o->status.answer, *list = json_get(o->changes.answer, "changes");
	struct str why = json_get_str(s, "read_only"), wait = json_get_str(s, "runs_wait_because");
	int64_t now = clock_wall_ms(), running = json_get_int(s, "runs", 0);
	size_t shown = json_length(list), most = cli->tty && shown > 30 ? 30 : shown;
	const struct json *envs = json_get(o->environments.answer, "environments");
	// Environments are worth more than the end of the queue.
	size_t around = 6 + 2 * json_length(envs), rows = screen_rows();
	if (watch && most > 3 && most + around > rows) most = rows > around + 3 ? rows - around : 3;
	// The list ends after a page.
	size_t n = (size_t)json_get_int(s, "queued", (int64_t)shown);
	if (n < shown) n = shown;
	if (why.n) {
		ink_glyph(out, INK_WARN, INK_ATTENTION);
		ink_put(out, INK_WARN, " read-only: " STR_FMT, STR_ARG(why));
	} else if (wait.n) {
		ink_glyph(out, INK_WARN, INK_ATTENTION);
		ink_put(out, INK_WARN, " runs wait: " STR_FMT, STR_ARG(wait));
	} else {
		ink_glyph(out, n ? INK_MOVE : INK_GOOD, n ? INK_RUNNING : INK_OK);
		ink_put(out, INK_HEAD, n ? " flowing" : " idle");
	}
	ink_put(out, INK_PLAIN, "  %zu in the queue, %lld of %lld slots busy", n, (long long)running,
	        (long long)json_get_int(s, "slots", 0));
	AUTO_BUF clock = {0};
	grid_time(&clock, now, now);
	if (watch) {
		ink_to(out, (out->width ? out->width : 80) - 18);
		ink_put(out, INK_QUIET, "%s  q quits", clock.p);
	}
	ink_end(out);
	if (o->status.away_since_ms) {
		ink_put(out, INK_WARN, "no answer from %s, asking again", remote_url(o->status.remote));
		ink_end(out);
	}
	const struct json *hour = json_get(s, "last_hour");
	ink_put(out, INK_QUIET, "last hour: %lld landed, %lld ejected, %lld deployed, %lld rolled back",
	        (long long)json_get_int(hour, "landed", 0),
	        (long long)json_get_int(hour, "rejected", 0), (long long)json_get_int(hour, "live", 0),
	        (long long)json_get_int(hour, "rolled_back", 0));
	ink_end(out);
	if (n) ink_end(out);
	for (size_t i = 0; i < most; i++) {
		story_line(json_at(list, i), now, out);
		ink_end(out);
	}
	if (n > most) {
		ink_put(out, INK_QUIET, "and %zu more: weir queue", n - most);
		ink_end(out);
	}
	add_environments(envs, now, out);
}

static int all_json(const struct overview *o) {
	AUTO_BUF out = {0};
	buf_printf(&out, "{\"environments\":");
	json_print(&out, json_get(o->environments.answer, "environments"));
	buf_printf(&out, ",\"queue\":");
	json_print(&out, json_get(o->changes.answer, "changes"));
	buf_printf(&out, ",\"server\":");
	json_print(&out, o->status.answer);
	buf_printf(&out, "}\n");
	cli_out(buf_view(&out));
	return 0;
}

static int follow_all(struct cli *cli, struct overview *o) {
	bool watch = cli_has(cli, "watch");
	const char *next = NULL;
	struct err e = {0};
	if (cli_has(cli, "wait")) return cli_usage(cli, "--wait needs the ID of a change");
	if (!ask_all(o, false, &next, &e)) return cli_fail(cli, &e, next);
	if (cli_has(cli, "json")) return all_json(o);
	if (!watch || !cli->tty) {
		AUTO_INK ink = cli_ink(cli);
		draw_all(cli, o, false, &ink);
		cli_print(&ink);
		return watch
		           ? cli_usage(cli,
		                       "--watch without an ID needs a terminal; use `weir events --follow`")
		           : 0;
	}
	struct screen screen = screen_begin(true);
	bool away = false;
	do {
		AUTO_INK ink = cli_ink(cli);
		draw_all(cli, o, true, &ink);
		screen_draw(&screen, &ink);
	} while (screen_wait(&screen, ASK_MS) && !(away = !ask_all(o, true, &next, &e)));
	screen_end(&screen, true);
	return away ? cli_fail(cli, &e, next) : 0;
}

static int run_status(struct cli *cli) {
	struct err e = {0};
	struct remote *remote;
	int status;
	int64_t number;
	const char *id = cli_word(cli, 0);
	if (id && id[0] == '#') id++;
	if (id && (!str_to_i64(str_of(id), &number) || number <= 0))
		return cli_usage(cli, "\"%s\" is no number of a change", cli_word(cli, 0));
	if (!remote_open(cli->life, &remote, &e)) return cli_fail(cli, &e, NULL);
	if (id) {
		struct asked one = {.remote = remote};
		status = follow_change(cli, &one, id);
		asked_free(&one);
	} else {
		struct overview all = {{.remote = remote}, {.remote = remote}, {.remote = remote}};
		status = follow_all(cli, &all);
		asked_free(&all.status);
		asked_free(&all.changes);
		asked_free(&all.environments);
	}
	remote_close(remote);
	return status;
}

static const struct args_option options[] = {
	{"watch", 'w', NULL, "draw it again while it changes; q leaves", NULL},
	{"wait", 0, "STATE", "until then; the exit status tells how it ended", "landed deployed done"},
	{"timeout", 0, "DURATION", "wait no longer, such as 5m; exit status 1 then", NULL},
	CLI_OPTION_JSON,
	{0},
};

const struct cli_command watch_commands[] = {
	{
		.name = "status",
		.words = "[ID]",
		.brief = "Show what moves now, or one change: what failed first, then what to do",
		.group = CLI_GROUP_CHANGES,
		.words_max = 1,
		.options = options,
		.completes = "change",
		.about = "With `--wait` it exits with 0 when the change has landed (or is deployed), with "
				 "1 when "
				 "it was rejected or withdrawn; done is whichever comes first. Where stdout is no "
				 "terminal, each change of state is one line.",
		.run = run_status,
	},
	{0}};
