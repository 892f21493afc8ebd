#include "page/pages.h"

#include <stdio.h>

#include "page/frame.h"

// ---------------------------------------------------------------- the sentence

static void typical(struct html *w, const struct view_typical *t) {
	if (t->n < 5) html_put(w, " No estimate yet: fewer than five changes landed here.");
	else
		html_put(w, " The last %n landed %d after they were queued (%d to %d).", t->n, t->p50_ms,
		         t->p10_ms, t->p90_ms);
}

static void say(struct html *w, const struct view_flow *v) {
	int64_t moving = 0;
	for (size_t i = 0; i < ARRAY_LEN(v->gauges); i++) moving += v->gauges[i].count;
	html_live(w, "p", "say", "class=\"say\" aria-live=\"polite\"");
	if (!v->repo_count) {
		html_put(w,
		         "%i <strong>No repository yet.</strong> Add one with <code>weir repo add NAME "
		         "PATH</code>, or run "
		         "<code>weir serve</code> inside a work tree.",
		         ICON_WAIT);
	} else if (v->config_error.n) {
		html_icon(w, ICON_WARN, "warn");
		html_put(w, " <strong class=\"warn\">Nothing can land:</strong> %t.", v->config_error);
	} else if (!moving) {
		html_put(w, "%i <strong>Nothing moves.</strong>", ICON_OK);
		typical(w, &v->typical);
	} else if (v->gauges[1].count && v->slots && v->slots_busy >= v->slots) {
		html_icon(w, ICON_RUN, "run");
		html_put(w, " <strong>Flowing, every slot is busy:</strong> %n of %n.", v->slots_busy,
		         v->slots);
		typical(w, &v->typical);
	} else {
		html_icon(w, ICON_RUN, "run");
		html_put(w, " <strong>Flowing.</strong>");
		typical(w, &v->typical);
	}
	html_live_end(w, "p");
}

static void worst(struct html *w, const struct view_flow *v) {
	html_live(w, "div", "worst", "");
	for (size_t i = 0; i < v->env_count; i++) {
		const struct view_env *e = &v->envs[i];
		if (!str_eq(e->health, STR("unhealthy"))) continue;
		html_put(w,
		         "<p class=\"say warn\">%i <strong>%t is unhealthy</strong> since %m: %t. <a "
		         "href=\"/environment/%e/%e\">Roll back there</a>.</p>",
		         ICON_WARN, e->name, e->health_ms, e->health_text, e->repo, e->name);
		break;
	}
	html_live_end(w, "div");
}

// ---------------------------------------------------------------- gauges

static void gauges(struct html *w, const struct view_flow *v) {
	html_live(w, "ol", "gauges", "class=\"gauge\" aria-label=\"Open changes by stage\"");
	for (size_t i = 0; i < ARRAY_LEN(v->gauges); i++) {
		const struct view_gauge *g = &v->gauges[i];
		double at = g->count > 8 ? 97 : (double)g->count * 12;
		html_put(w,
		         "\n<li><span>%z</span><b>%n</b><svg class=\"ch\" height=\"14\" role=\"img\" "
		         "aria-label=\"%n now, "
		         "usual not known yet\"><rect x=\"0\" y=\"6\" width=\"100%%\" height=\"3\" "
		         "class=\"z-line\"/><rect "
		         "x=\"%p%%\" y=\"1\" width=\"3\" height=\"13\" class=\"z-ink\"/></svg>",
		         g->name, g->count, g->count, at);
		if (g->oldest_ms > 0) html_put(w, "<small>oldest %d</small></li>", g->oldest_ms);
		else html_put(w, "<small class=\"dim\">usual not known yet</small></li>");
	}
	html_live_end(w, "ol");
}

// ---------------------------------------------------------------- the time axis

enum { AXIS_MS_MAX = 6 * 3600 * 1000 };

struct axis {
	int64_t from_ms, to_ms;
};

