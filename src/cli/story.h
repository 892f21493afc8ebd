// What the server tells, as people read it: a change, the queue, what moves. JSON in, text out;
// nothing is asked here, so that every picture has its golden page in test/golden/cli.
#pragma once
#include "base/json.h"
#include "cli/ink.h"

// The whole of one change: what failed first, then what to do, then its jobs.
void story_change(const struct json *change, int64_t now_ms, struct ink *out);
// One line: glyph, number, title, state, what it waits for. No end of line.
void story_line(const struct json *change, int64_t now_ms, struct ink *out);
// The queue in its order, with a bar of jobs each.
void story_queue(const struct json *queue, int64_t now_ms, struct ink *out);
// For a pipe: RFC 3339 time, id, state, reason, detail; by tabs, with the end of line.
void story_record(const struct json *change, int64_t now_ms, struct buf *out);
// A bar of `cells` for the jobs of a change, each job at least one.
void story_bar(const struct json *jobs, unsigned cells, struct ink *out);

enum story_end { STORY_GOES_ON, STORY_YES, STORY_NO };
// Whether what somebody waits for ("landed" "deployed" "done") has come, or can come no more. A
// draft is done well when it was tested.
enum story_end story_ended(const struct json *change, struct str wanted);
