#include "app/logtrace.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/simulatequeue.h"
#include "conf/plan.h"
#include "git/query.h"
#include "git/repo.h"
#include "sim/queuetrace.h"
#include "store/read.h"

enum { PAGE = 500, PATHS_MAX = 100000, LEVELS = 2 };
static const double PRIOR = .9, PRIOR_WEIGHT = 10, AUTHOR_WEIGHT = 5;

struct author {
	struct str name;
	double changes, landed;
};

struct entry { // a change with its trace
	struct read_change change;
	struct queuetrace_change traced;
	int64_t green_ms; // when its last green candidate that did not land was green; 0 = none
	bool red;
};

struct maker {
	struct arena *life;
	struct store *store;
	struct git_home *git;
	struct git_repo **repos; // by place in rows
	struct read_repos rows;
	struct entry *list;
	size_t n, cap, left_out;
	struct str *areas;
	size_t area_count, area_cap;
	struct author *authors;
	size_t author_count, author_cap;
	int64_t saved_ms, all_ms; // job time that was reused, of all
};

static void *grown(struct arena *life, void *list, size_t n, size_t *cap, size_t size) {
	if (n < *cap) return list;
	*cap = *cap ? *cap * 2 : 64;
	void *more = arena_array(life, *cap, size);
	if (n) memcpy(more, list, n * size);
	return more;
}

// ---------------------------------------------------------------- areas

static uint32_t area_of(struct maker *m, struct str name) {
	for (size_t i = 0; i < m->area_count; i++)
		if (str_eq(m->areas[i], name)) return (uint32_t)i;
	m->areas = grown(m->life, m->areas, m->area_count, &m->area_cap, sizeof m->areas[0]);
	m->areas[m->area_count] = arena_str(m->life, name);
	return (uint32_t)m->area_count++;
}

static struct str folder_of(struct str path) {
	size_t end = 0;
	for (size_t i = 0, levels = 0; i < path.n && levels < LEVELS; i++)
		if (path.p[i] == '/') {
			levels++;
			end = i;
		}
	return end ? str_slice(path, 0, end) : path;
}

static bool find_areas(struct maker *m, struct entry *it, struct err *e) {
	struct str *paths;
	size_t count, n = 0;
	uint32_t *areas = ARENA_ARRAY(m->life, uint32_t, QUEUETRACE_AREAS_MAX);
	struct git_repo *git = NULL;
	for (size_t i = 0; i < m->rows.n; i++)
		if (m->rows.p[i].id.v == it->change.repo.v) git = m->repos[i];
	if (!git || !git_query_paths(git, it->change.base, it->change.head, PATHS_MAX, m->life, &paths,
	                             &count, e))
		return false;
	for (size_t i = 0; i < count && n < QUEUETRACE_AREAS_MAX; i++) {
		uint32_t area = area_of(m, folder_of(paths[i]));
		bool known = false;
		for (size_t k = 0; k < n; k++) known = known || areas[k] == area;
		if (!known) areas[n++] = area;
	}
	if (!n) areas[n++] = area_of(m, STR(".")); // an empty commit
	it->traced.areas = areas;
	it->traced.area_count = n;
	return true;
}

// ---------------------------------------------------------------- durations

