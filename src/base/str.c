#include "base/str.h"

bool str_eq(struct str a, struct str b) {
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_compare(struct str a, struct str b) {
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix) {
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix) {
	return s.n >= suffix.n && str_eq(str_from(s, s.n - suffix.n), suffix);
}

size_t str_find(struct str s, struct str part) {
	if (part.n == 0) return 0;
	const char *hit = s.n ? memmem(s.p, s.n, part.p, part.n) : NULL;
	return hit ? (size_t)(hit - s.p) : s.n;
}

bool str_contains(struct str s, struct str part) {
	return part.n == 0 || str_find(s, part) < s.n;
}

size_t str_find_char(struct str s, char c) {
	const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
	return hit ? (size_t)(hit - s.p) : s.n;
}

struct str str_from(struct str s, size_t start) {
	if (start >= s.n) return (struct str){s.p ? s.p + s.n : NULL, 0};
	return (struct str){s.p + start, s.n - start};
}

struct str str_slice(struct str s, size_t start, size_t end) {
	if (end > s.n) end = s.n;
	if (start >= end) return str_from(s, s.n);
	return (struct str){s.p + start, end - start};
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s) {
	while (s.n && is_blank(s.p[0])) s = str_from(s, 1);
	while (s.n && is_blank(s.p[s.n - 1])) s.n--;
	return s;
}

struct str str_cut(struct str *rest, char separator) {
	size_t at = str_find_char(*rest, separator);
	struct str head = {rest->p, at};
	*rest = at < rest->n ? (struct str){rest->p + at + 1, rest->n - at - 1} : STR_NONE;
	return head;
}

bool str_to_u64(struct str s, uint64_t *out) {
	uint64_t value = 0;
	if (s.n == 0) return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9') return false;
		if (__builtin_mul_overflow(value, 10u, &value)) return false;
		if (__builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value)) return false;
	}
	*out = value;
	return true;
}

bool str_to_i64(struct str s, int64_t *out) {
	bool negative = s.n && s.p[0] == '-';
	uint64_t value;
	if (!str_to_u64(negative ? str_from(s, 1) : s, &value)) return false;
	if (value > (uint64_t)INT64_MAX + (negative ? 1u : 0u)) return false;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

// Length of the well-formed sequence at p (n bytes left), 0 when there is none: RFC 3629, table 3-7
// of Unicode.
static size_t utf8_length(const unsigned char *p, size_t n) {
	if (p[0] < 0x80) return 1;
	size_t length = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
	                : p[0] >= 0xe0 && p[0] <= 0xef ? 3
	                : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
	                                               : 0;
	if (length == 0 || length > n) return 0;
	unsigned low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	unsigned high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < low || p[1] > high) return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80) return 0;
	return length;
}

size_t str_utf8_bad(struct str s) {
	const unsigned char *p = (const unsigned char *)s.p;
	size_t at = 0;
	while (at < s.n) {
		size_t length = utf8_length(p + at, s.n - at);
		if (length == 0) return at;
		at += length;
	}
	return s.n;
}

size_t str_distance(struct str a, struct str b) {
	size_t rows[3][65] = {0}; // of i modulo 3
	if (a.n > 64 || b.n > 64) return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++) rows[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		const size_t *above = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t replace = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
			size_t insert = (above[j] < row[j - 1] ? above[j] : row[j - 1]) + 1;
			row[j] = replace < insert ? replace : insert;
			if (i < 2 || j < 2 || a.p[i - 1] != b.p[j - 2] || a.p[i - 2] != b.p[j - 1]) continue;
			size_t swap = rows[(i - 2) % 3][j - 2] + 1;
			if (swap < row[j]) row[j] = swap;
		}
	}
	return rows[a.n % 3][b.n];
}
