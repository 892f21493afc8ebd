#include "conf/plan.h"

#include <stdlib.h>

#include "base/glob.h"
#include "base/jsonw.h"
#include "conf/keys.h"
#include "conf/value.h"

ptrdiff_t plan_find_job(const struct conf_plan *plan, struct str name) {
	for (size_t i = 0; i < plan->jobs_n; i++)
		if (str_eq(plan->jobs[i].name, name)) return (ptrdiff_t)i;
	return -1;
}

const struct conf_environment *plan_find_environment(const struct conf_plan *plan,
                                                     struct str name) {
	for (size_t i = 0; i < plan->environments_n; i++)
		if (str_eq(plan->environments[i].name, name)) return &plan->environments[i];
	return NULL;
}

void plan_summary(const struct conf_plan *plan, struct buf *out) {
	size_t keys = 0; // expansions of one job stand side by side
	for (size_t i = 0; i < plan->jobs_n; i++)
		keys += i == 0 || !str_eq(plan->jobs[i].key, plan->jobs[i - 1].key);
	buf_printf(out, "%zu job%s", keys, keys == 1 ? "" : "s");
	if (plan->jobs_n > keys) buf_printf(out, " (%zu with matrix and shards)", plan->jobs_n);
	buf_printf(out, ", %zu environment%s", plan->environments_n,
	           plan->environments_n == 1 ? "" : "s");
}

// ---------------------------------------------------------------- canonical JSON, from the table
// of keys

struct writer {
	const struct conf_plan *plan; // for the names of needs
	bool outcome;                 // only what plan_job_json writes
};

static void write_scope(const struct writer *w, enum keys_scope scope, const void *from,
                        struct buf *out);

static void write_strs(struct jsonw *w, const struct conf_strs *list) {
	jsonw_array(w);
	for (size_t i = 0; i < list->n; i++) jsonw_str(w, list->p[i]);
	jsonw_array_end(w);
}

static void write_items(const struct writer *writer, const struct key *key, const void *member,
                        struct jsonw *w) {
	if (key->kind == KEY_PATTERNS || key->kind == KEY_SECRETS) {
		write_strs(w, member);
	} else if (key->kind == KEY_ENV) {
		const struct conf_env *env = member;
		jsonw_object(w);
		for (size_t i = 0; i < env->n; i++) {
			jsonw_key_str(w, env->p[i].name);
			jsonw_str(w, env->p[i].value);
		}
		jsonw_object_end(w);
	} else {
		const struct conf_ints *list = member;
		jsonw_array(w);
		for (size_t i = 0; i < list->n; i++) {
			if (key->kind == KEY_NEEDS) jsonw_str(w, writer->plan->jobs[list->p[i]].name);
			else jsonw_int(w, list->p[i]);
		}
		jsonw_array_end(w);
	}
}

static void write_all(const struct writer *writer, const struct key *key, struct jsonw *w) {
	jsonw_array(w);
	size_t n = key->kind == KEY_JOBS ? writer->plan->jobs_n : writer->plan->environments_n;
	for (size_t i = 0; i < n; i++) {
		AUTO_BUF one = {0};
		if (key->kind == KEY_JOBS) write_scope(writer, KEYS_JOB, &writer->plan->jobs[i], &one);
		else write_scope(writer, KEYS_ENVIRONMENT, &writer->plan->environments[i], &one);
		jsonw_raw(w, buf_view(&one));
	}
	jsonw_array_end(w);
}