// Along the longest way through the needs. 0 = its jobs did not all end.
static int64_t duration_of(struct maker *m, const struct read_candidate *c, bool *passed) {
	AUTO_JSON json = NULL;
	struct conf_plan *plan;
	struct read_runs runs;
	struct err e;
	int64_t longest = 0;
	*passed = true;
	if (!c->plan.n || !json_parse(c->plan, &json, &e) ||
	    !plan_from_json(json, m->life, &plan, &e) ||
	    !read_runs_of_candidate(m->store, c->id, m->life, &runs, &e))
		return 0;
	int64_t *took = ARENA_ARRAY(m->life, int64_t, plan->jobs_n + 1);
	for (size_t i = 0; i < runs.n; i++) {
		const struct read_run *r = &runs.p[i];
		if (r->job < 0 || (size_t)r->job >= plan->jobs_n ||
		    plan->jobs[r->job].when != CONF_WHEN_CHANGE || !r->ended_ms)
			continue;
		int64_t ms = r->reused_of.v ? r->saved_ms : r->duration_ms;
		took[r->job] = ms;
		m->all_ms += ms;
		m->saved_ms += r->reused_of.v ? ms : 0;
		if (r->outcome == OUTCOME_FAILED) *passed = false;
		if (r->outcome != OUTCOME_PASSED && r->outcome != OUTCOME_FAILED) return 0;
	}
	// Needs may stand behind; they form no circle.
	int64_t *until = ARENA_ARRAY(m->life, int64_t, plan->jobs_n + 1);
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < plan->jobs_n; i++) {
			int64_t begins = 0;
			for (size_t k = 0; k < plan->jobs[i].needs.n; k++)
				if (until[plan->jobs[i].needs.p[k]] > begins)
					begins = until[plan->jobs[i].needs.p[k]];
			if (until[i] == begins + took[i]) continue;
			until[i] = begins + took[i];
			moved = true;
		}
	}
	for (size_t i = 0; i < plan->jobs_n; i++)
		if (until[i] > longest) longest = until[i];
	return longest;
}

static bool find_duration(struct maker *m, struct entry *it, struct err *e) {
	struct read_candidates all;
	if (!read_candidates(m->store, it->change.id, m->life, &all, e)) return false;
	for (size_t i = 0; i < all.n; i++) {
		bool passed;
		int64_t ms = duration_of(m, &all.p[i], &passed);
		if (!ms) continue;
		it->traced.duration_ms = ms;
		it->red = !passed;
		if (passed && !str_eq(all.p[i].state, STR("landed"))) it->green_ms = all.p[i].ended_ms;
	}
	return true;
}

// ---------------------------------------------------------------- predictions and conflicts

static void predict(struct maker *m, struct entry *it) {
	struct author *a = NULL;
	double landed = PRIOR * PRIOR_WEIGHT, changes = PRIOR_WEIGHT;
	for (size_t i = 0; i < m->author_count; i++) {
		changes += m->authors[i].changes;
		landed += m->authors[i].landed;
		if (str_eq(m->authors[i].name, it->change.author)) a = &m->authors[i];
	}
	if (!a) {
		m->authors = grown(m->life, m->authors, m->author_count, &m->author_cap, sizeof *a);
		a = &m->authors[m->author_count++];
		*a = (struct author){.name = it->change.author};
	}
	double all = landed / changes;
	it->traced.success = (a->landed + all * AUTHOR_WEIGHT) / (a->changes + AUTHOR_WEIGHT);
	a->changes++;
	a->landed += it->traced.ok;
}

static void find_conflict(struct maker *m, size_t index) {
	struct entry *it = &m->list[index];
	uint32_t found = 0, *conflicts = ARENA_ARRAY(m->life, uint32_t, 1);
	if (!it->red || !it->green_ms) return;
	for (size_t i = 0; i < index; i++) {
		const struct entry *other = &m->list[i];
		if (!other->change.landed_ms || other->change.landed_ms < it->green_ms ||
		    other->change.landed_ms > it->change.ended_ms ||
		    !queuetrace_meet(&other->traced, &it->traced))
			continue;
		conflicts[0] = (uint32_t)i;
		found++;
	}
	if (found != 1) return;
	it->traced.ok = true;
	it->traced.conflicts = conflicts;
	it->traced.conflict_count = 1;
}

// ---------------------------------------------------------------- the log

static bool is_judged(const struct read_change *c) {
	if (str_eq(c->state, STR("landed"))) return true;
	return str_eq(c->state, STR("rejected")) &&
	       (c->reason == REASON_TEST_FAILED || c->reason == REASON_JOB_FAILED ||
	        c->reason == REASON_JOB_TIMED_OUT || c->reason == REASON_JOB_KILLED ||
	        c->reason == REASON_ARTIFACT_MISSING || c->reason == REASON_SIGNALLED);
}

