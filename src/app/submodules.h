// The layer with submodules for jobs that ask for them (`submodules: true`): each at the commit
// that the tree names, one level deep, without .git.
//
// Whose URL is believed: a relative one ("../lib.git") names a repository that this server has; any
// other must stand in trunk's .gitmodules too, so that a change cannot make the server fetch from
// where it likes. Fetched repositories are kept in CACHE/modules.
#pragma once
#include "exec/spec.h"
#include "git/repo.h"

struct submodules_request {
	struct git_home *home;
	const char *data;
	struct git_repo *git;
	struct oid commit, trunk; // what is checked out; whose .gitmodules is believed
	const char *run;          // the run's folder, which need not exist
};
// Makes RUN.modules and puts it on top of the layers; no submodules, no layer. Blocks, also on the
// network.
MUST_USE bool submodules_make(const struct submodules_request *q, struct arena *life,
                              struct exec_strs *lowers, struct err *e);
void submodules_remove(const char *run); // fine when there is none
