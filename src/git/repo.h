// A bare repository that weir owns: made, opened, copied from elsewhere, kept small.
//
// Its configuration: everything is fsynced before a ref moves (core.fsync=all), git never repacks
// by itself, every push ends in weir's proc-receive hook (receive.procReceiveRefs=refs), pushes are
// checked by fsck and have at most GIT_PUSH_BYTES_MAX bytes. refs/changes is hidden from pushes and
// can be fetched, refs/candidates and refs/follow are hidden from both.
// HEAD is trunk. Hooks are copies of weir-hook inside the repository, so that a push by path meets
// them too.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "git/home.h"

struct git_repo;

enum { GIT_PUSH_BYTES_MAX = 512 << 20 }; // one push as a pack; the limit of a single object as well

// Makes PATH (must not exist; appears whole or not at all). trunk: a branch name, e.g. "main".
MUST_USE bool git_repo_create(struct git_home *h, const char *path, const char *trunk,
                              struct err *e);
// The same with all branches and tags of `source` (a path or URL). trunk NULL takes the source's
// HEAD.
MUST_USE bool git_repo_import(struct git_home *h, const char *path, const char *source,
                              const char *trunk, struct err *e);
// Refreshes hooks and configuration when this program brings newer ones. ERR_NOT_FOUND: no
// repository there.
MUST_USE bool git_repo_open(struct git_home *h, const char *path, struct git_repo **out,
                            struct err *e);
// Somebody else's repository, only read: no hooks, no configuration. `objects` (may be NULL) is a
// folder of further objects, `parent` then the repository's own object folder, see git/snapshot.h.
MUST_USE bool git_repo_open_foreign(struct git_home *h, const char *git_dir, const char *objects,
                                    const char *parent, struct git_repo **out, struct err *e);
void git_repo_close(struct git_repo *r); // no call may be under way
void git_repo_rest(struct git_repo *r);  // ends idle children; the next call starts new ones
const char *git_repo_path(const struct git_repo *r);
MUST_USE bool git_repo_trunk(const struct git_repo *r, struct arena *life, struct str *branch,
                             struct err *e); // "main", from HEAD

// A branch name that weir accepts: git's rules (git-check-ref-format), and only letters, digits, .
// _ - / + @ #
bool git_repo_branch_ok(struct str branch);

// Keeps the repository fast. Light (seconds apart is fine): geometric repack, commit-graph. Full (a
// night job): one pack, objects that nothing refers to and that are older than a day are removed.
MUST_USE bool git_repo_maintain(struct git_repo *r, bool full, struct err *e);
