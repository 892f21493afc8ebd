#include "page/pages.h"

#include "page/diffview.h"
#include "page/frame.h"

static bool is(const struct view_change *v, const char *state) {
	return str_eq(v->state, str_of(state));
}

// ---------------------------------------------------------------- the sentence

static void say_rejected(struct html *w, const struct view_change *v) {
	html_icon(w, ICON_OUT, "bad");
	html_put(w, " <strong class=\"bad\">Ejected at %m:</strong> ", v->ended_ms);
	if (v->tests_failed && v->tests_run)
		html_put(w, "%n of %c failed.", (int64_t)v->tests_failed, (int64_t)v->tests_run, "test");
	else html_put(w, "%t.", v->reason_text.n ? v->reason_text : v->reason_code);
	html_put(w, " %s", v->stays_queued ? "It stays queued." : "It left the queue.");
	if (v->reason_next.n) html_put(w, " Next: %t.", v->reason_next);
}

static void say_waiting(struct html *w, const struct view_change *v) {
	html_put(w, "%i <strong>Queued</strong>", ICON_WAIT);
	if (v->ahead) html_put(w, " behind %c", (int64_t)v->ahead, "change");
	html_put(w, ".");
	if (v->reason_code.n)
		html_put(w, " Back in the queue: %t.", v->reason_text.n ? v->reason_text : v->reason_next);
	if (v->typical.n >= 5)
		html_put(w, " The last %n landed %d after they were queued.", v->typical.n,
		         v->typical.p50_ms);
	else html_put(w, " No estimate yet.");
}

static void say_testing(struct html *w, const struct view_change *v) {
	size_t done = 0, wanted = 0;
	for (size_t i = 0; i < v->job_count; i++) {
		enum view_job_state s = v->jobs[i].state;
		wanted += s != JOB_VIEW_SKIPPED;
		done += s == JOB_VIEW_PASSED || s == JOB_VIEW_FAILED || s == JOB_VIEW_REUSED;
	}
	html_icon(w, ICON_RUN, "run");
	if (wanted)
		html_put(w, " <strong class=\"run\">Testing:</strong> %n of %c ended.", (int64_t)done,
		         (int64_t)wanted, "job");
	else html_put(w, " <strong class=\"run\">Testing:</strong> the trial merge is being made.");
}

// One run of each job speaks for all of them.
static void say_with(struct html *w, const struct view_change *v) {
	enum { SHOWN = 8 };
	if (!v->with_count) return;
	html_put(w, " %s together with", is(v, "landed") ? "Tested and landed" : "Tested");
	for (size_t i = 0; i < v->with_count && i < SHOWN; i++)
		html_put(w, "%s <a href=\"/change/%u\">#%u</a>", i ? "," : "", v->with[i], v->with[i]);
	if (v->with_count > SHOWN) html_put(w, " and %n more", (int64_t)(v->with_count - SHOWN));
	html_put(w, ".");
}

static void say(struct html *w, const struct view_change *v) {
	html_live(w, "p", "say", "class=\"say\" aria-live=\"polite\"");
	if (is(v, "rejected")) say_rejected(w, v);
	else if (is(v, "landed")) {
		html_icon(w, ICON_LAND, "ok");
		html_put(w, " <strong>Landed at %m</strong> as <code>%h</code>", v->landed_ms,
		         v->landed_commit);
		if (v->queued_ms) html_put(w, ", %d after it was queued", v->landed_ms - v->queued_ms);
		bool failed = str_eq(v->delivery_state, STR("failed"));
		bool back = str_eq(v->delivery_state, STR("rolled-back"));
		if (failed)
			html_put(w, ". <strong class=\"bad\">Not live:</strong> the deploy to %t failed",
			         v->deployed_env);
		else if (back)
			html_put(w, ". <strong class=\"bad\">Rolled back</strong> in %t", v->deployed_env);
		else if (v->deployed_ms) html_put(w, ". <strong>Live</strong> since %m", v->deployed_ms);
		if ((failed || back) && v->delivery_text.n) html_put(w, ": %t", v->delivery_text);
		html_put(w, ".");
	} else if (is(v, "withdrawn")) {
		html_put(w, "%i <strong>Withdrawn at %m.</strong> Push again to propose it anew.", ICON_OUT,
		         v->ended_ms);
	} else if (is(v, "landing")) {
		html_icon(w, ICON_RUN, "run");
		html_put(w, " <strong class=\"run\">Landing:</strong> every job passed, trunk moves now.");
	} else if (is(v, "testing")) say_testing(w, v);
	else if (v->draft) {
		html_put(w,
		         "%i <strong>Draft:</strong> it is tested and does not land; push without <code>-o "
		         "draft</code> to land it.",
		         ICON_WAIT);
	} else say_waiting(w, v);
	if (is(v, "landed") || is(v, "testing")) say_with(w, v);
	html_live_end(w, "p");
}

