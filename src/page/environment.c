#include "page/pages.h"

#include "page/frame.h"

static void path_of(const struct view_env *e, struct buf *out) {
	buf_cstr(out, "/environment/");
	buf_url(out, e->repo);
	buf_char(out, '/');
	buf_url(out, e->name);
}

static void say(struct html *w, const struct view_environment *v) {
	const struct view_env *e = &v->env;
	html_live(w, "p", "say", "class=\"say\" aria-live=\"polite\"");
	if (e->rollout_release) {
		html_icon(w, e->cancelling ? ICON_BACK : ICON_RUN, e->cancelling ? "warn" : "run");
		html_put(w, " <strong>%t: %s.</strong> <span class=\"nw\">%h (#%u)</span>", e->name,
		         e->cancelling ? "the rollout is being stopped" : "rolling out", e->rollout_commit,
		         e->rollout_change);
		if (e->release)
			html_put(w, " replaces <span class=\"nw\">%h</span>, which serves until then.",
			         e->commit);
	} else if (str_eq(e->health, STR("unhealthy"))) {
		html_icon(w, ICON_WARN, "bad");
		html_put(w, " <strong class=\"bad\">%t: unhealthy</strong> since %m: %t.", e->name,
		         e->health_ms, e->health_text);
	} else if (e->release) {
		html_put(w,
		         "%i <strong>%t: %s.</strong> <span class=\"nw\">%h (#%u)</span> serves since %m.",
		         ICON_OK, e->name, str_eq(e->health, STR("healthy")) ? "healthy" : "live",
		         e->commit, e->change, e->live_ms);
	} else {
		html_put(w,
		         "%i <strong>%t: nothing deployed yet.</strong> The next change that lands is "
		         "deployed by itself.",
		         ICON_WAIT, e->name);
	}
	html_live_end(w, "p");
}

static void actions(struct html *w, const struct view_environment *v) {
	const struct view_env *e = &v->env;
	html_live(w, "div", "acts", "");
	if (v->notice.n) html_put(w, "<p class=\"dim\">%t</p>", v->notice);
	bool can = e->rollout_release ? e->release != 0 : e->previous != 0;
	if (v->frame.may_operate) {
		AUTO_BUF action = {0};
		path_of(e, &action);
		frame_form(w, &v->frame, action.p);
		if (can)
			html_put(w,
			         "<button class=\"danger\" name=\"do\" value=\"rollback\" accesskey=\"r\" "
			         "id=\"rollback\"%s>Roll back to %h</button>",
			         v->frame.stuck ? " disabled" : "",
			         e->rollout_release ? e->commit : e->previous_commit);
		else
			html_put(w, "<button disabled>Roll back</button><span class=\"dim\">no earlier release "
			            "to go back to</span>");
		html_put(w, "<span class=\"dim\"><code class=\"nw\">weir rollback %t", e->name);
		if (e->shared) html_put(w, " --repo %t", e->repo);
		html_put(w, "</code></span></form>");
	}
	html_live_end(w, "div");
}

static const char *rollout_word(struct str state, struct str cause, enum html_icon *icon,
                                const char **tone) {
	bool back = str_eq(cause, STR("rollback"));
	*tone = "";
	*icon = ICON_OK;
	if (str_eq(state, STR("live"))) {
		if (back) *icon = ICON_BACK;
		if (back) *tone = "warn";
		return back ? "rolled back to" : "full";
	}
	if (str_eq(state, STR("failed"))) {
		*icon = ICON_BAD;
		*tone = "bad";
		return "failed";
	}
	if (str_eq(state, STR("cancelled"))) {
		*icon = ICON_OUT;
		return "cancelled";
	}
	*icon = ICON_RUN;
	*tone = "run";
	return str_eq(state, STR("cancelling")) ? "stopping" : "rolling out";
}

static void rollouts(struct html *w, const struct view_environment *v) {
	html_live(w, "section", "rollouts", "");
	html_put(w, "<h2>Rollouts <span>last %n</span></h2>\n", (int64_t)v->rollout_count);
	if (!v->rollout_count) html_put(w, "<p class=\"dim\">None yet.</p>");
	else
		html_put(w, "<table><thead><tr><th>release<th class=\"wide\">began<th>outcome<th "
		            "class=\"wide\">why<th class=\"n\">took</thead>\n");
	for (size_t i = 0; i < v->rollout_count; i++) {
		const struct view_rollout *r = &v->rollouts[i];
		enum html_icon icon;
		const char *tone, *word = rollout_word(r->state, r->cause, &icon, &tone);
		html_put(w,
		         "<tr><td><code>%h</code> <a class=\"dim\" href=\"/change/%u\">#%u</a><td "
		         "class=\"wide\">%m<td class=\"s %s\">",
		         r->commit, r->change, r->change, r->began_ms, tone);
		html_icon(w, icon, tone);
		html_put(w, " %s<td class=\"wide\">", word);
		if (r->reason_text.n) html_put(w, "%t", r->reason_text);
		else if (r->reason_code.n) html_put(w, "%t", r->reason_code);
		else html_put(w, "%s", str_eq(r->cause, STR("landed")) ? "it landed" : "asked for");
		if (r->by.n) html_put(w, " <span class=\"dim\">by %t</span>", r->by);
		html_put(w, "<td class=\"n\">");
		if (r->ended_ms) html_put(w, "%d", r->took_ms);
		else
			html_put(w, "<span data-since=\"%u\">%d</span>", (uint64_t)r->began_ms,
			         w->now_ms - r->began_ms);
		html_put(w, "\n");
	}
	if (v->rollout_count) html_put(w, "</table>");
	html_live_end(w, "section");
}

