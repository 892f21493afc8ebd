// The frame around every page, and the pieces that several pages share.
#pragma once
#include "page/view_more.h"

void frame_begin(struct html *w, const struct view_frame *f);
void frame_end(struct html *w, const struct view_frame *f);
void frame_form(struct html *w, const struct view_frame *f,
                const char *action); // opens a POST form
void frame_author(struct html *w, const struct view_ref *r);
void frame_ref(struct html *w, const struct view_ref *r); // link: #12 Title
const char *frame_tone(enum view_tone tone);
void frame_feed(struct html *w, const struct view_feed *feed, size_t count);
void frame_log(struct html *w, const struct view_log *log, bool live);
void frame_log_line(struct html *w, const struct view_log_line *line);
// One bar per job: width = expected time, at least 6 %.
void frame_jobs_bar(struct html *w, const struct view_job *jobs, size_t count);
const char *frame_job_word(enum view_job_state state);
