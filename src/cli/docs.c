#include "cli/docs.h"

#include <stdlib.h>

#include "cli/completion.h"
#include "cli/help.h"
#include "cli/manpage.h"
#include "conf/manual.h"

static int run_help(struct cli *cli) {
	AUTO_INK out = cli_ink(cli);
	const char *word = cli_word(cli, 0);
	if (!word) {
		help_overview(cli, &out);
		cli_print(&out);
		return 0;
	}
	struct str name = cli_word(cli, 1) ? arena_printf(cli->life, "%s %s", word, cli_word(cli, 1))
	                                   : str_of(word);
	const char **names = ARENA_ARRAY(cli->life, const char *, cli->all_count + 1);
	for (size_t i = 0; i < cli->all_count; i++) {
		names[i] = cli->all[i]->name;
		if (!str_eq(name, str_of(names[i]))) continue;
		help_command(cli->all[i], &out);
		cli_print(&out);
		return 0;
	}
	if (help_family(cli, name.p, &out)) {
		cli_print(&out);
		return 0;
	}
	const char *nearest = args_nearest(name.p, names, cli->all_count);
	return cli_usage(cli, "there is no command %s%s%s%s", name.p, nearest ? ", did you mean " : "",
	                 nearest ? nearest : "", nearest ? "?" : "");
}

static int run_manual(struct cli *cli) {
	const char *page = cli_word(cli, 0) ? cli_word(cli, 0) : "weir";
	AUTO_BUF roff = {0};
	if (!strcmp(page, "weir")) manpage_write(cli, &roff);
	else if (!strcmp(page, "weir.yml")) manual_write(&roff);
	else return cli_usage(cli, "there is no page %s; the pages are: weir, weir.yml", page);
	if (cli_has(cli, "roff")) {
		cli_out(buf_view(&roff));
		return 0;
	}
	AUTO_INK out = cli_ink(cli);
	manpage_text(buf_view(&roff), &out);
	cli_print(&out);
	return 0;
}

static int run_completion(struct cli *cli) {
	const char *shell = cli_word(cli, 0);
	AUTO_BUF out = {0};
	if (!strcmp(shell, "bash")) completion_bash(cli, &out);
	else if (!strcmp(shell, "zsh")) completion_zsh(cli, &out);
	else if (!strcmp(shell, "fish")) completion_fish(cli, &out);
	else return cli_usage(cli, "no completion for \"%s\": bash, zsh or fish", shell);
	cli_out(buf_view(&out));
	return 0;
}

static const struct args_option manual_options[] = {
	{"roff", 0, NULL, "as source for man(1) instead of text", NULL}, {0}};

const struct cli_command docs_commands[] = {
	{.name = "help",
     .words = "[COMMAND]",
     .brief = "Explain a command",
     .group = CLI_GROUP_HELP,
     .words_max = 2,
     .completes = "command",
     .run = run_help},
	{.name = "manual",
     .words = "[PAGE]",
     .brief = "Print the manual: weir (the default) or weir.yml",
     .group = CLI_GROUP_HELP,
     .words_max = 1,
     .options = manual_options,
     .completes = "page",
     .run = run_manual},
	{.name = "completion",
     .words = "SHELL",
     .brief = "Print the completion for bash, zsh or fish",
     .group = CLI_GROUP_HELP,
     .words_min = 1,
     .words_max = 1,
     .completes = "shell",
     .about = "For this shell only: `source <(weir completion bash)`. make install puts all three "
              "where the shells look for them.",
     .run = run_completion},
	{0},
};