static bool add(struct maker *m, const struct read_change *c, struct err *e) {
	struct entry it = {.change = *c};
	if (!is_judged(c) || !find_duration(m, &it, e)) {
		m->left_out++;
		return !is_judged(c);
	}
	if (!it.traced.duration_ms) { // all its jobs were skipped, or the log holds none
		m->left_out++;
		return true;
	}
	it.traced.ok = c->landed_ms > 0;
	it.traced.priority = (int32_t)(c->priority > 0 ? c->priority : 0);
	if (!find_areas(m, &it, e)) return false;
	m->list = grown(m->life, m->list, m->n, &m->cap, sizeof it);
	m->list[m->n++] = it;
	return true;
}

static int by_arrival(const void *a, const void *b) {
	const struct entry *x = a, *y = b;
	int64_t left = x->change.queued_ms, right = y->change.queued_ms;
	if (left != right) return left < right ? -1 : 1;
	return (x->change.id.v > y->change.id.v) - (x->change.id.v < y->change.id.v);
}

static bool read_log(struct maker *m, struct err *e) {
	struct read_filter filter = {.which = READ_ALL, .limit = PAGE};
	struct read_changes page;
	do {
		if (!read_changes(m->store, filter, m->life, &page, e)) return false;
		for (size_t i = 0; i < page.n; i++) {
			if (!page.p[i].ended_ms) continue;
			if (m->n == QUEUETRACE_CHANGES_MAX) return true;
			if (!add(m, &page.p[i], e)) return false;
		}
		if (page.n) filter.before = page.p[page.n - 1].id;
	} while (page.n == PAGE);
	if (!m->n)
		return err_set(e, ERR_NOT_FOUND,
		               "no change of this log was landed or rejected by its jobs");
	qsort(m->list, m->n, sizeof m->list[0], by_arrival);
	return true;
}

static void finish(struct maker *m, struct queuetrace *out) {
	*out = (struct queuetrace){ARENA_ARRAY(m->life, struct queuetrace_change, m->n), m->n};
	for (size_t i = 0; i < m->n; i++) {
		struct entry *it = &m->list[i];
		it->traced.arrival_ms = it->change.queued_ms - m->list[0].change.queued_ms;
		predict(m, it);
		if (!it->traced.priority) find_conflict(m, i);
		out->changes[i] = it->traced;
	}
}

static bool make(struct maker *m, const char *data, struct queuetrace *out, struct err *e) {
	if (!store_open(data, STORE_READ, &m->store, e) || !git_home_open(NULL, NULL, &m->git, e) ||
	    !read_repos(m->store, m->life, &m->rows, e))
		return false;
	m->repos = ARENA_ARRAY(m->life, struct git_repo *, m->rows.n + 1);
	for (size_t i = 0; i < m->rows.n; i++) {
		struct str path = arena_printf(m->life, "%s/repos/" STR_FMT ".git", data,
		                               STR_ARG(m->rows.p[i].name));
		if (!git_repo_open_foreign(m->git, path.p, NULL, NULL, &m->repos[i], e)) return false;
	}
	if (!read_log(m, e)) return false;
	finish(m, out);
	return true;
}

int logtrace_command(struct cli *cli) {
	struct maker m = {.life = cli->life};
	struct queuetrace trace;
	struct err e = {0};
	AUTO_BUF out = {0};
	const char *data = cli_value(cli, "data");
	if (!cli_has(cli, "from-log")) return simulatequeue_trace(cli);
	if (!data) data = ".weir";
	bool ok = make(&m, data, &trace, &e);
	for (size_t i = 0; i < m.rows.n && m.repos; i++)
		if (m.repos[i]) git_repo_close(m.repos[i]);
	if (m.git) git_home_close(m.git);
	store_close(&m.store);
	if (!ok)
		return cli_fail(cli, &e,
		                e.code == ERR_NOT_FOUND ? "Name the folder of a server with `--data DIR`"
		                                        : NULL);
	queuetrace_write(&trace, &out);
	cli_out(buf_view(&out));
	fprintf(stderr, "%zu changes, %zu left out; %.2f of their job time was reused (--reuse)\n", m.n,
	        m.left_out, m.all_ms ? (double)m.saved_ms / (double)m.all_ms : 0.0);
	return 0;
}
