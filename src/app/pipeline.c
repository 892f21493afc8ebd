#include "app/pipeline.h"

#include "base/glob.h"
#include "base/jsonw.h"
#include "conf/conf.h"
#include "conf/spread.h"
#include "git/query.h"
#include "git/tree.h"

enum { PATHS_MAX = 100000 };

// told: what a person is to read when it fails, whole.
static bool read_plan(struct git_repo *r, struct oid commit, struct arena *life,
                      struct conf_plan **out, struct str *told_to, enum reason *reason,
                      struct err *e) {
	AUTO_BUF text = {0};
	if (!git_query_file(r, commit, STR("weir.yml"), CONF_BYTES_MAX, &text, e)) {
		*reason = e->code == ERR_NOT_FOUND                         ? REASON_NO_CONFIG
		          : e->code == ERR_INVALID || e->code == ERR_LIMIT ? REASON_BAD_CONFIG
		                                                           : REASON_INFRASTRUCTURE;
		if (*reason == REASON_NO_CONFIG)
			return err_set(e, ERR_NOT_FOUND, "there is no weir.yml at the root of the tree");
		if (e->code == ERR_LIMIT)
			return err_set(e, ERR_LIMIT, "weir.yml is larger than %d MB", CONF_BYTES_MAX >> 20);
		return err_context(e, "cannot read weir.yml");
	}
	struct str kept = arena_str(life, buf_view(&text));
	struct conf_diagnostics d = {.life = life};
	if (conf_parse(kept, life, out, &d)) return true;
	AUTO_BUF told = {0};
	diagnostics_text(&d, STR("weir.yml"), false, &told);
	*reason = REASON_BAD_CONFIG;
	*told_to = arena_str(life, str_trim(buf_view(&told)));
	return err_set(e, ERR_INVALID, STR_FMT, STR_ARG(*told_to));
}

static struct str plan_text(const struct conf_plan *plan, struct arena *life,
                            struct digest *digest) {
	AUTO_BUF text = {0};
	plan_json(plan, &text);
	*digest = digest_of(buf_view(&text));
	return arena_str(life, buf_view(&text));
}

bool pipeline_read_own(struct git_repo *r, struct oid commit, struct arena *life,
                       struct pipeline *out, enum reason *reason, struct err *e) {
	struct conf_plan *plan;
	if (!read_plan(r, commit, life, &plan, &out->told, reason, e)) return false;
	out->own = plan_text(plan, life, &out->own_digest);
	return true;
}

static bool touches(const struct conf_job *job, const struct str *paths, size_t count) {
	if (job->paths.n == 0) return true;
	for (size_t i = 0; i < count; i++)
		for (size_t p = 0; p < job->paths.n; p++)
			if (glob_match(job->paths.p[p], paths[i])) return true;
	return false;
}

// A job runs when the change touches its paths, or when a job that runs needs it.
static bool find_skipped(struct git_repo *r, const struct conf_plan *plan, struct oid tip,
                         struct oid commit, struct arena *life, struct str *out, struct err *e) {
	struct str *paths = NULL;
	size_t count = 0;
	bool any = false;
	for (size_t i = 0; i < plan->jobs_n; i++) any = any || plan->jobs[i].paths.n;
	if (!any || oid_is_none(tip)) return true;
	if (!git_query_paths(r, tip, commit, PATHS_MAX, life, &paths, &count, e))
		return e->code == ERR_LIMIT;
	bool *runs = ARENA_ARRAY(life, bool, plan->jobs_n);
	for (size_t i = 0; i < plan->jobs_n; i++) runs[i] = touches(&plan->jobs[i], paths, count);
	for (size_t round = 0; round < plan->jobs_n; round++)
		for (size_t i = 0; i < plan->jobs_n; i++)
			for (size_t n = 0; runs[i] && n < plan->jobs[i].needs.n; n++)
				runs[plan->jobs[i].needs.p[n]] = true;
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	jsonw_array(&w);
	for (size_t i = 0; i < plan->jobs_n; i++)
		if (!runs[i]) jsonw_int(&w, (int64_t)i);
	jsonw_array_end(&w);
	*out = arena_str(life, buf_view(&text));
	return true;
}

bool pipeline_spread(struct git_reader *reader, struct oid tree, struct arena *life,
                     struct conf_plan **plan, struct err *e) {
	struct git_differences all = {0};
	size_t n = 0;
	if (!git_tree_diff(reader, (struct oid){0}, tree, false, life, &all, e)) return false;
	struct str *paths = ARENA_ARRAY(life, struct str, all.count + 1);
	for (size_t i = 0; i < all.count; i++)
		if (all.list[i].after == GIT_MODE_FILE || all.list[i].after == GIT_MODE_PROGRAM)
			paths[n++] = all.list[i].path;
	return spread_jobs(*plan, paths, n, life, plan, e);
}

// Over the files of the commit's own tree, also for jobs that only trunk's weir.yml has.
static bool spread(struct git_repo *r, struct oid commit, struct arena *life,
                   struct conf_plan **plan, enum reason *reason, struct err *e) {
	AUTO_READER reader = {0};
	struct oid tree;
	if (!spread_wanted(*plan)) return true;
	if (git_object_open(r, &reader, e) && git_tree_of(&reader, commit, &tree, e) &&
	    pipeline_spread(&reader, tree, life, plan, e))
		return true;
	*reason = e->code == ERR_INVALID || e->code == ERR_LIMIT ? REASON_BAD_CONFIG
	                                                         : REASON_INFRASTRUCTURE;
	return false;
}

bool pipeline_read(struct git_repo *r, struct oid commit, struct oid tip, bool pipeline_scope,
                   struct arena *life, struct pipeline *out, enum reason *reason, struct err *e) {
	struct conf_plan *own, *trunk = NULL, *merged;
	struct err ignored;
	struct str unread;
	enum reason trunk_reason;
	*out = (struct pipeline){0};
	if (!read_plan(r, commit, life, &own, &out->told, reason, e)) return false;
	out->own = plan_text(own, life, &out->own_digest);
	out->trunk = own->trunk;
	merged = own;
	bool has_trunk = !oid_is_none(tip) &&
	                 read_plan(r, tip, life, &trunk, &unread, &trunk_reason, &ignored);
	if (has_trunk && !pipeline_scope && !plan_merge(own, trunk, life, &merged, e)) {
		*reason = REASON_BAD_CONFIG;
		return false;
	}
	if (!spread(r, commit, life, &merged, reason, e)) return false;
	out->plan = plan_text(merged, life, &out->digest);
	if (find_skipped(r, merged, tip, commit, life, &out->skipped, e)) return true;
	*reason = REASON_INFRASTRUCTURE;
	return false;
}
