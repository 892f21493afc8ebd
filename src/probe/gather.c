#include "probe/gather.h"

#include <stdarg.h>
#include <stdlib.h>

#include "probe/ansi.h"
#include "probe/place.h"

struct probe_test *gather_add(struct gather *g, struct str suite, struct str name, struct err *e) {
	if (g->count == PROBE_RESULTS_TESTS_MAX) {
		err_set(e, ERR_LIMIT, "more than %d tests in one file", PROBE_RESULTS_TESTS_MAX);
		return NULL;
	}
	if (g->count == g->capacity) {
		g->capacity = g->capacity ? g->capacity * 2 : 64;
		g->tests = realloc(g->tests, g->capacity * sizeof *g->tests);
		if (!g->tests) abort();
	}
	struct probe_test *t = &g->tests[g->count++];
	*t = (struct probe_test){.duration_ms = -1};
	t->suite = gather_text(g, suite, PROBE_NAME_BYTES_MAX);
	t->name = gather_text(g, name, PROBE_NAME_BYTES_MAX);
	if (t->name.n == 0) t->name = STR("(no name)");
	return t;
}

void gather_problem(struct gather *g, const char *format, ...) {
	if (g->problem.n) return;
	va_list args;
	va_start(args, format);
	struct str text = arena_vprintf(g->life, format, args);
	va_end(args);
	g->problem = gather_text(g, text, PROBE_NAME_BYTES_MAX);
}

static struct str bounded(struct gather *g, struct str raw, size_t most, size_t dropped) {
	AUTO_BUF stripped = {0};
	AUTO_BUF clean = {0};
	struct ansi a = {0};
	ansi_strip(&a, raw, &stripped);
	buf_utf8(&clean, buf_view(&stripped));
	struct str text = buf_view(&clean);
	while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' ')) text.n--;
	if (text.n == 0) return STR_NONE;
	if (text.n <= most && dropped == 0) return arena_str(g->life, text);
	size_t cut = text.n < most ? text.n : most;
	while (cut > 0 && cut < text.n && ((unsigned char)text.p[cut] & 0xc0) == 0x80) cut--;
	return arena_printf(g->life, STR_FMT "… %zu bytes more", (int)cut, text.p,
	                    text.n - cut + dropped);
}

struct str gather_text(struct gather *g, struct str raw, size_t most) {
	return bounded(g, raw, most, 0);
}

struct str gather_line(struct gather *g, struct str raw) {
	for (struct str rest = raw; rest.p;) {
		struct str line = str_trim(str_cut(&rest, '\n'));
		if (line.n) return gather_text(g, line, PROBE_MESSAGE_BYTES_MAX);
	}
	return STR_NONE;
}

static bool is_digit(char c) {
	return c >= '0' && c <= '9';
}

// A comma groups thousands when a point follows or when its groups have three digits after a number
// that is not zero ("1,234" is surefire's 1234); else it is a decimal comma.
static bool comma_groups(struct str s) {
	size_t comma = str_find_char(s, ',');
	if (comma == s.n || comma == 0 || comma > 3) return false;
	if (str_find_char(s, '.') < s.n) return true;
	return s.n - comma == 4 ? s.p[0] != '0'
	                        : str_find_char(str_from(s, comma + 1), ',') < s.n - comma - 1;
}

int64_t gather_decimal(struct str text, int digits) {
	struct str s = str_trim(text);
	int64_t value = 0, exponent = 0;
	bool seen = false, fraction = false, groups = comma_groups(s);
	size_t i = 0;
	for (; i < s.n; i++) {
		char c = s.p[i];
		if (c == ',' && groups && !fraction) continue;
		if ((c == '.' || c == ',') && !fraction) {
			fraction = true;
			continue;
		}
		if (!is_digit(c)) break;
		seen = true;
		if (value > INT64_MAX / 1000) { // more digits than matter
			exponent += !fraction;
			continue;
		}
		value = value * 10 + (c - '0');
		exponent -= fraction;
	}
	if (!seen) return -1;
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		int64_t e;
		struct str rest = str_from(s, i + 1);
		if (rest.n && rest.p[0] == '+') rest = str_from(rest, 1);
		if (!str_to_i64(rest, &e) || e < -400 || e > 400) return -1;
		exponent += e;
		i = s.n;
	}
	if (i < s.n) return -1;
	for (exponent += digits; exponent > 0 && value; exponent--)
		if (__builtin_mul_overflow(value, 10, &value)) return -1;
	for (; exponent < 0 && value; exponent++) value /= 10;
	return value;
}

void gather_place(struct gather *g, struct probe_test *t, struct str trace) {
	struct place p;
	if (!place_of_trace(trace, &p)) return;
	t->file = gather_text(g, p.file, PROBE_NAME_BYTES_MAX);
	t->line = p.line;
}

void gather_more(struct gathered *c, struct str piece) {
	size_t most = (size_t)4 * PROBE_OUTPUT_BYTES_MAX; // escape sequences will go
	size_t room = c->kept.n < most && !c->dropped ? most - c->kept.n : 0;
	size_t n = piece.n < room ? piece.n : room;
	while (n > 0 && n < piece.n && ((unsigned char)piece.p[n] & 0xc0) == 0x80)
		n--; // no half character
	if (n) buf_add(&c->kept, piece.p, n);
	c->dropped += piece.n - n;
}

struct str gather_output(struct gather *g, const struct gathered *c) {
	return bounded(g, buf_view(&c->kept), PROBE_OUTPUT_BYTES_MAX, c->dropped);
}

void gather_drop(struct gathered *c) {
	buf_free(&c->kept);
	c->dropped = 0;
}
