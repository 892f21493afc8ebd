// Who may do what: tokens, secrets, keys; and repositories, whose address must be told.
#pragma once
#include "cli/verb.h"

int access_token(struct cli *cli, const struct json *answer, struct ink *out);
int access_secret_set(struct cli *cli);
int access_key_add(struct cli *cli);
int access_repo_add(struct cli *cli);
