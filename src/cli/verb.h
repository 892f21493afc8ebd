// Commands that come from the table of operations: words, options and help of "weir deploy ENV
// [RELEASE]" are those of its row. A parameter that the command's words do not name is an option; a
// time (poll_ms) is written as a duration (--poll 30s).
#pragma once
#include "cli/cli.h"
#include "cli/remote.h"

// What a command does with the answer when it is not --json. Returns the exit status.
typedef int verb_show(struct cli *cli, const struct json *answer, struct ink *out);

struct verb { // how one operation differs from the rule
	enum operation_id id;
	const char *group;
	const char *completes;
	verb_show *show;                // of an answer in JSON
	int (*run)(struct cli *cli);    // instead of asking once
	const struct args_option *more; // further options; ends with {0}
	const char *about;
};

// The command of a row. False: it has none, or is not built here.
bool verb_command(const struct verb *v, struct arena *life, struct cli_command *out);

// One question with the words and options of the running command.
struct verb_call {
	struct remote *remote;
	const struct operation *operation;
	struct str values[OPERATION_PARAMS_MAX];
};
// Opens the server and reads the values. False: *status is what to exit with, all is told. The
// remote is closed by verb_end.
MUST_USE bool verb_begin(struct cli *cli, enum operation_id id, struct verb_call *out, int *status);
void verb_end(struct verb_call *call);
// Asks; the answer is JSON (`body` its bytes, owned by the caller). False: *status, all is told.
MUST_USE bool verb_ask(struct cli *cli, struct verb_call *call, struct buf *body,
                       struct json **owned, int *status);
// As the rule does it: asks, prints the bytes (--json, text) or what `show` makes of them.
int verb_run(struct cli *cli, const struct verb *v);