static double place(const struct axis *a, int64_t ms) {
	double x = 100 * (double)(ms - a->from_ms) / (double)(a->to_ms - a->from_ms);
	return x < 0 ? 0 : x > 100 ? 100 : x;
}

static struct axis axis_of(const struct view_flow *v) {
	int64_t now = v->frame.now_ms, earliest = now - AXIS_MS_MAX;
	struct axis a = {now - 60000, now + 30000};
	for (size_t i = 0; i < v->moving_count; i++) {
		const struct view_moving *m = &v->moving[i];
		for (size_t k = 0; k < m->segment_count; k++) {
			if (m->segments[k].from_ms < a.from_ms) a.from_ms = m->segments[k].from_ms;
			if (m->segments[k].to_ms > a.to_ms) a.to_ms = m->segments[k].to_ms;
		}
	}
	if (a.from_ms < earliest) a.from_ms = earliest;
	if (a.to_ms - now < (now - a.from_ms) / 4) a.to_ms = now + (now - a.from_ms) / 4;
	return a;
}

static void segment(struct html *w, const struct axis *a, const struct view_segment *s) {
	static const char *const looks[] = {
		"y=\"12\" height=\"6\" fill=\"url(#hw)\"", "y=\"8\" height=\"14\" class=\"z-done\"",
		"y=\"8\" height=\"14\" fill=\"url(#hk)\"", "y=\"8\" height=\"14\" class=\"z-run\"",
		"y=\"8\" height=\"14\" class=\"z-bad\"",   "y=\"9\" height=\"12\" class=\"z-dash\"",
	};
	double x = place(a, s->from_ms), width = place(a, s->to_ms) - x;
	if (width < 0.4) width = 0.4;
	html_put(w, "<rect x=\"%p%%\" width=\"%p%%\" %s/>", x, width, looks[s->kind]);
}

static void moving_row(struct html *w, const struct axis *a, const struct view_moving *m) {
	html_put(w, "<li class=\"mv\" data-key=\"%u\"><span class=\"t\">", m->ref.id);
	html_icon(w, m->icon, frame_tone(m->tone));
	html_put(w, " ");
	frame_ref(w, &m->ref);
	html_put(w, "</span>");
	frame_author(w, &m->ref);
	if (!m->ref.author.n) html_put(w, "<span></span>");
	double now = place(a, w->now_ms);
	html_put(w,
	         "<svg class=\"bar\" role=\"img\" aria-label=\"%t\"><line class=\"now\" x1=\"%p%%\" "
	         "x2=\"%p%%\" y1=\"0\" "
	         "y2=\"100%%\"/>",
	         m->label, now, now);
	for (size_t i = 0; i < m->segment_count; i++) segment(w, a, &m->segments[i]);
	if (m->landed_ms > 0)
		html_put(w, "<line x1=\"%p%%\" x2=\"%p%%\" y1=\"4\" y2=\"26\" class=\"z-mark\"/>",
		         place(a, m->landed_ms), place(a, m->landed_ms));
	html_put(w, "</svg><span class=\"s %s\">%t</span><span class=\"dim\">%t</span></li>\n",
	         frame_tone(m->tone), m->state, m->next);
}

// A label every 1, 2, 5, 10 ... minutes, at most six of them.
static void axis_labels(struct html *w, const struct axis *a) {
	static const int64_t steps[] = {30000,   60000,   120000,  300000, 600000,
	                                1200000, 1800000, 3600000, 7200000};
	int64_t step = steps[ARRAY_LEN(steps) - 1];
	for (size_t i = ARRAY_LEN(steps); i > 0; i--)
		if ((a->to_ms - a->from_ms) / steps[i - 1] <= 5) step = steps[i - 1];
	html_put(w, "<li class=\"mv ax\" aria-hidden=\"true\"><span></span><span></span><svg "
	            "class=\"ch\" height=\"20\">");
	double now = place(a, w->now_ms);
	for (int64_t at = (a->from_ms / step + 1) * step; at < a->to_ms; at += step) {
		double x = place(a, at);
		if ((x < now + 7 && x > now - 7) || x < 6 || x > 94) continue;
		int64_t minute = at / 60000 % 1440;
		char text[16];
		snprintf(text, sizeof text, step < 60000 ? "%02d:%02d:%02d" : "%02d:%02d", (int)minute / 60,
		         (int)minute % 60, (int)(at / 1000 % 60));
		html_put(w, "<text x=\"%p%%\" y=\"14\" class=\"m\">%z</text>", x, text);
	}
	html_put(w, "<text x=\"%p%%\" y=\"14\" class=\"m t-ink\">now</text></svg></li>\n", now);
}

