#include "page/frame.h"

#include "page/asset.h"

static void nav_item(struct html *w, const struct view_frame *f, const char *nav, const char *url,
                     const char *text) {
	html_put(w, "<a href=\"%s\"%s>%s</a> ", url,
	         strcmp(f->nav, nav) == 0 ? " aria-current=\"page\"" : "", text);
}

void frame_begin(struct html *w, const struct view_frame *f) {
	w->now_ms = f->now_ms;
	html_put(w, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	            "<meta name=\"referrer\" content=\"same-origin\">\n");
	html_put(w, "<title>%z · weir</title>\n<style>%r</style>\n", f->title, asset_style());
	if (f->live.n)
		html_put(w, "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>\n");
	html_put(w,
	         "<a class=\"vh\" href=\"#main\">Skip to content</a>\n<header class=\"top\">\n"
	         "<a class=\"brand\" href=\"/\">%iweir</a>\n<nav aria-label=\"Pages\">",
	         ICON_NOTCH);
	nav_item(w, f, "flow", "/", "Flow");
	nav_item(w, f, "queue", "/queue", "Queue");
	nav_item(w, f, "environments", "/environments", "Environments");
	html_put(w, "</nav>\n<form role=\"search\" action=\"/go\"><input name=\"q\" aria-label=\"Go to "
	            "a change or "
	            "commit\" placeholder=\"Go to #, commit\" accesskey=\"g\"></form>\n"
	            "<span class=\"live\" id=\"live\">");
	AUTO_BUF now = {0};
	struct html clock = {.out = &now, .now_ms = f->now_ms};
	html_clock(&clock, f->now_ms);
	html_put(w, "%s%r UTC</span>\n</header>\n<main id=\"main\"", f->live.n ? "at " : "",
	         buf_view(&now));
	html_put(w, " data-now=\"%u\"", (uint64_t)f->now_ms);
	if (f->live.n) html_put(w, " data-stream=\"%t\"", f->live);
	html_put(w, ">\n");
	if (f->read_only.n)
		html_put(w, "<p class=\"say warn\">%i <strong>Read-only:</strong> %t.</p>\n", ICON_WARN,
		         f->read_only);
	if (f->runs_wait.n)
		html_put(w, "<p class=\"say warn\">%i <strong>Runs wait:</strong> %t.</p>\n", ICON_WARN,
		         f->runs_wait);
}

void frame_end(struct html *w, const struct view_frame *f) {
	html_put(w, "</main>\n<footer class=\"foot\">");
	if (f->repo.n) html_put(w, "<span>%t</span>", f->repo);
	if (f->command.n) html_put(w, "<span>In a terminal: <code>%t</code></span>", f->command);
	if (f->json.n) html_put(w, "<a href=\"%t\">This page as JSON</a>", f->json);
	html_put(w, "<span><kbd>?</kbd> lists the keys</span></footer>\n");
	html_sprite(w);
	html_put(w, "<script>%r</script>\n</html>\n", asset_script());
}

void frame_form(struct html *w, const struct view_frame *f, const char *action) {
	html_put(w,
	         "<form method=\"post\" action=\"%z\" class=\"acts\"><input type=\"hidden\" "
	         "name=\"csrf\" value=\"%t\">",
	         action, f->csrf);
}

void frame_author(struct html *w, const struct view_ref *r) {
	if (!r->author.n) return;
	html_put(w, "<span class=\"by\">");
	bool agent = str_eq(r->author_kind, STR("agent"));
	if (agent || str_eq(r->author_kind, STR("person")))
		html_put(w, "<svg class=\"i\" role=\"img\" aria-label=\"%s\"><use href=\"#%s\"/></svg> ",
		         agent ? "agent" : "person", agent ? "agent" : "person");
	html_put(w, "%t</span>", r->author);
}

void frame_ref(struct html *w, const struct view_ref *r) {
	html_put(w, "<a href=\"/change/%u\"><span class=\"dim\">#%u</span> %t</a>", r->id, r->id,
	         r->title);
}

const char *frame_tone(enum view_tone tone) {
	static const char *const names[] = {"", "run", "ok", "bad", "warn"};
	return names[tone];
}

