// A list of JSON objects as aligned columns; an absent value is a word or nothing, never a bare
// dash.
#pragma once
#include "base/json.h"
#include "cli/ink.h"

enum grid_kind {
	GRID_TEXT,
	GRID_TITLE,    // takes what room is left, cut with …
	GRID_COMMIT,   // the first 7 digits
	GRID_NUMBER,   // right-aligned
	GRID_TIME,     // clock time today, else date (UTC)
	GRID_DURATION, // of milliseconds
	GRID_SIZE,     // of bytes
	GRID_STATE,    // with its glyph and colour
};

struct grid_column {
	const char *heading;
	const char *key; // "times.landed" goes into objects
	enum grid_kind kind;
	const char *absent; // what stands there without a value
};

// Nothing but `empty` when the list has no item. now_ms is for GRID_TIME.
void grid_print(const struct json *list, const struct grid_column *columns, size_t n,
                const char *empty, int64_t now_ms, struct ink *out);

const struct json *grid_get(const struct json *object, const char *path); // "a.b"

// Shared words and figures.
void grid_state(struct ink *out, struct str state, unsigned columns); // "✗ ejected"
void grid_time(struct buf *out, int64_t ms, int64_t now_ms);          // 14:30:52, or 19 Nov 14:30
int64_t grid_json_time(const struct json *v);   // of RFC 3339 text or a number of ms; 0 = none
void grid_size(struct buf *out, int64_t bytes); // 1.4 MB
