#include "page/pages.h"

#include "page/frame.h"

void notice_page(struct html *w, const struct view_notice *v) {
	frame_begin(w, &v->frame);
	html_put(w, "<h1 class=\"vh\">%t</h1>\n<p class=\"say\">", v->title);
	if (v->status >= 400) html_icon(w, ICON_WARN, "warn");
	html_put(w, " <strong>%t</strong> %t</p>\n", v->title, v->text);
	if (v->next.n) html_put(w, "<p class=\"sub\">Next: %t</p>\n", v->next);
	frame_end(w, &v->frame);
}