// ---------------------------------------------------------------- the feed

static enum html_icon feed_icon(enum view_feed_kind kind) {
	switch (kind) {
	case FEED_LANDED: return ICON_LAND;
	case FEED_DEPLOYED: return ICON_OK;
	case FEED_ROLLED_BACK: return ICON_BACK;
	case FEED_DEPLOY_FAILED: return ICON_BAD;
	case FEED_EJECTED:
	case FEED_WITHDRAWN: return ICON_OUT;
	}
	return ICON_NONE;
}

static const char *feed_tone(enum view_feed_kind kind) {
	switch (kind) {
	case FEED_LANDED:
	case FEED_DEPLOYED: return "ok";
	case FEED_EJECTED:
	case FEED_DEPLOY_FAILED: return "bad";
	case FEED_ROLLED_BACK: return "warn";
	case FEED_WITHDRAWN: return "";
	}
	return "";
}

// A reason is written to follow a colon; here it begins.
static void sentence(struct html *w, struct str text) {
	char first = text.n ? text.p[0] : 0;
	if (first >= 'a' && first <= 'z') {
		buf_char(w->out, (char)(first - 'a' + 'A'));
		text = str_from(text, 1);
	}
	html_put(w, "%t. ", text);
}

static void feed_text(struct html *w, const struct view_feed *f) {
	switch (f->kind) {
	case FEED_LANDED:
		html_put(w, "<p class=\"dim\">Landed as <code>%h</code>", f->commit);
		if (f->took_ms >= 0) html_put(w, " after %d", f->took_ms);
		html_put(w, ".</p>");
		return;
	case FEED_DEPLOYED:
		html_put(w, "<p class=\"dim\"><code>%h</code> is live in %t.</p>", f->commit, f->env);
		return;
	case FEED_ROLLED_BACK:
		html_put(w, "<p class=\"dim\">%t went back to <code>%h</code>.</p>", f->env, f->commit);
		return;
	case FEED_DEPLOY_FAILED:
		html_put(w, "<p>%t did not take <code>%h</code>: %t.</p>", f->env, f->commit, f->text);
		return;
	case FEED_WITHDRAWN: html_put(w, "<p class=\"dim\">Withdrawn by its author.</p>"); return;
	case FEED_EJECTED: break;
	}
	html_put(w, "<p>");
	if (f->test.n) html_put(w, "Test <code>%t</code> failed. ", f->test);
	else sentence(w, f->text);
	html_put(w, "%s", f->stays_queued ? "Stays queued." : "Left the queue.");
	if (f->next.n) html_put(w, " Next: %t.", f->next);
	html_put(w, "</p>");
}

void frame_feed(struct html *w, const struct view_feed *feed, size_t count) {
	html_put(w, "<ol class=\"rows feed\">\n");
	for (size_t i = 0; i < count; i++) {
		const struct view_feed *f = &feed[i];
		html_put(w, "<li>");
		html_icon(w, feed_icon(f->kind), feed_tone(f->kind));
		html_put(w, "<p><span class=\"dim\">%m</span> ", f->at_ms);
		if (f->ref.id) frame_ref(w, &f->ref);
		html_put(w, " ");
		frame_author(w, &f->ref);
		html_put(w, "</p>");
		feed_text(w, f);
		html_put(w, "</li>\n");
	}
	html_put(w, "</ol>");
}

// ---------------------------------------------------------------- logs

void frame_log_line(struct html *w, const struct view_log_line *l) {
	const char *class = l->hit                                   ? "hit"
	                    : l->channel == 'e'                      ? "err"
	                    : l->channel == 'w' || l->channel == 'd' ? "sys"
	                                                             : "";
	html_put(w, "<span id=\"L%u\"", l->number);
	if (class[0]) html_put(w, " class=\"%s\"", class);
	html_put(w, "><a href=\"#L%u\">%u</a>%r\n</span>", l->number, l->number, l->html);
}

