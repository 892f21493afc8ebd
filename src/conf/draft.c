#include "conf/draft.h"
#include <stdlib.h>

#include "conf/value.h"

struct reader {
	struct arena *life;
	struct conf_diagnostics *d;
	bool artifacts_doubtful;
};

static void problem(struct reader *r, const struct yaml_node *node,
                    const struct value_problem *why) {
	diagnostics_add(r->d, CONF_ERROR, why->code, node->span, why->text, str_of(why->hint));
}

// Where a null value is reported: it has no place of its own.
static struct conf_span place(const struct yaml_node *around, const struct yaml_node *node) {
	return yaml_is_null(node) && node->span.length == 0 ? around->span : node->span;
}

static void wrong_type(struct reader *r, const struct yaml_node *name,
                       const struct yaml_node *value, const char *expected) {
	AUTO_BUF hint = {0};
	bool brackets = value->kind == YAML_SCALAR && !yaml_is_null(value) &&
	                str_starts(str_of(expected), STR("a list"));
	if (brackets && value->text.n < 60)
		buf_printf(&hint, "put it in brackets: `[" STR_FMT "]`", STR_ARG(value->text));
	if (yaml_is_null(value))
		diagnostics_error(r->d, "no-value", place(name, value), STR_NONE,
		                  STR_FMT " has no value, it must be %s", STR_ARG(name->text), expected);
	else
		diagnostics_error(r->d, "wrong-type", value->span, buf_view(&hint),
		                  STR_FMT " must be %s, not %s", STR_ARG(name->text), expected,
		                  yaml_kind_name(value));
}

static bool is_new(struct reader *r, const struct conf_strs *list, struct str item,
                   const struct yaml_node *node) {
	for (size_t i = 0; i < list->n; i++) {
		if (!str_eq(list->p[i], item)) continue;
		diagnostics_error(r->d, "duplicate-item", node->span, STR_NONE,
		                  "\"" STR_FMT "\" stands here twice", STR_ARG(item));
		return false;
	}
	return true;
}

static bool check_count(struct reader *r, const struct key *key, const struct yaml_node *name,
                        const struct yaml_node *value) {
	int64_t n = (int64_t)value->count;
	if (n >= key->min && n <= key->max) return true;
	if (n < key->min)
		diagnostics_error(r->d, "no-value", value->span, STR_NONE, STR_FMT " is empty",
		                  STR_ARG(name->text));
	else
		diagnostics_error(r->d, "too-many", value->span, STR_NONE,
		                  STR_FMT " has %lld items, more than %lld", STR_ARG(name->text),
		                  (long long)n, (long long)key->max);
	return false;
}

static void read_strs(struct reader *r, const struct key *key, const struct yaml_node *value,
                      struct conf_strs *out) {
	out->p = ARENA_ARRAY(r->life, struct str, value->count);
	YAML_EACH_ITEM(value, item) {
		struct value_problem why;
		struct str text;
		if (item->kind != YAML_SCALAR || yaml_is_null(item))
			diagnostics_error(r->d, "wrong-type", place(value, item), STR_NONE,
			                  "%s must be %s, this is %s", key->name, key_expects(key),
			                  yaml_kind_name(item));
		else if (!value_read(key, item->text, r->life, &text, &why)) problem(r, item, &why);
		else if (is_new(r, out, text, item)) out->p[out->n++] = text;
	}
}

static void read_percents(struct reader *r, const struct key *key, const struct yaml_node *value,
                          struct conf_ints *out) {
	out->p = ARENA_ARRAY(r->life, int64_t, value->count);
	YAML_EACH_ITEM(value, item) {
		struct value_problem why;
		int64_t percent, last = out->n ? out->p[out->n - 1] : 0;
		struct str text = item->kind == YAML_SCALAR ? item->text : STR_NONE;
		if (!value_read(key, text, r->life, &percent, &why)) problem(r, item, &why);
		else if (percent <= last)
			diagnostics_error(r->d, "bad-percentage", item->span, STR_NONE, "%s must ascend",
			                  key->name);
		else out->p[out->n++] = percent;
		if (!item->next && out->n && out->p[out->n - 1] != 100)
			diagnostics_error(r->d, "bad-percentage", item->span, STR("end with `100%`"),
			                  "%s does not reach everybody", key->name);
	}
}