static void write_value(const struct writer *writer, const struct key *key, const void *member,
                        struct buf *out) {
	struct jsonw w = jsonw_to(out);
	size_t n;
	switch (key->kind) {
	case KEY_TEXT:
	case KEY_COMMAND:
	case KEY_BRANCH:
	case KEY_FOLDER:
	case KEY_FILE:
	case KEY_HEALTH: jsonw_str(&w, *(const struct str *)member); return;
	case KEY_BOOL: jsonw_bool(&w, *(const bool *)member); return;
	case KEY_COUNT:
	case KEY_DURATION:
	case KEY_SIZE:
	case KEY_CPU: jsonw_int(&w, *(const int64_t *)member); return;
	case KEY_WHEN:
	case KEY_STRATEGY: jsonw_cstr(&w, key_choices(key, &n)[*(const unsigned *)member]); return;
	case KEY_LISTEN: jsonw_str(&w, ((const struct conf_listen *)member)->text); return;
	case KEY_PATTERNS:
	case KEY_SECRETS:
	case KEY_PERCENTS:
	case KEY_ENV:
	case KEY_NEEDS: write_items(writer, key, member, &w); return;
	case KEY_MATRIX:
	case KEY_ANY: return;
	case KEY_JOBS:
	case KEY_ENVIRONMENTS: write_all(writer, key, &w); return;
	case KEY_RESOURCES: write_scope(writer, KEYS_RESOURCES, member, out); return;
	case KEY_SERVICE: write_scope(writer, KEYS_SERVICE, member, out); return;
	case KEY_TLS: write_scope(writer, KEYS_TLS, member, out); return;
	case KEY_ROLLOUT: write_scope(writer, KEYS_ROLLOUT, member, out); return;
	}
}

// Large enough for the struct of any scope that has OUTCOME rows.
union defaults {
	struct conf_job job;
	struct conf_resources resources;
};

static void write_scope(const struct writer *writer, enum keys_scope scope, const void *from,
                        struct buf *out) {
	AUTO_ARENA scratch = {0};
	union defaults defaults = {0};
	struct jsonw w = jsonw_to(out);
	if (writer->outcome) value_defaults(scope, &scratch, &defaults);
	jsonw_object(&w);
	KEYS_EACH(scope, key) {
		AUTO_BUF value = {0};
		if (key->kind == KEY_MATRIX || key->kind == KEY_ANY) continue;
		if (writer->outcome && !(key->flags & KEY_OUTCOME)) continue;
		write_value(writer, key, (const char *)from + key->offset, &value);
		if (writer->outcome) {
			AUTO_BUF otherwise = {0};
			write_value(writer, key, (const char *)&defaults + key->offset, &otherwise);
			if (str_eq(buf_view(&value), buf_view(&otherwise))) continue;
		}
		jsonw_key(&w, key->name);
		jsonw_raw(&w, buf_view(&value));
	}
	jsonw_object_end(&w);
}

void plan_json(const struct conf_plan *plan, struct buf *out) {
	struct writer writer = {.plan = plan};
	write_scope(&writer, KEYS_ROOT, plan, out);
}

void plan_job_json(const struct conf_plan *plan, const struct conf_job *job, struct buf *out) {
	struct writer writer = {.plan = plan, .outcome = true};
	write_scope(&writer, KEYS_JOB, job, out);
}

// ---------------------------------------------------------------- and back

struct loader {
	struct arena *life;
	struct conf_plan *plan;
	struct err *e;
};

static bool load_scope(struct loader *l, enum keys_scope scope, const struct json *from, void *out);

static bool corrupt(struct loader *l, const struct key *key) {
	return err_set(l->e, ERR_CORRUPT, "the stored plan has no good \"%s\"", key->name);
}

static bool load_strs(struct loader *l, const struct key *key, const struct json *v,
                      struct conf_strs *out) {
	if (json_kind(v) != JSON_KIND_ARRAY) return corrupt(l, key);
	*out = (struct conf_strs){ARENA_ARRAY(l->life, struct str, json_length(v)), json_length(v)};
	for (size_t i = 0; i < out->n; i++) {
		if (json_kind(json_at(v, i)) != JSON_KIND_STRING) return corrupt(l, key);
		out->p[i] = arena_str(l->life, json_str(json_at(v, i)));
	}
	return true;
}

