// Looks up what the pages show (page/view.h): projections and state in, plain views out. Everything
// in a view lives in `life`.
#pragma once
#include "api/api.h"
#include "page/pages.h"
#include "store/read.h"

struct viewer {
	struct api *api;
	struct api_identity who;
	struct arena *life;
	struct str csrf;
	int64_t now_ms;
};

// What all pages have. path: of the page itself, for its event stream; "" = not live.
struct view_frame viewer_frame(const struct viewer *v, const char *nav, struct str title,
                               struct str path);
struct str viewer_oid(const struct viewer *v, struct oid oid);
struct view_ref viewer_ref(const struct read_change *c);
// Of the newest 20 landed changes; n = 0 without any.
struct view_typical viewer_typical(const struct viewer *v, struct repo_id repo);
int64_t viewer_expected(const struct viewer *v, struct repo_id repo,
                        struct str job); // ms, -1 = not known

struct viewer_feed { // since midnight and the hour before now, and its newest rows
	struct view_feed *rows;
	size_t row_count;
	int64_t landed_hour, ejected_hour, deployed_today, rolled_back_today, landed_by_hour[24],
		proposed_by_hour[24];
};
MUST_USE bool viewer_feed(const struct viewer *v, size_t rows, struct viewer_feed *out,
                          struct err *e);

struct viewer_jobs {
	struct view_job *p;
	size_t n;
	struct read_candidate candidate;
};
MUST_USE bool viewer_jobs(const struct viewer *v, const struct read_change *c,
                          struct viewer_jobs *out, struct err *e);

MUST_USE bool viewer_envs(const struct viewer *v, const struct view_env **out, size_t *count,
                          struct err *e);
struct view_env viewer_env(const struct viewer *v, const struct read_env *e);

// The pages. ERR_NOT_FOUND: what the path names does not exist.
MUST_USE bool viewflow_make(const struct viewer *v, struct view_flow *out, struct err *e);
MUST_USE bool viewflow_queue(const struct viewer *v, struct view_queue *out, struct err *e);
MUST_USE bool viewchange_make(const struct viewer *v, struct change_id id, struct view_change *out,
                              struct err *e);
// from: first line, 0 = the last ones.
MUST_USE bool viewchange_log(const struct viewer *v, struct change_id id, struct str job,
                             uint64_t from, struct view_log_page *out, struct err *e);
MUST_USE bool viewenv_list(const struct viewer *v, struct view_environments *out, struct err *e);
// repo "": the one repository that has it; ERR_CONFLICT when several have.
MUST_USE bool viewenv_make(const struct viewer *v, struct str repo, struct str name,
                           struct view_environment *out, struct err *e);
