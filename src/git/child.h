// Inside src/git only: the structs, and running git once. Every child gets a fixed small
// environment (no configuration of the machine or of a person), dies with the thread that started
// it, and holds the lock descriptor by which git_home_recover finds it.
#pragma once
#include <pthread.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "os/process.h"

struct git_home {
	char *data, *hook; // may be NULL
	int lock;          // -1 = none
};

struct git_plumb;
enum git_plumb_kind {
	GIT_PLUMB_READ,
	GIT_PLUMB_MERGE,
	GIT_PLUMB_WRITE,
	GIT_PLUMB_BRANCHES, // asks the tripwire, a hook
	GIT_PLUMB_OWN_REFS  // refs/changes, refs/candidates and the like: no hook looks at these
};
enum { GIT_PLUMB_KINDS = 5 };

struct git_repo {
	struct git_home *home;
	char *path;    // GIT_DIR
	char *objects; // a snapshot's own object folder, NULL otherwise
	char *parent_objects;
	pthread_mutex_t lock;    // of the fields below
	pthread_mutex_t landing; // one move of trunk at a time: there is one landing file
	struct git_plumb *idle[GIT_PLUMB_KINDS]; // lists
	unsigned generation;                     // children of an older one are ended instead of kept
};

struct git_child_env {
	const char *list[48];
	size_t count;
};

// The environment of a child that works in r (r may be NULL: no repository). `person` keeps what
// reaching other servers needs: HOME, ssh agent, proxies, the person's git configuration
// (credential helpers).
void git_child_env(struct git_child_env *env, struct arena *life, const struct git_repo *r,
                   bool person);
void git_child_env_add(struct git_child_env *env, const char *name_value);

// Runs `git argv[1]...` to its end (argv[0] is "git"; env NULL = git_child_env of r). True whenever
// it ran, look at out->status. Outputs at most `most` bytes each.
MUST_USE bool git_child_run(const struct git_home *h, const struct git_repo *r,
                            const struct git_child_env *env, const char *const *argv,
                            struct str input, size_t most, int64_t timeout_ms,
                            struct process_output *out, struct err *e);
// The same for calls that must exit with 0, in r; anything else is an error with git's own last
// words.
MUST_USE bool git_child_ask(struct git_repo *r, const char *const *argv, struct str input,
                            size_t most, struct process_output *out, struct err *e);
bool git_child_failed(const char *const *argv, const struct process_output *out,
                      struct err *e); // fills e from status and stderr; false

enum { GIT_CHILD_TEXT_MAX = 64 << 20, GIT_CHILD_TIMEOUT_MS = 600000 };
