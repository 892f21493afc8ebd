// The views of the flow and the queue.
#include <stdlib.h>

#include "api/queueorder.h"
#include "web/viewer.h"

enum { MOVING_MAX = 20, EJECTED_STAYS_MS = 600000, FEED_ROWS = 8, NODES_MAX = 50 };

static size_t verdicts(const struct viewer_jobs *jobs, size_t *wanted) {
	size_t done = 0;
	*wanted = 0;
	for (size_t i = 0; i < jobs->n; i++) {
		enum view_job_state s = jobs->p[i].state;
		*wanted += s != JOB_VIEW_SKIPPED;
		done += s == JOB_VIEW_PASSED || s == JOB_VIEW_FAILED || s == JOB_VIEW_REUSED;
	}
	return done;
}

static bool has_running(const struct viewer_jobs *jobs) {
	for (size_t i = 0; i < jobs->n; i++)
		if (jobs->p[i].state == JOB_VIEW_RUNNING) return true;
	return false;
}

struct shown {
	enum view_tone tone;
	enum html_icon icon;
	struct str state;
};

static struct shown shown_of(const struct viewer *v, const struct read_change *c,
                             const struct viewer_jobs *jobs) {
	size_t wanted, done = verdicts(jobs, &wanted);
	if (str_eq(c->state, STR("rejected")))
		return (struct shown){TONE_BAD, ICON_BAD, STR("ejected")};
	if (str_eq(c->state, STR("landing"))) return (struct shown){TONE_RUN, ICON_RUN, STR("landing")};
	if (str_eq(c->state, STR("landed")))
		return (struct shown){TONE_PLAIN, ICON_LAND, STR("landed")};
	if (!str_eq(c->state, STR("testing")))
		return (struct shown){TONE_PLAIN, ICON_WAIT, c->draft ? STR("draft") : c->state};
	if (wanted && !has_running(jobs) && done < wanted)
		return (struct shown){TONE_PLAIN, ICON_WAIT, STR("waits for slot")};
	if (!wanted) return (struct shown){TONE_RUN, ICON_RUN, STR("merging")};
	return (struct shown){TONE_RUN, ICON_RUN,
	                      arena_printf(v->life, "testing %zu of %zu", done, wanted)};
}

static void add(struct view_moving *m, enum view_segment_kind kind, int64_t from, int64_t to) {
	if (from <= 0 || to <= from || m->segment_count == ARRAY_LEN(m->segments)) return;
	m->segments[m->segment_count++] = (struct view_segment){kind, from, to};
}

// Waited, ran (or reused), waits or runs now, is expected to.
static void segments(const struct viewer *v, const struct read_change *c,
                     const struct viewer_jobs *jobs, struct view_moving *m) {
	int64_t start = 0, end = 0, left = -1;
	bool failed = false, running = false, ran = false;
	for (size_t i = 0; i < jobs->n; i++) {
		const struct view_job *j = &jobs->p[i];
		int64_t from = j->started_ms ? j->started_ms : j->ended_ms;
		if (from && (!start || from < start)) start = from;
		if (j->ended_ms > end) end = j->ended_ms;
		failed |= j->state == JOB_VIEW_FAILED;
		running |= j->state == JOB_VIEW_RUNNING;
		ran |= j->started_ms && j->state != JOB_VIEW_REUSED;
		if (j->state == JOB_VIEW_RUNNING && j->expected_ms > 0) {
			int64_t rest = j->expected_ms - (v->now_ms - j->started_ms);
			if (rest > left) left = rest;
		}
	}
	int64_t begun = c->queued_ms ? c->queued_ms : c->proposed_ms;
	add(m, SEGMENT_WAITED, begun, start ? start : c->ended_ms ? c->ended_ms : v->now_ms);
	if (running && end > start) add(m, SEGMENT_RAN, start, end);
	if (running) add(m, SEGMENT_RUNNING, end > start ? end : start, v->now_ms);
	else
		add(m,
		    failed ? SEGMENT_FAILED
		    : ran  ? SEGMENT_RAN
		           : SEGMENT_REUSED,
		    start, end > start ? end : start + 1);
	if (running && left > 0) add(m, SEGMENT_EXPECTED, v->now_ms, v->now_ms + left);
	if (c->landed_ms)
		add(m, SEGMENT_WAITED, c->landed_ms, c->deployed_ms ? c->deployed_ms : v->now_ms);
	m->landed_ms = c->landed_ms;
	if (running && left > 0) {
		AUTO_BUF text = {0};
		buf_cstr(&text, "this job about ");
		html_duration(&text, left);
		buf_cstr(&text, " more");
		m->next = arena_str(v->life, buf_view(&text));
	}
}

// "test-failed" -> "test failed"
static struct str words_of(const struct viewer *v, struct str code) {
	char *text = ARENA_ARRAY(v->life, char, code.n + 1);
	for (size_t i = 0; i < code.n; i++) text[i] = code.p[i] == '-' ? ' ' : code.p[i];
	return (struct str){text, code.n};
}