static int by_name(const void *a, const void *b) {
	return str_compare(((const struct conf_pair *)a)->name, ((const struct conf_pair *)b)->name);
}

static void read_env(struct reader *r, const struct key *key, const struct yaml_node *value,
                     struct conf_env *out) {
	out->p = ARENA_ARRAY(r->life, struct conf_pair, value->count);
	YAML_EACH_PAIR(value, name) {
		bool ours = str_starts(name->text, STR("WEIR_")) ||
		            (key->scope == KEYS_SERVICE && str_eq(name->text, STR("PORT")));
		if (!value_is_variable(name->text))
			diagnostics_error(r->d, "bad-name", name->span,
			                  STR("letters, digits and _, no digit in front"),
			                  "\"" STR_FMT "\" cannot name a variable", STR_ARG(name->text));
		else if (ours)
			diagnostics_error(r->d, "bad-name", name->span, STR("take another name"),
			                  "weir sets " STR_FMT " itself", STR_ARG(name->text));
		else if (name->next->kind != YAML_SCALAR)
			diagnostics_error(r->d, "wrong-type", name->next->span, STR_NONE,
			                  STR_FMT " must be a text, not %s", STR_ARG(name->text),
			                  yaml_kind_name(name->next));
		else if (name->next->text.n > 32768)
			diagnostics_error(r->d, "too-large", name->next->span, STR_NONE,
			                  STR_FMT " is longer than 32 KB", STR_ARG(name->text));
		else
			out->p[out->n++] = (struct conf_pair){arena_str(r->life, name->text),
			                                      arena_str(r->life, name->next->text)};
	}
	if (out->n) qsort(out->p, out->n, sizeof out->p[0], by_name);
}

static void read_scope(struct reader *r, enum keys_scope scope, const struct yaml_node *owner,
                       const struct yaml_node *map, struct str where, void *out);

static void read_value(struct reader *r, const struct key *key, const struct yaml_node *name,
                       const struct yaml_node *value, struct str where, void *member) {
	enum keys_scope child;
	struct value_problem why;
	bool map = key->kind == KEY_ENV || key->kind == KEY_MATRIX || key_child(key, &child);
	enum yaml_kind kind = value_is_scalar(key->kind) ? YAML_SCALAR : map ? YAML_MAP : YAML_LIST;
	if (key->kind == KEY_ANY) return;
	if (value->kind != kind || yaml_is_null(value)) {
		wrong_type(r, name, value, key_expects(key));
		return;
	}
	if (kind == YAML_SCALAR) {
		if (!value_read(key, value->text, r->life, member, &why)) problem(r, value, &why);
		return;
	}
	if (key->max && !check_count(r, key, name, value)) return;
	if (key->kind == KEY_PATTERNS || key->kind == KEY_SECRETS) read_strs(r, key, value, member);
	else if (key->kind == KEY_PERCENTS) read_percents(r, key, value, member);
	else if (key->kind == KEY_ENV) read_env(r, key, value, member);
	else if (key->kind > KEY_ENVIRONMENTS && key_child(key, &child)) {
		struct str below = arena_printf(r->life, "%s of " STR_FMT, key->name, STR_ARG(where));
		read_scope(r, child, name, value, below, member);
	}
}

static void unknown_key(struct reader *r, enum keys_scope scope, const struct yaml_node *name,
                        struct str where) {
	const char *near = keys_suggest(scope, name->text);
	if (scope == KEYS_JOB && (!near || strcmp(near, "artifacts") == 0))
		r->artifacts_doubtful = true;
	AUTO_BUF hint = {0};
	if (near) {
		buf_printf(&hint, "did you mean `%s`?", near);
	} else {
		buf_cstr(&hint, "known are ");
		bool first = true;
		KEYS_EACH(scope, key) {
			if (key->flags & (KEY_INTERNAL | KEY_NOT_YET)) continue;
			buf_printf(&hint, "%s%s", first ? "" : ", ", key->name);
			first = false;
		}
	}
	diagnostics_error(r->d, "unknown-key", name->span, buf_view(&hint),
	                  "unknown key \"" STR_FMT "\" %s " STR_FMT, STR_ARG(name->text),
	                  scope == KEYS_ROOT ? "at the top of" : "in", STR_ARG(where));
}

