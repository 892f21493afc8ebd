// Which jobs and files a change touches (core/areas.h): candidate.built's `affects`. By what
// differs between a candidate and its base, and by what the newest passed run of each job read. A
// job of which that is not known, or that depends on its whole tree, is touched by everything; so
// is one that needs the artifacts of a job that is touched.
#pragma once
#include "git/repo.h"
#include "store/read.h"

struct affects_query {
	const char *objects; // the folder that holds objects/
	struct git_repo *git;
	struct oid base, tree;               // what the candidate stands on, and its tree
	struct str plan, skipped;            // as in candidate.built
	const struct read_job_inputs *known; // of the repository
};

// "" = everything: weir.yml differs, more than AREAS_MAX, or it could not be found out.
struct str affects_find(const struct affects_query *q, struct arena *life);