static void releases(struct html *w, const struct view_environment *v) {
	const struct view_env *e = &v->env;
	html_live(w, "section", "releases", "");
	html_put(w, "<h2>Releases <span>deploy another one</span></h2>\n<ol class=\"rows\">\n");
	for (size_t i = 0; i < v->release_count; i++) {
		const struct view_release *r = &v->releases[i];
		html_put(w,
		         "<li><div class=\"acts ends\"><span><code>%h</code> <a href=\"/change/%u\">#%u "
		         "%t</a></span>",
		         r->commit, r->change, r->change, r->title);
		if (r->id == e->release) html_put(w, "<span class=\"dim\">serves now</span>");
		else if (r->id == e->rollout_release) html_put(w, "<span class=\"run\">rolling out</span>");
		else if (v->frame.may_operate) {
			AUTO_BUF action = {0};
			path_of(e, &action);
			html_put(w,
			         "<form method=\"post\" action=\"%s\"><input type=\"hidden\" name=\"csrf\" "
			         "value=\"%t\"><input type=\"hidden\" name=\"release\" "
			         "value=\"%u\">",
			         action.p, v->frame.csrf, r->id);
			if (r->blocked) html_put(w, "<input type=\"hidden\" name=\"force\" value=\"1\">");
			html_put(w, "<button name=\"do\" value=\"deploy\"%s>Deploy %h%s</button></form>",
			         v->frame.stuck ? " disabled" : "", r->commit, r->blocked ? " again" : "");
		}
		html_put(w, "</div><small class=\"dim\">made %m", r->made_ms);
		if (r->blocked && r->id != e->release)
			html_put(w, "; blocked here after it was rolled back");
		html_put(w, "</small></li>\n");
	}
	html_put(w, "</ol>");
	if (!v->release_count)
		html_put(w, "<p class=\"dim\">None yet: the first landed change makes one.</p>");
	html_live_end(w, "section");
}

static void runs(struct html *w, const struct view_environment *v) {
	const struct view_env *e = &v->env;
	html_live(w, "section", "runs", "");
	html_put(
		w, "<h2>What runs</h2>\n<table><tr><th scope=\"row\" class=\"nw\">release<td class=\"t\">");
	size_t half = e->commit.n / 2; // where it breaks when the column is narrow
	if (e->release)
		html_put(w, "<code>%t<wbr>%t</code>", str_slice(e->commit, 0, half),
		         str_from(e->commit, half));
	else html_put(w, "none yet");
	html_put(w, "<tr><th scope=\"row\">address<td>");
	if (v->listen.n) html_put(w, "<code>%t</code>", v->listen);
	else html_put(w, "none: it has no listen: in weir.yml");
	html_put(w, "<tr><th scope=\"row\">health<td>");
	if (e->health.n) html_put(w, "%t, since %m", e->health, e->health_ms);
	else html_put(w, "not measured yet");
	html_put(w, "<tr><th scope=\"row\" class=\"nw\">goes back to<td>");
	if (e->previous)
		html_put(w, "<code>%h</code> <a href=\"/change/%u\">#%u</a>, kept ready",
		         e->previous_commit, e->previous_change, e->previous_change);
	else html_put(w, "no earlier release");
	html_put(w, "</table>");
	html_live_end(w, "section");
}

void environment_page(struct html *w, const struct view_environment *v) {
	frame_begin(w, &v->frame);
	html_put(w, "<h1 class=\"vh\">%t</h1>\n", v->env.name);
	say(w, v);
	actions(w, v);
	html_put(w, "<div class=\"two\">\n<div>\n");
	rollouts(w, v);
	html_live(w, "section", "log", "id=\"log\"");
	html_put(w, "<h2>Log <span>the last lines of the service</span></h2>\n");
	frame_log(w, &v->log, false);
	html_live_end(w, "section");
	html_put(w, "</div>\n<div>\n");
	runs(w, v);
	releases(w, v);
	html_put(w, "</div>\n</div>\n");
	frame_end(w, &v->frame);
}
