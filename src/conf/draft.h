// weir.yml as written: each mapping read into the structs of plan.h by the table of keys, before
// matrix and shards are expanded. Keeps the nodes, because what is judged later needs their places.
#pragma once
#include "conf/keys.h"
#include "conf/yaml.h"

struct draft_axis {
	struct str name;
	struct conf_strs values;
};

struct draft_job {
	struct conf_job job; // key and name are the name as written; needs is empty
	const struct yaml_node *key, *map;
	struct draft_axis *axes; // of its matrix
	size_t axes_n;
	size_t *needs; // indices into draft.jobs
	size_t needs_n;
	size_t first, count; // its expansions in the plan, after expand_jobs
};

struct draft_environment {
	struct conf_environment environment;
	const struct yaml_node *key, *map;
};

struct draft {
	struct str trunk;
	struct draft_job *jobs;
	size_t jobs_n;
	struct draft_environment *environments;
	size_t environments_n;
	bool artifacts_doubtful; // some were not understood: do not say that one is missing
};

// The mapping has the key, or an unknown one that is near enough to be meant: then only that is
// told.
bool draft_has(const struct yaml_node *map, enum keys_scope scope, const char *name);

// Reads what it can and tells d what is wrong. `root` NULL is an empty file.
void draft_read(const struct yaml_node *root, struct arena *life, struct draft *out,
                struct conf_diagnostics *d);
