#include "page/html.h"

#include <assert.h>
#include <stdio.h>

#include "base/clocktext.h"

static const char *const icon_names[ICON_COUNT] = {
	"",     "ok",   "proven", "bad",  "run",   "wait",   "reuse", "out",
	"land", "back", "warn",   "none", "agent", "person", "trunk", "notch",
};

static const char sprite[] =
	"<svg width=\"0\" height=\"0\" class=\"vh\" aria-hidden=\"true\"><defs>"
	"<pattern id=\"hk\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
	"patternTransform=\"rotate(45)\"><path d=\"M1 0v5\" class=\"hk\"/></pattern>"
	"<pattern id=\"hw\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\" "
	"patternTransform=\"rotate(45)\"><path d=\"M1 0v4\" class=\"hw\"/></pattern></defs>"
#define SYMBOL(id, body) "<symbol id=\"" id "\" viewBox=\"0 0 16 16\">" body "</symbol>"
	SYMBOL("ok", "<path d=\"M3 8.6l3.3 3.2L13 4.6\"/>") SYMBOL(
		"proven", "<circle cx=\"8\" cy=\"8\" r=\"7\" class=\"f\"/>"
				  "<path d=\"M4.8 8.2l2.3 2.3 4.2-4.8\" class=\"sb\"/>")
		SYMBOL("bad", "<path d=\"M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4\"/>") SYMBOL(
			"run",
			"<circle cx=\"8\" cy=\"8\" r=\"6\"/><path class=\"f\" d=\"M8 2a6 6 0 0 1 0 12z\"/>")
			SYMBOL("wait", "<circle cx=\"8\" cy=\"8\" r=\"6\"/>") SYMBOL(
				"reuse", "<circle cx=\"8\" cy=\"8\" r=\"6\"/>"
						 "<path d=\"M3.8 9.6l5.8-5.8M6.4 12.2l5.8-5.8\" stroke-width=\"1.5\"/>")
				SYMBOL("out", "<path d=\"M3 2.5v4.2a3 3 0 0 0 3 3h6.6M9.6 6.5l3.2 3.2-3.2 3.2\"/>")
					SYMBOL("land", "<path d=\"M8 1.8v7.6M4.8 6.4L8 9.6l3.2-3.2M2.6 13.6h10.8\"/>")
						SYMBOL("back",
                               "<path d=\"M2.8 6.6h7.4a3.3 3.3 0 0 1 0 6.6H6M5.8 3.4L2.6 "
                               "6.6l3.2 3.2\"/>") SYMBOL("warn",
                                                         "<path d=\"M8 2.2l6.4 11.4H1.6z\"/><path "
                                                         "d=\"M8 6.6v3.2M8 11.7v.1\"/>")
							SYMBOL("none", "<path d=\"M3.5 8h9\"/>") SYMBOL(
								"agent", "<path d=\"M8 1.8l5.4 3.1v6.2L8 14.2l-5.4-3.1V4.9z\"/>")
								SYMBOL("person", "<circle cx=\"8\" cy=\"5\" r=\"2.9\"/><path "
                                                 "d=\"M2.6 14a5.4 5.4 0 0 1 10.8 0\"/>")
									SYMBOL("trunk", "<path d=\"M8 1v14\"/><circle cx=\"8\" "
                                                    "cy=\"8\" r=\"3.6\" class=\"f\"/>")
										SYMBOL("notch",
                                               "<path d=\"M1 3.5h4.2L8 9.5l2.8-6H15\"/><path "
                                               "d=\"M1 13h14\"/>"
                                               "<path d=\"M6.3 6.2h3.4\" stroke-width=\"1.4\"/>")
#undef SYMBOL
											"</svg>\n";

void html_sprite(struct html *w) {
	buf_add(w->out, sprite, sizeof sprite - 1);
}

void html_icon(struct html *w, enum html_icon icon, const char *classes) {
	if (icon == ICON_NONE) return;
	assert(icon < ICON_COUNT);
	buf_printf(w->out, "<svg class=\"i%s%s\" aria-hidden=\"true\"><use href=\"#%s\"/></svg>",
	           classes[0] ? " " : "", classes, icon_names[icon]);
}

#define NBSP "\xc2\xa0"

