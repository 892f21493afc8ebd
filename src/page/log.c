#include "page/pages.h"

#include "page/frame.h"

void log_page(struct html *w, const struct view_log_page *v) {
	const struct view_job *j = &v->job;
	frame_begin(w, &v->frame);
	html_put(w, "<p class=\"dim sub\"><a href=\"/change/%u\">#%u %t</a></p>\n<h1>Log of %t</h1>\n",
	         v->ref.id, v->ref.id, v->ref.title, j->name);
	html_live(w, "p", "say", "class=\"say\" aria-live=\"polite\"");
	switch (j->state) {
	case JOB_VIEW_RUNNING:
		html_icon(w, ICON_RUN, "run");
		html_put(w, " <strong class=\"run\">Running</strong> since %m", j->started_ms);
		if (j->expected_ms > 0) html_put(w, ", usually %d", j->expected_ms);
		html_put(w, ".");
		break;
	case JOB_VIEW_PASSED:
		html_put(w, "%i <strong>Passed</strong> in %d.", ICON_OK, j->duration_ms);
		break;
	case JOB_VIEW_REUSED:
		html_put(w, "%i <strong>Reused:</strong> this is the log of the run with the same inputs.",
		         ICON_REUSE);
		break;
	case JOB_VIEW_FAILED:
		html_icon(w, ICON_BAD, "bad");
		html_put(w, " <strong class=\"bad\">Failed</strong> after %d: %t.", j->duration_ms,
		         j->facts);
		break;
	case JOB_VIEW_WAITS: html_put(w, "%i <strong>Waits.</strong>", ICON_WAIT); break;
	case JOB_VIEW_SKIPPED:
		html_put(w, "%i <strong>Skipped:</strong> the change touches none of its paths.",
		         ICON_DASH);
		break;
	case JOB_VIEW_STOPPED:
		html_put(w, "%i <strong>Stopped</strong> because it was asked to.", ICON_DASH);
		break;
	case JOB_VIEW_LOST: html_put(w, "%i <strong>Lost:</strong> %t.", ICON_WARN, j->facts); break;
	}
	html_live_end(w, "p");
	html_put(w, "<section id=\"log\"><h2>");
	if (v->log.line_count) html_put(w, "Lines %u to %u", v->first, v->last);
	else html_put(w, "Log");
	if (v->log.total) html_put(w, " <span>of %u</span>", v->log.total);
	if (v->earlier.n) html_put(w, "<a href=\"%t\">earlier lines</a>", v->earlier);
	html_put(w, "<a href=\"/api/v1/changes/%u/jobs/%e/log\">as text</a></h2>\n", v->ref.id,
	         j->name);
	frame_log(w, &v->log, j->state == JOB_VIEW_RUNNING);
	if (v->later.n) html_put(w, "<p><a href=\"%t\">later lines</a></p>", v->later);
	html_put(w, "</section>\n");
	frame_end(w, &v->frame);
}
