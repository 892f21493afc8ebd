// What is wrong with a weir.yml: where, what, and what to write instead; as text with source line
// and caret, and as JSON. Lines and columns count from 1, columns are characters. Control
// characters in what is quoted from the file become U+FFFD, so a file cannot drive its reader's
// terminal.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

enum conf_severity { CONF_ERROR, CONF_WARNING };
enum { CONF_DIAGNOSTICS_MAX = 50 }; // more are counted, not kept

struct conf_span { // bytes of the text
	size_t offset, length;
};

struct conf_diagnostic {
	enum conf_severity severity;
	const char *code;            // stable, for programs: "unknown-key"
	size_t offset;               // byte where it begins
	size_t line, column, length; // length = width of the caret in characters, at least 1
	struct str message;
	struct str hint; // "" = none; `backquotes` stand around what to type
};

// Zeroed apart from its arena is empty: struct conf_diagnostics d = {.life = &arena};
struct conf_diagnostics {
	struct arena *life;
	struct str text; // the file, borrowed
	struct conf_diagnostic *items;
	size_t n;                // kept in items
	size_t errors, warnings; // all that were added
	size_t *lines, lines_n;  // offset of each line; belongs to diagnostics.c
};

void diagnostics_begin(struct conf_diagnostics *d, struct str text); // forgets what d held
// Copies message and hint. A second one of the same code at the same place is dropped.
void diagnostics_add(struct conf_diagnostics *d, enum conf_severity severity, const char *code,
                     struct conf_span span, struct str message, struct str hint);
void diagnostics_error(struct conf_diagnostics *d, const char *code, struct conf_span span,
                       struct str hint, const char *format, ...) PRINTF_LIKE(5, 6);
void diagnostics_sort(struct conf_diagnostics *d); // by place
size_t diagnostics_line(const struct conf_diagnostics *d, size_t offset);
size_t diagnostics_offset(const struct conf_diagnostics *d, size_t line, size_t column);

// As in a terminal: each with its line and caret, then the totals. Nothing when nothing was added.
void diagnostics_text(const struct conf_diagnostics *d, struct str file, bool colour,
                      struct buf *out);
// {"diagnostics":[{"code","column","end_column","file","hint","line","message","severity"}],
//  "errors","file","warnings"}; hint is null when there is none
void diagnostics_json(const struct conf_diagnostics *d, struct str file, struct buf *out);
