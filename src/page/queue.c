#include "page/pages.h"

#include "page/frame.h"

static void say(struct html *w, const struct view_queue *v) {
	size_t changes = 0, lanes = 0;
	for (size_t i = 0; i < v->lane_count; i++) {
		changes += v->lanes[i].node_total;
		lanes += v->lanes[i].node_total > 0;
	}
	html_live(w, "p", "say", "class=\"say\" aria-live=\"polite\"");
	if (!changes) {
		html_put(w,
		         "%i <strong>The queue is empty.</strong> A change pushed now is tested at once.",
		         ICON_OK);
	} else {
		html_icon(w, ICON_RUN, "run");
		html_put(w, " <strong>Flowing.</strong> %c in %c.", (int64_t)changes, "change",
		         (int64_t)lanes, "lane");
		if (v->typical.n >= 5)
			html_put(w, " The last %n landed %d after they were queued (%d to %d).", v->typical.n,
			         v->typical.p50_ms, v->typical.p10_ms, v->typical.p90_ms);
	}
	html_live_end(w, "p");
}

static void keys(struct html *w, const struct view_queue *v) {
	html_live(w, "dl", "keys", "class=\"keys\"");
	html_put(w, "<div><dt>landed last hour</dt><dd>%n</dd></div>", v->landed_hour);
	html_put(w, "<div><dt>turnaround p50</dt><dd>");
	if (v->typical.n >= 5)
		html_put(w, "%d</dd></div><div><dt>p90</dt><dd>%d</dd></div>", v->typical.p50_ms,
		         v->typical.p90_ms);
	else html_put(w, "no data yet</dd></div>");
	html_put(w,
	         "<div><dt>slots</dt><dd>%n of %n busy</dd></div><div><dt>changes "
	         "waiting</dt><dd>%n</dd></div>",
	         (int64_t)v->running_count, v->slots, v->waiting);
	html_live_end(w, "dl");
}

static void node(struct html *w, const struct view_node *n) {
	html_put(w, "<li data-key=\"%u\">", n->ref.id);
	html_icon(w, n->icon, frame_tone(n->tone));
	html_put(w, "<div class=\"qn\"><span class=\"t\">");
	frame_ref(w, &n->ref);
	html_put(w, "</span>");
	frame_author(w, &n->ref);
	if (!n->ref.author.n) html_put(w, "<span></span>");
	frame_jobs_bar(w, n->jobs, n->job_count);
	html_put(w, "<span class=\"s n %s\">%t</span></div></li>\n", frame_tone(n->tone), n->state);
}

static void lane(struct html *w, const struct view_lane *l) {
	html_put(
		w,
		"<div class=\"lane\"><h3><b>%t</b> <span class=\"dim\">one lane: each change is tested on "
		"what landed before "
		"it</span></h3><ol class=\"tree list\"><li>%i<div class=\"qn\"><span class=\"t dim\">%t ",
		l->repo, ICON_TRUNK, l->trunk);
	if (l->tip.n) html_put(w, "<code>%h</code>, since %m", l->tip, l->tip_ms);
	else html_put(w, "has no commit yet");
	html_put(w, "</span></div></li>\n");
	for (size_t i = 0; i < l->node_count; i++) node(w, &l->nodes[i]);
	html_put(w, "</ol>");
	if (!l->node_total) html_put(w, "<p class=\"dim\">None waits.</p>");
	if (l->node_total > l->node_count)
		html_put(
			w,
			"<p class=\"dim\">%n more behind these: <a href=\"/api/v1/queue\">all as JSON</a></p>",
			(int64_t)(l->node_total - l->node_count));
	html_put(w, "</div>\n");
}

static void slots(struct html *w, const struct view_queue *v) {
	html_live(w, "section", "slots", "");
	html_put(w, "<h2>Slots <span>what runs now</span></h2>");
	if (!v->running_count)
		html_put(w, "<p class=\"dim\">%s.</p>", v->slots == 1 ? "It is free" : "All are free");
	html_put(w, "<ol class=\"rows\">\n");
	for (size_t i = 0; i < v->running_count; i++) {
		const struct view_slot *s = &v->running[i];
		int64_t ran = v->frame.now_ms - s->started_ms;
		double part = s->expected_ms > 0 ? 100 * (double)ran / (double)s->expected_ms : 50;
		part = part < 3 ? 3 : part > 97 ? 97 : part;
		html_put(
			w,
			"<li><div class=\"acts ends\"><span><a href=\"/change/%u/log/%e\"><b>%t</b></a> of <a "
			"href=\"/change/%u\">#%u</a></span><span class=\"dim\">",
			s->ref.id, s->job, s->job, s->ref.id, s->ref.id);
		html_put(w, "<span data-since=\"%u\">%d</span>", (uint64_t)s->started_ms, ran);
		if (s->expected_ms > 0)
			html_put(w, ran > s->expected_ms ? ", usually %d" : " of about %d", s->expected_ms);
		html_put(w,
		         "</span></div><svg class=\"bar slot\" height=\"8\" role=\"img\" "
		         "aria-label=\"%s\"><rect y=\"1\" width=\"100%%\" "
		         "height=\"6\" class=\"z-track\"/><rect y=\"1\" width=\"%p%%\" height=\"6\" "
		         "class=\"z-run\"/></svg>",
		         s->expected_ms > 0 ? "share of the expected time"
		                            : "running, no earlier time to compare with",
		         part);
		html_put(w, "<small class=\"dim\">%t</small></li>\n", s->ref.title);
	}
	html_put(w, "</ol>");
	html_live_end(w, "section");
}

void queue_page(struct html *w, const struct view_queue *v) {
	frame_begin(w, &v->frame);
	html_put(w, "<h1 class=\"vh\">Queue</h1>\n");
	say(w, v);
	keys(w, v);
	html_put(w, "<div class=\"two\">\n<div>\n");
	html_live(w, "section", "lanes", "");
	html_put(w, "<h2>Lanes <span>next to land first</span></h2>\n");
	for (size_t i = 0; i < v->lane_count; i++) lane(w, &v->lanes[i]);
	if (!v->lane_count)
		html_put(w, "<p class=\"dim\">No repository yet: <code>weir repo add NAME PATH</code></p>");
	html_put(w, "<p class=\"dim lane\"><small>Solid ran, hatched reused, outline waits, dashed is "
	            "not needed.</small></p>");
	html_live_end(w, "section");
	html_put(w, "</div>\n<div>\n");
	slots(w, v);
	html_live(w, "section", "feed", "");
	html_put(w, "<h2>Feed</h2>");
	if (v->feed_count) frame_feed(w, v->feed, v->feed_count);
	else html_put(w, "<p class=\"dim\">Nothing landed or left yet.</p>");
	html_live_end(w, "section");
	html_put(w, "</div>\n</div>\n");
	frame_end(w, &v->frame);
}