static void legend(struct html *w) {
	html_put(
		w,
		"<span class=\"wide key\">"
		"<svg class=\"bar sw\" width=\"14\" height=\"10\" aria-hidden=\"true\"><rect width=\"14\" "
		"height=\"10\" "
		"class=\"z-done\"/></svg> ran "
		"<svg class=\"bar sw\" width=\"14\" height=\"10\" aria-hidden=\"true\"><rect y=\"3\" "
		"width=\"14\" "
		"height=\"5\" fill=\"url(#hw)\"/></svg> waited "
		"<svg class=\"bar sw\" width=\"14\" height=\"10\" aria-hidden=\"true\"><rect width=\"14\" "
		"height=\"10\" "
		"fill=\"url(#hk)\"/></svg> reused "
		"<svg class=\"bar sw\" width=\"14\" height=\"10\" aria-hidden=\"true\"><rect x=\"1\" "
		"y=\"1\" width=\"12\" "
		"height=\"8\" class=\"z-dash\"/></svg> expected "
		"<svg class=\"bar sw\" width=\"14\" height=\"10\" aria-hidden=\"true\"><path d=\"M7-2v14\" "
		"class=\"z-mark\"/></svg> landed</span>");
}

static void moving(struct html *w, const struct view_flow *v) {
	size_t open = v->moving_total;
	for (size_t i = 0; i < v->moving_count; i++) open -= v->moving[i].tone == TONE_BAD;
	html_live(w, "section", "moving", "");
	html_put(w, "<h2>Moving now <span>");
	if (open) html_put(w, "%c, nearest to production first</span>", (int64_t)open, "change");
	else html_put(w, "none open</span>");
	legend(w);
	html_put(w, "</h2>\n");
	if (!v->moving_count) {
		html_put(w, "<p class=\"dim\">Push one: <code>git push weir HEAD:refs/for/main</code></p>");
	} else {
		struct axis a = axis_of(v);
		html_put(w, "<ol class=\"list\">\n");
		for (size_t i = 0; i < v->moving_count; i++) moving_row(w, &a, &v->moving[i]);
		if (v->moving_total > v->moving_count)
			html_put(w,
			         "<li class=\"mv\"><span class=\"t\"><a href=\"/queue\">%n more in the "
			         "queue</a></span></li>\n",
			         (int64_t)(v->moving_total - v->moving_count));
		axis_labels(w, &a);
		html_put(w, "</ol>");
	}
	html_live_end(w, "section");
}

// ---------------------------------------------------------------- below the fold

static void env_row(struct html *w, const struct view_env *e) {
	html_put(w, "<tr><th scope=\"row\"><a href=\"/environment/%e/%e\"><b>%t</b></a><td>", e->repo,
	         e->name, e->name);
	if (!e->release)
		html_put(w, "<span class=\"dim\">nothing deployed yet</span><td class=\"wide\">");
	else
		html_put(w,
		         "<code>%h</code> <span class=\"dim\"><a href=\"/change/%u\">#%u</a></span><td "
		         "class=\"wide\">%m",
		         e->commit, e->change, e->change, e->live_ms);
	if (e->rollout_release) {
		html_put(w, "<td class=\"s run\">");
		html_icon(w, ICON_RUN, "run");
		html_put(w, " to <code>%h</code>", e->rollout_commit);
	} else if (str_eq(e->health, STR("unhealthy"))) {
		html_put(w, "<td class=\"s bad\">");
		html_icon(w, ICON_BAD, "bad");
		html_put(w, " unhealthy");
	} else if (!e->release) html_put(w, "<td class=\"dim\">waits for a release");
	else if (e->behind) html_put(w, "<td class=\"s warn\">%i behind trunk", ICON_WARN);
	else html_put(w, "<td class=\"s\">%i newest release", ICON_OK);
	html_put(w, "\n");
}

