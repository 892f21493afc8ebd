#include "cli/help.h"

void help_usage(const struct cli_command *c, struct buf *out) {
	buf_cstr(out, c->name);
	if (c->words[0]) buf_printf(out, " %s", c->words);
	for (const struct args_option *o = c->options; o && o->name; o++) {
		if (o->letter)
			buf_printf(out, " [-%c%s%s]", o->letter, o->value ? " " : "", o->value ? o->value : "");
		else buf_printf(out, " [--%s%s%s]", o->name, o->value ? " " : "", o->value ? o->value : "");
	}
}

// With a capital, however it was written.
static void add_brief(struct ink *out, const char *brief) {
	char first = brief[0] >= 'a' && brief[0] <= 'z' ? (char)(brief[0] - 32) : brief[0];
	ink_put(out, INK_PLAIN, "%c%s", first, brief[0] ? brief + 1 : "");
}

static void add_row(struct ink *out, const char *name, const char *brief) {
	ink_to(out, 2);
	ink_put(out, INK_HEAD, "%s", name);
	ink_to(out, 20);
	add_brief(out, brief);
	ink_end(out);
}

static const char opening[] =
	"weir carries every commit from a push to production, and takes a bad one back.\n\n";
static const char closing[] =
	"Every command: --help. Before the command: -C DIR goes there first, --version.\n"
	"Exit status: 0 yes, 1 a negative answer, 2 wrong usage, 3 no server.\n"
	"The server is WEIR_URL, else the one that serves .weir/ here or above; its token is\n"
	"WEIR_TOKEN, else ~/.config/weir/token.\n";

void help_overview(const struct cli *cli, struct ink *out) {
	const char *group = "";
	buf_cstr(&out->out, opening);
	for (size_t i = 0; i < cli->all_count; i++) {
		const struct cli_command *c = cli->all[i];
		if (c->hidden) continue;
		if (strcmp(group, c->group) != 0) {
			if (*group) ink_end(out);
			ink_put(out, INK_QUIET, "%s", c->group);
			ink_end(out);
			group = c->group;
		}
		add_row(out, c->name, c->brief);
	}
	ink_end(out);
	buf_cstr(&out->out, closing);
}

bool help_family(const struct cli *cli, const char *word, struct ink *out) {
	struct str family = arena_printf(cli->life, "%s ", word);
	bool any = false;
	for (size_t i = 0; i < cli->all_count; i++) {
		const struct cli_command *c = cli->all[i];
		if (c->hidden || !str_starts(str_of(c->name), family)) continue;
		add_row(out, c->name, c->brief);
		any = true;
	}
	return any;
}

// Words of `text` in lines of at most 78 columns, behind `margin` blanks.
static void add_wrapped(struct ink *out, const char *text, unsigned margin) {
	struct str rest = str_of(text);
	while (rest.p) {
		struct str word = str_cut(&rest, ' ');
		if (out->column && out->column + 1 + ink_columns(word) > 78) ink_end(out);
		if (!out->column) ink_to(out, margin);
		else if (out->column > margin) ink_put(out, INK_PLAIN, " ");
		ink_hint(out, word);
	}
	ink_end(out);
}

static void add_option(struct ink *out, const struct args_option *o) {
	ink_to(out, 2);
	if (o->letter) ink_put(out, INK_HEAD, "-%c, ", o->letter);
	ink_put(out, INK_HEAD, "--%s", o->name);
	if (o->value) ink_put(out, INK_PLAIN, " %s", o->value);
	if (out->column >= 24) ink_end(out);
	ink_to(out, 24);
	ink_put(out, INK_PLAIN, "%s", o->help);
	if (o->choices && out->column + strlen(o->choices) + 3 > 78) {
		ink_end(out);
		ink_to(out, 23);
	}
	if (o->choices) ink_put(out, INK_QUIET, " (%s)", o->choices);
	ink_end(out);
}

void help_command(const struct cli_command *c, struct ink *out) {
	AUTO_BUF usage = {0};
	help_usage(c, &usage);
	ink_put(out, INK_HEAD, "weir %s", usage.p);
	ink_end(out);
	ink_to(out, 2);
	add_brief(out, c->brief);
	ink_put(out, INK_PLAIN, ".");
	ink_end(out);
	for (struct str rest = str_of(c->about); rest.p && rest.n;) {
		size_t end = str_find(rest, STR("\n\n"));
		struct str line = str_slice(rest, 0, end);
		rest = str_from(rest, end + 2);
		ink_end(out);
		AUTO_BUF copy = {0};
		for (size_t i = 0; i < line.n; i++) buf_char(&copy, line.p[i] == '\n' ? ' ' : line.p[i]);
		add_wrapped(out, copy.p, 2);
	}
	ink_end(out);
	for (const struct args_option *o = c->options; o && o->name; o++) add_option(out, o);
	static const struct args_option help = {"help", 'h', NULL, "this text", NULL};
	add_option(out, &help);
}