bool draft_has(const struct yaml_node *map, enum keys_scope scope, const char *name) {
	if (map->kind != YAML_MAP) return false;
	YAML_EACH_PAIR(map, key) {
		if (str_eq(key->text, str_of(name))) return true;
		if (keys_find(scope, key->text)) continue;
		const char *near = keys_suggest(scope, key->text);
		if (near && strcmp(near, name) == 0) return true;
	}
	return false;
}

static void read_scope(struct reader *r, enum keys_scope scope, const struct yaml_node *owner,
                       const struct yaml_node *map, struct str where, void *out) {
	YAML_EACH_PAIR(map, name) {
		const struct key *key = keys_find(scope, name->text);
		if (!key) {
			unknown_key(r, scope, name, where);
			continue;
		}
		size_t before = r->d->errors;
		read_value(r, key, name, name->next, where, (char *)out + key->offset);
		if (scope == KEYS_JOB && strcmp(key->name, "artifacts") == 0 && r->d->errors > before)
			r->artifacts_doubtful = true;
		if ((key->flags & KEY_NOT_YET) && r->d->errors == before)
			diagnostics_error(r->d, "not-yet", name->span, STR("leave it out for now"),
			                  "not yet supported: %s in " STR_FMT, key->name, STR_ARG(where));
	}
	KEYS_EACH(scope, key) {
		if (!(key->flags & KEY_REQUIRED) || draft_has(map, scope, key->name)) continue;
		AUTO_BUF hint = {0};
		buf_printf(&hint, "add `%s:` and %s", key->name, key_expects(key));
		diagnostics_error(r->d, "missing-key", owner->span, buf_view(&hint), STR_FMT " has no %s",
		                  STR_ARG(where), key->name);
	}
}

static bool check_name(struct reader *r, const struct yaml_node *key, const char *what) {
	if (value_is_name(key->text)) return true;
	struct str hint = key->text.n > CONF_NAME_MAX
	                      ? STR("at most 63 bytes")
	                      : STR("letters, digits, `.`, `_` and `-`, a letter or digit in front");
	diagnostics_error(r->d, "bad-name", key->span, hint, "\"" STR_FMT "\" cannot name %s",
	                  STR_ARG(str_slice(key->text, 0, 100)), what);
	return false;
}

static void read_axis(struct reader *r, const struct yaml_node *name, struct draft_job *job) {
	const struct yaml_node *value = name->next;
	struct draft_axis axis = {.name = arena_str(r->life, name->text)};
	if (str_eq(name->text, STR("include")) || str_eq(name->text, STR("exclude"))) {
		diagnostics_error(r->d, "not-yet", name->span, STR("make it two jobs"),
		                  "not yet supported: " STR_FMT " in a matrix", STR_ARG(name->text));
		return;
	}
	if (!value_is_variable(name->text)) {
		diagnostics_error(r->d, "bad-name", name->span,
		                  STR("letters, digits and _, no digit in front"),
		                  "\"" STR_FMT "\" cannot name a variable", STR_ARG(name->text));
		return;
	}
	if (value->kind != YAML_LIST) {
		wrong_type(r, name, value, "a list of values");
		return;
	}
	if (value->count == 0) {
		diagnostics_error(r->d, "no-value", value->span, STR_NONE, STR_FMT " is empty",
		                  STR_ARG(name->text));
		return;
	}
	axis.values.p = ARENA_ARRAY(r->life, struct str, value->count);
	YAML_EACH_ITEM(value, item) {
		bool good = item->kind == YAML_SCALAR && item->text.n > 0 && item->text.n <= CONF_NAME_MAX;
		for (size_t i = 0; good && i < item->text.n; i++)
			good = (unsigned char)item->text.p[i] >= 0x20 && item->text.p[i] != 0x7f;
		if (!good)
			diagnostics_error(r->d, "bad-value", place(name, item), STR_NONE,
			                  "a value of " STR_FMT " must be a text of 1 to 63 bytes in one line",
			                  STR_ARG(name->text));
		else if (is_new(r, &axis.values, item->text, item))
			axis.values.p[axis.values.n++] = arena_str(r->life, item->text);
	}
	if (axis.values.n) job->axes[job->axes_n++] = axis;
}