static bool load_ints(struct loader *l, const struct key *key, const struct json *v,
                      struct conf_ints *out) {
	if (json_kind(v) != JSON_KIND_ARRAY) return corrupt(l, key);
	*out = (struct conf_ints){ARENA_ARRAY(l->life, int64_t, json_length(v)), json_length(v)};
	for (size_t i = 0; i < out->n; i++) {
		if (json_kind(json_at(v, i)) != JSON_KIND_INT) return corrupt(l, key);
		out->p[i] = json_int(json_at(v, i), 0);
	}
	return true;
}

static int by_name(const void *a, const void *b) {
	return str_compare(((const struct conf_pair *)a)->name, ((const struct conf_pair *)b)->name);
}

static bool load_env(struct loader *l, const struct key *key, const struct json *v,
                     struct conf_env *out) {
	struct str name;
	struct json *value;
	if (json_kind(v) != JSON_KIND_OBJECT) return corrupt(l, key);
	*out = (struct conf_env){ARENA_ARRAY(l->life, struct conf_pair, json_length(v)), 0};
	for (void *it = NULL; json_next(v, &it, &name, &value);) {
		if (json_kind(value) != JSON_KIND_STRING) return corrupt(l, key);
		out->p[out->n++] = (struct conf_pair){arena_str(l->life, name),
		                                      arena_str(l->life, json_str(value))};
	}
	if (out->n) qsort(out->p, out->n, sizeof out->p[0], by_name);
	return true;
}

static bool load_choice(struct loader *l, const struct key *key, const struct json *v,
                        unsigned *out) {
	size_t n;
	const char *const *choices = key_choices(key, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq(json_str(v), str_of(choices[i]))) return *out = (unsigned)i, true;
	return corrupt(l, key);
}

static bool load_all(struct loader *l, const struct key *key, const struct json *v, void *member) {
	bool jobs = key->kind == KEY_JOBS;
	size_t n = json_length(v),
		   bytes = jobs ? sizeof(struct conf_job) : sizeof(struct conf_environment);
	if (json_kind(v) != JSON_KIND_ARRAY) return corrupt(l, key);
	char *all = arena_array(l->life, n, bytes);
	if (jobs) l->plan->jobs_n = n;
	else l->plan->environments_n = n;
	for (size_t i = 0; i < n; i++)
		if (!load_scope(l, jobs ? KEYS_JOB : KEYS_ENVIRONMENT, json_at(v, i), all + i * bytes))
			return false;
	memcpy(member, &all, sizeof all);
	return true;
}

static bool load_listen(struct loader *l, const struct key *key, const struct json *v,
                        struct conf_listen *out) {
	struct value_problem why;
	if (json_kind(v) != JSON_KIND_STRING) return corrupt(l, key);
	if (json_str(v).n == 0) return true;
	return value_read(key, json_str(v), l->life, out, &why) || corrupt(l, key);
}

static bool load_value(struct loader *l, const struct key *key, const struct json *v,
                       void *member) {
	enum json_kind kind = json_kind(v);
	enum keys_scope child;
	switch (key->kind) {
	case KEY_TEXT:
	case KEY_COMMAND:
	case KEY_BRANCH:
	case KEY_FOLDER:
	case KEY_FILE:
	case KEY_HEALTH:
		if (kind != JSON_KIND_STRING) return corrupt(l, key);
		*(struct str *)member = arena_str(l->life, json_str(v));
		return true;
	case KEY_BOOL:
		if (kind != JSON_KIND_BOOL) return corrupt(l, key);
		*(bool *)member = json_bool(v, false);
		return true;
	case KEY_COUNT:
	case KEY_DURATION:
	case KEY_SIZE:
	case KEY_CPU:
		if (kind != JSON_KIND_INT) return corrupt(l, key);
		*(int64_t *)member = json_int(v, 0);
		return true;
	case KEY_WHEN:
	case KEY_STRATEGY: return load_choice(l, key, v, member);
	case KEY_LISTEN: return load_listen(l, key, v, member);
	case KEY_PATTERNS:
	case KEY_SECRETS: return load_strs(l, key, v, member);
	case KEY_PERCENTS: return load_ints(l, key, v, member);
	case KEY_ENV: return load_env(l, key, v, member);
	case KEY_JOBS:
	case KEY_ENVIRONMENTS: return load_all(l, key, v, member);
	case KEY_RESOURCES:
	case KEY_SERVICE:
	case KEY_TLS:
	case KEY_ROLLOUT: return key_child(key, &child) && load_scope(l, child, v, member);
	case KEY_NEEDS: // once all jobs have their names
	case KEY_MATRIX:
	case KEY_ANY: return true;
	}
	return true;
}

