#include "conf/expand.h"

#include <stdlib.h>

#include "conf/value.h"

struct expansion {
	struct draft_job *draft;
	struct arena *life;
	struct conf_diagnostics *d;
	struct conf_job *job; // being made
};

static size_t expansions(const struct draft_job *draft) {
	size_t n = (size_t)draft->job.shards;
	for (size_t i = 0; i < draft->axes_n; i++)
		if (__builtin_mul_overflow(n, draft->axes[i].values.n, &n)) return SIZE_MAX;
	return n;
}

static int by_name(const void *a, const void *b) {
	return str_compare(((const struct conf_pair *)a)->name, ((const struct conf_pair *)b)->name);
}

static struct str find_variable(const struct conf_env *env, struct str name) {
	for (size_t i = 0; i < env->n; i++)
		if (str_eq(env->p[i].name, name)) return env->p[i].value;
	return STR_NONE;
}

// $WEIR_x or ${WEIR_x} at the start of text: its name, and *bytes = how much it takes. Else
// STR_NONE.
static struct str variable_at(struct str text, size_t *bytes) {
	size_t start = str_starts(text, STR("${WEIR_")) ? 2 : str_starts(text, STR("$WEIR_")) ? 1 : 0;
	size_t end = start;
	if (start == 0) return STR_NONE;
	while (end < text.n && value_is_variable(str_slice(text, start, end + 1))) end++;
	if (start == 2 && (end == text.n || text.p[end] != '}')) return STR_NONE;
	*bytes = start == 2 ? end + 1 : end;
	return str_slice(text, start, end);
}

static bool replace(struct expansion *x, struct str pattern, struct str *out,
                    struct value_problem *why) {
	AUTO_BUF text = {0};
	for (size_t i = 0; i < pattern.n;) {
		size_t bytes = 1;
		struct str name = variable_at(str_from(pattern, i), &bytes);
		struct str value = find_variable(&x->job->env, name);
		if (!name.n) {
			buf_char(&text, pattern.p[i]);
		} else if (!value.p && x->job->each.n && str_eq(name, STR("WEIR_EACH"))) {
			buf_str(&text, str_slice(pattern, i, i + bytes)); // known with the tree
		} else if (!value.p) {
			*why = (struct value_problem){
				"unknown-variable",
				arena_printf(x->life, "job " STR_FMT " has no variable " STR_FMT,
			                 STR_ARG(x->job->key), STR_ARG(name)),
				"WEIR_MATRIX_x of its matrix, WEIR_SHARD and WEIR_SHARDS can be used"};
			return false;
		} else {
			buf_str(&text, value);
		}
		i += bytes;
	}
	return value_path(buf_view(&text), x->life, out, why);
}

static void replace_all(struct expansion *x, const char *key, struct conf_strs *patterns) {
	struct str *out = ARENA_ARRAY(x->life, struct str, patterns->n);
	for (size_t i = 0; i < patterns->n; i++) {
		struct value_problem why;
		out[i] = patterns->p[i];
		if (!str_contains(patterns->p[i], STR("$")) || replace(x, patterns->p[i], &out[i], &why))
			continue;
		diagnostics_add(x->d, CONF_ERROR, why.code, yaml_get(x->draft->map, key)->span, why.text,
		                str_of(why.hint));
	}
	patterns->p = out;
}

static void make_env(struct expansion *x, const size_t *choice, size_t shard) {
	const struct conf_env *old = &x->draft->job.env;
	struct conf_pair *p = ARENA_ARRAY(x->life, struct conf_pair, old->n + x->draft->axes_n + 2);
	size_t n = old->n;
	if (n) memcpy(p, old->p, n * sizeof *p);
	for (size_t i = 0; i < x->draft->axes_n; i++) {
		const struct draft_axis *axis = &x->draft->axes[i];
		p[n++] = (struct conf_pair){
			arena_printf(x->life, "WEIR_MATRIX_" STR_FMT, STR_ARG(axis->name)),
			axis->values.p[choice[i]]};
	}
	if (x->draft->job.shards > 1) {
		p[n++] = (struct conf_pair){STR("WEIR_SHARD"), arena_printf(x->life, "%zu", shard + 1)};
		p[n++] = (struct conf_pair){STR("WEIR_SHARDS"),
		                            arena_printf(x->life, "%zu", (size_t)x->draft->job.shards)};
	}
	qsort(p, n, sizeof *p, by_name);
	x->job->env = (struct conf_env){p, n};
}

