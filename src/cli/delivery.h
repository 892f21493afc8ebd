// deploy and rollback: asked for, then watched until it is live or is not.
#pragma once
#include "cli/verb.h"

int delivery_deploy(struct cli *cli);
int delivery_rollback(struct cli *cli);
int delivery_show(struct cli *cli, const struct json *environment, struct ink *out);
extern const struct args_option delivery_options[];