void html_duration(struct buf *out, int64_t ms) {
	if (ms < 0) ms = 0;
	int64_t s = (ms + 500) / 1000;
	if (ms == 0) buf_cstr(out, "under" NBSP "1" NBSP "ms");
	else if (ms < 100) buf_printf(out, "%lld" NBSP "ms", (long long)ms);
	else if (ms < 1000) buf_printf(out, "0.%lld" NBSP "s", (long long)(ms / 100));
	else if (s < 60) buf_printf(out, "%lld" NBSP "s", (long long)s);
	else if (s < 600)
		buf_printf(out, "%lld" NBSP "min" NBSP "%02lld" NBSP "s", (long long)s / 60,
		           (long long)s % 60);
	else if (s < 3600) buf_printf(out, "%lld" NBSP "min", (long long)s / 60);
	else if (s < 86400)
		buf_printf(out, "%lld" NBSP "h" NBSP "%02lld" NBSP "min", (long long)s / 3600,
		           (long long)s / 60 % 60);
	else
		buf_printf(out, "%lld" NBSP "d" NBSP "%lld" NBSP "h", (long long)s / 86400,
		           (long long)s / 3600 % 24);
}

void html_number(struct buf *out, int64_t v) {
	char text[32];
	int n = snprintf(text, sizeof text, "%lld", (long long)v);
	for (int i = 0; i < n; i++) {
		if (i && text[i - 1] != '-' && (n - i) % 3 == 0) buf_char(out, ',');
		buf_char(out, text[i]);
	}
}

void html_clock(struct html *w, int64_t ms) {
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	if (ms <= 0) {
		buf_cstr(w->out, "not yet");
		return;
	}
	AUTO_BUF text = {0};
	clocktext_rfc3339(&text, ms); // 2026-11-19T14:30:52.044Z
	int month = (text.p[5] - '0') * 10 + text.p[6] - '0';
	int day = (text.p[8] - '0') * 10 + text.p[9] - '0';
	buf_printf(w->out, "<time datetime=\"%s\">", text.p);
	if (ms / 86400000 != w->now_ms / 86400000)
		buf_printf(w->out, "%d" NBSP "%s" NBSP, day, months[(month + 11) % 12]);
	buf_add(w->out, text.p + 11, w->now_ms - ms < 3600000 && ms <= w->now_ms ? 8 : 5);
	buf_cstr(w->out, "</time>");
}

// One value; returns false for a letter that means nothing.
static bool put(struct html *w, char letter, va_list *args) {
	struct str s;
	switch (letter) {
	case 't': buf_html(w->out, va_arg(*args, struct str)); return true;
	case 'z': buf_html(w->out, str_of(va_arg(*args, const char *))); return true;
	case 'r': buf_str(w->out, va_arg(*args, struct str)); return true;
	case 's':
	case 'R': buf_cstr(w->out, va_arg(*args, const char *)); return true;
	case 'u': buf_printf(w->out, "%llu", (unsigned long long)va_arg(*args, uint64_t)); return true;
	case 'n': html_number(w->out, va_arg(*args, int64_t)); return true;
	case 'c': {
		int64_t count = va_arg(*args, int64_t);
		html_number(w->out, count);
		buf_printf(w->out, " %s%s", va_arg(*args, const char *), count == 1 ? "" : "s");
		return true;
	}
	case 'm': html_clock(w, va_arg(*args, int64_t)); return true;
	case 'd': html_duration(w->out, va_arg(*args, int64_t)); return true;
	case 'h':
		s = va_arg(*args, struct str);
		buf_html(w->out, str_slice(s, 0, s.n < 7 ? s.n : 7));
		return true;
	case 'e': buf_url(w->out, va_arg(*args, struct str)); return true;
	case 'i': html_icon(w, (enum html_icon)va_arg(*args, int), ""); return true;
	case 'p': {
		double v = va_arg(*args, double);
		buf_printf(w->out, "%.*f", v == (double)(int64_t)v ? 0 : 2, v);
		return true;
	}
	case '%': buf_char(w->out, '%'); return true;
	default: return false;
	}
}

void html_put(struct html *w, const char *pattern, ...) {
	va_list args;
	va_start(args, pattern);
	for (const char *p = pattern; *p;) {
		const char *percent = strchr(p, '%');
		if (!percent) {
			buf_cstr(w->out, p);
			break;
		}
		buf_add(w->out, p, (size_t)(percent - p));
		bool known = put(w, percent[1], &args);
		assert(known);
		p = percent + 2;
	}
	va_end(args);
}

void html_live(struct html *w, const char *tag, const char *name, const char *attributes) {
	assert(w->region_count < HTML_REGIONS_MAX);
	w->regions[w->region_count++] = (struct html_region){name, w->out->n, 0};
	buf_printf(w->out, "<%s data-live=\"%s\"%s%s>", tag, name, attributes[0] ? " " : "",
	           attributes);
}

void html_live_end(struct html *w, const char *tag) {
	buf_printf(w->out, "</%s>\n", tag);
	for (size_t i = w->region_count; i > 0; i--) {
		if (w->regions[i - 1].end) continue;
		w->regions[i - 1].end = w->out->n;
		return;
	}
	assert(false); // a region ends that did not begin
}
