#include "api/jobs.h"

#include "base/json.h"
#include "core/batch.h"

const char *jobs_state_name(enum jobs_state state) {
	static const char *const names[] = {"waiting", "running", "passed", "failed",
	                                    "skipped", "stopped", "lost"};
	return names[state];
}

static enum jobs_state state_of(const struct read_run *run) {
	if (str_eq(run->state, STR("issued"))) return JOBS_WAITING;
	if (str_eq(run->state, STR("running")) || str_eq(run->state, STR("cancelling")))
		return JOBS_RUNNING;
	if (str_eq(run->state, STR("stopped"))) return JOBS_STOPPED;
	if (str_eq(run->state, STR("lost"))) return JOBS_LOST;
	return run->outcome == OUTCOME_PASSED      ? JOBS_PASSED
	       : run->outcome == OUTCOME_CANCELLED ? JOBS_STOPPED
	                                           : JOBS_FAILED;
}

static bool is_skipped(const struct json *skipped, size_t index) {
	for (size_t i = 0; i < json_length(skipped); i++)
		if (json_int(json_at(skipped, i), -1) == (int64_t)index) return true;
	return false;
}

static void join(struct jobs *out, const struct json *plan, const struct json *skipped,
                 const struct read_runs *runs, struct arena *life) {
	const struct json *jobs = json_get(plan, "jobs");
	size_t n = json_length(jobs), kept = 0;
	out->p = n ? ARENA_ARRAY(life, struct jobs_row, n) : NULL;
	for (size_t i = 0; i < n; i++) {
		const struct json *job = json_at(jobs, i);
		struct str when = json_get_str(job, "when");
		struct jobs_row row = {.name = arena_str(life, json_get_str(job, "name")),
		                       .after_landing = when.n && !str_eq(when, STR("change"))};
		for (size_t k = 0; k < runs->n; k++)
			if (runs->p[k].job == (int64_t)i) row.run = &runs->p[k]; // by number: the newest stays
		if (row.run) {
			row.state = state_of(row.run);
			row.reused = str_eq(row.run->state, STR("reused"));
		} else if (row.after_landing) continue;
		else row.state = is_skipped(skipped, i) ? JOBS_SKIPPED : JOBS_WAITING;
		out->p[kept++] = row;
	}
	out->n = kept;
}

bool jobs_read(struct store *s, struct candidate_id id, struct arena *life, struct jobs *out,
               struct err *e) {
	struct jobs found = {0};
	struct read_runs runs;
	AUTO_JSON plan = NULL;
	AUTO_JSON skipped = NULL;
	if (id.v) {
		if (!read_candidate(s, id, life, &found.candidate, e) ||
		    !read_runs_of_candidate(s, id, life, &runs, e))
			return false;
		if (found.candidate.plan.n && !json_parse(found.candidate.plan, &plan, e)) return false;
		if (found.candidate.skipped.n && !json_parse(found.candidate.skipped, &skipped, e))
			return false;
		join(&found, plan, skipped, &runs, life);
	}
	*out = found;
	return true;
}

const struct jobs_row *jobs_find(const struct jobs *jobs, struct str name) {
	for (size_t i = 0; i < jobs->n; i++)
		if (str_eq(jobs->p[i].name, name)) return &jobs->p[i];
	return NULL;
}

size_t jobs_others(const struct read_candidate *c, struct change_id id, struct arena *life,
                   uint64_t **out) {
	struct member *members;
	size_t n, count = 0;
	if (!c->id.v || !batch_read(c->members, life, &members, &n) || !n) return 0;
	*out = ARENA_ARRAY(life, uint64_t, n + 1);
	for (size_t i = 0; i < n; i++)
		if (members[i].change.v != id.v) (*out)[count++] = members[i].change.v;
	if (c->change.v != id.v) (*out)[count++] = c->change.v;
	return count;
}
