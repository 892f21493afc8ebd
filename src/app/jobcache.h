// The folders that jobs keep between runs (`cache:` in weir.yml), mounted writable into their
// workspace. One a path and owner, where an owner is whose jobs may trust each other's files.
//
//   CACHE/job/OWNER/HEX/      HEX: of the path's SHA-256; its mtime is its last use
//
// A folder that no run asked for in JOBCACHE_IDLE_MS is removed: longer than any run.
#pragma once
#include "base/arena.h"
#include "conf/plan.h"
#include "exec/spec.h"

#define JOBCACHE_IDLE_MS (INT64_C(30) * 24 * 3600 * 1000)

// cache: absolute; owner: path segments, "." = none. Makes what is missing and says that it is
// used.
MUST_USE bool jobcache_mounts(const char *cache, const char *owner, const struct conf_strs *paths,
                              struct arena *life, struct exec_pairs *out, struct err *e);
// Removes those whose last use is at least `idle_ms` before `now_ms`, of all owners, whose names
// have `owners` segments.
void jobcache_tidy(const char *cache, int owners, int64_t now_ms, int64_t idle_ms);
