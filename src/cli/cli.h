// The command line: one table of commands from which parser, help, manual and completion come. This
// folder brings the commands that work on files and those that ask a server; the program passes
// those that are a part of the daemon.
//
// Exit status: 0 yes, 1 a negative answer, 2 wrong usage, 3 the server cannot be reached.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "cli/args.h"
#include "cli/ink.h"

struct cli;

struct cli_command {
	const char *name;  // "check", "token create"
	const char *words; // what follows: "[FILE]", "ID JOB"; "" = nothing. At most / at least below
	const char *brief; // one line, imperative, no full stop
	const char *group; // heading of the help: one of CLI_GROUPS
	int words_min, words_max;          // how many words; words_max -1 = any number
	const struct args_option *options; // ends with {0}; NULL = none. --help is always there
	const char *completes; // what each word is: file folder change environment job shell page; NULL
	const char *about;     // paragraphs of help and manual, NULL = none
	bool hidden;           // for weir's own use: in no list
	int (*run)(struct cli *cli); // exit status
};

#define CLI_GROUP_LOCAL "In a repository, without a server"
#define CLI_GROUP_CHANGES "Changes"
#define CLI_GROUP_DELIVERY "Releases and environments"
#define CLI_GROUP_SERVER "The server"
#define CLI_GROUP_HELP "Help"

struct cli {
	const struct cli_command *command; // the one that runs
	struct args args;
	struct arena *life;                   // until the command ends
	bool tty;                             // stdout is a terminal: lines may be redrawn
	bool colour, utf8;                    // of stdout
	unsigned width;                       // of the terminal, 0 = not one
	const struct cli_command *const *all; // every command, in the order of help
	size_t all_count;
};

// What every command with --json has in its table.
#define CLI_OPTION_JSON \
	{ "json", 0, NULL, "print JSON with a stable schema", NULL }

int cli_main(int argc, char **argv, const struct cli_command *commands, size_t n);

bool cli_has(const struct cli *cli, const char *option);          // "--json" is "json" here
const char *cli_value(const struct cli *cli, const char *option); // NULL = not given
const char *cli_word(const struct cli *cli, size_t index);        // NULL = not given
struct ink cli_ink(const struct cli *cli); // for stdout; ink_free gives it back
void cli_print(const struct ink *ink);     // to stdout, at once
void cli_out(struct str bytes);            // to stdout as they are
// "error: text", and below it what to do (`commands` in backquotes; NULL = nothing). Returns the
// exit status of the error.
int cli_fail(const struct cli *cli, const struct err *e, const char *next);
int cli_usage(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3); // returns 2