static void deployed(struct html *w, const struct view_flow *v) {
	html_live(w, "section", "deployed", "");
	html_put(w, "<h2>Deployed <span>%c today, %n rolled back</span></h2>\n", v->deployed_today,
	         "time", v->rolled_back_today);
	if (!v->env_count) {
		html_put(w, "<p class=\"dim\">No environment: trunk's weir.yml names none.</p>");
	} else {
		html_put(w, "<table><thead "
		            "class=\"vh\"><tr><th>Environment<th>Release<th>Since<th>State</thead>\n");
		for (size_t i = 0; i < v->env_count; i++) env_row(w, &v->envs[i]);
		html_put(w, "</table>");
	}
	html_live_end(w, "section");
}

static void hours(struct html *w, const struct view_flow *v) {
	int64_t most = 1, queued = 0, landed = 0;
	int now = (int)(v->frame.now_ms / 3600000 % 24);
	for (int h = 0; h < 24; h++) {
		queued += v->queued_by_hour[h];
		landed += v->landed_by_hour[h];
		if (v->queued_by_hour[h] > most) most = v->queued_by_hour[h];
		if (v->landed_by_hour[h] > most) most = v->landed_by_hour[h];
	}
	html_live(w, "section", "hours", "");
	html_put(w,
	         "<h2>Today by hour <span>%n proposed (line), %n landed (bar), UTC</span></h2>\n<svg "
	         "class=\"ch\" height=\"86\" "
	         "role=\"img\" aria-label=\"%c proposed and %n landed today\">",
	         queued, landed, queued, "change", landed);
	for (int h = 0; h <= now; h++) {
		double x = 0.6 + h * 100.0 / 24, bar = 56.0 * (double)v->landed_by_hour[h] / (double)most,
			   line = 64 - 56.0 * (double)v->queued_by_hour[h] / (double)most;
		html_put(w, "<rect x=\"%p%%\" y=\"%p\" width=\"3%%\" height=\"%p\" class=\"%s\"/>", x,
		         64 - bar, bar, h == now ? "z-run" : "z-half");
		if (v->queued_by_hour[h])
			html_put(w, "<line x1=\"%p%%\" x2=\"%p%%\" y1=\"%p\" y2=\"%p\" class=\"ln k\"/>", x,
			         x + 3, line, line);
	}
	for (int h = 0; h < 24; h += 6) {
		char text[4];
		snprintf(text, sizeof text, "%02d", h % 100);
		html_put(w, "<text x=\"%p%%\" y=\"82\" class=\"m\">%s</text>", 2.1 + h * 100.0 / 24, text);
	}
	html_put(w, "</svg>");
	html_live_end(w, "section");
}

void flow_page(struct html *w, const struct view_flow *v) {
	frame_begin(w, &v->frame);
	html_put(w, "<h1 class=\"vh\">Flow</h1>\n");
	say(w, v);
	worst(w, v);
	gauges(w, v);
	moving(w, v);
	html_put(w, "<div class=\"two half\">\n");
	html_live(w, "section", "feed", "");
	html_put(w, "<h2>Landed and ejected <span>last hour: %n landed, %n ejected</span></h2>",
	         v->landed_hour, v->ejected_hour);
	if (v->feed_count) frame_feed(w, v->feed, v->feed_count);
	else html_put(w, "<p class=\"dim\">Nothing landed or left yet.</p>");
	html_live_end(w, "section");
	html_put(w, "<div>\n");
	deployed(w, v);
	hours(w, v);
	html_put(w, "</div>\n</div>\n");
	frame_end(w, &v->frame);
}
