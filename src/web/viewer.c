#include "web/viewer.h"

#include <stdlib.h>

#include "api/jobs.h"
#include "base/json.h"

struct view_frame viewer_frame(const struct viewer *v, const char *nav, struct str title,
                               struct str path) {
	struct err e;
	struct read_repos repos;
	AUTO_BUF live = {0};
	const struct api_host *host = &v->api->host;
	const char *why = host->read_only(host->context);
	struct view_frame f = {
		.title = arena_cstr(v->life, title),
		.nav = nav,
		.csrf = v->csrf,
		.read_only = str_of(why),
		.runs_wait = str_of(host->runs_wait ? host->runs_wait(host->context) : NULL),
		.stuck = why && !(host->records && host->records(host->context)),
		.may_operate = operation_allows(v->who.scopes, OPERATION_SCOPE_OPERATE),
		.now_ms = v->now_ms};
	if (path.n) {
		buf_cstr(&live, "/live?page=");
		buf_url(&live, path);
		f.live = arena_str(v->life, buf_view(&live));
	}
	if (read_repos(v->api->host.store, v->life, &repos, &e) && repos.n == 1)
		f.repo = arena_printf(v->life, STR_FMT ", branch " STR_FMT, STR_ARG(repos.p[0].name),
		                      STR_ARG(repos.p[0].trunk));
	return f;
}

struct str viewer_oid(const struct viewer *v, struct oid oid) {
	char text[OID_HEX_MAX + 1];
	oid_hex(oid, text);
	return arena_str(v->life, str_of(text));
}

struct view_ref viewer_ref(const struct read_change *c) {
	return (struct view_ref){c->id.v, c->title, c->author, c->author_kind};
}

