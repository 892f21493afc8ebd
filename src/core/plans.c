#include "core/plans.h"

#include <assert.h>

#include "base/json.h"

enum { JOBS_MAX = 256 };

static bool take_when(const struct json *v, enum job_when *out) {
	static const struct str names[] = {{"change", 6}, {"landed", 6}, {"nightly", 7}};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq(json_str(v), names[i])) continue;
		*out = (enum job_when)i;
		return true;
	}
	return false;
}

// Index of the job that an entry of `needs` names (or numbers), -1 = there is none.
static int64_t need_index(const struct json *jobs, const struct json *need) {
	size_t count = json_length(jobs);
	int64_t number = json_int(need, -1);
	if (json_kind(need) != JSON_KIND_STRING) return number < (int64_t)count ? number : -1;
	for (size_t i = 0; i < count; i++)
		if (str_eq(json_get_str(json_at(jobs, i), "name"), json_str(need))) return (int64_t)i;
	return -1;
}

static bool check_job(const struct json *jobs, size_t index, struct err *e) {
	const struct json *job = json_at(jobs, index);
	struct str name = json_get_str(job, "name");
	enum job_when when;
	const struct json *needs = json_get(job, "needs");
	if (name.n == 0 || name.n > STATE_NAME_MAX)
		return err_set(e, ERR_INVALID, "job %zu of the plan has a name of %zu bytes", index,
		               name.n);
	if (!take_when(json_get(job, "when"), &when))
		return err_set(e, ERR_INVALID, "job " STR_FMT " has no known time to run", STR_ARG(name));
	for (size_t i = 0; i < json_length(needs); i++) {
		int64_t need = need_index(jobs, json_at(needs, i));
		if (need < 0 || (size_t)need == index)
			return err_set(e, ERR_INVALID, "job " STR_FMT " needs a job that is not there",
			               STR_ARG(name));
	}
	return true;
}

static bool check_parsed(const struct json *plan, struct err *e) {
	const struct json *jobs = json_get(plan, "jobs");
	if (json_kind(jobs) != JSON_KIND_ARRAY)
		return err_set(e, ERR_INVALID, "the plan has no list of jobs");
	if (json_length(jobs) > JOBS_MAX)
		return err_set(e, ERR_LIMIT, "the plan has %zu jobs; at most %d", json_length(jobs),
		               JOBS_MAX);
	for (size_t i = 0; i < json_length(jobs); i++)
		if (!check_job(jobs, i, e)) return false;
	return true;
}

bool plans_check(struct str json, struct err *e) {
	AUTO_JSON plan = NULL;
	return json_parse(json, &plan, e) && check_parsed(plan, e);
}

static void add_job(struct state *s, const struct json *jobs, size_t index, struct plan_job *row) {
	const struct json *job = json_at(jobs, index);
	struct str name = json_get_str(job, "name");
	const struct json *needs = json_get(job, "needs");
	int64_t retries = json_get_int(job, "retries", 0);
	row->name.n = (uint8_t)name.n;
	memcpy(row->name.p, name.p, name.n);
	bool known = take_when(json_get(job, "when"), &row->when);
	assert(known);
	row->retries = (uint16_t)(retries < 0 ? 0 : retries > 100 ? 100 : retries);
	row->makes_artifacts = json_length(json_get(job, "artifacts")) > 0;
	row->need_at = s->needs.count;
	row->need_count = (uint32_t)json_length(needs);
	uint16_t *list = table_add(&s->needs, row->need_count);
	for (size_t i = 0; i < row->need_count; i++)
		list[i] = (uint16_t)need_index(jobs, json_at(needs, i));
}

bool plans_use(struct state *s, struct digest digest, struct str json, struct err *e) {
	struct plan *known = state_plan(s, digest);
	if (known) {
		known->uses++;
		return true;
	}
	AUTO_JSON parsed = NULL;
	if (!json_parse(json, &parsed, e) || !check_parsed(parsed, e)) return false;
	const struct json *jobs = json_get(parsed, "jobs");
	struct plan *plan = table_add(&s->plans, 1);
	*plan = (struct plan){.digest = digest,
	                      .uses = 1,
	                      .job_at = s->plan_jobs.count,
	                      .job_count = (uint32_t)json_length(jobs)};
	(void)table_add(&s->plan_jobs, plan->job_count);
	for (size_t i = 0; i < plan->job_count; i++) add_job(s, jobs, i, state_plan_job(s, plan, i));
	return true;
}

void plans_drop(struct state *s, struct digest digest) {
	struct plan *plan = state_plan(s, digest);
	if (!plan || --plan->uses) return;
	struct plan gone = *plan;
	uint32_t need_at = gone.job_count ? state_plan_job(s, &gone, 0)->need_at : 0, needs = 0;
	for (size_t i = 0; i < gone.job_count; i++) needs += state_plan_job(s, &gone, i)->need_count;
	table_remove(&s->plan_jobs, gone.job_at, gone.job_count);
	table_remove(&s->needs, need_at, needs);
	table_remove(&s->plans, (size_t)(plan - (struct plan *)s->plans.rows), 1);
	for (size_t i = 0; i < s->plans.count; i++) {
		struct plan *other = table_at(&s->plans, i);
		if (other->job_at > gone.job_at) other->job_at -= gone.job_count;
	}
	for (size_t i = gone.job_at; i < s->plan_jobs.count; i++)
		((struct plan_job *)table_at(&s->plan_jobs, i))->need_at -= needs;
}

bool plans_environments(struct str json, void (*fn)(void *context, struct str name), void *context,
                        struct err *e) {
	AUTO_JSON plan = NULL;
	if (!json_parse(json, &plan, e)) return false;
	const struct json *list = json_get(plan, "environments");
	for (size_t i = 0; i < json_length(list); i++) {
		struct str name = json_get_str(json_at(list, i), "name");
		if (name.n == 0 || name.n > STATE_NAME_MAX)
			return err_set(e, ERR_INVALID, "an environment has no usable name");
		fn(context, name);
	}
	return true;
}
