// Whether an earlier verdict holds for a tree: the look-up of daemon and `weir run`.
//
// The verdicts asked about have the run's basis (exec/key.h). Each names its inputs (app/inputs.h)
// and a tree that they hold for; what differs between that tree and the run's says whether they
// hold for it, too. When git no longer has that tree, the inputs are asked one by one.
#pragma once
#include "app/inputs.h"
#include "git/repo.h"

struct reuse_verdict {
	struct digest inputs; // of the object
	struct oid tree;
};

struct reuse_query {
	const char *objects;                  // the folder that holds objects/
	struct git_repo *git;                 // has the tree
	struct oid tree;                      // of the run
	struct digest whole_inputs;           // of its inputs object if the whole tree counts
	const struct reuse_verdict *verdicts; // the most likely first
	size_t verdict_count;
};

// *found: the index of one that holds, or verdict_count. `why`: why the first one does not, "" =
// there is none, or it does. Blocks on git. What cannot be found out does not hold.
void reuse_find(const struct reuse_query *q, struct arena *life, size_t *found, struct str *why);
