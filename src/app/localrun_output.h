// What jobs leave for people: .weir/out/JOB/ with artifacts, .weir/out/JOB.log with the log as
// text.
#pragma once
#include "app/localrun_jobs.h"

// Replaces what stood there. The artifact comes from the store, so a reused job has its outputs
// too.
MUST_USE bool localrun_output_put(const struct localrun *l, const struct localrun_job *j,
                                  struct err *e);
struct str localrun_output_folder(const struct localrun *l, const struct localrun_job *j,
                                  struct arena *life); // relative to the root
struct str localrun_output_log(const struct localrun *l, const struct localrun_job *j,
                               struct arena *life);
// Copies a job's artifacts from .weir/out into the working tree, over what is there; adds to
// *files. Nothing outside the tree is written, whatever links it holds, nor below .git and .weir.
MUST_USE bool localrun_output_write_back(const struct localrun *l, const struct localrun_job *j,
                                         int64_t *files, struct err *e);