// A key that is absent was added to weir after the plan was stored: it has its default.
static bool load_scope(struct loader *l, enum keys_scope scope, const struct json *from,
                       void *out) {
	if (json_kind(from) != JSON_KIND_OBJECT)
		return err_set(l->e, ERR_CORRUPT, "the stored plan has no good %s", keys_scope_name(scope));
	value_defaults(scope, l->life, out);
	KEYS_EACH(scope, key) {
		const struct json *v = json_get(from, key->name);
		if (v && !load_value(l, key, v, (char *)out + key->offset)) return false;
	}
	return true;
}

static bool load_needs(struct loader *l, const struct json *jobs) {
	for (size_t i = 0; i < l->plan->jobs_n; i++) {
		const struct json *needs = json_get(json_at(jobs, i), "needs");
		struct conf_ints *out = &l->plan->jobs[i].needs;
		*out = (struct conf_ints){ARENA_ARRAY(l->life, int64_t, json_length(needs)),
		                          json_length(needs)};
		for (size_t k = 0; k < out->n; k++) {
			out->p[k] = plan_find_job(l->plan, json_str(json_at(needs, k)));
			if (out->p[k] < 0)
				return err_set(l->e, ERR_CORRUPT,
				               "the stored plan needs a job that it does not have");
		}
	}
	return true;
}

bool plan_from_json(const struct json *v, struct arena *life, struct conf_plan **out,
                    struct err *e) {
	struct conf_plan *plan = ARENA_NEW(life, struct conf_plan);
	struct loader l = {life, plan, e};
	if (!load_scope(&l, KEYS_ROOT, v, plan) || !load_needs(&l, json_get(v, "jobs"))) return false;
	*out = plan;
	return true;
}

// ---------------------------------------------------------------- candidate and trunk

static bool has_family(const struct conf_plan *plan, struct str family) {
	for (size_t i = 0; i < plan->jobs_n; i++)
		if (str_eq(plan->jobs[i].family, family)) return true;
	return false;
}

static const struct conf_job *find_family(const struct conf_plan *plan, struct str family) {
	for (size_t i = 0; i < plan->jobs_n; i++)
		if (str_eq(plan->jobs[i].family, family)) return &plan->jobs[i];
	return NULL;
}

static void add_new(struct conf_strs *list, struct str item) {
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->p[i], item)) return;
	list->p[list->n++] = item;
}

// What a change may not take from trunk's job: that it runs, and when. And what it may not give
// itself: secrets.
static void restrain(struct conf_job *job, const struct conf_job *trunk, struct arena *life) {
	struct conf_strs granted = {ARENA_ARRAY(life, struct str, job->secrets.n), 0};
	for (size_t i = 0; trunk && i < job->secrets.n; i++)
		for (size_t k = 0; k < trunk->secrets.n; k++)
			if (str_eq(job->secrets.p[i], trunk->secrets.p[k]))
				granted.p[granted.n++] = job->secrets.p[i];
	job->secrets = granted;
	job->before_landing = trunk && trunk->before_landing;
	if (!trunk) return;
	if (trunk->when < job->when) job->when = trunk->when;
	if (trunk->paths.n == 0 || job->paths.n == 0) {
		job->paths = (struct conf_strs){0};
		return;
	}
	struct conf_strs both = {ARENA_ARRAY(life, struct str, job->paths.n + trunk->paths.n), 0};
	for (size_t i = 0; i < job->paths.n; i++) add_new(&both, job->paths.p[i]);
	for (size_t i = 0; i < trunk->paths.n; i++) add_new(&both, trunk->paths.p[i]);
	job->paths = both;
}

