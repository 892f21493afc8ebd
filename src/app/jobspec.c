#include "app/jobspec.h"

#include "base/jsonw.h"

static struct exec_strs strs(struct conf_strs s) {
	return (struct exec_strs){s.p, s.n};
}

void jobspec_fill(const struct conf_plan *plan, const struct conf_job *job, struct str id,
                  const struct jobspec_facts *facts, struct arena *life, struct exec_spec *out) {
	struct exec_pair *env = ARENA_ARRAY(life, struct exec_pair, job->env.n + 3);
	size_t n = 0;
	(void)plan;
	for (size_t i = 0; i < job->env.n; i++)
		env[n++] = (struct exec_pair){job->env.p[i].name, job->env.p[i].value};
	env[n++] = (struct exec_pair){STR("WEIR_JOB"), job->name};
	if (facts->repo.n) env[n++] = (struct exec_pair){STR("WEIR_REPO"), facts->repo};
	if (facts->target.n) env[n++] = (struct exec_pair){STR("WEIR_TARGET"), facts->target};
	*out = (struct exec_spec){
		.id = id,
		.command = job->run,
		.folder = job->working_directory,
		.env = {env, n},
		.secrets = strs(job->secrets),
		.artifacts = strs(job->artifacts),
		.results = strs(job->results),
		.coverage = strs(job->coverage),
		.network = job->network,
		.timeout_ms = job->timeout_ms,
		.memory_bytes = job->resources.memory_bytes,
		.cpu_milli = job->resources.cpu_milli,
		.disk_bytes = job->resources.disk_bytes,
	};
}

struct str jobspec_inputs(const struct conf_job *job, struct oid tree, struct oid commit,
                          struct arena *life) {
	AUTO_BUF text = {0};
	char hex[OID_HEX_MAX + 1];
	struct jsonw w = jsonw_to(&text);
	jsonw_object(&w);
	if (!oid_is_none(commit)) {
		oid_hex(commit, hex);
		jsonw_key_z(&w, "commit", hex);
	}
	if (job->inputs.n) {
		jsonw_key(&w, "patterns");
		jsonw_array(&w);
		for (size_t i = 0; i < job->inputs.n; i++) jsonw_str(&w, job->inputs.p[i]);
		jsonw_array_end(&w);
	}
	oid_hex(tree, hex);
	jsonw_key_z(&w, "tree", hex);
	jsonw_object_end(&w);
	return arena_str(life, buf_view(&text));
}

struct digest jobspec_basis(const struct conf_plan *plan, const struct conf_job *job,
                            const struct exec_spec *spec, const struct digest *needs,
                            size_t need_count, struct digest toolchain, enum key_trust trust) {
	AUTO_BUF definition = {0};
	plan_job_json(plan, job, &definition);
	struct key_parts parts = {
		.job = buf_view(&definition),
		.env = {spec->env.p, job->env.n + 1}, // with WEIR_JOB; the other facts are the
	                                          // repository's, and a verdict serves no other
		.needs = needs,
		.need_count = need_count,
		.toolchain = toolchain,
		.trust = trust,
	};
	return key_basis(&parts);
}

bool jobspec_is_reusable(const struct conf_job *job) {
	return !job->network && job->secrets.n == 0 && job->when != CONF_WHEN_NIGHTLY &&
	       job->cache.n == 0;
}

int64_t jobspec_traced(const struct conf_job *job, size_t tree) {
	return jobspec_is_reusable(job) && job->trace && !job->inputs.n && !job->git && !job->submodules
	           ? (int64_t)tree
	           : 0;
}
