// git as the simulator needs it: commits whose trees are eight small numbers, so that the result of
// a merge, whether it conflicts and whether a job passes on it are known without running anything.
//
// file[0] is weir.yml: its value says which of the plans below the tree has. A job reads some of
// the files and passes by a function of those (gitmodel_passes): single values that are broken, and
// pairs of values that are each right and together wrong, which no merge can see.
#pragma once
#include "base/arena.h"
#include "base/hash.h"
#include "core/table.h"

enum { GITMODEL_FILES = 8, GITMODEL_REPOS = 2, GITMODEL_PLANS = 5 };

struct gitmodel_tree {
	uint16_t file[GITMODEL_FILES];
};

struct gitmodel_commit {
	struct gitmodel_tree tree;
	uint32_t parent[2]; // number + 1, 0 = none
	uint32_t fork;      // number of the trunk commit that a branch left
	uint32_t foreign;   // made by somebody who moved trunk past weir
	uint64_t made;      // what the same intent makes again
	bool seen;          // scratch of gitmodel_is_ancestor
};

struct gitmodel {
	struct table commits;
	uint32_t tip[GITMODEL_REPOS];
	bool stale_lock[GITMODEL_REPOS]; // a killed git left it
	bool went_back[GITMODEL_REPOS];  // trunk lost a commit
};

enum gitmodel_merge { GITMODEL_MERGED, GITMODEL_CONFLICT, GITMODEL_IN_TRUNK };

void gitmodel_init(struct gitmodel *g); // each repository has one commit, its trunk
void gitmodel_copy(struct gitmodel *to, const struct gitmodel *from);
void gitmodel_free(struct gitmodel *g);
struct gitmodel_commit *gitmodel_commit(const struct gitmodel *g, uint32_t number);
// A new commit on a branch that left trunk at `fork`.
uint32_t gitmodel_branch(struct gitmodel *g, uint32_t fork, struct gitmodel_tree tree);
// A commit straight onto trunk, by somebody else.
void gitmodel_push_foreign(struct gitmodel *g, size_t repo, struct gitmodel_tree tree);
void gitmodel_move(struct gitmodel *g, size_t repo, uint32_t to); // sets trunk, whatever it was
// The candidate of head on the commit base; `made` = the intent: asked again it is the same commit.
enum gitmodel_merge gitmodel_merge(struct gitmodel *g, uint32_t base, uint32_t head, uint64_t made,
                                   uint32_t *out);
// The commit by which a batch that was merged on `base` lands: its tree is `last`'s.
uint32_t gitmodel_cover(struct gitmodel *g, uint32_t base, uint32_t last, uint64_t made);
bool gitmodel_is_ancestor(const struct gitmodel *g, uint32_t older, uint32_t newer); // or the same

struct oid gitmodel_oid(uint32_t number);
uint32_t gitmodel_number(struct oid commit);
struct oid gitmodel_tree_oid(struct gitmodel_tree tree);
struct gitmodel_tree gitmodel_tree_of(struct oid tree);
// What the job reads of the tree; and whether a tree gives the same answers.
struct digest gitmodel_inputs(struct gitmodel_tree tree, uint32_t job);
bool gitmodel_inputs_hold(struct digest inputs, struct gitmodel_tree tree);
// candidate.built's `affects`, as far as the last runs tell: in the model they tell all, and
// weir.yml alters everything. `blind`: they told nothing.
struct str gitmodel_affects(struct gitmodel_tree base, struct gitmodel_tree tree, bool blind,
                            struct arena *life);

struct str gitmodel_plan(struct gitmodel_tree tree); // empty = weir.yml is broken
bool gitmodel_passes(struct gitmodel_tree tree, struct str plan, uint32_t job);
bool gitmodel_becomes_green(struct gitmodel_tree tree); // when deployed
bool gitmodel_stays_green(struct gitmodel_tree tree);
