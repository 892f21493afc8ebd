#include "conf/spread.h"

#include <stdlib.h>

#include "base/glob.h"

struct part { // of one job of the plan
	const struct str *paths[CONF_JOBS_MAX];
	size_t folders[CONF_JOBS_MAX]; // bytes of the path that all of them have, if one pattern does
	size_t first, count;
};

bool spread_wanted(const struct conf_plan *plan) {
	for (size_t i = 0; i < plan->jobs_n; i++)
		if (plan->jobs[i].each.n) return true;
	return false;
}

// The folder that stands before the first wildcard.
static size_t fixed_folder(struct str pattern) {
	size_t end = 0, n = 0;
	while (end < pattern.n && !strchr("*?", pattern.p[end])) end++;
	for (size_t i = 0; i < end; i++)
		if (pattern.p[i] == '/') n = i + 1;
	return n;
}

static bool match(const struct conf_job *job, const struct str *paths, size_t count,
                  struct part *out, struct err *e) {
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < job->each.n; k++) {
			if (!glob_match(job->each.p[k], paths[i])) continue;
			if (out->count == CONF_JOBS_MAX)
				return err_set(e, ERR_LIMIT, "each of job " STR_FMT " names more than %d files",
				               STR_ARG(job->key), CONF_JOBS_MAX);
			out->folders[out->count] = job->each.n == 1 ? fixed_folder(job->each.p[k]) : 0;
			out->paths[out->count++] = &paths[i];
			break;
		}
	return out->count > 0 ||
	       err_set(e, ERR_INVALID, "each of job " STR_FMT " names no file of the tree",
	               STR_ARG(job->key));
}

static int by_name(const void *a, const void *b) {
	return str_compare(((const struct conf_pair *)a)->name, ((const struct conf_pair *)b)->name);
}

// $WEIR_EACH and ${WEIR_EACH} become the path.
static void replace(struct conf_strs *list, struct str path, struct arena *life) {
	static const char *const forms[] = {"${WEIR_EACH}", "$WEIR_EACH"};
	struct str *out = ARENA_ARRAY(life, struct str, list->n + 1);
	for (size_t i = 0; i < list->n; i++) {
		out[i] = list->p[i];
		for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
			size_t at = str_find(out[i], str_of(forms[f]));
			if (at == out[i].n) continue;
			struct str after = str_from(out[i], at + strlen(forms[f]));
			out[i] = arena_printf(life, STR_FMT STR_FMT STR_FMT, STR_ARG(str_slice(out[i], 0, at)),
			                      STR_ARG(path), STR_ARG(after));
		}
	}
	list->p = out;
}

static bool make(const struct conf_job *from, struct str path, size_t folder, struct arena *life,
                 struct conf_job *out, struct err *e) {
	struct conf_pair *env = ARENA_ARRAY(life, struct conf_pair, from->env.n + 1);
	*out = *from;
	out->each = (struct conf_strs){0};
	if (from->env.n) memcpy(env, from->env.p, from->env.n * sizeof *env);
	env[from->env.n] = (struct conf_pair){STR("WEIR_EACH"), path};
	out->env = (struct conf_env){env, from->env.n + 1};
	qsort(env, out->env.n, sizeof *env, by_name);
	replace(&out->artifacts, path, life);
	replace(&out->results, path, life);
	replace(&out->coverage, path, life);
	replace(&out->cache, path, life);
	out->name = arena_printf(life, STR_FMT " " STR_FMT, STR_ARG(from->name),
	                         STR_ARG(str_from(path, folder)));
	if (out->name.n <= CONF_NAME_MAX) return true;
	return err_set(e, ERR_INVALID, "the name \"" STR_FMT "\" of a job has more than %d bytes",
	               STR_ARG(out->name), CONF_NAME_MAX);
}

// Needs of the plan, which count its jobs, become those of the spread one.
static struct conf_ints relink(const struct conf_ints *needs, const struct part *parts,
                               struct arena *life) {
	size_t n = 0;
	for (size_t i = 0; i < needs->n; i++) n += parts[needs->p[i]].count;
	struct conf_ints out = {ARENA_ARRAY(life, int64_t, n + 1), 0};
	for (size_t i = 0; i < needs->n; i++) {
		const struct part *part = &parts[needs->p[i]];
		for (size_t k = 0; k < part->count; k++) out.p[out.n++] = (int64_t)(part->first + k);
	}
	return out;
}

bool spread_jobs(const struct conf_plan *plan, const struct str *paths, size_t count,
                 struct arena *life, struct conf_plan **out, struct err *e) {
	struct part *parts = ARENA_ARRAY(life, struct part, plan->jobs_n + 1);
	struct conf_plan *spread = ARENA_NEW(life, struct conf_plan);
	size_t total = 0;
	for (size_t i = 0; i < plan->jobs_n; i++) {
		struct part *part = &parts[i];
		part->first = total;
		if (!plan->jobs[i].each.n) part->count = 1;
		else if (!match(&plan->jobs[i], paths, count, part, e)) return false;
		total += part->count;
	}
	if (total > CONF_JOBS_MAX)
		return err_set(e, ERR_LIMIT, "with a job for each file there are %zu jobs, more than %d",
		               total, CONF_JOBS_MAX);
	*spread = *plan;
	spread->jobs = ARENA_ARRAY(life, struct conf_job, total + 1);
	spread->jobs_n = total;
	for (size_t i = 0; i < plan->jobs_n; i++) {
		const struct conf_job *job = &plan->jobs[i];
		struct conf_ints needs = relink(&job->needs, parts, life);
		for (size_t k = 0; k < parts[i].count; k++) {
			struct conf_job *to = &spread->jobs[parts[i].first + k];
			if (!job->each.n) *to = *job;
			else if (!make(job, *parts[i].paths[k], parts[i].folders[k], life, to, e)) return false;
			to->needs = needs;
		}
	}
	for (size_t i = 0; i < total; i++)
		if (plan_find_job(spread, spread->jobs[i].name) != (ptrdiff_t)i)
			return err_set(e, ERR_INVALID, "two jobs would be called \"" STR_FMT "\"",
			               STR_ARG(spread->jobs[i].name));
	*out = spread;
	return true;
}
