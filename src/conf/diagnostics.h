// What is wrong with a weir.yml: where, what and what to write instead; as text with source line and caret, and
// as JSON. Lines and columns count from 1, columns are characters. Control characters in what is quoted from
// the file become U+FFFD, so a file cannot drive the reader's terminal.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

enum conf_severity { CONF_ERROR, CONF_WARNING };

struct conf_span { // bytes of the text
	size_t offset, length;
};

struct conf_diagnostic {
	enum conf_severity severity;
	const char *code;            // stable, for programs: "unknown-key"
	size_t line, column, length; // length = width of the caret in characters, at least 1
	size_t offset;               // byte where it begins
	struct str message;
	struct str hint; // "" = none; `backquotes` stand around what to type
};

enum { CONF_DIAGNOSTICS_MAX = 100 }; // more are counted, not kept

struct conf_diagnostics {
	struct arena *life;
	struct str text;               // the file
	struct conf_diagnostic *items; // sorted by place after conf_parse
	size_t n, errors, warnings;
	size_t *lines, lines_n; // offset of each line, made on first use
};

// Zeroed apart from its arena: struct conf_diagnostics d = {.life = &arena};
// `hint` and `message` are copied.
void diagnostics_add(struct conf_diagnostics *d, enum conf_severity severity, const char *code,
                     struct conf_span span, struct str message, struct str hint);
void diagnostics_error(struct conf_diagnostics *d, const char *code, struct conf_span span,
                       struct str hint, const char *format, ...) PRINTF_LIKE(5, 6);
void diagnostics_sort(struct conf_diagnostics *d);

// As in a terminal: each diagnostic with its line and caret, then a line of totals. Nothing at all when there
// is nothing to say.
void diagnostics_text(const struct conf_diagnostics *d, struct str file, bool colour,
                      struct buf *out);

// {"diagnostics":[{"code","column","end_column","file","hint","line","message","severity"}],"errors","file","warnings"}
void diagnostics_json(const struct conf_diagnostics *d, struct str file, struct buf *out);
