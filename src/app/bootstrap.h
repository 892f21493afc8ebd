// Repositories come to be: made empty, copied, or followed; and what a start finds changed behind
// weir's back.
#pragma once
#include "app/daemon.h"

struct bootstrap_repo {
	struct str name;
	struct str source;  // path or URL to copy or to follow, "" = empty
	struct str trunk;   // "" = the source's HEAD, or main
	struct str changes; // follow: pattern of branches that are changes
	bool follow;
	int64_t poll_ms; // follow; 0 = 30 s
};

// Makes the repository and submits repo.added (and trunk.moved, repo.configured when it has a
// trunk). done is called on the loop's thread; `applied` is repo.added.
void bootstrap_add(struct daemon *d, const struct bootstrap_repo *repo, turn_done_fn *done,
                   void *context);
// After the replay, and after a time of being read-only: trunk as git has it against trunk as the
// log has it (blocks), refs of open changes (on a worker). A trunk that moved without a landing is
// recorded (trunk.moved by "unknown") and told. A repository that can't be opened is told and left
// alone; the others are served.
void bootstrap_reconcile(struct daemon *d);
// In a work tree with empty data: adds that repository as a copy and prints how to push to it.
MUST_USE bool bootstrap_work_tree(struct daemon *d, struct err *e);
