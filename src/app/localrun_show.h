// What `weir run` tells: on a terminal a line a job and below them one live line, redrawn; in a
// pipe an event a line, "TIME<tab>JOB<tab>STATE<tab>DETAIL", what jobs print as state "log"; with
// --json one object at the end.
#pragma once
#include "app/localrun_jobs.h"

struct localrun_show;
enum localrun_face { LOCALRUN_TERMINAL, LOCALRUN_PLAIN, LOCALRUN_JSON };

struct localrun_show *localrun_show_new(struct localrun *l, bool whole_log);
enum localrun_face localrun_show_face(const struct localrun_show *s);
void localrun_show_started(struct localrun_show *s, const struct localrun_job *j);
void localrun_show_printed(struct localrun_show *s, struct localrun_job *j); // log_text grew
void localrun_show_ended(struct localrun_show *s, const struct localrun_job *j);
void localrun_show_note(struct localrun_show *s, const char *format, ...) PRINTF_LIKE(2, 3);
void localrun_show_tick(struct localrun_show *s); // the live line, when it is time
// The end: what failed first, then the sum; --timing's table, --explain's reasons.
void localrun_show_end(struct localrun_show *s, bool timing, bool explain);
