// Terminal escape sequences (ECMA-48, xterm's OSC) in what jobs print: taken out for search, or
// turned into a safe subset of HTML for display. Works on chunks of any size: a sequence may end in
// a later one.
#pragma once
#include "base/buf.h"

enum ansi_state {
	ANSI_TEXT,
	ANSI_ESCAPE, // after ESC
	ANSI_CSI,    // ESC [ ...
	ANSI_STRING, // ESC ] ... and the like, to BEL or ESC \.
	ANSI_STRING_ESCAPE,
};

struct ansi_style {
	uint8_t fore, back; // 0 none, 1..16 the colours of the terminal
	bool bold, dim, italic, underline, inverse;
};

struct ansi { // zero-initialised at the start of a stream; belongs to ansi.c
	enum ansi_state state;
	size_t length;   // of the sequence so far
	char params[64]; // of a CSI
	bool after_cr;
	struct ansi_style style;
	char held[4]; // the first bytes of a UTF-8 character whose end did not come yet
	size_t held_n;
};

// Text without sequences and without control characters except TAB and newline; CR LF and CR become
// LF. Bytes that are not UTF-8 pass. Nothing is held back except the inside of a sequence.
void ansi_strip(struct ansi *a, struct str chunk, struct buf *out);

// Likewise, but colours and the like (CSI ... m) stay: nothing else drives a reader's terminal.
void ansi_colours(struct ansi *a, struct str chunk, struct buf *out);

// HTML: escaped text, and <span class="ansi-bold ansi-red ansi-on-blue"> for SGR attributes and
// colours (256 and 24-bit ones as the nearest of the 16); every other sequence is dropped, bad
// UTF-8 becomes U+FFFD. Each call's output is balanced by itself, no span crosses a line.
void ansi_html(struct ansi *a, struct str chunk, struct buf *out);
void ansi_html_end(struct ansi *a, struct buf *out); // what was held back