static int compare_ms(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

struct view_typical viewer_typical(const struct viewer *v, struct repo_id repo) {
	enum { LANDED = 20 };
	int64_t ms[LANDED];
	size_t n = 0;
	struct read_changes list;
	struct err e;
	struct read_filter filter = {.which = READ_ENDED, .repo = repo, .limit = 3 * (size_t)LANDED};
	if (!read_changes(v->api->host.store, filter, v->life, &list, &e))
		return (struct view_typical){0};
	for (size_t i = 0; i < list.n && n < LANDED; i++) {
		const struct read_change *c = &list.p[i];
		if (c->landed_ms > 0 && c->queued_ms > 0) ms[n++] = c->landed_ms - c->queued_ms;
	}
	if (!n) return (struct view_typical){0};
	qsort(ms, n, sizeof *ms, compare_ms);
	return (struct view_typical){(int64_t)n, ms[n / 10], ms[n / 2], ms[n - 1 - n / 10]};
}

int64_t viewer_expected(const struct viewer *v, struct repo_id repo, struct str job) {
	int64_t ms = 0;
	struct err e;
	return read_job_duration(v->api->host.store, repo, job, &ms, &e) && ms > 0 ? ms : -1;
}

// ---------------------------------------------------------------- feed

static struct view_feed feed_row(const struct viewer *v, const struct read_feed *f) {
	struct view_feed row = {.at_ms = f->time_ms,
	                        .ref = {f->change.v, f->title, f->author, STR_NONE},
	                        .commit = viewer_oid(v, f->commit),
	                        .text = f->reason_text.n ? f->reason_text : reason_code(f->reason),
	                        .next = reason_next(f->reason),
	                        .took_ms = -1,
	                        .stays_queued = reason_stays_queued(f->reason),
	                        .env = f->env_name};
	if (str_eq(f->what, STR("landed"))) row.kind = FEED_LANDED;
	else if (str_eq(f->what, STR("rejected"))) row.kind = FEED_EJECTED;
	else if (str_eq(f->what, STR("live")))
		row.kind = str_eq(f->cause, STR("rollback")) ? FEED_ROLLED_BACK : FEED_DEPLOYED;
	else row.kind = FEED_DEPLOY_FAILED;
	struct read_change c;
	struct read_run run;
	struct err e;
	if (!read_change(v->api->host.store, f->change, v->life, &c, &e)) return row;
	row.ref = viewer_ref(&c);
	if (row.kind == FEED_LANDED && c.queued_ms > 0) row.took_ms = f->time_ms - c.queued_ms;
	if (row.kind != FEED_EJECTED || !c.run.v ||
	    !read_run(v->api->host.store, c.run, v->life, &run, &e))
		return row;
	AUTO_JSON tests = NULL;
	if (run.failed_tests.n && json_parse(run.failed_tests, &tests, &e))
		row.test = arena_str(v->life, json_str(json_at(tests, 0)));
	return row;
}

static void add_counted(struct viewer_feed *out, const struct read_count *c) {
	size_t hour = (size_t)(c->hour_ms / 3600000 % 24);
	if (str_eq(c->what, STR("landed"))) out->landed_by_hour[hour] += c->n;
	else if (str_eq(c->what, STR("proposed"))) out->proposed_by_hour[hour] += c->n;
	else if (str_eq(c->what, STR("live"))) out->deployed_today += c->n;
	else if (str_eq(c->what, STR("rolled-back"))) out->rolled_back_today += c->n;
}

bool viewer_feed(const struct viewer *v, size_t rows, struct viewer_feed *out, struct err *e) {
	struct read_feeds feed;
	struct read_counts day, hour;
	struct store *s = v->api->host.store;
	int64_t midnight = v->now_ms - v->now_ms % 86400000;
	*out = (struct viewer_feed){.rows = ARENA_ARRAY(v->life, struct view_feed, rows)};
	if (!read_feed(s, (struct repo_id){0}, 0, rows, v->life, &feed, e) ||
	    !read_counted(s, midnight, v->life, &day, e) ||
	    !read_counted(s, v->now_ms - 3600000, v->life, &hour, e))
		return false;
	while (out->row_count < feed.n) {
		out->rows[out->row_count] = feed_row(v, &feed.p[out->row_count]);
		out->row_count++;
	}
	for (size_t i = 0; i < day.n; i++) add_counted(out, &day.p[i]);
	for (size_t i = 0; i < hour.n; i++) {
		if (str_eq(hour.p[i].what, STR("landed"))) out->landed_hour += hour.p[i].n;
		if (str_eq(hour.p[i].what, STR("rejected"))) out->ejected_hour += hour.p[i].n;
	}
	return true;
}

// ---------------------------------------------------------------- jobs

static struct str job_facts(const struct viewer *v, const struct jobs_row *j) {
	const struct read_run *r = j->run;
	if (!r)
		return j->state == JOBS_SKIPPED ? STR("the change touches none of its paths") : STR_NONE;
	if (j->reused) return STR("same inputs as an earlier run");
	if (r->tests_failed)
		return arena_printf(v->life, "%lld of %lld test%s failed", (long long)r->tests_failed,
		                    (long long)r->tests, r->tests == 1 ? "" : "s");
	if (r->reason_text.n) return r->reason_text;
	if (j->state == JOBS_FAILED && r->exit_status)
		return arena_printf(v->life, "exit status %lld", (long long)r->exit_status);
	if (r->tests)
		return arena_printf(v->life, "%lld test%s", (long long)r->tests, r->tests == 1 ? "" : "s");
	if (r->attempt > 1) return arena_printf(v->life, "attempt %lld", (long long)r->attempt);
	return STR_NONE;
}

static enum view_job_state job_state(const struct jobs_row *j) {
	switch (j->state) {
	case JOBS_WAITING: return JOB_VIEW_WAITS;
	case JOBS_RUNNING: return JOB_VIEW_RUNNING;
	case JOBS_PASSED: return j->reused ? JOB_VIEW_REUSED : JOB_VIEW_PASSED;
	case JOBS_FAILED: return JOB_VIEW_FAILED;
	case JOBS_SKIPPED: return JOB_VIEW_SKIPPED;
	case JOBS_STOPPED: return JOB_VIEW_STOPPED;
	case JOBS_LOST: return JOB_VIEW_LOST;
	}
	return JOB_VIEW_WAITS;
}

bool viewer_jobs(const struct viewer *v, const struct read_change *c, struct viewer_jobs *out,
                 struct err *e) {
	struct jobs jobs;
	if (!jobs_read(v->api->host.store, c->candidate, v->life, &jobs, e)) return false;
	*out = (struct viewer_jobs){.n = jobs.n, .candidate = jobs.candidate};
	out->p = jobs.n ? ARENA_ARRAY(v->life, struct view_job, jobs.n) : NULL;
	for (size_t i = 0; i < jobs.n; i++) {
		const struct read_run *r = jobs.p[i].run;
		struct view_job *j = &out->p[i];
		*j = (struct view_job){.name = jobs.p[i].name,
		                       .facts = job_facts(v, &jobs.p[i]),
		                       .state = job_state(&jobs.p[i]),
		                       .expected_ms = viewer_expected(v, c->repo, jobs.p[i].name)};
		if (!r) continue;
		j->run = r->id.v;
		j->issued_ms = r->issued_ms;
		j->started_ms = r->started_ms;
		j->ended_ms = r->ended_ms;
		j->duration_ms = jobs.p[i].reused ? r->saved_ms : r->duration_ms;
	}
	return true;
}

// ---------------------------------------------------------------- environments

static uint64_t release_of(const struct viewer *v, struct release_id id, struct str *commit,
                           uint64_t *change) {
	struct read_release r;
	struct err e;
	if (!id.v || !read_release(v->api->host.store, id, v->life, &r, &e)) return 0;
	*commit = viewer_oid(v, r.commit);
	*change = r.change.v;
	return id.v;
}

struct view_env viewer_env(const struct viewer *v, const struct read_env *e) {
	struct view_env env = {.name = e->name,
	                       .repo = e->repo_name,
	                       .live_ms = e->live_ms,
	                       .health_ms = e->health_ms,
	                       .health = e->health,
	                       .health_text = e->health_text,
	                       .defined = e->defined != 0};
	struct read_rollout rollout;
	struct read_releases newest;
	struct err why;
	env.release = release_of(v, e->release, &env.commit, &env.change);
	env.previous = release_of(v, e->previous, &env.previous_commit, &env.previous_change);
	if (e->rollout.v && read_rollout(v->api->host.store, e->rollout, v->life, &rollout, &why)) {
		env.rollout_release = release_of(v, rollout.release, &env.rollout_commit,
		                                 &env.rollout_change);
		env.rollout_ms = rollout.issued_ms;
		env.cancelling = str_eq(rollout.state, STR("cancelling"));
	}
	if (read_releases(v->api->host.store, e->repo, (struct release_id){0}, 1, v->life, &newest,
	                  &why) &&
	    newest.n)
		env.behind = env.release && newest.p[0].id.v > env.release;
	return env;
}

bool viewer_envs(const struct viewer *v, const struct view_env **out, size_t *count,
                 struct err *e) {
	struct read_envs envs;
	if (!read_envs(v->api->host.store, (struct repo_id){0}, v->life, &envs, e)) return false;
	struct view_env *rows = ARENA_ARRAY(v->life, struct view_env, envs.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < envs.n; i++)
		if (envs.p[i].defined || envs.p[i].release.v) rows[n++] = viewer_env(v, &envs.p[i]);
	*out = rows;
	*count = n;
	return true;
}
