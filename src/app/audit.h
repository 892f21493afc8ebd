// The commands that doubt: audit, replay, backup. They read a data folder that a daemon may be
// serving, with code that is not the landing path: a witness of their own (sim/witness.h), git's
// own history, objects and projections.
#pragma once
#include "cli/cli.h"

int audit_command(struct cli *cli); // weir audit: 0 all promises hold, 1 one does not
int audit_replay(struct cli *cli);  // weir replay --until N: the state at an event, and its digest
int audit_backup(struct cli *cli);  // weir backup DIR
int audit_collect(struct cli *cli); // weir collect: frees what retention says
