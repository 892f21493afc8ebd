#include "conf/keys.h"

#define BUILT KEY_BUILT
#define NOT_YET KEY_NOT_YET
#define REQUIRED KEY_REQUIRED
#define OUTCOME KEY_OUTCOME
#define INTERNAL KEY_INTERNAL

#define X(scope, type, text) typedef type scope##_struct;
KEYS_SCOPES(X)
#undef X

static const struct key table[] = {
#define KEY(scope, name, kind, member, otherwise, min, max, flags, doc)                 \
	{KEYS_##scope, name,  KEY_##kind, offsetof(scope##_struct, member), otherwise, min, \
	 max,          flags, doc},
#include "conf/keys.def.h"
#undef KEY
};

static const char *const scope_names[] = {
#define X(scope, type, text) [KEYS_##scope] = text,
	KEYS_SCOPES(X)
#undef X
};

static const struct key *from(size_t i, enum keys_scope scope) {
	for (; i < ARRAY_LEN(table); i++)
		if (table[i].scope == scope) return &table[i];
	return NULL;
}

const struct key *keys_first(enum keys_scope scope) {
	return from(0, scope);
}

const struct key *keys_next(const struct key *key) {
	return from((size_t)(key - table) + 1, key->scope);
}

const struct key *keys_find(enum keys_scope scope, struct str name) {
	KEYS_EACH(scope, key)
	if (!(key->flags & KEY_INTERNAL) && str_eq(str_of(key->name), name)) return key;
	return NULL;
}

struct str keys_nearest(const struct str *names, size_t n, struct str written) {
	struct str best = STR_NONE;
	size_t least = SIZE_MAX;
	for (size_t i = 0; i < n; i++) {
		size_t distance = str_distance(names[i], written);
		if (distance < least) {
			least = distance;
			best = names[i];
		}
	}
	// A third of the word may be wrong; of a word of two letters one.
	size_t longer = written.n > best.n ? written.n : best.n;
	return least <= (longer + 2) / 3 && least < longer ? best : STR_NONE;
}

// What other CI systems call it.
static const struct {
	enum keys_scope scope;
	const char *theirs, *ours;
} synonyms[] = {
	{KEYS_ROOT, "stages", "jobs"},
	{KEYS_ROOT, "branch", "trunk"},
	{KEYS_JOB, "script", "run"},
	{KEYS_JOB, "command", "run"},
	{KEYS_JOB, "steps", "run"},
	{KEYS_JOB, "depends_on", "needs"},
	{KEYS_JOB, "dependencies", "needs"},
	{KEYS_JOB, "environment", "env"},
	{KEYS_JOB, "variables", "env"},
	{KEYS_JOB, "parallelism", "shards"},
	{KEYS_JOB, "parallel", "shards"},
	{KEYS_JOB, "container", "image"},
	{KEYS_JOB, "only", "when"},
	{KEYS_JOB, "if", "when"},
	{KEYS_JOB, "timeout-minutes", "timeout"},
	{KEYS_JOB, "retry", "retries"},
	{KEYS_JOB, "working_directory", "working-directory"},
	{KEYS_JOB, "reports", "results"},
	{KEYS_JOB, "strategy", "matrix"},
	{KEYS_SERVICE, "replicas", "instances"},
	{KEYS_SERVICE, "healthcheck", "health"},
	{KEYS_SERVICE, "environment", "env"},
	{KEYS_SERVICE, "command", "run"},
	{KEYS_SERVICE, "migrate", "before"},
	{KEYS_ENVIRONMENT, "port", "listen"},
	{KEYS_ENVIRONMENT, "deploy", "service"},
};

const char *keys_suggest(enum keys_scope scope, struct str name) {
	struct str names[ARRAY_LEN(table)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(synonyms); i++)
		if (synonyms[i].scope == scope && str_eq(str_of(synonyms[i].theirs), name))
			return synonyms[i].ours;
	KEYS_EACH(scope, key)
	if (!(key->flags & KEY_INTERNAL)) names[n++] = str_of(key->name);
	return keys_nearest(names, n, name).p;
}

const char *keys_scope_name(enum keys_scope scope) {
	return scope_names[scope];
}

bool key_child(const struct key *key, enum keys_scope *scope) {
	static const enum keys_scope children[] = {
		[KEY_JOBS] = KEYS_JOB,
		[KEY_ENVIRONMENTS] = KEYS_ENVIRONMENT,
		[KEY_RESOURCES] = KEYS_RESOURCES,
		[KEY_SERVICE] = KEYS_SERVICE,
		[KEY_TLS] = KEYS_TLS,
		[KEY_ROLLOUT] = KEYS_ROLLOUT,
	};
	if (key->kind < KEY_JOBS) return false;
	*scope = children[key->kind];
	return true;
}

const char *const *key_choices(const struct key *key, size_t *n) {
	static const char *const when[] = {"change", "landed", "nightly"};
	static const char *const strategy[] = {"all-at-once", "canary"};
	if (key->kind == KEY_WHEN) return *n = ARRAY_LEN(when), when;
	if (key->kind == KEY_STRATEGY) return *n = ARRAY_LEN(strategy), strategy;
	return NULL;
}

const char *key_expects(const struct key *key) {
	switch (key->kind) {
	case KEY_TEXT: return "a text";
	case KEY_COMMAND: return "a command";
	case KEY_BRANCH: return "the name of a branch";
	case KEY_FOLDER: return "a folder";
	case KEY_FILE: return "an absolute path";
	case KEY_HEALTH: return "a path";
	case KEY_BOOL: return "true or false";
	case KEY_COUNT: return "a whole number";
	case KEY_DURATION: return "a duration such as 10m";
	case KEY_SIZE: return "a size such as 512M";
	case KEY_CPU: return "a number of cores";
	case KEY_WHEN: return "change, landed or nightly";
	case KEY_STRATEGY: return "all-at-once or canary";
	case KEY_LISTEN: return "an address and port";
	case KEY_PATTERNS: return "a list of paths";
	case KEY_SECRETS: return "a list of names";
	case KEY_PERCENTS: return "a list of percentages";
	case KEY_ENV: return "a mapping of names to texts";
	case KEY_NEEDS: return "a list of jobs";
	case KEY_MATRIX: return "a mapping of names to lists";
	case KEY_ANY: return "anything";
	case KEY_JOBS: return "a mapping of names to jobs";
	case KEY_ENVIRONMENTS: return "a mapping of names to environments";
	case KEY_RESOURCES:
	case KEY_SERVICE:
	case KEY_TLS:
	case KEY_ROLLOUT: return "a mapping";
	}
	return "";
}
