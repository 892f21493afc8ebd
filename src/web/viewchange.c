// The views of a change and of a job's log.
#include <stdlib.h>

#include "api/joblog.h"
#include "api/jobs.h"
#include "api/loglines.h"
#include "api/logsource.h"
#include "api/queueorder.h"
#include "base/json.h"
#include "probe/ansi.h"
#include "probe/failure.h"
#include "web/viewer.h"

enum {
	LOG_MAX = 8 << 20,
	PAGE_LINES = 1000,
	EXCERPT_LINES = 40,
	TESTS_MAX = 10,
	RESULTS_MAX = 16 << 20
};

// ---------------------------------------------------------------- logs

struct kept { // the newest `most` lines from line `from` on, in a ring
	struct arena *life;
	struct view_log_line *ring;
	size_t most, count;
	uint64_t from, last;
	bool full; // it is not a ring: it ends when it is full
};

static void keep(void *context, uint64_t number, char channel, int64_t ms, struct str text) {
	(void)ms;
	struct kept *k = context;
	k->last = number;
	if (number < k->from || (k->full && k->count >= k->most)) return;
	AUTO_BUF html = {0};
	struct ansi ansi = {0};
	ansi_html(&ansi, text, &html);
	ansi_html_end(&ansi, &html);
	k->ring[k->count++ % k->most] = (struct view_log_line){
		.number = number, .channel = channel, .html = arena_str(k->life, buf_view(&html))};
}

// Reads the log of a run. from = 0: its last `most` lines.
static void read_log(const struct viewer *v, struct run_id run, uint64_t from, size_t most,
                     struct view_log *log) {
	AUTO_BUF bytes = {0};
	struct err e = {0};
	bool over = false;
	uint64_t total = 0, start = 0;
	bool ok = logsource_read(v->api, run, 0, 0, &bytes, &over, &total, &e);
	if (total > LOG_MAX && !from) start = total - LOG_MAX / 8;
	ok = ok && logsource_read(v->api, run, start, LOG_MAX, &bytes, &over, &total, &e);
	if (!ok) {
		log->gone = arena_str(v->life, str_of(e.text));
		return;
	}
	struct kept k = {.life = v->life, .most = most, .from = from, .full = from > 0};
	k.ring = ARENA_ARRAY(v->life, struct view_log_line, most);
	struct loglines lines = {0};
	loglines_feed(&lines, buf_view(&bytes), keep, &k);
	if (over) loglines_end(&lines, keep, &k);
	loglines_free(&lines);
	size_t n = k.count < most ? k.count : most, first = k.count < most ? 0 : k.count % most;
	struct view_log_line *rows = ARENA_ARRAY(v->life, struct view_log_line, n + 1);
	for (size_t i = 0; i < n; i++) rows[i] = k.ring[(first + i) % most];
	log->lines = rows;
	log->line_count = n;
	log->total = start ? 0 : k.last; // of the end alone, lines can't be counted
}

// Marks what most likely explains the failure.
static void mark(const struct viewer *v, const struct view_log *log, struct view_log_line *rows) {
	struct failure_line found[8];
	AUTO_BUF text = {0};
	for (size_t i = 0; i < log->line_count; i++) {
		buf_str(&text, rows[i].html);
		buf_char(&text, '\n');
	}
	size_t n = failure_find(buf_view(&text), ARRAY_LEN(found), v->life, found);
	for (size_t i = 0; i < n; i++)
		if (found[i].number >= 1 && found[i].number <= log->line_count && found[i].weight >= 30)
			rows[found[i].number - 1].hit = true;
}

static void read_excerpt(const struct viewer *v, struct run_id run, struct view_log *log) {
	read_log(v, run, 0, EXCERPT_LINES, log);
	if (!log->line_count) return;
	struct view_log_line *rows = ARENA_ARRAY(v->life, struct view_log_line, log->line_count);
	memcpy(rows, log->lines, log->line_count * sizeof *rows);
	mark(v, log, rows);
	log->lines = rows;
}

