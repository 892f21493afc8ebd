// A borrowed piece of bytes: pointer and length, passed by value, never owned, not NUL-terminated.
// An empty str may have p == NULL. Text is UTF-8 unless a function says otherwise.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_FMT "%.*s" // printf("..." STR_FMT, STR_ARG(s))
#define STR_ARG(s) ((int)(s).n), ((s).p ? (s).p : "")

static inline struct str str_of(const char *z) {
	return (struct str){z, z ? strlen(z) : 0};
}
bool str_eq(struct str a, struct str b);
int str_compare(struct str a, struct str b); // bytewise, <0 0 >0
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
size_t str_find(struct str s, struct str part); // offset of the first match, or s.n
size_t str_find_char(struct str s, char c);     // likewise
struct str str_from(struct str s,
                    size_t start); // s without its first bytes; start past the end gives empty
struct str str_slice(struct str s, size_t start, size_t end);
struct str str_trim(struct str s); // without blanks, tabs, CR, LF at both ends

// Splits *rest at the first `separator`: returns what stands before it and moves *rest behind it.
// Without a separator returns all and leaves *rest empty with p == NULL. Loop: while (rest.p) ...
struct str str_cut(struct str *rest, char separator);

// Whole string as a decimal number, no blanks, no overflow. False leaves *out untouched.
MUST_USE bool str_to_i64(struct str s, int64_t *out);
MUST_USE bool str_to_u64(struct str s, uint64_t *out);

// Strict UTF-8 (RFC 3629: no surrogates, no overlong forms). Offset of the first bad byte, or s.n.
size_t str_utf8_bad(struct str s);

// Slips between two short names (at most 64 bytes each, else SIZE_MAX), for "did you mean": a
// letter more, less or another, or two that changed places (optimal string alignment).
size_t str_distance(struct str a, struct str b);
