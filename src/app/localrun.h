// `weir run`: jobs of weir.yml on the working tree, without a server, by the same parts that the
// daemon runs jobs with.
//
//   ROOT/.weir/out/JOB/        artifacts of the last time the job passed here; JOB.log beside it
//   ROOT/.weir/local/          weir.db with an event local.run a job, objects/, cache/, snapshot/,
//   runs/PID-N/                one folder a run, removed when it is over
//
// ROOT is the top of the working tree; .weir ignores itself. A job's name stands in file names as
// buf_url writes it ("test 2/4" is test%202%2F4). One `weir run` at a time in a working tree; a
// second one waits.
#pragma once
#include "cli/cli.h"

extern const struct args_option localrun_options[]; // ends with {0}
extern const char localrun_about[];
int localrun_main(struct cli *cli); // exit status: 0 all passed, 1 not, 2 usage, 130 interrupted
