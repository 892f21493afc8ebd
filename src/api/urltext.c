#include "api/urltext.h"

static int hex(char c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

bool urltext_decode(struct str text, bool plus_is_blank, struct arena *life, struct str *out) {
	char *p = arena_alloc(life, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '+' && plus_is_blank) c = ' ';
		if (c == '%') {
			int high = -1, low = -1;
			if (text.n - i > 2) {
				high = hex(text.p[i + 1]);
				low = hex(text.p[i + 2]);
			}
			if (high < 0 || low < 0) return false;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if (c == 0) return false;
		p[n++] = c;
	}
	struct str s = {p, n};
	if (str_utf8_bad(s) != n) return false;
	*out = s;
	return true;
}

bool urltext_pairs(struct str text, struct arena *life, struct urltext_pairs *out, struct err *e) {
	struct urltext_pairs found = {.n = 0};
	for (struct str rest = text; rest.p && text.n;) {
		struct str value = str_cut(&rest, '&');
		if (!value.n) continue;
		struct str name = str_cut(&value, '=');
		if (found.n == URLTEXT_PAIRS_MAX)
			return err_set(e, ERR_INVALID, "more than %d parameters", URLTEXT_PAIRS_MAX);
		struct urltext_pair *pair = &found.p[found.n];
		*pair = (struct urltext_pair){STR(""), STR("")};
		if (!urltext_decode(name, true, life, &pair->name) ||
		    (value.p && !urltext_decode(value, true, life, &pair->value)))
			return err_set(e, ERR_INVALID, "a parameter is not percent-encoded UTF-8");
		for (size_t i = 0; i < found.n; i++)
			if (str_eq(found.p[i].name, pair->name))
				return err_set(e, ERR_INVALID, "parameter " STR_FMT " stands there twice",
				               STR_ARG(pair->name));
		found.n++;
	}
	*out = found;
	return true;
}

struct str urltext_get(const struct urltext_pairs *pairs, const char *name) {
	for (size_t i = 0; i < pairs->n; i++)
		if (str_eq(pairs->p[i].name, str_of(name))) return pairs->p[i].value;
	return STR_NONE;
}

struct str urltext_cookie(struct str header, const char *name) {
	for (struct str rest = header; rest.p;) {
		struct str value = str_trim(str_cut(&rest, ';'));
		struct str key = str_cut(&value, '=');
		if (value.p && str_eq(str_trim(key), str_of(name))) return str_trim(value);
	}
	return STR_NONE;
}