void frame_log(struct html *w, const struct view_log *log, bool live) {
	if (log->gone.n) {
		html_put(w, "<p class=\"dim\">No log: %t.</p>", log->gone);
		return;
	}
	html_put(w, "<pre class=\"log\" tabindex=\"0\" aria-label=\"Log of %t\"%s>", log->job,
	         live ? " data-log=\"1\"" : "");
	for (size_t i = 0; i < log->line_count; i++) frame_log_line(w, &log->lines[i]);
	html_put(w, "</pre>");
	if (!log->line_count)
		html_put(w, "<p class=\"dim\">%s</p>",
		         log->running ? "Nothing printed yet." : "It printed nothing.");
}

// ---------------------------------------------------------------- jobs

const char *frame_job_word(enum view_job_state state) {
	static const char *const words[] = {"waits",  "running", "passed",  "failed",
	                                    "reused", "skipped", "stopped", "lost"};
	return words[state];
}

static void job_piece(struct html *w, const struct view_job *j, double x, double width,
                      int64_t now_ms) {
	double inner = width > 1.2 ? width - 1.2 : width;
	switch (j->state) {
	case JOB_VIEW_PASSED:
		html_put(w, "<rect x=\"%p%%\" y=\"2\" width=\"%p%%\" height=\"10\" class=\"z-done\"/>", x,
		         width);
		return;
	case JOB_VIEW_REUSED:
		html_put(w, "<rect x=\"%p%%\" y=\"2\" width=\"%p%%\" height=\"10\" fill=\"url(#hk)\"/>", x,
		         width);
		return;
	case JOB_VIEW_FAILED:
		html_put(w, "<rect x=\"%p%%\" y=\"2\" width=\"%p%%\" height=\"10\" class=\"z-bad\"/>", x,
		         width);
		return;
	case JOB_VIEW_RUNNING: {
		double part = 0.5;
		if (j->expected_ms > 0 && j->started_ms > 0)
			part = (double)(now_ms - j->started_ms) / (double)j->expected_ms;
		part = part < 0.04 ? 0.04 : part > 0.97 ? 0.97 : part;
		html_put(w,
		         "<rect x=\"%p%%\" y=\"2\" width=\"%p%%\" height=\"10\" class=\"z-track\"/>"
		         "<rect x=\"%p%%\" y=\"2\" width=\"%p%%\" height=\"10\" class=\"z-run\"/>",
		         x, width, x, width * part);
		return;
	}
	case JOB_VIEW_SKIPPED:
	case JOB_VIEW_STOPPED:
	case JOB_VIEW_LOST:
		html_put(w, "<rect x=\"%p%%\" y=\"3\" width=\"%p%%\" height=\"8\" class=\"z-dash\"/>",
		         x + 0.6, inner);
		return;
	case JOB_VIEW_WAITS:
		html_put(w, "<rect x=\"%p%%\" y=\"3\" width=\"%p%%\" height=\"8\" class=\"z-open\"/>",
		         x + 0.6, inner);
		return;
	}
}

void frame_jobs_bar(struct html *w, const struct view_job *jobs, size_t count) {
	double weights[64], sum = 0;
	size_t n = count < ARRAY_LEN(weights) ? count : ARRAY_LEN(weights);
	for (size_t i = 0; i < n; i++) {
		int64_t ms = jobs[i].expected_ms > 0 ? jobs[i].expected_ms : jobs[i].duration_ms;
		weights[i] = ms > 0 ? (double)ms : 1000;
		sum += weights[i];
	}
	double total = 0, least = n * 6 > 60 ? 60 / (double)n : 6;
	for (size_t i = 0; i < n; i++) {
		double share = 100 * weights[i] / sum;
		total += weights[i] = share < least ? least : share;
	}
	html_put(w, "<svg class=\"bar\" height=\"14\" role=\"img\" aria-label=\"");
	for (size_t i = 0; i < n; i++)
		html_put(w, "%s%t %s", i ? ", " : "", jobs[i].name, frame_job_word(jobs[i].state));
	html_put(w, "%s\">", n ? "" : "no job is known yet");
	double x = 0;
	for (size_t i = 0; i < n; i++) {
		double width = 100 * weights[i] / total;
		job_piece(w, &jobs[i], x, width, w->now_ms);
		x += width;
	}
	html_put(w, "</svg>");
}
