#include "page/pages.h"

#include "page/frame.h"

void login_page(struct html *w, const struct view_frame *f) {
	frame_begin(w, f);
	html_put(
		w,
		"<h1 class=\"vh\">Sign in</h1>\n<p class=\"say\">%i <strong>This server wants to know "
		"who you are.</strong> Give it a token.</p>\n<form method=\"post\" action=\"/login\" "
		"class=\"acts\"><input name=\"token\" type=\"password\" autocomplete=\"current-password\" "
		"aria-label=\"Token\" size=\"44\" required><button>Sign in</button></form>\n<p "
		"class=\"sub dim\">On the server: <code>weir token create NAME --scopes "
		"read,propose,operate</code></p>\n",
		ICON_PERSON);
	frame_end(w, f);
}
