#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void *buf_grow(struct buf *b, size_t n) {
	size_t need;
	if (__builtin_add_overflow(b->n + 1, n, &need)) abort();
	if (need > b->cap) {
		size_t cap = b->cap < 64 ? 64 : b->cap;
		while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		b->p = realloc(b->p, cap);
		if (!b->p) abort();
		b->cap = cap;
	}
	b->p[b->n] = 0;
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *bytes, size_t n) {
	char *end = buf_grow(b, n);
	if (n) memcpy(end, bytes, n);
	b->n += n;
	b->p[b->n] = 0;
}

void buf_str(struct buf *b, struct str s) {
	buf_add(b, s.p, s.n);
}

void buf_cstr(struct buf *b, const char *z) {
	buf_add(b, z, strlen(z));
}

void buf_char(struct buf *b, char c) {
	buf_add(b, &c, 1);
}

void buf_vprintf(struct buf *b, const char *format, va_list args) {
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	assert(n >= 0);
	char *end = buf_grow(b, (size_t)n);
	vsnprintf(end, (size_t)n + 1, format, again);
	b->n += (size_t)n;
	va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...) {
	va_list args;
	va_start(args, format);
	buf_vprintf(b, format, args);
	va_end(args);
}

static const char replacement[] = "\xef\xbf\xbd"; // U+FFFD

// Takes one well-formed UTF-8 sequence from *s into `out` (at most 4 bytes, returns its length),
// or returns 0
// and takes one bad byte.
static size_t take_utf8(struct str *s, char out[4]) {
	for (size_t n = 1; n <= 4 && n <= s->n; n++) {
		if (str_utf8_bad((struct str){s->p, n}) < n) continue;
		memcpy(out, s->p, n);
		*s = str_from(*s, n);
		return n;
	}
	*s = str_from(*s, 1);
	return 0;
}

static void json_char(struct buf *b, char c) {
	switch (c) {
	case '"': buf_cstr(b, "\\\""); return;
	case '\\': buf_cstr(b, "\\\\"); return;
	case '\n': buf_cstr(b, "\\n"); return;
	case '\r': buf_cstr(b, "\\r"); return;
	case '\t': buf_cstr(b, "\\t"); return;
	case '\b': buf_cstr(b, "\\b"); return;
	case '\f': buf_cstr(b, "\\f"); return;
	case 0:
		buf_cstr(b, replacement);
		return; // the readers (jansson, SQLite) refuse or cut at \u0000
	default:
		if ((unsigned char)c < 0x20) buf_printf(b, "\\u%04X", (unsigned)c); // as jansson writes it
		else buf_char(b, c);
	}
}

void buf_json(struct buf *b, struct str s) {
	char c[4];
	buf_char(b, '"');
	while (s.n) {
		size_t n = take_utf8(&s, c);
		if (n == 1) json_char(b, c[0]);
		else if (n) buf_add(b, c, n);
		else buf_cstr(b, replacement);
	}
	buf_char(b, '"');
}

static void html_char(struct buf *b, char c) {
	switch (c) {
	case '&': buf_cstr(b, "&amp;"); return;
	case '<': buf_cstr(b, "&lt;"); return;
	case '>': buf_cstr(b, "&gt;"); return;
	case '"': buf_cstr(b, "&quot;"); return;
	case '\'': buf_cstr(b, "&#39;"); return;
	default:
		if (((unsigned char)c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f)
			buf_cstr(b, replacement);
		else buf_char(b, c);
	}
}

// U+202A to U+202E, U+2066 to U+2069: what follows would be read in another order than it has.
static bool turns_text(const char c[3]) {
	unsigned char last = (unsigned char)c[2];
	if (c[0] != '\xe2') return false;
	return (c[1] == '\x80' && last >= 0xaa && last <= 0xae) ||
	       (c[1] == '\x81' && last >= 0xa6 && last <= 0xa9);
}

void buf_html(struct buf *b, struct str s) {
	char c[4];
	while (s.n) {
		size_t n = take_utf8(&s, c);
		bool c1 = n == 2 && c[0] == '\xc2' && (unsigned char)c[1] < 0xa0;
		if (n == 1) html_char(b, c[0]);
		else if (n == 0 || c1 || (n == 3 && turns_text(c))) buf_cstr(b, replacement);
		else buf_add(b, c, n);
	}
}

void buf_utf8(struct buf *b, struct str s) {
	char c[4];
	while (s.n) {
		size_t n = take_utf8(&s, c);
		bool c1 = n == 2 && c[0] == '\xc2' && (unsigned char)c[1] < 0xa0;
		if (n == 0 || c1) buf_cstr(b, replacement);
		else buf_add(b, c, n);
	}
}

static bool is_unreserved(char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void buf_url(struct buf *b, struct str s) {
	for (size_t i = 0; i < s.n; i++) {
		if (is_unreserved(s.p[i])) buf_char(b, s.p[i]);
		else buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
	}
}

void buf_shell(struct buf *b, struct str s) {
	bool plain = s.n > 0;
	for (size_t i = 0; i < s.n; i++)
		plain = plain && s.p[i] != '~' &&
		        (is_unreserved(s.p[i]) || s.p[i] == '/' || s.p[i] == ':' || s.p[i] == '=');
	if (plain) {
		buf_str(b, s);
		return;
	}
	buf_char(b, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'') buf_cstr(b, "'\\''");
		else buf_char(b, s.p[i]);
	}
	buf_char(b, '\'');
}

void buf_hex(struct buf *b, const void *bytes, size_t n) {
	const unsigned char *p = bytes;
	for (size_t i = 0; i < n; i++) {
		buf_char(b, "0123456789abcdef"[p[i] >> 4]);
		buf_char(b, "0123456789abcdef"[p[i] & 15]);
	}
}

struct str buf_view(const struct buf *b) {
	return (struct str){b->p, b->n};
}

void buf_reset(struct buf *b) {
	b->n = 0;
	if (b->p) b->p[0] = 0;
}

void buf_free(struct buf *b) {
	free(b->p);
	*b = (struct buf){0};
}