static void actions(struct html *w, const struct view_change *v) {
	html_live(w, "div", "acts", "");
	if (v->frame.may_operate && (v->may_withdraw || v->may_retry || v->may_cancel)) {
		AUTO_BUF action = {0};
		buf_printf(&action, "/change/%llu", (unsigned long long)v->ref.id);
		frame_form(w, &v->frame, action.p);
		const char *off = v->frame.read_only.n ? " disabled" : "";
		if (v->may_retry)
			html_put(w, "<button name=\"do\" value=\"retry\"%s>Retry #%u</button>", off, v->ref.id);
		if (v->may_cancel)
			html_put(w, "<button name=\"do\" value=\"cancel\"%s>Cancel its test</button>", off);
		if (v->may_withdraw)
			html_put(w, "<button name=\"do\" value=\"withdraw\"%s>Withdraw #%u</button>", off,
			         v->ref.id);
		html_put(w,
		         "<span class=\"dim\">or push: <code>git push weir "
		         "HEAD:refs/for/%t</code></span></form>",
		         v->target);
	}
	html_live_end(w, "div");
}

// ---------------------------------------------------------------- the way

static void step(struct html *w, const char *class, const char *word, int64_t at_ms,
                 const char *otherwise) {
	html_put(w, "<li class=\"%s\">", class);
	if (at_ms > 0) html_put(w, "<b>%s</b><small>%m</small></li>", word, at_ms);
	else html_put(w, "%s<small>%s</small></li>", word, otherwise);
}

static void steps(struct html *w, const struct view_change *v) {
	bool landed = v->landed_ms > 0, ended = is(v, "rejected") || is(v, "withdrawn");
	const char *missed = ended ? "not reached" : "not yet";
	html_live(w, "ol", "steps", "class=\"steps\"");
	step(w, "", "proposed", v->proposed_ms, "");
	step(w, v->queued_ms ? is(v, "queued") ? "cur" : "" : "off", "queued", v->queued_ms,
	     v->draft ? "a draft" : missed);
	bool testing = is(v, "testing") || is(v, "landing");
	if (v->tested_to_ms > 0 && !testing)
		html_put(w, "<li class=\"%s\"><b>tested</b><small>%m to %m</small></li>",
		         is(v, "rejected") ? "bad" : "", v->tested_from_ms, v->tested_to_ms);
	else
		step(w,
		     testing             ? "cur"
		     : v->tested_from_ms ? ""
		                         : "off",
		     "tested", v->tested_from_ms, missed);
	step(w, landed ? "" : is(v, "landing") ? "cur" : "off", "landed", v->landed_ms, missed);
	AUTO_BUF place = {0};
	buf_html(&place, v->deployed_env.n ? v->deployed_env : STR("production"));
	if (str_eq(v->delivery_state, STR("failed"))) missed = "failed";
	step(w, v->deployed_ms ? "" : "off", place.p, v->deployed_ms, missed);
	html_live_end(w, "ol");
}

// ---------------------------------------------------------------- why it failed

static void tests(struct html *w, const struct view_change *v) {
	html_live(w, "section", "fail", "id=\"fail\"");
	if (v->test_count) {
		html_put(w, "<h2>Failing %s <span>%n", v->test_count == 1 ? "test" : "tests",
		         (int64_t)v->tests_failed);
		if (v->tests_run) html_put(w, " of %n", (int64_t)v->tests_run);
		html_put(w, "</span></h2>\n");
	}
	for (size_t i = 0; i < v->test_count; i++) {
		const struct view_test *t = &v->tests[i];
		html_put(w, "<div class=\"box bad\"><p><b>%t</b> <span class=\"dim\">job %t", t->name,
		         t->job);
		if (t->place.n) html_put(w, ", %t", t->place);
		html_put(w, "</span></p><table>");
		if (t->message.n)
			html_put(w,
			         "<tr><th scope=\"row\" class=\"dim fit\">why<td><code class=\"bad\">%t</code>",
			         t->message);
		html_put(w,
		         "<tr><th scope=\"row\" class=\"dim fit\">see<td><a href=\"/change/%u/log/%e\">log "
		         "of %t</a>",
		         v->ref.id, t->job, t->job);
		html_put(w,
		         "<tr><th scope=\"row\" class=\"dim fit\">repeat<td><code>git checkout %h "
		         "&amp;&amp; weir run %t</code></table>",
		         v->candidate_commit.n ? v->candidate_commit : v->head, t->job);
		if (t->output.n) html_put(w, "<pre class=\"mono\">%t</pre>", t->output);
		html_put(w, "</div>\n");
	}
	if (v->tests_failed > v->test_count && v->test_count)
		html_put(w, "<p class=\"dim\">%n more in the logs.</p>",
		         (int64_t)(v->tests_failed - v->test_count));
	html_live_end(w, "section");
}

