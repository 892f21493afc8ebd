#include "cli/cli.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"

bool cli_has(const struct cli *cli, const char *option) {
	return args_has(&cli->args, option);
}

const char *cli_value(const struct cli *cli, const char *option) {
	return args_value(&cli->args, option);
}

const char *cli_word(const struct cli *cli, size_t index) {
	return index < cli->args.word_count ? cli->args.words[index] : NULL;
}

struct ink cli_ink(const struct cli *cli) {
	return (struct ink){.colour = cli->colour, .utf8 = cli->utf8, .width = cli->width};
}

// A reader that went away (weir queue | head) ends the program as it ends others, without a word.
void cli_out(struct str bytes) {
	if ((!bytes.n || fwrite(bytes.p, 1, bytes.n, stdout) == bytes.n) && fflush(stdout) == 0) return;
	if (errno != EPIPE) fprintf(stderr, "error: cannot write the output: %s\n", strerror(errno));
	exit(1);
}

void cli_print(const struct ink *ink) {
	cli_out(buf_view(&ink->out));
}

static bool want_colour(int fd) {
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(fd) && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

static bool want_utf8(void) {
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *value = getenv(names[i]);
		if (value && *value) return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

static void report(const struct cli *cli, struct str text, const char *next) {
	AUTO_INK k = {.colour = want_colour(STDERR_FILENO), .utf8 = cli->utf8};
	ink_str(&k, INK_BAD, STR("error:"));
	while (text.p) { // an error of several lines keeps them
		ink_put(&k, INK_PLAIN, k.column ? " " : "  ");
		ink_hint(&k, str_cut(&text, '\n'));
		ink_end(&k);
	}
	for (struct str rest = str_of(next); rest.p && rest.n;) {
		ink_put(&k, INK_PLAIN, "  ");
		ink_hint(&k, str_cut(&rest, '\n'));
		ink_end(&k);
	}
	fwrite(k.out.p, 1, k.out.n, stderr);
}

int cli_fail(const struct cli *cli, const struct err *e, const char *next) {
	fflush(stdout);
	report(cli, str_of(e->text), next);
	return err_exit_status(e->code);
}

int cli_usage(const struct cli *cli, const char *format, ...) {
	AUTO_BUF text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	AUTO_BUF next = {0};
	if (cli->command) buf_printf(&next, "See `weir %s --help`", cli->command->name);
	else buf_cstr(&next, "See `weir help`");
	report(cli, buf_view(&text), next.p);
	return 2;
}

// Two words name one command where there is one ("token create"), else one does. `taken` words.
static const struct cli_command *find(const struct cli *cli, size_t n, const char *const *words,
                                      size_t *taken) {
	for (size_t count = n < 2 ? n : 2; count > 0; count--) {
		struct str name = count == 2 ? arena_printf(cli->life, "%s %s", words[0], words[1])
		                             : str_of(words[0]);
		for (size_t i = 0; i < cli->all_count; i++) {
			if (!str_eq(str_of(cli->all[i]->name), name)) continue;
			*taken = count;
			return cli->all[i];
		}
	}
	return NULL;
}

static int no_command(const struct cli *cli, size_t n, const char *const *words) {
	const char **names = ARENA_ARRAY(cli->life, const char *, 2 * cli->all_count + 1);
	size_t count = 0;
	AUTO_BUF verbs = {0};
	struct str family = arena_printf(cli->life, "%s ", words[0]);
	for (size_t i = 0; i < cli->all_count; i++) {
		if (cli->all[i]->hidden) continue;
		struct str name = str_of(cli->all[i]->name), rest = name;
		names[count++] = cli->all[i]->name;
		if (str_find_char(name, ' ') < name.n)
			names[count++] = arena_cstr(cli->life, str_cut(&rest, ' '));
		if (!str_starts(name, family)) continue;
		if (verbs.n) buf_cstr(&verbs, ", ");
		buf_str(&verbs, str_from(name, family.n));
	}
	if (verbs.n && n > 1)
		return cli_usage(cli, "weir %s has no command \"%s\", it has: %s", words[0], words[1],
		                 verbs.p);
	if (verbs.n) return cli_usage(cli, "weir %s what? It has: %s", words[0], verbs.p);
	const char *typed = n > 1 ? arena_printf(cli->life, "%s %s", words[0], words[1]).p : NULL;
	const char *nearest = typed ? args_nearest(typed, names, count) : NULL;
	if (!nearest || !strchr(nearest, ' ')) nearest = args_nearest(words[0], names, count);
	if (nearest)
		return cli_usage(cli, "unknown command \"%s\", did you mean `weir %s`?", words[0], nearest);
	return cli_usage(cli, "unknown command \"%s\"", words[0]);
}

static bool asks_help(size_t n, const char *const *argv) {
	for (size_t i = 0; i < n && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return true;
	return false;
}

static int run(struct cli *cli, size_t n, const char *const *argv) {
	struct err e = {0};
	AUTO_INK help = cli_ink(cli);
	size_t taken = 0;
	if (!n || !strcmp(argv[0], "--help") || !strcmp(argv[0], "-h")) {
		help_overview(cli, &help);
		cli_print(&help);
		return n ? 0 : 2;
	}
	if (argv[0][0] == '-') return cli_usage(cli, "unknown option %s before a command", argv[0]);
	const struct cli_command *c = find(cli, n, argv, &taken);
	if (!c && asks_help(n, argv) && help_family(cli, argv[0], &help)) {
		cli_print(&help);
		return 0;
	}
	if (!c) return no_command(cli, n, argv);
	cli->command = c;
	if (asks_help(n - taken, argv + taken)) {
		help_command(c, &help);
		cli_print(&help);
		return 0;
	}
	if (!args_read(c->options, n - taken, argv + taken, cli->life, &cli->args, &e))
		return cli_usage(cli, "%s", e.text);
	if ((int)cli->args.word_count < c->words_min)
		return cli_usage(cli, "weir %s needs %s", c->name, c->words);
	if (c->words_max >= 0 && (int)cli->args.word_count > c->words_max)
		return cli_usage(cli, "weir %s takes no \"%s\"%s%s", c->name, cli->args.words[c->words_max],
		                 c->words_max ? ", only " : "", c->words);
	return c->run(cli);
}

// Options before the command. Returns how many words they are, or -1 after an error.
static int globals(struct cli *cli, int argc, char **argv, bool *version) {
	int at = 1;
	while (at < argc && argv[at][0] == '-') {
		if (!strcmp(argv[at], "--version") || !strcmp(argv[at], "-V")) {
			*version = true;
			return at;
		}
		if (strncmp(argv[at], "-C", 2) != 0) break;
		const char *folder = argv[at][2] ? argv[at] + 2 : at + 1 < argc ? argv[++at] : NULL;
		if (!folder) return cli_usage(cli, "-C needs a folder: -C DIR"), -1;
		if (chdir(folder) != 0)
			return cli_usage(cli, "cannot go to folder %s: %s", folder, strerror(errno)), -1;
		at++;
	}
	return at;
}

int cli_main(int argc, char **argv, const struct cli_command *commands, size_t n) {
	AUTO_ARENA life = {0};
	struct winsize size = {0};
	struct cli cli = {.life = &life, .tty = isatty(STDOUT_FILENO)};
	signal(SIGPIPE, SIG_IGN); // a write says so
	cli.colour = want_colour(STDOUT_FILENO);
	cli.utf8 = want_utf8();
	if (cli.tty)
		cli.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
	commands_all(commands, n, &life, &cli.all, &cli.all_count);
	bool version = false;
	int first = globals(&cli, argc, argv, &version);
	if (first < 0) return 2;
	if (version) {
		cli_out(STR("weir " COMMANDS_VERSION "\n"));
		return 0;
	}
	const char **words = ARENA_ARRAY(&life, const char *, (size_t)argc + 1);
	for (int i = first; i < argc; i++) words[i - first] = argv[i];
	return run(&cli, (size_t)(argc - first), words);
}
