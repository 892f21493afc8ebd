#include "conf/check.h"

#include "base/glob.h"
#include "conf/keys.h"

enum { PATTERNS_MAX = 512 }; // all artifacts of a plan are compared with each other

struct made { // one artifact pattern of one job of the plan
	const struct draft_job *draft;
	const struct conf_job *job;
	size_t index;
	struct str pattern;
};

// Where the index-th item of a list is written; the list itself when some item was not understood.
static struct conf_span item_span(const struct yaml_node *map, const char *key, size_t index,
                                  size_t count) {
	const struct yaml_node *list = yaml_get(map, key), *item = list->child;
	if (list->kind != YAML_LIST || list->count != count) return list->span;
	while (index--) item = item->next;
	return item->span;
}

static void tell_overlap(const struct made *a, const struct made *b, struct conf_diagnostics *d) {
	bool same = a->draft == b->draft;
	diagnostics_error(
		d, "artifact-overlap", item_span(b->draft->map, "artifacts", b->index, b->job->artifacts.n),
		same ? STR("put $WEIR_MATRIX_x or $WEIR_SHARD into the path")
			 : STR("two jobs may not make the same file"),
		"artifact " STR_FMT " of job " STR_FMT " overlaps with " STR_FMT " of job " STR_FMT,
		STR_ARG(b->pattern), STR_ARG(b->job->name), STR_ARG(a->pattern), STR_ARG(a->job->name));
}

static size_t collect(const struct draft *draft, const struct conf_plan *plan, struct made *out,
                      struct conf_diagnostics *d) {
	size_t n = 0;
	for (size_t i = 0; i < draft->jobs_n; i++) {
		const struct draft_job *from = &draft->jobs[i];
		for (size_t k = from->first; k < from->first + from->count && k < plan->jobs_n; k++) {
			const struct conf_job *job = &plan->jobs[k];
			for (size_t a = 0; a < job->artifacts.n; a++) {
				if (n == PATTERNS_MAX) {
					diagnostics_error(d, "too-many", from->key->span,
					                  STR("name folders instead of files"),
					                  "with job " STR_FMT " there are more than %d artifacts",
					                  STR_ARG(from->job.key), PATTERNS_MAX);
					return n;
				}
				out[n++] = (struct made){from, job, a, job->artifacts.p[a]};
			}
		}
	}
	return n;
}

static void check_overlaps(const struct made *made, size_t n, struct conf_diagnostics *d) {
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (made[i].job != made[j].job && glob_overlap(made[i].pattern, made[j].pattern)) {
				tell_overlap(&made[j], &made[i], d);
				break;
			}
}

static void check_made(const struct draft *draft, const struct draft_environment *it, size_t index,
                       const struct made *made, size_t n, struct arena *scratch,
                       struct conf_diagnostics *d) {
	struct str wanted = it->environment.artifacts.p[index];
	struct str *names = ARENA_ARRAY(scratch, struct str, n);
	const struct made *nightly = NULL;
	for (size_t i = 0; i < n; i++) {
		names[i] = made[i].pattern;
		if (!glob_overlap(wanted, made[i].pattern)) continue;
		if (made[i].job->when != CONF_WHEN_NIGHTLY) return;
		nightly = &made[i];
	}
	struct conf_span span = item_span(it->map, "artifacts", index, it->environment.artifacts.n);
	struct str near = keys_nearest(names, n, wanted);
	AUTO_BUF hint = {0};
	if (near.n) buf_printf(&hint, "did you mean `" STR_FMT "`?", STR_ARG(near));
	else buf_cstr(&hint, "add it to the `artifacts` of the job that makes it");
	if (nightly)
		diagnostics_error(d, "artifact-nightly", span,
		                  STR("a release needs it from a change or landed job"),
		                  "artifact " STR_FMT " is made only at night, by job " STR_FMT,
		                  STR_ARG(wanted), STR_ARG(nightly->job->name));
	else if (!draft->artifacts_doubtful)
		diagnostics_error(d, "artifact-missing", span, buf_view(&hint),
		                  "environment " STR_FMT " releases \"" STR_FMT "\", which no job makes",
		                  STR_ARG(it->environment.name), STR_ARG(wanted));
}

static void check_secrets(const struct yaml_node *map, const struct conf_env *env,
                          const struct conf_strs *secrets, struct conf_diagnostics *d) {
	for (size_t i = 0; i < secrets->n; i++)
		for (size_t k = 0; k < env->n; k++)
			if (str_eq(secrets->p[i], env->p[k].name))
				diagnostics_error(d, "secret-in-env", item_span(map, "secrets", i, secrets->n),
				                  STR_NONE, STR_FMT " stands in env and in secrets",
				                  STR_ARG(secrets->p[i]));
}

static bool is_any(struct str host) {
	return str_eq(host, STR("*")) || str_eq(host, STR("0.0.0.0")) || str_eq(host, STR("::"));
}