// A job of trunk needs its families in the merged plan; those that went away were added.
static void link_added(struct conf_plan *out, size_t index, const struct conf_plan *trunk,
                       const struct conf_job *from, struct arena *life) {
	struct conf_ints needs = {ARENA_ARRAY(life, int64_t, out->jobs_n), 0};
	for (size_t i = 0; i < out->jobs_n; i++)
		for (size_t k = 0; k < from->needs.n; k++)
			if (str_eq(out->jobs[i].family, trunk->jobs[from->needs.p[k]].family)) {
				needs.p[needs.n++] = (int64_t)i;
				break;
			}
	out->jobs[index].needs = needs;
}

// What runs earlier cannot wait for what runs later: raising a job to trunk's `when` raises what it
// needs.
static void raise_needs(struct conf_plan *plan) {
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < plan->jobs_n; i++)
			for (size_t k = 0; k < plan->jobs[i].needs.n; k++) {
				struct conf_job *need = &plan->jobs[plan->jobs[i].needs.p[k]];
				if (need->when <= plan->jobs[i].when) continue;
				need->when = plan->jobs[i].when;
				moved = true;
			}
	}
}

static bool check_restored(const struct conf_plan *plan, const struct conf_job *job,
                           struct err *e) {
	for (size_t i = 1; i < job->needs.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct conf_job *a = &plan->jobs[job->needs.p[i]],
								  *b = &plan->jobs[job->needs.p[k]];
			for (size_t x = 0; x < a->artifacts.n; x++)
				for (size_t y = 0; y < b->artifacts.n; y++)
					if (glob_overlap(a->artifacts.p[x], b->artifacts.p[y]))
						return err_set(e, ERR_CONFLICT,
						               "trunk's job " STR_FMT
						               " stays required and would get " STR_FMT
						               " from both " STR_FMT " and " STR_FMT,
						               STR_ARG(job->name), STR_ARG(a->artifacts.p[x]),
						               STR_ARG(a->name), STR_ARG(b->name));
		}
	return true;
}

bool plan_merge(const struct conf_plan *candidate, const struct conf_plan *trunk,
                struct arena *life, struct conf_plan **out, struct err *e) {
	struct conf_plan *plan = ARENA_NEW(life, struct conf_plan);
	*plan = *trunk;
	plan->jobs = ARENA_ARRAY(life, struct conf_job, candidate->jobs_n + trunk->jobs_n);
	plan->jobs_n = candidate->jobs_n;
	for (size_t i = 0; i < candidate->jobs_n; i++) {
		plan->jobs[i] = candidate->jobs[i];
		restrain(&plan->jobs[i], find_family(trunk, candidate->jobs[i].family), life);
	}
	for (size_t i = 0; i < trunk->jobs_n; i++)
		if (!has_family(candidate, trunk->jobs[i].family))
			plan->jobs[plan->jobs_n++] = trunk->jobs[i];
	if (plan->jobs_n > CONF_JOBS_MAX)
		return err_set(e, ERR_LIMIT,
		               "with the jobs of trunk that stay required there are %zu jobs, more than %d",
		               plan->jobs_n, CONF_JOBS_MAX);
	size_t next = candidate->jobs_n;
	for (size_t i = 0; i < trunk->jobs_n; i++)
		if (!has_family(candidate, trunk->jobs[i].family))
			link_added(plan, next++, trunk, &trunk->jobs[i], life);
	for (size_t i = candidate->jobs_n; i < plan->jobs_n; i++)
		if (!check_restored(plan, &plan->jobs[i], e)) return false;
	raise_needs(plan);
	*out = plan;
	return true;
}
