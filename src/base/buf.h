// Bytes that grow. The only place that escapes (JSON, HTML, URL, shell), so that a page or a
// command line never does it by hand. Zero-initialised is empty and valid; buf_free (or AUTO_BUF)
// gives the memory back.
#pragma once
#include <stdarg.h>

#include "base/str.h"

struct buf {
	char *p; // NUL-terminated behind n once anything was added
	size_t n, cap;
};

#define AUTO_BUF __attribute__((cleanup(buf_free))) struct buf

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_cstr(struct buf *b, const char *z);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);
void *buf_grow(struct buf *b,
               size_t n); // room for n more bytes at b->p + b->n; the caller adds to n
void buf_json(struct buf *b,
              struct str s); // "quoted"; NUL and bytes that are not UTF-8 become U+FFFD
void buf_html(struct buf *b,
              struct str s); // for text and quoted attributes; bad UTF-8 and controls become U+FFFD
void buf_utf8(struct buf *b,
              struct str s); // bytes that are not UTF-8 and C1 controls become U+FFFD, one each
void buf_url(struct buf *b,
             struct str s); // one path segment or query value (RFC 3986 unreserved stay)
void buf_shell(struct buf *b, struct str s); // one word for a POSIX shell
void buf_hex(struct buf *b, const void *bytes, size_t n);
struct str buf_view(const struct buf *b); // borrowed until the next change of b
void buf_reset(struct buf *b);            // empty, memory kept
void buf_free(struct buf *b);