static bool moving_row(const struct viewer *v, const struct read_change *c, struct view_moving *m,
                       struct err *e) {
	struct viewer_jobs jobs;
	if (!viewer_jobs(v, c, &jobs, e)) return false;
	struct shown s = shown_of(v, c, &jobs);
	*m = (struct view_moving){
		.ref = viewer_ref(c), .tone = s.tone, .icon = s.icon, .state = s.state};
	segments(v, c, &jobs, m);
	if (str_eq(c->state, STR("rejected"))) m->next = words_of(v, reason_code(c->reason));
	else if (c->landed_ms) m->next = STR("waits for its rollout");
	else if (str_eq(c->state, STR("queued"))) {
		int64_t ahead = queueorder_ahead(v->api->host.state(v->api->host.context), c->id);
		m->next = ahead > 0 ? arena_printf(v->life, "behind %lld", (long long)ahead) : STR("next");
	}
	AUTO_BUF label = {0};
	buf_str(&label, m->state);
	if (m->segment_count) {
		buf_cstr(&label, ", in the queue for ");
		html_duration(&label, (c->ended_ms ? c->ended_ms : v->now_ms) -
		                          (c->queued_ms ? c->queued_ms : c->proposed_ms));
	}
	m->label = arena_str(v->life, buf_view(&label));
	return true;
}

// Nearest to production first: landed and not live, then the queue's order, then drafts; ejected
// ones stay a while.
static bool moving(const struct viewer *v, struct view_flow *out, struct err *e) {
	struct read_changes ended;
	struct read_change c;
	struct store *store = v->api->host.store;
	const struct state *s = v->api->host.state(v->api->host.context);
	struct view_moving *rows = ARENA_ARRAY(v->life, struct view_moving, MOVING_MAX);
	size_t n = 0;
	if (!read_changes(store, (struct read_filter){.which = READ_ENDED, .limit = 50}, v->life,
	                  &ended, e))
		return false;
	for (size_t i = ended.n; i > 0 && n < 8; i--) {
		const struct read_change *x = &ended.p[i - 1];
		bool waits = out->env_count && x->landed_ms && !x->deployed_ms &&
		             v->now_ms - x->landed_ms < INT64_C(6) * EJECTED_STAYS_MS;
		bool left = str_eq(x->state, STR("rejected")) && v->now_ms - x->ended_ms < EJECTED_STAYS_MS;
		if ((waits || left) && !moving_row(v, x, &rows[n++], e)) return false;
	}
	struct queueorder q = queueorder_of(s, (struct repo_id){0}, v->life);
	for (size_t i = 0; i < q.n && n < MOVING_MAX; i++)
		if (!read_change(store, q.p[i]->id, v->life, &c, e) || !moving_row(v, &c, &rows[n++], e))
			return false;
	size_t drafts = 0;
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *x = table_at(&s->changes, i);
		if (x->state != CHANGE_PROPOSED) continue;
		drafts++;
		if (n < MOVING_MAX &&
		    (!read_change(store, x->id, v->life, &c, e) || !moving_row(v, &c, &rows[n++], e)))
			return false;
	}
	size_t open = q.n + drafts, shown = 0;
	for (size_t i = 0; i < n; i++) shown += rows[i].tone != TONE_BAD && !rows[i].landed_ms;
	out->moving = rows;
	out->moving_count = n;
	out->moving_total = n + (open - shown);
	return true;
}

static int64_t age(const struct viewer *v, int64_t oldest) {
	return oldest > 0 && oldest < v->now_ms ? v->now_ms - oldest : 0;
}

static void gauges(const struct viewer *v, struct view_flow *out) {
	static const char *const names[] = {"Queue",   "Slot wait",   "Testing",
	                                    "Landing", "Deploy wait", "Rollout"};
	const struct state *s = v->api->host.state(v->api->host.context);
	int64_t queue_oldest = 0, run_oldest = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		out->gauges[i] = (struct view_gauge){.name = names[i]};
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		if (c->state != CHANGE_QUEUED || state_candidate_of_change(s, c->id)) continue;
		out->gauges[0].count++;
		if (!queue_oldest || c->queued_ms < queue_oldest) queue_oldest = c->queued_ms;
	}
	for (size_t i = 0; i < s->candidates.count; i++) {
		const struct candidate *c = table_at(&s->candidates, i);
		out->gauges[2].count += c->state == CANDIDATE_BUILDING || c->state == CANDIDATE_TESTING;
		out->gauges[3].count += c->state == CANDIDATE_LANDING;
	}
	for (size_t i = 0; i < s->runs.count; i++) {
		const struct run *r = table_at(&s->runs, i);
		out->slots_busy += r->state != RUN_ISSUED;
		if (r->state != RUN_ISSUED) continue;
		out->gauges[1].count++;
		if (!run_oldest || r->issued_ms < run_oldest) run_oldest = r->issued_ms;
	}
	for (size_t i = 0; i < s->envs.count; i++) {
		const struct env *env = table_at(&s->envs, i);
		out->gauges[5].count += env->rollout.v != 0;
		out->gauges[4].count += env->requested.v != 0 && !env->rollout.v;
	}
	out->gauges[0].oldest_ms = age(v, queue_oldest);
	out->gauges[1].oldest_ms = age(v, run_oldest);
	out->slots = s->slots;
}

