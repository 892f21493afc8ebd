// Time as text and back, without a clock: milliseconds since 1970 UTC <-> RFC 3339, and durations
// as weir.yml and people write them ("1500ms", "10m", "1h30m").
#pragma once
#include "base/buf.h"
#include "base/err.h"

void clocktext_rfc3339(struct buf *out, int64_t ms); // 2026-11-19T14:30:52.044Z; any year 0..9999
MUST_USE bool clocktext_parse(struct str text,
                              int64_t *ms); // RFC 3339 with Z or an offset, fraction optional
MUST_USE bool clocktext_duration(
	struct str text, int64_t *ms); // number + ms s m h d, parts joined; 0 < ms <= 10 years
void clocktext_duration_text(struct buf *out,
                             int64_t ms); // "41 s", "1 min 28 s", "2 h 05 min", "3 d 4 h"