static void conflicts(struct html *w, const struct view_change *v) {
	html_live(w, "section", "conflicts", "id=\"conflicts\"");
	if (v->conflict_count)
		html_put(w, "<h2>Conflicts <span>%c that %t changed as well</span></h2>\n",
		         (int64_t)v->conflict_count, "file", v->target);
	for (size_t i = 0; i < v->conflict_count; i++) {
		const struct view_conflict *c = &v->conflicts[i];
		html_put(w, "<h3 class=\"mono\">%t <span class=\"dim\">%t</span></h3>\n", c->path,
		         c->text.n ? c->text : c->kind);
		if (!c->ours.n && !c->theirs.n) continue;
		html_put(w,
		         "<div class=\"two half\"><div><small>%t has</small><pre class=\"diff\"><span "
		         "class=\"del\">%t</span></pre></div>"
		         "<div><small>this change has</small><pre class=\"diff\"><span "
		         "class=\"add\">%t</span></pre></div></div>\n",
		         v->target, c->ours, c->theirs);
	}
	html_live_end(w, "section");
}

// ---------------------------------------------------------------- jobs

struct span {
	int64_t from_ms, to_ms;
};

static struct span span_of(const struct view_change *v) {
	struct span s = {0, 0};
	for (size_t i = 0; i < v->job_count; i++) {
		const struct view_job *j = &v->jobs[i];
		int64_t end = j->ended_ms ? j->ended_ms : j->issued_ms ? v->frame.now_ms : 0;
		if (j->issued_ms && (!s.from_ms || j->issued_ms < s.from_ms)) s.from_ms = j->issued_ms;
		if (end > s.to_ms) s.to_ms = end;
	}
	if (s.to_ms <= s.from_ms) s.to_ms = s.from_ms + 1;
	return s;
}

static void job_figure(struct html *w, const struct view_job *j, struct span s) {
	double scale = 100 / (double)(s.to_ms - s.from_ms);
	html_put(w,
	         "<td class=\"wide\" width=\"35%%\"><svg class=\"bar\" height=\"16\" role=\"img\" "
	         "aria-label=\"%s\">",
	         frame_job_word(j->state));
	if (j->issued_ms) {
		int64_t end = j->ended_ms ? j->ended_ms : w->now_ms,
				start = j->started_ms ? j->started_ms : end;
		double x = (double)(j->issued_ms - s.from_ms) * scale,
			   m = (double)(start - s.from_ms) * scale, to = (double)(end - s.from_ms) * scale;
		if (j->state == JOB_VIEW_REUSED) m = x;
		if (m > x)
			html_put(w, "<rect x=\"%p%%\" y=\"3\" width=\"%p%%\" height=\"10\" fill=\"url(#hw)\"/>",
			         x, m - x);
		const char *look = j->state == JOB_VIEW_REUSED    ? "fill=\"url(#hk)\""
		                   : j->state == JOB_VIEW_RUNNING ? "class=\"z-run\""
		                   : j->state == JOB_VIEW_FAILED  ? "class=\"z-bad\""
		                   : j->state == JOB_VIEW_PASSED  ? "class=\"z-done\""
		                                                  : "class=\"z-dash\"";
		html_put(w, "<rect x=\"%p%%\" y=\"3\" width=\"%p%%\" height=\"10\" %s/>", m,
		         to - m < 0.6 ? 0.6 : to - m, look);
	}
	html_put(w, "</svg>");
}

