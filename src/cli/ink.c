#include "cli/ink.h"

#include <stdio.h>

static const char *const codes[] = {
	[INK_PLAIN] = "",  [INK_HEAD] = "1",  [INK_QUIET] = "2", [INK_BAD] = "1;31",
	[INK_WARN] = "33", [INK_MOVE] = "36", [INK_GOOD] = "32",
};

static const struct {
	const char *utf8, *plain;
} glyphs[INK_GLYPHS] = {
	[INK_OK] = {"✓", "ok"},       [INK_FAIL] = {"✗", "FAIL"},   [INK_RUNNING] = {"◐", "*"},
	[INK_WAITS] = {"○", "-"},     [INK_ATTENTION] = {"▲", "!"}, [INK_BACK] = {"↶", "<"},
	[INK_REUSED] = {"≈", "="},    [INK_TRUNK] = {"●", "@"},     [INK_MAYBE] = {"◌", "o"},
	[INK_BAR_RAN] = {"█", "#"},   [INK_BAR_RUNS] = {"▆", ">"},  [INK_BAR_REUSED] = {"▒", "/"},
	[INK_BAR_WAITS] = {"·", "."}, [INK_LINE] = {"━", "#"},      [INK_LINE_REST] = {"╌", "."},
	[INK_BRANCH] = {"├─", "+-"},  [INK_LAST] = {"└─", "`-"},    [INK_RULE] = {"│", "|"},
	[INK_DASH] = {"—", "-"},      [INK_TIMES] = {"×", "x"},
};

void ink_free(struct ink *k) {
	buf_free(&k->out);
}

// Columns of one code point: 0 for marks that join the one before, 2 for East Asian wide and for
// pictures (Unicode 15, UAX 11), else 1.
static unsigned columns_of(uint32_t c) {
	static const struct {
		uint32_t from, to;
		unsigned columns;
	} ranges[] = {
		{0x300, 0x36f, 0},     {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0},   {0x1100, 0x115f, 2},
		{0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
		{0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2},
		{0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
	};
	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i].from && c <= ranges[i].to) return ranges[i].columns;
	return 1;
}

// The next code point of well-formed UTF-8; a byte that is none, or a control character, counts as
// U+FFFD. Returns how many bytes it has.
static size_t take(struct str s, size_t at, uint32_t *out) {
	const unsigned char *p = (const unsigned char *)s.p + at;
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	*out = 0xfffd;
	if (p[0] >= 0x80 && (n > s.n - at || str_utf8_bad((struct str){s.p + at, n}) < n)) return 1;
	uint32_t c = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) c = c << 6 | (p[i] & 0x3fU);
	bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069); // bidi overrides
	if (c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && !turns) *out = c;
	return n;
}

unsigned ink_columns(struct str s) {
	unsigned columns = 0;
	for (size_t at = 0; at < s.n;) {
		uint32_t c;
		at += take(s, at, &c);
		columns += columns_of(c);
	}
	return columns;
}

static void begin(struct ink *k, enum ink_role role) {
	if (k->colour && role != INK_PLAIN) buf_printf(&k->out, "\033[%sm", codes[role]);
}

static void finish(struct ink *k, enum ink_role role) {
	if (k->colour && role != INK_PLAIN) buf_cstr(&k->out, "\033[0m");
}

// At most `most` columns.
static void add(struct ink *k, struct str s, unsigned most) {
	unsigned used = 0;
	for (size_t at = 0; at < s.n;) {
		uint32_t c;
		size_t n = take(s, at, &c);
		unsigned wide = columns_of(c);
		if (used + wide > most) break;
		if (c == 0xfffd) buf_cstr(&k->out, k->utf8 ? "\uFFFD" : "?");
		else buf_add(&k->out, s.p + at, n);
		used += wide;
		at += n;
	}
	k->column += used;
}

void ink_str(struct ink *k, enum ink_role role, struct str s) {
	if (!s.n) return;
	begin(k, role);
	add(k, s, ~0U);
	finish(k, role);
}

void ink_put(struct ink *k, enum ink_role role, const char *format, ...) {
	AUTO_BUF text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	ink_str(k, role, buf_view(&text));
}

void ink_glyph(struct ink *k, enum ink_role role, enum ink_glyph glyph) {
	ink_str(k, role, str_of(k->utf8 ? glyphs[glyph].utf8 : glyphs[glyph].plain));
}

void ink_to(struct ink *k, unsigned column) {
	if (column <= k->column && k->column) column = k->column + 1;
	for (; k->column < column; k->column++) buf_char(&k->out, ' ');
}

void ink_fit(struct ink *k, enum ink_role role, struct str s, unsigned columns) {
	unsigned end = k->column + columns;
	bool cut = k->width && ink_columns(s) > columns;
	begin(k, role);
	add(k, s, cut ? columns - 1 : ~0U);
	if (cut) {
		buf_cstr(&k->out, k->utf8 ? "…" : "~");
		k->column++;
	}
	finish(k, role);
	for (; k->column < end; k->column++) buf_char(&k->out, ' ');
}

void ink_end(struct ink *k) {
	while (k->out.n && k->out.p[k->out.n - 1] == ' ') k->out.n--;
	buf_char(&k->out, '\n');
	k->column = 0;
}

void ink_hint(struct ink *k, struct str s) {
	for (bool command = false; s.p; command = !command)
		ink_str(k, command ? INK_HEAD : INK_PLAIN, str_cut(&s, '`'));
}
