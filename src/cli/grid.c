#include "cli/grid.h"

#include <stdio.h>

#include "base/clocktext.h"

enum { CELL_MAX = 40, COLUMNS_MAX = 12 };

const struct json *grid_get(const struct json *object, const char *path) {
	struct str rest = str_of(path);
	while (rest.p) {
		char key[64];
		struct str part = str_cut(&rest, '.');
		snprintf(key, sizeof key, STR_FMT, STR_ARG(part));
		object = json_get(object, key);
	}
	return object;
}

int64_t grid_json_time(const struct json *v) {
	int64_t ms = 0;
	if (json_kind(v) == JSON_KIND_STRING && clocktext_parse(json_str(v), &ms)) return ms;
	return json_int(v, 0);
}

void grid_time(struct buf *out, int64_t ms, int64_t now_ms) {
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	AUTO_BUF text = {0}; // 2026-11-19T14:30:52.044Z
	clocktext_rfc3339(&text, ms);
	int64_t day = 86400000;
	if (text.n < 19) return;
	if (ms / day == now_ms / day) {
		buf_add(out, text.p + 11, 8);
		return;
	}
	int month = (text.p[5] - '0') * 10 + text.p[6] - '0';
	AUTO_BUF now = {0};
	clocktext_rfc3339(&now, now_ms);
	buf_printf(out, "%d %s ", (text.p[8] - '0') * 10 + text.p[9] - '0', months[month - 1]);
	if (memcmp(text.p, now.p, 4) != 0) buf_printf(out, "%.4s ", text.p);
	buf_printf(out, "%.5s", text.p + 11);
}

void grid_size(struct buf *out, int64_t bytes) {
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1000 && unit + 1 < ARRAY_LEN(units); unit++) value /= 1000;
	buf_printf(out, unit && value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static const struct {
	const char *state, *word;
	enum ink_role role;
	enum ink_glyph glyph;
} states[] = {
	{"proposed", "proposed", INK_QUIET, INK_WAITS},
	{"queued", "queued", INK_QUIET, INK_WAITS},
	{"waiting", "waits", INK_QUIET, INK_WAITS},
	{"issued", "starts", INK_MOVE, INK_RUNNING},
	{"testing", "testing", INK_MOVE, INK_RUNNING},
	{"running", "running", INK_MOVE, INK_RUNNING},
	{"rolling", "rolling out", INK_MOVE, INK_RUNNING},
	{"landing", "landing", INK_MOVE, INK_RUNNING},
	{"landed", "landed", INK_GOOD, INK_OK},
	{"live", "live", INK_GOOD, INK_OK},
	{"healthy", "healthy", INK_GOOD, INK_OK},
	{"passed", "passed", INK_GOOD, INK_OK},
	{"reused", "reused", INK_PLAIN, INK_REUSED},
	{"skipped", "skipped", INK_QUIET, INK_WAITS},
	{"stopped", "stopped", INK_QUIET, INK_WAITS},
	{"cancelled", "cancelled", INK_QUIET, INK_WAITS},
	{"withdrawn", "withdrawn", INK_QUIET, INK_WAITS},
	{"lost", "lost", INK_WARN, INK_ATTENTION},
	{"cancelling", "cancelling", INK_WARN, INK_ATTENTION},
	{"rolled-back", "rolled back", INK_WARN, INK_BACK},
	{"rejected", "ejected", INK_BAD, INK_FAIL},
	{"failed", "failed", INK_BAD, INK_FAIL},
	{"unhealthy", "unhealthy", INK_BAD, INK_FAIL},
};

void grid_state(struct ink *out, struct str state, unsigned columns) {
	unsigned end = out->column + columns;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (!str_eq(state, str_of(states[i].state))) continue;
		enum ink_role word = states[i].role == INK_GOOD ? INK_PLAIN : states[i].role;
		ink_glyph(out, states[i].role, states[i].glyph);
		ink_put(out, INK_PLAIN, " ");
		ink_put(out, word, "%s", states[i].word);
		state = STR_NONE;
	}
	ink_str(out, INK_PLAIN, state);
	if (out->column < end) ink_to(out, end);
}

