// What the supervisor of an environment is told: names, folders, spec.json (deploy/spec.h),
// secrets.
#pragma once
#include "app/daemon.h"
#include "base/jsonw.h"
#include "conf/plan.h"

// "17-0a1b2c3d4e5f"
struct str envspec_release(struct release_id id, struct oid commit, struct arena *life);
// Where the supervisor lives, below the data folder.
struct str envspec_folder(const struct daemon *d, struct str repo, struct str env,
                          struct arena *life);
// From a plan's text; NULL with *e filled when it has no such environment.
const struct conf_environment *envspec_of(struct str text, struct str name, struct arena *life,
                                          struct err *e);
void envspec_json(struct str name, const struct conf_environment *env, struct buf *out);
// Adds the key "secrets" with all that the service names. ERR_NOT_FOUND: one has no value.
MUST_USE bool envspec_secrets(const struct daemon *d, struct str repo,
                              const struct conf_environment *env, struct arena *life,
                              struct jsonw *w, struct err *e);