// ---------------------------------------------------------------- failed tests

static void add_test(const struct viewer *v, struct view_change *out, struct view_test *rows,
                     struct str job, const struct json *t) {
	struct str suite = json_get_str(t, "suite"), name = json_get_str(t, "name"),
			   file = json_get_str(t, "file");
	int64_t line = json_get_int(t, "line", 0);
	struct view_test *row = &rows[out->test_count++];
	*row = (struct view_test){
		.job = job,
		.name = suite.n && !str_eq(suite, name)
	                ? arena_printf(v->life, STR_FMT " " STR_FMT, STR_ARG(suite), STR_ARG(name))
	                : arena_str(v->life, name),
		.message = arena_str(v->life, json_get_str(t, "message")),
		.output = arena_str(v->life, json_get_str(t, "output"))};
	if (file.n && line)
		row->place = arena_printf(v->life, STR_FMT ":%lld", STR_ARG(file), (long long)line);
	else row->place = arena_str(v->life, file);
	if (str_eq(row->output, row->message)) row->output = STR_NONE;
}

static bool is_failed(const struct json *t) {
	struct str outcome = json_get_str(t, "outcome");
	return !json_get_bool(t, "group", false) &&
	       (str_eq(outcome, STR("failed")) || str_eq(outcome, STR("error")));
}

// From the results that the run left, else the names in the event.
static void read_tests(const struct viewer *v, const struct read_run *run, struct view_change *out,
                       struct view_test *rows) {
	AUTO_BUF bytes = {0};
	AUTO_JSON results = NULL;
	AUTO_JSON names = NULL;
	struct err e;
	size_t before = out->test_count;
	out->tests_failed += (size_t)run->tests_failed;
	out->tests_run += (size_t)run->tests;
	if (!digest_is_none(run->results) &&
	    object_get(v->api->host.objects, run->results, RESULTS_MAX, &bytes, &e) &&
	    json_parse(buf_view(&bytes), &results, &e)) {
		for (size_t i = 0; i < json_length(results); i++) {
			const struct json *tests = json_get(json_get(json_at(results, i), "results"), "tests");
			for (size_t k = 0; k < json_length(tests) && out->test_count < TESTS_MAX; k++)
				if (is_failed(json_at(tests, k)))
					add_test(v, out, rows, run->name, json_at(tests, k));
		}
	}
	if (out->test_count > before || !run->failed_tests.n ||
	    !json_parse(run->failed_tests, &names, &e))
		return;
	for (size_t i = 0; i < json_length(names) && out->test_count < TESTS_MAX; i++)
		rows[out->test_count++] = (struct view_test){
			.job = run->name, .name = arena_str(v->life, json_str(json_at(names, i)))};
}

// ---------------------------------------------------------------- the change

static void conflicts(const struct viewer *v, struct str json, struct view_change *out) {
	AUTO_JSON list = NULL;
	struct err e;
	if (!json.n || !json_parse(json, &list, &e)) return;
	struct view_conflict *rows = ARENA_ARRAY(v->life, struct view_conflict, json_length(list) + 1);
	for (size_t i = 0; i < json_length(list) && i < 50; i++) {
		const struct json *c = json_at(list, i);
		rows[out->conflict_count++] = (struct view_conflict){
			arena_str(v->life, json_get_str(c, "path")),
			arena_str(v->life, json_get_str(c, "kind")),
			arena_str(v->life, json_get_str(c, "text")),
			arena_str(v->life, json_get_str(c, "ours")),
			arena_str(v->life, json_get_str(c, "theirs"))};
	}
	out->conflicts = rows;
}

static void sort_failed_first(struct view_job *jobs, size_t n) {
	size_t to = 0;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].state != JOB_VIEW_FAILED) continue;
		struct view_job failed = jobs[i];
		memmove(&jobs[to + 1], &jobs[to], (i - to) * sizeof *jobs);
		jobs[to++] = failed;
	}
}