static void read_matrix(struct reader *r, struct draft_job *job) {
	const struct yaml_node *matrix = yaml_get(job->map, "matrix");
	if (!matrix || matrix->kind != YAML_MAP || matrix->count > 8) return; // read_value told
	job->axes = ARENA_ARRAY(r->life, struct draft_axis, matrix->count);
	YAML_EACH_PAIR(matrix, name) read_axis(r, name, job);
}

static void read_jobs(struct reader *r, const struct yaml_node *jobs, struct draft *out) {
	out->jobs = ARENA_ARRAY(r->life, struct draft_job, jobs->count);
	YAML_EACH_PAIR(jobs, key) {
		if (!check_name(r, key, "a job")) continue;
		struct draft_job *job = &out->jobs[out->jobs_n];
		*job = (struct draft_job){.key = key, .map = key->next};
		value_defaults(KEYS_JOB, r->life, &job->job);
		job->job.key = job->job.name = job->job.family = arena_str(r->life, key->text);
		if (key->next->kind != YAML_MAP) {
			wrong_type(r, key, key->next, "a mapping with run:");
			continue;
		}
		out->jobs_n++;
		struct str where = arena_printf(r->life, "job " STR_FMT, STR_ARG(key->text));
		read_scope(r, KEYS_JOB, key, key->next, where, &job->job);
		read_matrix(r, job);
	}
}

// An environment's folder is REPOSITORY.ENVIRONMENT: with dots in both, two could share one.
static bool check_no_dot(struct reader *r, const struct yaml_node *key) {
	if (str_find_char(key->text, '.') == key->text.n) return true;
	diagnostics_error(r->d, "bad-name", key->span, STR("letters, digits, `_` and `-`"),
	                  "\"" STR_FMT "\" cannot name an environment: it has a dot",
	                  STR_ARG(key->text));
	return false;
}

static void read_environments(struct reader *r, const struct yaml_node *environments,
                              struct draft *out) {
	out->environments = ARENA_ARRAY(r->life, struct draft_environment, environments->count);
	YAML_EACH_PAIR(environments, key) {
		if (!check_name(r, key, "an environment") || !check_no_dot(r, key)) continue;
		struct draft_environment *it = &out->environments[out->environments_n];
		*it = (struct draft_environment){.key = key, .map = key->next};
		value_defaults(KEYS_ENVIRONMENT, r->life, &it->environment);
		it->environment.name = arena_str(r->life, key->text);
		if (key->next->kind != YAML_MAP) {
			wrong_type(r, key, key->next, "a mapping with artifacts:");
			continue;
		}
		out->environments_n++;
		struct str where = arena_printf(r->life, "environment " STR_FMT, STR_ARG(key->text));
		read_scope(r, KEYS_ENVIRONMENT, key, key->next, where, &it->environment);
	}
}

void draft_read(const struct yaml_node *root, struct arena *life, struct draft *out,
                struct conf_diagnostics *d) {
	struct reader r = {.life = life, .d = d};
	struct conf_plan plan = {0};
	*out = (struct draft){0};
	value_defaults(KEYS_ROOT, life, &plan);
	out->trunk = plan.trunk;
	if (!root || yaml_is_null(root)) {
		diagnostics_error(d, "empty", (struct conf_span){0, 1}, STR("`weir init` writes one"),
		                  "there is nothing in the file");
		return;
	}
	if (root->kind != YAML_MAP) {
		diagnostics_error(d, "wrong-type", root->span, STR("begin with `jobs:`"),
		                  "the file must be a mapping, not %s", yaml_kind_name(root));
		return;
	}
	read_scope(&r, KEYS_ROOT, root->child ? root->child : root, root, STR("weir.yml"), &plan);
	out->trunk = plan.trunk;
	const struct yaml_node *jobs = yaml_get(root, "jobs"),
						   *environments = yaml_get(root, "environments");
	if (jobs && jobs->kind == YAML_MAP) {
		if (jobs->count == 0)
			diagnostics_error(d, "no-value", jobs->span, STR("add a job"), "weir.yml has no job");
		read_jobs(&r, jobs, out);
	}
	if (environments && environments->kind == YAML_MAP) read_environments(&r, environments, out);
	out->artifacts_doubtful = r.artifacts_doubtful;
}
