#include "conf/diagnostics.h"

#include <assert.h>
#include <stdlib.h>

#include "base/jsonw.h"

enum { LINE_SHOWN = 120 }; // characters of a source line that are printed

static size_t char_bytes(struct str s, size_t at) {
	size_t n = 1;
	while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80) n++;
	return n;
}

static size_t char_count(struct str s) {
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

// C0, DEL and C1 (U+0080 to U+009F are c2 80 to c2 9f) become U+FFFD, and so does what is not
// UTF-8.
static void add_safe(struct buf *out, struct str s, char tab) {
	for (size_t i = 0; i < s.n;) {
		size_t n = char_bytes(s, i);
		unsigned char c = (unsigned char)s.p[i];
		struct str one = str_slice(s, i, i + n);
		if (c == '\t') buf_char(out, tab);
		else if (c < 0x20 || c == 0x7f || str_utf8_bad(one) != n ||
		         (c == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0))
			buf_cstr(out, "\xef\xbf\xbd");
		else buf_str(out, one);
		i += n;
	}
}

// YAML 1.2 ends a line at LF, CR LF or CR.
void diagnostics_begin(struct conf_diagnostics *d, struct str text) {
	size_t n = 1;
	for (size_t pass = 0; pass < 2; pass++) {
		if (pass) d->lines = ARENA_ARRAY(d->life, size_t, n);
		n = 1;
		for (size_t i = 0; i < text.n; i++) {
			bool ends = text.p[i] == '\n' ||
			            (text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'));
			if (ends && pass) d->lines[n] = i + 1;
			n += ends;
		}
	}
	d->lines_n = n;
	d->text = text;
	d->items = NULL;
	d->n = d->errors = d->warnings = 0;
}

static size_t line_index(const struct conf_diagnostics *d, size_t offset) {
	size_t low = 0, high = d->lines_n;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (d->lines[middle] <= offset) low = middle;
		else high = middle;
	}
	return low;
}

static struct str line_text(const struct conf_diagnostics *d, size_t index) {
	size_t end = index + 1 < d->lines_n ? d->lines[index + 1] : d->text.n;
	while (end > d->lines[index] && (d->text.p[end - 1] == '\n' || d->text.p[end - 1] == '\r'))
		end--;
	struct str line = str_slice(d->text, d->lines[index], end);
	return index == 0 && str_starts(line, STR("\xef\xbb\xbf")) ? str_from(line, 3) : line;
}

size_t diagnostics_line(const struct conf_diagnostics *d, size_t offset) {
	return line_index(d, offset) + 1;
}

size_t diagnostics_offset(const struct conf_diagnostics *d, size_t line, size_t column) {
	if (line < 1) return 0;
	if (line > d->lines_n) return d->text.n;
	struct str text = line_text(d, line - 1);
	size_t at = 0;
	for (; column > 1 && at < text.n; column--) at += char_bytes(text, at);
	return (size_t)(text.p - d->text.p) + at;
}

static bool is_known(const struct conf_diagnostics *d, const char *code, size_t offset) {
	for (size_t i = 0; i < d->n; i++)
		if (d->items[i].offset == offset && strcmp(d->items[i].code, code) == 0) return true;
	return false;
}

void diagnostics_add(struct conf_diagnostics *d, enum conf_severity severity, const char *code,
                     struct conf_span span, struct str message, struct str hint) {
	assert(d->lines); // diagnostics_begin comes first
	if (span.offset > d->text.n) span.offset = d->text.n;
	if (is_known(d, code, span.offset)) return;
	if (severity == CONF_ERROR) d->errors++;
	else d->warnings++;
	if (d->n == CONF_DIAGNOSTICS_MAX) return;
	if (!d->items) d->items = ARENA_ARRAY(d->life, struct conf_diagnostic, CONF_DIAGNOSTICS_MAX);

	size_t index = line_index(d, span.offset);
	struct str line = line_text(d, index);
	size_t start = d->text.p && line.p ? (size_t)(line.p - d->text.p) : 0;
	size_t before = span.offset > start ? span.offset - start : 0;
	if (before > line.n) before = line.n;
	AUTO_BUF safe = {0}, safe_hint = {0};
	add_safe(&safe, message, ' ');
	add_safe(&safe_hint, hint, ' ');
	size_t length = char_count(str_slice(line, before, before + span.length));
	d->items[d->n++] = (struct conf_diagnostic){
		.severity = severity,
		.code = code,
		.offset = span.offset,
		.line = index + 1,
		.column = char_count(str_slice(line, 0, before)) + 1,
		.length = length ? length : 1,
		.message = arena_str(d->life, buf_view(&safe)),
		.hint = arena_str(d->life, buf_view(&safe_hint)),
	};
}

void diagnostics_error(struct conf_diagnostics *d, const char *code, struct conf_span span,
                       struct str hint, const char *format, ...) {
	AUTO_BUF message = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	diagnostics_add(d, CONF_ERROR, code, span, buf_view(&message), hint);
}

static int by_place(const void *a, const void *b) {
	const struct conf_diagnostic *x = a, *y = b;
	if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
	if (x->severity != y->severity) return x->severity < y->severity ? -1 : 1;
	return strcmp(x->code, y->code);
}

void diagnostics_sort(struct conf_diagnostics *d) {
	if (d->n) qsort(d->items, d->n, sizeof d->items[0], by_place);
}

static void add_hint(struct buf *out, struct str hint, bool colour) {
	bool inside = false;
	for (size_t i = 0; i < hint.n; i++) {
		if (hint.p[i] != '`') {
			buf_char(out, hint.p[i]);
			continue;
		}
		inside = !inside;
		if (colour) buf_cstr(out, inside ? "\x1b[1m" : "\x1b[0m");
	}
	if (inside && colour) buf_cstr(out, "\x1b[0m");
}

// A piece of the source line that has the place in it, with … where it was cut, and the caret
// below.
static void add_source(struct buf *out, const struct conf_diagnostics *d,
                       const struct conf_diagnostic *item, const char *paint, const char *dim,
                       const char *off) {
	struct str line = line_text(d, item->line - 1);
	size_t skip = item->column > LINE_SHOWN * 2 / 3 ? item->column - LINE_SHOWN / 3 : 0;
	size_t at = 0, end;
	for (size_t i = 0; i < skip && at < line.n; i++) at += char_bytes(line, at);
	end = at;
	for (size_t i = 0; i < LINE_SHOWN && end < line.n; i++) end += char_bytes(line, end);

	buf_printf(out, "%s%4zu |%s ", dim, item->line, off);
	if (at) buf_cstr(out, "…");
	add_safe(out, str_slice(line, at, end), ' ');
	if (end < line.n) buf_cstr(out, "…");
	size_t blank = item->column - 1 - skip + (at ? 1 : 0);
	size_t room = LINE_SHOWN + 1 - (item->column - 1 - skip);
	size_t width = item->length < room ? item->length : room;
	buf_printf(out, "\n     %s|%s %*s%s", dim, off, (int)blank, "", paint);
	for (size_t i = 0; i < width; i++) buf_char(out, '^');
	buf_cstr(out, off);
}

void diagnostics_text(const struct conf_diagnostics *d, struct str file, bool colour,
                      struct buf *out) {
	const char *bold = colour ? "\x1b[1m" : "", *off = colour ? "\x1b[0m" : "";
	const char *dim = colour ? "\x1b[2m" : "";
	for (size_t i = 0; i < d->n; i++) {
		const struct conf_diagnostic *item = &d->items[i];
		bool error = item->severity == CONF_ERROR;
		const char *paint = !colour ? "" : error ? "\x1b[1;31m" : "\x1b[33m";
		buf_printf(out, "%s" STR_FMT ":%zu:%zu:%s %s%s:%s ", bold, STR_ARG(file), item->line,
		           item->column, off, paint, error ? "error" : "warning", off);
		buf_str(out, item->message);
		buf_char(out, '\n');
		add_source(out, d, item, paint, dim, off);
		if (item->hint.n) {
			buf_char(out, ' ');
			add_hint(out, item->hint, colour);
		}
		buf_char(out, '\n');
	}
	size_t total = d->errors + d->warnings;
	if (total == 0) return;
	buf_char(out, '\n');
	if (d->errors) buf_printf(out, "%zu error%s", d->errors, d->errors == 1 ? "" : "s");
	if (d->errors && d->warnings) buf_cstr(out, ", ");
	if (d->warnings) buf_printf(out, "%zu warning%s", d->warnings, d->warnings == 1 ? "" : "s");
	buf_printf(out, " in " STR_FMT, STR_ARG(file));
	if (total > d->n) buf_printf(out, ", the first %zu are shown", d->n);
	buf_char(out, '\n');
}

void diagnostics_json(const struct conf_diagnostics *d, struct str file, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key(&w, "diagnostics");
	jsonw_array(&w);
	for (size_t i = 0; i < d->n; i++) {
		const struct conf_diagnostic *item = &d->items[i];
		AUTO_BUF hint = {0};
		add_hint(&hint, item->hint, false);
		jsonw_object(&w);
		jsonw_key_z(&w, "code", item->code);
		jsonw_key_i(&w, "column", (int64_t)item->column);
		jsonw_key_i(&w, "end_column", (int64_t)(item->column + item->length));
		jsonw_key_s(&w, "file", file);
		jsonw_key(&w, "hint");
		if (item->hint.n) jsonw_str(&w, buf_view(&hint));
		else jsonw_null(&w);
		jsonw_key_i(&w, "line", (int64_t)item->line);
		jsonw_key_s(&w, "message", item->message);
		jsonw_key_z(&w, "severity", item->severity == CONF_ERROR ? "error" : "warning");
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
	jsonw_key_i(&w, "errors", (int64_t)d->errors);
	jsonw_key_s(&w, "file", file);
	jsonw_key_i(&w, "warnings", (int64_t)d->warnings);
	jsonw_object_end(&w);
}
