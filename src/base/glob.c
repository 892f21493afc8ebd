#include "base/glob.h"

#include <assert.h>

// Bytes of the character at p: `?` takes a whole UTF-8 character. What is not UTF-8 counts byte by
// byte.
static size_t character(struct str s, size_t at) {
	size_t n = 1;
	while (at + n < s.n && n < 4 && ((unsigned char)s.p[at] & 0xc0) == 0xc0 &&
	       ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
		n++;
	return n;
}

bool glob_is_plain(struct str pattern) {
	return str_find_char(pattern, '*') == pattern.n && str_find_char(pattern, '?') == pattern.n;
}

// One segment. The last `*` takes one character more whenever what follows it fails; an earlier one
// never has to.
static bool segment_match(struct str pattern, struct str text) {
	size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			retry = t;
		} else if (p < pattern.n && pattern.p[p] == '?') {
			p++;
			t += character(text, t);
		} else if (p < pattern.n && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++retry;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*') p++;
	return p == pattern.n;
}

// The same one level up: `**` is to segments what `*` is to characters, and each pattern ends in
// one.
bool glob_match(struct str pattern, struct str path) {
	struct str p = pattern, t = path, star = STR_NONE, retry = STR_NONE;
	while (t.p) {
		if (!p.p || p.n == 0) return true; // the pattern is used up: a folder above
		struct str p_rest = p, t_rest = t;
		struct str segment = str_cut(&p_rest, '/'), name = str_cut(&t_rest, '/');
		if (str_eq(segment, STR("**"))) {
			p = star = p_rest;
			retry = t;
			if (!p.p) return true;
		} else if (segment_match(segment, name)) {
			p = p_rest;
			t = t_rest;
		} else if (star.p) {
			str_cut(&retry, '/');
			t = retry;
			p = star;
		} else {
			return false;
		}
	}
	while (p.n)
		if (!str_eq(str_cut(&p, '/'), STR("**"))) return false;
	return true;
}

// Two patterns at once, by dynamic programming over their positions: row[j] says whether the first
// i items of a and the first j items of b can stand for the same text. A wildcard stands for
// nothing or takes one more item of the other.
static bool segment_overlap(struct str a, struct str b) {
	bool row[GLOB_BYTES_MAX + 1];
	assert(b.n <= GLOB_BYTES_MAX);
	row[0] = true;
	for (size_t j = 1; j <= b.n; j++) row[j] = row[j - 1] && b.p[j - 1] == '*';
	for (size_t i = 1; i <= a.n; i++) {
		bool diagonal = row[0];
		row[0] = row[0] && a.p[i - 1] == '*';
		for (size_t j = 1; j <= b.n; j++) {
			bool above = row[j];
			char x = a.p[i - 1], y = b.p[j - 1];
			if (x == '*' || y == '*') row[j] = above || row[j - 1];
			else row[j] = diagonal && (x == y || x == '?' || y == '?');
			diagonal = above;
		}
	}
	return row[b.n];
}

static size_t segments(struct str s, struct str out[GLOB_BYTES_MAX + 2]) {
	size_t n = 0;
	while (s.p && n <= GLOB_BYTES_MAX) out[n++] = str_cut(&s, '/');
	out[n++] = STR("**");
	return n;
}

bool glob_overlap(struct str a, struct str b) {
	assert(a.n <= GLOB_BYTES_MAX && b.n <= GLOB_BYTES_MAX);
	// Most pairs differ before their first wildcard.
	for (size_t i = 0;
	     i < a.n && i < b.n && a.p[i] != '*' && b.p[i] != '*' && a.p[i] != '?' && b.p[i] != '?';
	     i++)
		if (a.p[i] != b.p[i]) return false;
	struct str x[GLOB_BYTES_MAX + 2], y[GLOB_BYTES_MAX + 2];
	size_t m = segments(a, x), n = segments(b, y);
	bool row[GLOB_BYTES_MAX + 3];
	row[0] = true;
	for (size_t j = 1; j <= n; j++) row[j] = row[j - 1] && str_eq(y[j - 1], STR("**"));
	for (size_t i = 1; i <= m; i++) {
		bool diagonal = row[0], x_any = str_eq(x[i - 1], STR("**"));
		row[0] = row[0] && x_any;
		for (size_t j = 1; j <= n; j++) {
			bool above = row[j];
			if (x_any || str_eq(y[j - 1], STR("**"))) row[j] = above || row[j - 1];
			else row[j] = diagonal && segment_overlap(x[i - 1], y[j - 1]);
			diagonal = above;
		}
	}
	return row[n];
}