static bool ended_jobs(const struct viewer *v, struct viewer_jobs *jobs, struct view_change *out,
                       struct err *e) {
	struct view_test *tests = ARENA_ARRAY(v->life, struct view_test, TESTS_MAX);
	for (size_t i = 0; i < jobs->n; i++) {
		const struct view_job *j = &jobs->p[i];
		struct read_run run;
		if (j->started_ms && (!out->tested_from_ms || j->started_ms < out->tested_from_ms))
			out->tested_from_ms = j->started_ms;
		if (j->ended_ms > out->tested_to_ms) out->tested_to_ms = j->ended_ms;
		if (!out->tested_from_ms && j->ended_ms) out->tested_from_ms = j->ended_ms;
		if (j->state != JOB_VIEW_FAILED) continue;
		if (!read_run(v->api->host.store, (struct run_id){j->run}, v->life, &run, e)) return false;
		read_tests(v, &run, out, tests);
	}
	out->tests = tests;
	sort_failed_first(jobs->p, jobs->n);
	out->jobs = jobs->p;
	out->job_count = jobs->n;
	if (jobs->n && jobs->p[0].run && jobs->p[0].state == JOB_VIEW_FAILED) {
		out->log.job = jobs->p[0].name;
		read_excerpt(v, (struct run_id){jobs->p[0].run}, &out->log);
	}
	return true;
}

bool viewchange_make(const struct viewer *v, struct change_id id, struct view_change *out,
                     struct err *e) {
	struct read_change c;
	struct viewer_jobs jobs;
	if (!read_change(v->api->host.store, id, v->life, &c, e)) {
		if (e->code == ERR_NOT_FOUND)
			err_set(e, ERR_NOT_FOUND, "there is no change %llu", (unsigned long long)id.v);
		return false;
	}
	struct str path = arena_printf(v->life, "/change/%llu", (unsigned long long)id.v);
	struct str title = arena_printf(v->life, "#%llu " STR_FMT, (unsigned long long)id.v,
	                                STR_ARG(c.title));
	bool ended = c.ended_ms > 0, rejected = str_eq(c.state, STR("rejected"));
	*out = (struct view_change){.frame = viewer_frame(v, "queue", title, path),
	                            .ref = viewer_ref(&c),
	                            .repo = c.repo_name,
	                            .target = c.target,
	                            .head = viewer_oid(v, c.head),
	                            .state = c.state,
	                            .candidate_commit = viewer_oid(v, c.candidate_commit),
	                            .landed_commit = viewer_oid(v, c.landed_commit),
	                            .revision = (uint64_t)c.revision,
	                            .files = c.files,
	                            .lines_added = c.lines_added,
	                            .lines_deleted = c.lines_deleted,
	                            .commits = c.commits,
	                            .draft = c.draft != 0,
	                            .reason_code = reason_code(c.reason),
	                            .reason_text = c.reason_text,
	                            .reason_next = reason_next(c.reason),
	                            .stays_queued = reason_stays_queued(c.reason),
	                            .may_withdraw = !ended || rejected,
	                            .may_retry = rejected,
	                            .may_cancel = str_eq(c.state, STR("testing")),
	                            .proposed_ms = c.proposed_ms,
	                            .queued_ms = c.queued_ms,
	                            .landed_ms = c.landed_ms,
	                            .deployed_ms = c.deployed_ms,
	                            .ended_ms = c.ended_ms};
	out->frame.command = arena_printf(v->life, "weir status %llu", (unsigned long long)id.v);
	out->frame.json = arena_printf(v->life, "/api/v1/changes/%llu", (unsigned long long)id.v);
	struct read_delivery delivery;
	if (c.landed_ms && read_delivery(v->api->host.store, id, v->life, &delivery, NULL)) {
		struct str rest = delivery.reason_text;
		out->deployed_env = delivery.env_name;
		out->delivery_state = delivery.state;
		out->delivery_text = str_cut(&rest, '\n');
	}
	struct read_envs envs;
	if (!out->deployed_env.n && read_envs(v->api->host.store, c.repo, v->life, &envs, NULL) &&
	    envs.n)
		out->deployed_env = envs.p[0].name;
	int64_t ahead = queueorder_ahead(v->api->host.state(v->api->host.context), id);
	out->ahead = ahead > 0 ? (uint64_t)ahead : 0;
	out->typical = viewer_typical(v, c.repo);
	if (!viewer_jobs(v, &c, &jobs, e) || !ended_jobs(v, &jobs, out, e)) return false;
	conflicts(v, jobs.candidate.conflicts, out);
	uint64_t *with = NULL;
	out->with_count = jobs_others(&jobs.candidate, id, v->life, &with);
	out->with = with;
	return true;
}

