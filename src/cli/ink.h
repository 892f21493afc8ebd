// Text for a terminal, or for a pipe: what a line shows, in six roles and the 16 palette colours,
// so that the user's theme decides. Colour only repeats what a shape or a word says. Knows in which
// column it is, so that tables align also with wide characters. Control characters of what others
// wrote become U+FFFD: a title cannot drive its reader's terminal.
#pragma once
#include "base/buf.h"

enum ink_role { INK_PLAIN, INK_HEAD, INK_QUIET, INK_BAD, INK_WARN, INK_MOVE, INK_GOOD };

enum ink_glyph {
	INK_OK,         // ✓
	INK_FAIL,       // ✗
	INK_RUNNING,    // ◐
	INK_WAITS,      // ○
	INK_ATTENTION,  // ▲
	INK_BACK,       // ↶
	INK_REUSED,     // ≈
	INK_TRUNK,      // ●
	INK_MAYBE,      // ◌
	INK_BAR_RAN,    // █
	INK_BAR_RUNS,   // ▆
	INK_BAR_REUSED, // ▒
	INK_BAR_WAITS,  // ·
	INK_LINE,       // ━
	INK_LINE_REST,  // ╌
	INK_BRANCH,     // ├─
	INK_LAST,       // └─
	INK_RULE,       // │
	INK_DASH,       // —
	INK_TIMES,      // ×
	INK_GLYPHS
};

struct ink {
	struct buf out;
	bool colour, utf8;
	unsigned width;  // of the terminal, 0 = not one: nothing is cut
	unsigned column; // where the next character goes, from 0
};

#define AUTO_INK __attribute__((cleanup(ink_free))) struct ink
void ink_free(struct ink *k);

void ink_put(struct ink *k, enum ink_role role, const char *format, ...) PRINTF_LIKE(3, 4);
void ink_str(struct ink *k, enum ink_role role, struct str s);
void ink_glyph(struct ink *k, enum ink_role role, enum ink_glyph glyph);
void ink_to(struct ink *k, unsigned column); // blanks up to there, at least one unless at the start
// Cut with … to `columns` where there is a terminal, then filled with blanks to that width.
void ink_fit(struct ink *k, enum ink_role role, struct str s, unsigned columns);
void ink_end(struct ink *k); // the line's
// Text with `commands` between backquotes: they become headings, the quotes vanish.
void ink_hint(struct ink *k, struct str s);
unsigned ink_columns(struct str s); // that a terminal needs for it
