// Texts of URLs, forms and cookies, read: percent-decoding, name=value pairs. Strict: what is not
// well-formed is an error of the client.
#pragma once
#include "base/arena.h"
#include "base/err.h"

// %XX to bytes, and with plus_is_blank + to a blank. False: a % without two hex digits, a NUL, not
// UTF-8.
MUST_USE bool urltext_decode(struct str text, bool plus_is_blank, struct arena *life,
                             struct str *out);

struct urltext_pair {
	struct str name, value;
};
enum { URLTEXT_PAIRS_MAX = 32 };
struct urltext_pairs {
	struct urltext_pair p[URLTEXT_PAIRS_MAX];
	size_t n;
};
// "a=1&b=x+y" of a query or a form (application/x-www-form-urlencoded). ERR_INVALID: bad text, a
// name twice, too many.
MUST_USE bool urltext_pairs(struct str text, struct arena *life, struct urltext_pairs *out,
                            struct err *e);
struct str urltext_get(const struct urltext_pairs *pairs, const char *name); // STR_NONE when absent
// The value of a cookie in a Cookie header; STR_NONE when absent.
struct str urltext_cookie(struct str header, const char *name);