static void cell(const struct json *row, const struct grid_column *c, int64_t now_ms,
                 struct buf *out) {
	const struct json *v = grid_get(row, c->key);
	int64_t ms;
	switch (json_kind(v)) {
	case JSON_KIND_ABSENT:
	case JSON_KIND_NULL: buf_cstr(out, c->absent ? c->absent : ""); return;
	case JSON_KIND_BOOL: buf_cstr(out, json_bool(v, false) ? "yes" : "no"); return;
	case JSON_KIND_ARRAY:
		if (!json_length(v)) buf_cstr(out, c->absent ? c->absent : "");
		for (size_t i = 0; i < json_length(v); i++)
			buf_printf(out, "%s" STR_FMT, i ? "," : "", STR_ARG(json_str(json_at(v, i))));
		return;
	case JSON_KIND_INT:
		if (c->kind == GRID_DURATION) clocktext_duration_text(out, json_int(v, 0));
		else if (c->kind == GRID_SIZE) grid_size(out, json_int(v, 0));
		else if (c->kind == GRID_TIME) grid_time(out, json_int(v, 0), now_ms);
		else buf_printf(out, "%lld", (long long)json_int(v, 0));
		return;
	case JSON_KIND_STRING:
		ms = c->kind == GRID_TIME ? grid_json_time(v) : 0;
		if (ms) grid_time(out, ms, now_ms);
		else if (c->kind == GRID_COMMIT) buf_str(out, str_slice(json_str(v), 0, 7));
		else if (!json_str(v).n && c->absent) buf_cstr(out, c->absent);
		else buf_str(out, json_str(v));
		return;
	case JSON_KIND_REAL:
	case JSON_KIND_OBJECT:
	default: return;
	}
}

static unsigned extra(const struct grid_column *c) {
	return c->kind == GRID_STATE ? 4 : 0; // glyph, blank and a longer word
}

static void add_cell(const struct grid_column *c, struct str text, unsigned width, bool last,
                     struct ink *out) {
	unsigned columns = ink_columns(text);
	if (c->kind == GRID_STATE) grid_state(out, text, last ? 0 : width);
	else if (c->kind == GRID_NUMBER || c->kind == GRID_SIZE) {
		ink_to(out, out->column + (width > columns ? width - columns : 0));
		ink_str(out, INK_PLAIN, text);
	} else if (c->kind == GRID_TITLE) {
		ink_fit(out, INK_PLAIN, text, last ? (width > columns ? columns : width) : width);
	} else {
		unsigned start = out->column;
		ink_str(out, c->kind == GRID_TIME ? INK_QUIET : INK_PLAIN, text);
		if (!last && out->column < start + width) ink_to(out, start + width);
	}
}

// A title gets what is left of the terminal, at least 16 columns.
static void fit_titles(const struct grid_column *columns, size_t n, unsigned *widths,
                       unsigned terminal) {
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) sum += widths[i] + (i ? 2 : 0);
	for (size_t i = 0; i < n && terminal && sum > terminal; i++) {
		if (columns[i].kind != GRID_TITLE) continue;
		unsigned over = sum - terminal;
		unsigned width = widths[i] > over + 16 ? widths[i] - over : 16;
		if (width < widths[i]) sum -= widths[i] - width, widths[i] = width;
	}
}

void grid_print(const struct json *list, const struct grid_column *columns, size_t n,
                const char *empty, int64_t now_ms, struct ink *out) {
	unsigned widths[COLUMNS_MAX] = {0};
	if (!json_length(list)) {
		ink_hint(out, str_of(empty));
		ink_end(out);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		widths[i] = ink_columns(str_of(columns[i].heading));
		for (size_t k = 0; k < json_length(list); k++) {
			AUTO_BUF text = {0};
			cell(json_at(list, k), &columns[i], now_ms, &text);
			unsigned width = ink_columns(buf_view(&text)) + extra(&columns[i]);
			if (width > widths[i]) widths[i] = width;
		}
	}
	fit_titles(columns, n, widths, out->width);
	for (size_t i = 0; i < n; i++) {
		bool right = columns[i].kind == GRID_NUMBER || columns[i].kind == GRID_SIZE;
		unsigned end = out->column + widths[i], heading = ink_columns(str_of(columns[i].heading));
		if (right) ink_to(out, end - heading);
		ink_put(out, INK_QUIET, "%s", columns[i].heading);
		if (i + 1 < n) ink_to(out, end + 2);
	}
	ink_end(out);
	for (size_t k = 0; k < json_length(list); k++) {
		for (size_t i = 0; i < n; i++) {
			AUTO_BUF text = {0};
			cell(json_at(list, k), &columns[i], now_ms, &text);
			unsigned start = out->column;
			add_cell(&columns[i], buf_view(&text), widths[i], i + 1 == n, out);
			if (i + 1 < n) ink_to(out, start + widths[i] + 2);
		}
		ink_end(out);
	}
}
