// The table of keys (keys.def.h) and what is written from it alone.
#pragma once
#include "conf/plan.h"

// Scope, its struct, and what a message calls it.
#define KEYS_SCOPES(X)                                     \
	X(ROOT, struct conf_plan, "weir.yml")                  \
	X(JOB, struct conf_job, "job")                         \
	X(RESOURCES, struct conf_resources, "resources")       \
	X(ENVIRONMENT, struct conf_environment, "environment") \
	X(SERVICE, struct conf_service, "service")             \
	X(TLS, struct conf_tls, "tls")                         \
	X(ROLLOUT, struct conf_rollout, "rollout")

enum keys_scope {
#define X(scope, type, text) KEYS_##scope,
	KEYS_SCOPES(X)
#undef X
		KEYS_SCOPES_N
};

enum key_kind {       // what stands in the file, and the type of the member
	KEY_TEXT,         // struct str
	KEY_COMMAND,      // struct str
	KEY_BRANCH,       // struct str
	KEY_FOLDER,       // struct str
	KEY_FILE,         // struct str
	KEY_HEALTH,       // struct str
	KEY_BOOL,         // bool
	KEY_COUNT,        // int64_t
	KEY_DURATION,     // int64_t
	KEY_SIZE,         // int64_t
	KEY_CPU,          // int64_t
	KEY_WHEN,         // enum conf_when
	KEY_STRATEGY,     // enum conf_strategy
	KEY_LISTEN,       // struct conf_listen
	KEY_PATTERNS,     // struct conf_strs
	KEY_SECRETS,      // struct conf_strs
	KEY_PERCENTS,     // struct conf_ints
	KEY_ENV,          // struct conf_env
	KEY_NEEDS,        // struct conf_ints, names in the file
	KEY_MATRIX,       // no member: gone after expansion
	KEY_ANY,          // no member: not read
	KEY_JOBS,         // conf_plan.jobs
	KEY_ENVIRONMENTS, // conf_plan.environments
	KEY_RESOURCES,    // the struct of that scope, and so on
	KEY_SERVICE,
	KEY_TLS,
	KEY_ROLLOUT,
};

enum { KEY_BUILT = 0, KEY_NOT_YET = 1, KEY_REQUIRED = 2, KEY_OUTCOME = 4, KEY_INTERNAL = 8 };

struct key {
	enum keys_scope scope;
	const char *name;
	enum key_kind kind;
	size_t offset;         // of the member in the scope's struct
	const char *otherwise; // the default as written
	int64_t min, max;
	unsigned flags;
	const char *doc;
};

// Loop over the rows of a scope, internal ones included: KEYS_EACH(KEYS_JOB, key) ...
#define KEYS_EACH(of, key) for (const struct key *key = keys_first(of); key; key = keys_next(key))
const struct key *keys_first(enum keys_scope scope);
const struct key *keys_next(const struct key *key);
const struct key *keys_find(enum keys_scope scope, struct str name); // not internal; or NULL
const char *keys_suggest(enum keys_scope scope, struct str name);    // the nearest name, or NULL
const char *keys_scope_name(enum keys_scope scope);
const char *key_expects(const struct key *key); // "a list of paths"
bool key_child(const struct key *key,
               enum keys_scope *scope); // the mapping below it has that scope
const char *const *key_choices(const struct key *key,
                               size_t *n); // names of an enum's values, or NULL

// Levenshtein's nearest of names, when it is near enough to be meant; else STR_NONE.
struct str keys_nearest(const struct str *names, size_t n, struct str written);
