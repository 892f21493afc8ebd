// Hides secrets in a stream of bytes. What is hidden of each value: itself, base64 (standard and
// URL alphabet, at each of the three alignments, also wrapped at 64 or 76 columns), hex (lower,
// upper, also wrapped at 60), percent-encoded, JSON-escaped, quoted for a shell, and each long line
// of a value with several lines. Every match counts, overlapping ones too; a run of hidden bytes
// becomes one "***". Masking is a net for accidents, not a wall: a job can always print a secret in
// a form that nobody thought of.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { MASK_BYTES_MIN = 6, MASK_BYTES_MAX = 64 * 1024, MASK_SECRETS_MAX = 64 };

// May this value be a secret? Shorter ones cannot be hidden without hiding ordinary text too. Line
// ends at the end of the value do not count. ERR_INVALID says what is wrong.
MUST_USE bool mask_check(struct str value, struct err *e);

struct mask; // the needles of some secrets; immutable
struct mask *mask_new(const struct str *values, size_t count, struct arena *life);
const struct str *mask_needles(const struct mask *m,
                               size_t *count); // for tests: all that is looked for

// One stream. Zero-initialise, set `mask`. Bytes that may be the beginning of a secret are held
// back until more comes; mask_end lets them go.
struct mask_stream {
	const struct mask *mask;
	struct buf held;
	uint64_t hits; // runs of hidden bytes
	size_t masked; // so many bytes at the start of `held` belong to a match
	bool inside;   // the last byte given out was hidden
};
void mask_feed(struct mask_stream *s, struct str bytes, struct buf *out);
void mask_end(struct mask_stream *s, struct buf *out); // also frees what is held