// ---------------------------------------------------------------- the page of a log

static bool find_job(const struct viewer *v, const struct read_change *c, struct run_id run,
                     struct view_job *out, struct err *e) {
	struct viewer_jobs jobs;
	struct read_run r;
	if (!viewer_jobs(v, c, &jobs, e)) return false;
	for (size_t i = 0; i < jobs.n; i++) {
		if (jobs.p[i].run != run.v) continue;
		*out = jobs.p[i];
		return true;
	}
	if (!read_run(v->api->host.store, run, v->life, &r, e)) return false; // of an earlier candidate
	*out = (struct view_job){.name = r.name,
	                         .facts = r.reason_text,
	                         .run = run.v,
	                         .issued_ms = r.issued_ms,
	                         .started_ms = r.started_ms,
	                         .ended_ms = r.ended_ms,
	                         .duration_ms = r.duration_ms,
	                         .expected_ms = -1};
	out->state = !r.ended_ms                    ? JOB_VIEW_RUNNING
	             : r.outcome == OUTCOME_PASSED  ? JOB_VIEW_PASSED
	             : r.outcome == OUTCOME_FAILED  ? JOB_VIEW_FAILED
	             : str_eq(r.state, STR("lost")) ? JOB_VIEW_LOST
	                                            : JOB_VIEW_STOPPED;
	return true;
}

bool viewchange_log(const struct viewer *v, struct change_id id, struct str job, uint64_t from,
                    struct view_log_page *out, struct err *e) {
	struct read_change c;
	struct run_id run;
	bool live;
	if (!read_change(v->api->host.store, id, v->life, &c, e) ||
	    !joblog_find(v->api, id, job, &run, &live, e))
		return false;
	AUTO_BUF path = {0};
	buf_printf(&path, "/change/%llu/log/", (unsigned long long)id.v);
	buf_url(&path, job);
	struct str title = arena_printf(v->life, "Log of " STR_FMT ", #%llu", STR_ARG(job),
	                                (unsigned long long)id.v);
	*out = (struct view_log_page){.ref = viewer_ref(&c)};
	if (!find_job(v, &c, run, &out->job, e)) return false;
	out->log.job = out->job.name;
	out->log.running = live;
	read_log(v, run, from, PAGE_LINES, &out->log);
	size_t n = out->log.line_count;
	out->first = n ? out->log.lines[0].number : 0;
	out->last = n ? out->log.lines[n - 1].number : 0;
	out->frame = viewer_frame(v, "queue", title, live && !from ? buf_view(&path) : STR_NONE);
	if (live && !from)
		out->frame.live = arena_printf(v->life, STR_FMT "&after=%llu", STR_ARG(out->frame.live),
		                               (unsigned long long)out->last);
	out->frame.command = arena_printf(v->life, "weir log %llu " STR_FMT, (unsigned long long)id.v,
	                                  STR_ARG(job));
	if (live) out->log.total = 0;
	if (out->first > 1)
		out->earlier = arena_printf(
			v->life, STR_FMT "?from=%llu", STR_ARG(buf_view(&path)),
			(unsigned long long)(out->first > PAGE_LINES ? out->first - PAGE_LINES : 1));
	if (out->log.total > out->last)
		out->later = arena_printf(v->life, STR_FMT "?from=%llu", STR_ARG(buf_view(&path)),
		                          (unsigned long long)out->last + 1);
	return true;
}
