// The layer with .git for jobs that ask for it (`git: true`): a repository of its own with the
// commit's history, so that nothing the job does there reaches weir's.
#pragma once
#include "exec/spec.h"
#include "git/repo.h"

// Makes RUN.git and puts it on top of the layers.
MUST_USE bool gitlayer_make(struct git_repo *r, struct oid commit, const char *run,
                            struct arena *life, struct exec_strs *lowers, struct err *e);
void gitlayer_remove(const char *run); // fine when there is none
