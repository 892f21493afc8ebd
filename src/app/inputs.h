// The inputs of a run: what its verdict depends on beside its definition and the machine. Stored as
// an object that run.finished names.
//
//   {"tree":OID}   the whole tree (jobspec_inputs); with "commit", that too; with "patterns", the
//                  subset of the tree that matches them, which is all that the job was given
//   else           what the run read of its tree (exec/reads.h), with the answers it got:
//                  "a"   no value
//                  "s"   the mode of a folder, file or link; of a file and a link also "-SIZE"
//                  "r"   the mode, "-" and the id of the blob
//                  "l"   the mode of a folder, "-" and the digest of its names and their kinds
//
// A verdict holds for every tree that gives the same answers. Two ways to find out, of which the
// audit takes the slow one:
//   inputs_changed  by what differs between the run's tree and another: the time of a tree diff
//   inputs_hold     by asking the other tree everything again
//
// A submodule is the empty folder that a job sees; jobs that have their submodules, or .git, filled
// in are not traced.
#pragma once
#include "exec/reads.h"
#include "git/repo.h"
#include "git/tree.h"

// Fills the values of a run's record in. ERR_NOT_FOUND: the tree is not in the repository.
MUST_USE bool inputs_make(struct git_reader *reader, struct oid tree, struct str record,
                          struct arena *life, struct str *out, struct err *e);
// Likewise, of a run's folder when it was traced.
MUST_USE bool inputs_of_run(struct git_repo *git, struct oid tree, const char *folder,
                            struct arena *life, struct str *out, struct err *e);
// What the object says, borrowed: a tree (whole is set), or the answers.
struct inputs {
	struct oid whole;
	bool has_commit;
	struct str *patterns; // of `inputs:`
	size_t pattern_count;
	struct reads reads;
};
MUST_USE bool inputs_parse(struct str object, struct arena *life, struct inputs *out,
                           struct err *e);
// Whether a difference between the run's tree and another changes an answer; `why` says which, for
// people, "" = none does. False: it could not be found out.
MUST_USE bool inputs_changed(const struct inputs *in, const struct git_differences *differences,
                             struct git_reader *reader, struct arena *life, struct str *why,
                             struct err *e);
// Whether the tree gives the same answers.
MUST_USE bool inputs_hold(const struct inputs *in, struct git_reader *reader, struct oid tree,
                          bool *hold, struct err *e);
