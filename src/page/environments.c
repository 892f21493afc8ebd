#include "page/pages.h"

#include "page/frame.h"

static void say(struct html *w, const struct view_environments *v) {
	size_t moving = 0, ill = 0;
	for (size_t i = 0; i < v->env_count; i++) {
		moving += v->envs[i].rollout_release != 0;
		ill += str_eq(v->envs[i].health, STR("unhealthy"));
	}
	html_live(w, "p", "say", "class=\"say\" aria-live=\"polite\"");
	if (!v->env_count)
		html_put(w,
		         "%i <strong>No environment.</strong> Name one under <code>environments:</code> in "
		         "trunk's weir.yml.",
		         ICON_WAIT);
	else if (ill) {
		html_icon(w, ICON_WARN, "bad");
		html_put(w, " <strong class=\"bad\">%n of %n unhealthy.</strong>", (int64_t)ill,
		         (int64_t)v->env_count);
	} else if (moving) {
		html_icon(w, ICON_RUN, "run");
		html_put(w, " <strong class=\"run\">Rolling out</strong> in %n of %n.", (int64_t)moving,
		         (int64_t)v->env_count);
	} else
		html_put(w, "%i <strong>All quiet</strong> in %c.", ICON_OK, (int64_t)v->env_count,
		         "environment");
	html_live_end(w, "p");
}

static void row(struct html *w, const struct view_env *e) {
	html_put(
		w,
		"<tr data-key=\"%t.%t\"><th scope=\"row\"><a href=\"/environment/%e/%e\"><b>%t</b></a> "
		"<span class=\"dim\">%t</span><td>",
		e->repo, e->name, e->repo, e->name, e->name, e->repo);
	if (e->release)
		html_put(w, "<code>%h</code> <span class=\"dim\">#%u</span><td class=\"wide\">%m",
		         e->commit, e->change, e->live_ms);
	else html_put(w, "<span class=\"dim\">nothing deployed yet</span><td class=\"wide\">");
	if (e->rollout_release) {
		html_put(w, "<td class=\"s run\">");
		html_icon(w, ICON_RUN, "run");
		html_put(w, " to <code>%h</code>\n", e->rollout_commit);
	} else if (str_eq(e->health, STR("unhealthy"))) {
		html_put(w, "<td class=\"s bad\">");
		html_icon(w, ICON_BAD, "bad");
		html_put(w, " unhealthy\n");
	} else if (!e->defined) html_put(w, "<td class=\"dim\">no longer in weir.yml\n");
	else if (!e->release) html_put(w, "<td class=\"dim\">waits for a release\n");
	else
		html_put(w, "<td class=\"s\">%i %s\n", ICON_OK,
		         str_eq(e->health, STR("healthy")) ? "healthy" : "live");
}

void environments_page(struct html *w, const struct view_environments *v) {
	frame_begin(w, &v->frame);
	html_put(w, "<h1 class=\"vh\">Environments</h1>\n");
	say(w, v);
	html_live(w, "section", "envs", "");
	html_put(w, "<h2>Environments <span>what runs where</span></h2>\n");
	if (v->env_count) {
		html_put(w, "<table><thead "
		            "class=\"vh\"><tr><th>Environment<th>Release<th>Since<th>State</thead>\n");
		for (size_t i = 0; i < v->env_count; i++) row(w, &v->envs[i]);
		html_put(w, "</table>");
	}
	html_live_end(w, "section");
	html_live(w, "section", "releases", "");
	html_put(w,
	         "<h2>Releases <span>landed commits with their artifacts, newest first</span></h2>\n");
	if (v->release_count) {
		html_put(w, "<table><thead><tr><th>release<th>change<th class=\"n wide\">artifacts<th "
		            "class=\"n\">made</thead>\n");
		for (size_t i = 0; i < v->release_count; i++) {
			const struct view_release *r = &v->releases[i];
			html_put(w,
			         "<tr><td><code>%h</code> <span class=\"dim\">%u</span><td class=\"t\"><a "
			         "href=\"/change/%u\">#%u %t</a><td "
			         "class=\"n wide\">%n<td class=\"n\">%m\n",
			         r->commit, r->id, r->change, r->change, r->title, r->artifacts, r->made_ms);
		}
		html_put(w, "</table>");
	} else html_put(w, "<p class=\"dim\">None yet: the first landed change makes one.</p>");
	html_live_end(w, "section");
	frame_end(w, &v->frame);
}