static void check_listen(const struct draft *draft, size_t index, struct conf_diagnostics *d) {
	const struct draft_environment *it = &draft->environments[index];
	const struct conf_listen *mine = &it->environment.listen;
	if (mine->port == 0) return;
	for (size_t i = 0; i < index; i++) {
		const struct conf_listen *other = &draft->environments[i].environment.listen;
		if (other->port == mine->port &&
		    (str_eq(other->host, mine->host) || is_any(other->host) || is_any(mine->host)))
			diagnostics_error(d, "address-taken", yaml_get(it->map, "listen")->span,
			                  STR("take another port"),
			                  "environment " STR_FMT " listens there already",
			                  STR_ARG(draft->environments[i].environment.name));
	}
}

static struct conf_span key_span(const struct yaml_node *map, const char *key) {
	YAML_EACH_PAIR(map, at)
	if (str_eq(at->text, str_of(key))) return at->span;
	return map->span;
}

static void warn(struct conf_diagnostics *d, const char *code, struct conf_span span,
                 struct str name, const char *text, const char *hint) {
	AUTO_BUF message = {0};
	buf_str(&message, name);
	buf_cstr(&message, text);
	diagnostics_add(d, CONF_WARNING, code, span, buf_view(&message), str_of(hint));
}

static void check_environment(const struct draft *draft, size_t index, struct conf_diagnostics *d) {
	const struct draft_environment *it = &draft->environments[index];
	const struct conf_environment *e = &it->environment;
	const struct yaml_node *service = yaml_get(it->map, "service");
	check_listen(draft, index, d);
	if (e->rollout.strategy != CONF_STRATEGY_ALL_AT_ONCE)
		diagnostics_error(d, "not-yet", yaml_get(yaml_get(it->map, "rollout"), "strategy")->span,
		                  STR("leave it out, or write `all-at-once`"),
		                  "not yet supported: a canary rollout");
	if (yaml_get(it->map, "tls") && !yaml_get(it->map, "listen"))
		diagnostics_error(d, "missing-key", key_span(it->map, "tls"),
		                  STR("add `listen: \"*:443\"`"),
		                  "environment " STR_FMT " has tls and no listen", STR_ARG(e->name));
	if (!service) {
		if (draft_has(it->map, KEYS_ENVIRONMENT, "service")) return;
		warn(d, "no-service", it->key->span, e->name, " has no service",
		     "a release only puts its files there; nothing runs");
		return;
	}
	if (service->kind != YAML_MAP) return;
	check_secrets(service, &e->service.env, &e->service.secrets, d);
	if (!draft_has(service, KEYS_SERVICE, "health"))
		warn(d, "no-health", key_span(it->map, "service"), e->name, " has no health check",
		     "add `health: /healthz`, or weir only sees that it runs");
	if (!draft_has(it->map, KEYS_ENVIRONMENT, "listen"))
		warn(d, "no-listen", key_span(it->map, "service"), e->name, " has no address",
		     "add `listen: 127.0.0.1:8000`, or nobody reaches the service");
}

static void check_each(const struct draft_job *it, struct conf_diagnostics *d) {
	const struct conf_job *job = &it->job;
	if (job->shards > 1)
		diagnostics_error(d, "each-and-shards", key_span(it->map, "shards"),
		                  STR("take one of the two"), "job " STR_FMT " has each and shards",
		                  STR_ARG(job->key));
	for (size_t i = 0; i < job->artifacts.n; i++)
		if (!str_contains(job->artifacts.p[i], STR("WEIR_EACH")))
			diagnostics_error(d, "artifact-overlap",
			                  item_span(it->map, "artifacts", i, job->artifacts.n),
			                  STR("put $WEIR_EACH into the path"),
			                  "the jobs of each file of " STR_FMT " would all make " STR_FMT,
			                  STR_ARG(job->key), STR_ARG(job->artifacts.p[i]));
}

static void check_job(const struct draft_job *it, struct conf_diagnostics *d) {
	const struct conf_job *job = &it->job;
	if (job->each.n) check_each(it, d);
	check_secrets(it->map, &job->env, &job->secrets, d);
	if (job->secrets.n && job->when == CONF_WHEN_CHANGE && !job->before_landing)
		warn(d, "secrets-withheld", key_span(it->map, "secrets"), job->key,
		     " gets no secrets before landing",
		     "write `when: landed`, or `before_landing: true` if a change may read them");
}

void check_plan(const struct draft *draft, const struct conf_plan *plan, struct arena *scratch,
                struct conf_diagnostics *d) {
	struct made *made = ARENA_ARRAY(scratch, struct made, PATTERNS_MAX);
	size_t n = collect(draft, plan, made, d);
	check_overlaps(made, n, d);
	for (size_t i = 0; i < draft->jobs_n; i++) check_job(&draft->jobs[i], d);
	for (size_t i = 0; i < draft->environments_n; i++) {
		const struct draft_environment *it = &draft->environments[i];
		for (size_t k = 0; k < it->environment.artifacts.n && plan->jobs_n; k++)
			check_made(draft, it, k, made, n, scratch, d);
		check_environment(draft, i, d);
	}
}