static void make_name(struct expansion *x, const size_t *choice, size_t shard) {
	AUTO_BUF name = {0};
	buf_str(&name, x->draft->job.key);
	for (size_t i = 0; i < x->draft->axes_n; i++) {
		buf_cstr(&name, i == 0 ? " (" : ", ");
		buf_str(&name, x->draft->axes[i].values.p[choice[i]]);
	}
	if (x->draft->axes_n) buf_char(&name, ')');
	x->job->family = arena_str(x->life, buf_view(&name));
	if (x->draft->job.shards > 1)
		buf_printf(&name, " %zu/%zu", shard + 1, (size_t)x->draft->job.shards);
	x->job->name = arena_str(x->life, buf_view(&name));
	x->job->shard = (int64_t)shard + 1;
	if (name.n > CONF_NAME_MAX)
		diagnostics_error(x->d, "bad-name", x->draft->key->span,
		                  STR("shorten the values of its matrix"),
		                  "the name \"" STR_FMT "\" has more than 63 bytes", STR_ARG(x->job->name));
}

static void make(struct draft_job *draft, size_t number, struct arena *life, struct conf_job *out,
                 struct conf_diagnostics *d) {
	struct expansion x = {draft, life, d, out};
	size_t choice[8], shards = (size_t)draft->job.shards, shard = number % shards;
	number /= shards;
	for (size_t i = draft->axes_n; i-- > 0;) {
		choice[i] = number % draft->axes[i].values.n;
		number /= draft->axes[i].values.n;
	}
	*out = draft->job;
	make_env(&x, choice, shard);
	make_name(&x, choice, shard);
	replace_all(&x, "artifacts", &out->artifacts);
	replace_all(&x, "results", &out->results);
	replace_all(&x, "coverage", &out->coverage);
	replace_all(&x, "cache", &out->cache);
}

// (x, "y, z") and ("x, y", z) read the same.
static void check_names(const struct draft_job *draft, const struct conf_plan *plan,
                        struct conf_diagnostics *d) {
	for (size_t i = 1; i < draft->count; i++)
		for (size_t j = 0; j < i; j++)
			if (str_eq(plan->jobs[draft->first + i].name, plan->jobs[draft->first + j].name))
				diagnostics_error(d, "bad-name", draft->key->span,
				                  STR("leave the comma out of the values"),
				                  "two jobs of the matrix would be called \"" STR_FMT "\"",
				                  STR_ARG(plan->jobs[draft->first + i].name));
}

static int by_number(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void link_needs(const struct draft *draft, const struct draft_job *job, struct arena *life,
                       struct conf_plan *plan) {
	size_t n = 0;
	for (size_t i = 0; i < job->needs_n; i++) n += draft->jobs[job->needs[i]].count;
	struct conf_ints needs = {ARENA_ARRAY(life, int64_t, n), 0};
	for (size_t i = 0; i < job->needs_n; i++) {
		const struct draft_job *need = &draft->jobs[job->needs[i]];
		for (size_t k = 0; k < need->count; k++) needs.p[needs.n++] = (int64_t)(need->first + k);
	}
	if (n) qsort(needs.p, n, sizeof needs.p[0], by_number);
	for (size_t k = 0; k < job->count; k++) plan->jobs[job->first + k].needs = needs;
}

bool expand_jobs(struct draft *draft, struct arena *life, struct conf_plan *plan,
                 struct conf_diagnostics *d) {
	size_t total = 0;
	for (size_t i = 0; i < draft->jobs_n; i++) {
		struct draft_job *job = &draft->jobs[i];
		job->first = total;
		job->count = expansions(job);
		if (job->count <= CONF_JOBS_MAX - total) {
			total += job->count;
			continue;
		}
		diagnostics_error(d, "too-many-jobs", job->key->span,
		                  STR("fewer values in the matrix, or fewer shards"),
		                  "with job " STR_FMT " there are more than %d jobs", STR_ARG(job->job.key),
		                  CONF_JOBS_MAX);
		return false;
	}
	plan->jobs = ARENA_ARRAY(life, struct conf_job, total);
	plan->jobs_n = total;
	for (size_t i = 0; i < draft->jobs_n; i++) {
		struct draft_job *job = &draft->jobs[i];
		for (size_t k = 0; k < job->count; k++) make(job, k, life, &plan->jobs[job->first + k], d);
		check_names(job, plan, d);
	}
	for (size_t i = 0; i < draft->jobs_n; i++) link_needs(draft, &draft->jobs[i], life, plan);
	return true;
}
