// Writes HTML from a pattern in which every value is escaped unless it says otherwise, so that no
// page escapes by hand. Also marks the regions of a page that live updates may replace.
//
//   %t struct str   text, escaped              %z const char*   text, escaped
//   %r struct str   HTML that is safe already  %R const char*   likewise
//   %u uint64_t     1234                       %n int64_t       1,234
//   %m int64_t      a moment (ms)              %d int64_t       a duration (ms), about two units
//   %h struct str   first 7 digits of an oid   %e struct str    one segment of a URL
//   %i enum html_icon, hidden from readers     %s const char*   as %R, for names of classes
//   %c int64_t, const char*   so many of a noun: "1 line", "1,234 lines"
//   %p double       a number of an SVG attribute, two digits at most
#pragma once
#include "base/buf.h"

enum html_icon {
	ICON_NONE,
	ICON_OK,
	ICON_PROVEN,
	ICON_BAD,
	ICON_RUN,
	ICON_WAIT,
	ICON_REUSE,
	ICON_OUT,
	ICON_LAND,
	ICON_BACK,
	ICON_WARN,
	ICON_DASH,
	ICON_AGENT,
	ICON_PERSON,
	ICON_TRUNK,
	ICON_NOTCH,
	ICON_COUNT
};

enum { HTML_REGIONS_MAX = 16 };

struct html_region { // bytes of the page between its begin and its end, both tags included
	const char *name;
	size_t begin, end;
};

struct html {
	struct buf *out;
	int64_t now_ms;
	struct html_region regions[HTML_REGIONS_MAX];
	size_t region_count;
};

void html_put(struct html *w, const char *pattern, ...);
// Opens <TAG data-live="NAME" ATTRIBUTES>; the element is replaced as a whole when its bytes
// change.
void html_live(struct html *w, const char *tag, const char *name, const char *attributes);
void html_live_end(struct html *w, const char *tag);
void html_icon(struct html *w, enum html_icon icon, const char *classes);
void html_sprite(struct html *w); // every symbol and hatch that %i and bars refer to
// "41 s", "1 min 28 s", "2 h 05 min", with spaces that do not break; below a second "0.4 s".
void html_duration(struct buf *out, int64_t ms);
void html_clock(struct html *w, int64_t ms);  // <time>, with the date unless it is today
void html_number(struct buf *out, int64_t v); // 1,234