bool viewflow_make(const struct viewer *v, struct view_flow *out, struct err *e) {
	struct read_repos repos;
	struct viewer_feed feed;
	*out = (struct view_flow){.frame = viewer_frame(v, "flow", STR("Flow"), STR("/"))};
	out->frame.command = STR("weir status --watch");
	out->frame.json = STR("/api/v1/queue");
	if (!read_repos(v->api->host.store, v->life, &repos, e) ||
	    !viewer_envs(v, &out->envs, &out->env_count, e) || !moving(v, out, e) ||
	    !viewer_feed(v, FEED_ROWS, &feed, e))
		return false;
	gauges(v, out);
	out->repo_count = repos.n;
	for (size_t i = 0; i < repos.n; i++)
		if (repos.p[i].config_error.n && !out->config_error.n)
			out->config_error = arena_printf(v->life, STR_FMT ": " STR_FMT,
			                                 STR_ARG(repos.p[i].name),
			                                 STR_ARG(repos.p[i].config_error));
	out->typical = viewer_typical(v, (struct repo_id){0});
	out->feed = feed.rows;
	out->feed_count = feed.row_count;
	out->landed_hour = feed.landed_hour;
	out->ejected_hour = feed.ejected_hour;
	out->deployed_today = feed.deployed_today;
	out->rolled_back_today = feed.rolled_back_today;
	memcpy(out->landed_by_hour, feed.landed_by_hour, sizeof feed.landed_by_hour);
	memcpy(out->queued_by_hour, feed.proposed_by_hour, sizeof feed.proposed_by_hour);
	return true;
}

// ---------------------------------------------------------------- the queue

static bool lane(const struct viewer *v, const struct read_repo *r, struct view_lane *out,
                 int64_t *waiting, struct err *e) {
	struct queueorder q = queueorder_of(v->api->host.state(v->api->host.context), r->id, v->life);
	size_t n = q.n < NODES_MAX ? q.n : NODES_MAX;
	struct view_node *nodes = ARENA_ARRAY(v->life, struct view_node, n + 1);
	for (size_t i = 0; i < n; i++) {
		struct read_change c;
		struct viewer_jobs jobs;
		if (!read_change(v->api->host.store, q.p[i]->id, v->life, &c, e) ||
		    !viewer_jobs(v, &c, &jobs, e))
			return false;
		struct shown s = shown_of(v, &c, &jobs);
		*waiting += s.tone == TONE_PLAIN;
		nodes[i] = (struct view_node){viewer_ref(&c), s.tone, s.icon, s.state, jobs.p, jobs.n};
	}
	*waiting += (int64_t)(q.n - n);
	*out = (struct view_lane){r->name, r->trunk, viewer_oid(v, r->tip), r->tip_ms, nodes, n, q.n};
	return true;
}

bool viewflow_queue(const struct viewer *v, struct view_queue *out, struct err *e) {
	struct read_repos repos;
	struct viewer_feed feed;
	const struct state *s = v->api->host.state(v->api->host.context);
	*out = (struct view_queue){.frame = viewer_frame(v, "queue", STR("Queue"), STR("/queue")),
	                           .slots = s->slots};
	out->frame.command = STR("weir queue");
	out->frame.json = STR("/api/v1/queue");
	if (!read_repos(v->api->host.store, v->life, &repos, e) || !viewer_feed(v, FEED_ROWS, &feed, e))
		return false;
	struct view_lane *lanes = ARENA_ARRAY(v->life, struct view_lane, repos.n + 1);
	for (size_t i = 0; i < repos.n; i++)
		if (!lane(v, &repos.p[i], &lanes[i], &out->waiting, e)) return false;
	struct view_slot *slots = ARENA_ARRAY(v->life, struct view_slot, (size_t)s->runs.count + 1);
	for (size_t i = 0; i < s->runs.count; i++) {
		const struct run *r = table_at(&s->runs, i);
		struct read_run run;
		struct read_change c;
		if (r->state == RUN_ISSUED || !read_run(v->api->host.store, r->id, v->life, &run, e) ||
		    !read_change(v->api->host.store, run.change, v->life, &c, e))
			continue;
		slots[out->running_count++] = (struct view_slot){viewer_ref(&c), run.name, run.started_ms,
		                                                 viewer_expected(v, run.repo, run.name)};
	}
	out->lanes = lanes;
	out->lane_count = repos.n;
	out->running = slots;
	out->landed_hour = feed.landed_hour;
	out->typical = viewer_typical(v, (struct repo_id){0});
	out->feed = feed.rows;
	out->feed_count = feed.row_count;
	return true;
}
