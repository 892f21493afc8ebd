// The HTML of any bytes, cut anywhere, holds no tag but its own balanced spans and is UTF-8; what
// is stripped does not depend on the chunks and holds no control character.
#include "probe/ansi.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_html(struct str html) {
	bool open = false;
	if (str_utf8_bad(html) < html.n) abort();
	for (size_t i = 0; i < html.n; i++) {
		struct str rest = str_from(html, i);
		if (html.p[i] == '\n' && open) abort();
		if (html.p[i] != '<') continue;
		if (!open && str_starts(rest, STR("<span class=\"ansi-"))) open = true;
		else if (open && str_starts(rest, STR("</span>"))) open = false;
		else abort();
	}
	if (open) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	if (size < 1) return 0;
	struct str in = {(const char *)data + 1, size - 1};
	size_t cut = in.n ? data[0] % (in.n + 1) : 0;
	AUTO_BUF html = {0};
	AUTO_BUF whole = {0};
	AUTO_BUF parts = {0};
	struct ansi a = {0}, b = {0}, c = {0};
	ansi_html(&a, str_slice(in, 0, cut), &html);
	ansi_html(&a, str_from(in, cut), &html);
	ansi_html_end(&a, &html);
	check_html(buf_view(&html));
	ansi_strip(&b, in, &whole);
	ansi_strip(&c, str_slice(in, 0, cut), &parts);
	ansi_strip(&c, str_from(in, cut), &parts);
	if (!str_eq(buf_view(&whole), buf_view(&parts))) abort();
	for (size_t i = 0; i < whole.n; i++)
		if ((unsigned char)whole.p[i] < 0x20 && whole.p[i] != '\n' && whole.p[i] != '\t') abort();
	return 0;
}
