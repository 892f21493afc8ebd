// The pages: which path shows what, what its buttons do.
#pragma once
#include "page/html.h"
#include "web/exchange.h"

// Renders the page of a path (encoded) for somebody. The diff of a change is left out unless `diff`
// is given. Returns the HTTP status; an error is a page, too.
struct site_request {
	struct str path, query;
	struct api_identity who;
	struct str diff; // p == NULL: none
	const struct err *diff_error;
};
int site_render(struct web *w, const struct site_request *q, struct html *out);
void site_answer(struct exchange *x); // GET and POST of pages; answers now or later
void site_notice(struct exchange *x, int status, struct str title, struct str text,
                 struct str next);