static void job_row(struct html *w, const struct view_change *v, const struct view_job *j,
                    struct span s) {
	static const enum html_icon icons[] = {ICON_WAIT,  ICON_RUN,  ICON_OK,   ICON_BAD,
	                                       ICON_REUSE, ICON_DASH, ICON_DASH, ICON_WARN};
	static const char *const tones[] = {"", "run", "", "bad", "", "", "", "warn"};
	html_put(w, "<tr data-key=\"%t\"><th scope=\"row\">", j->name);
	if (j->run) html_put(w, "<a href=\"/change/%u/log/%e\">%t</a>", v->ref.id, j->name, j->name);
	else html_put(w, "%t", j->name);
	html_put(w, "<td class=\"s %s\">", tones[j->state]);
	html_icon(w, icons[j->state], j->state == JOB_VIEW_PASSED ? "ok" : tones[j->state]);
	html_put(w, " %s<td>%t", frame_job_word(j->state), j->facts);
	job_figure(w, j, s);
	html_put(w, "<td class=\"n\">");
	if (j->state == JOB_VIEW_RUNNING && j->started_ms)
		html_put(w, "<span data-since=\"%u\">%d</span>", (uint64_t)j->started_ms,
		         v->frame.now_ms - j->started_ms);
	else if (j->state == JOB_VIEW_REUSED && j->duration_ms > 0)
		html_put(w, "<span class=\"dim\">%d saved</span>", j->duration_ms);
	else if (j->ended_ms && j->duration_ms >= 0) html_put(w, "%d", j->duration_ms);
	else if (j->expected_ms > 0)
		html_put(w, "<span class=\"dim\">usually %d</span>", j->expected_ms);
	html_put(w, "\n");
}

static void jobs(struct html *w, const struct view_change *v) {
	int64_t by_state[8] = {0};
	for (size_t i = 0; i < v->job_count; i++) by_state[v->jobs[i].state]++;
	html_live(w, "section", "jobs", "");
	html_put(w, "<h2>Jobs <span>");
	bool any = false;
	static const enum view_job_state order[] = {
		JOB_VIEW_FAILED, JOB_VIEW_RUNNING, JOB_VIEW_PASSED,  JOB_VIEW_REUSED,
		JOB_VIEW_WAITS,  JOB_VIEW_SKIPPED, JOB_VIEW_STOPPED, JOB_VIEW_LOST};
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		if (!by_state[order[i]]) continue;
		html_put(w, "%s%n %s", any ? ", " : "", by_state[order[i]], frame_job_word(order[i]));
		any = true;
	}
	html_put(w, "%s</span></h2>\n", any ? "" : "none known yet");
	if (v->job_count) {
		struct span s = span_of(v);
		html_put(
			w,
			"<table><thead class=\"vh\"><tr><th>Job<th>State<th>Facts<th>When<th>Time</thead>\n");
		for (size_t i = 0; i < v->job_count; i++) job_row(w, v, &v->jobs[i], s);
		html_put(w, "</table>");
	} else html_put(w, "<p class=\"dim\">The jobs are known when its trial merge exists.</p>");
	html_live_end(w, "section");
}

static void log_section(struct html *w, const struct view_change *v) {
	if (!v->log.job.n) return;
	html_put(w, "<section id=\"log\"><h2>Log of %t <span>", v->log.job);
	if (v->log.total)
		html_put(w, "the last %n of %c", (int64_t)v->log.line_count, (int64_t)v->log.total, "line");
	html_put(w, "</span><a href=\"/change/%u/log/%e\">whole log</a></h2>\n", v->ref.id, v->log.job);
	frame_log(w, &v->log, false);
	html_put(w, "</section>\n");
}

void change_page(struct html *w, const struct view_change *v) {
	frame_begin(w, &v->frame);
	html_put(w, "<p class=\"dim sub\">");
	frame_author(w, &v->ref);
	html_put(
		w,
		" · %t · revision %u · <code>%h</code> · %c, %c added, %n removed</p>\n<h1>#%u %t</h1>\n",
		v->repo, v->revision, v->head, v->files, "file", v->lines_added, "line", v->lines_deleted,
		v->ref.id, v->ref.title);
	say(w, v);
	actions(w, v);
	steps(w, v);
	tests(w, v);
	conflicts(w, v);
	jobs(w, v);
	log_section(w, v);
	html_put(w, "<section id=\"diff\"><h2>Diff <span>%c</span>", v->files, "file");
	html_put(w, "<a href=\"/api/v1/changes/%u/diff\">as text</a></h2>\n", v->ref.id);
	if (v->diff_gone.n) html_put(w, "<p class=\"dim\">No diff: %t.</p>", v->diff_gone);
	else if (!diffview_write(w, v->diff, v->whole_diff ? 20000 : 400))
		html_put(w, "<p><a href=\"/change/%u?diff=whole#diff\">The rest of the diff</a></p>",
		         v->ref.id);
	html_put(w, "</section>\n");
	frame_end(w, &v->frame);
}
