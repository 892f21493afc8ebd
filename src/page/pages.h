// The pages: a view in, HTML bytes out, regions for live updates marked in *w. The writer must be
// empty but for `out`.
#pragma once
#include "page/view_more.h"
#include "page/view_queue.h"

void flow_page(struct html *w, const struct view_flow *v);
void queue_page(struct html *w, const struct view_queue *v);
void change_page(struct html *w, const struct view_change *v);
void log_page(struct html *w, const struct view_log_page *v);
void environments_page(struct html *w, const struct view_environments *v);
void environment_page(struct html *w, const struct view_environment *v);
void notice_page(struct html *w, const struct view_notice *v);
void login_page(struct html *w, const struct view_frame *f);
