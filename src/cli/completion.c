#include "cli/completion.h"

// The scripts hold the table as data and one function that reads it, so that they stay readable.

static void add_quoted(struct buf *out, const char *text) { // '...' of any shell
	buf_char(out, '\'');
	for (const char *p = text; *p; p++) {
		if (*p == '\'') buf_cstr(out, "'\\''");
		else buf_char(out, *p);
	}
	buf_char(out, '\'');
}

static void add_options(const struct cli_command *c, struct buf *out) {
	for (const struct args_option *o = c->options; o && o->name; o++)
		buf_printf(out, "--%s ", o->name);
	buf_cstr(out, "--help");
}

static bool first_of_family(const struct cli *cli, size_t i, struct str *word) {
	struct str rest = str_of(cli->all[i]->name);
	*word = str_cut(&rest, ' ');
	for (size_t k = 0; k < i; k++) {
		struct str other = str_of(cli->all[k]->name);
		if (!cli->all[k]->hidden && str_eq(str_cut(&other, ' '), *word)) return false;
	}
	return true;
}

static const char bash_closing[] =
	"\n"
	"_weir() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} name at=2 word choice\n"
	"\tCOMPREPLY=()\n"
	"\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$_weir_first --help --version\" -- \"$cur\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tname=${COMP_WORDS[1]}\n"
	"\tif [ -n \"${_weir_second[$name]-}\" ]; then\n"
	"\t\tif [ \"$COMP_CWORD\" = 2 ]; then\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -W \"${_weir_second[$name]}\" -- \"$cur\")\n"
	"\t\t\t[ -n \"${_weir_options[$name]-}\" ] || return\n"
	"\t\telif [ -n \"${_weir_options[$name ${COMP_WORDS[2]}]-}\" ]; then\n"
	"\t\t\tname=\"$name ${COMP_WORDS[2]}\" at=3\n"
	"\t\tfi\n"
	"\tfi\n"
	"\tchoice=${_weir_choices[$name $prev]-}\n"
	"\tif [ -n \"$choice\" ]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$choice\" -- \"$cur\")\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"${_weir_options[$name]-}\" -- \"$cur\")\n"
	"\telse\n"
	"\t\tword=$((COMP_CWORD - at + 1))\n"
	"\t\tcase $(echo \"${_weir_words[$name]-}\" | cut -d ' ' -f $word) in\n"
	"\t\t'') ;;\n"
	"\t\tfile) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"\t\tfolder) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	"\t\tcommand) mapfile -t COMPREPLY < <(compgen -W \"$_weir_first\" -- \"$cur\") ;;\n"
	"\t\tshell) mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- \"$cur\") ;;\n"
	"\t\tpage) mapfile -t COMPREPLY < <(compgen -W 'weir weir.yml' -- \"$cur\") ;;\n"
	"\t\t*) mapfile -t COMPREPLY < <(compgen -W \"$(weir complete \"$(echo "
	"\"${_weir_words[$name]}\" "
	"| cut -d ' ' -f $word)\" \"${COMP_WORDS[COMP_CWORD-1]}\" 2>/dev/null)\" -- \"$cur\") ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"}\n"
	"complete -o default -F _weir weir\n";

static void add_bash_words(const struct cli *cli, struct buf *out) {
	struct str word;
	buf_cstr(out, "_weir_first='");
	for (size_t i = 0; i < cli->all_count; i++)
		if (!cli->all[i]->hidden && first_of_family(cli, i, &word))
			buf_printf(out, "%s" STR_FMT, out->p[out->n - 1] == '\'' ? "" : " ", STR_ARG(word));
	buf_cstr(out, "'\ndeclare -gA _weir_second=(");
	for (size_t i = 0; i < cli->all_count; i++) {
		if (cli->all[i]->hidden || !first_of_family(cli, i, &word)) continue;
		bool any = false;
		for (size_t k = 0; k < cli->all_count; k++) {
			struct str rest = str_of(cli->all[k]->name);
			if (cli->all[k]->hidden || !str_eq(str_cut(&rest, ' '), word) || !rest.n) continue;
			if (!any) buf_printf(out, "\n\t['" STR_FMT "']='", STR_ARG(word));
			buf_printf(out, "%s" STR_FMT, any ? " " : "", STR_ARG(rest));
			any = true;
		}
		if (any) buf_char(out, '\'');
	}
	buf_cstr(out, "\n)\n");
}

void completion_bash(const struct cli *cli, struct buf *out) {
	buf_cstr(out, "# bash completion of weir; written by: weir completion bash\n");
	add_bash_words(cli, out);
	buf_cstr(out, "declare -gA _weir_options=(");
	for (size_t i = 0; i < cli->all_count; i++) {
		if (cli->all[i]->hidden) continue;
		buf_printf(out, "\n\t['%s']='", cli->all[i]->name);
		add_options(cli->all[i], out);
		buf_char(out, '\'');
	}
	buf_cstr(out, "\n)\ndeclare -gA _weir_words=(");
	for (size_t i = 0; i < cli->all_count; i++)
		if (!cli->all[i]->hidden && cli->all[i]->completes)
			buf_printf(out, "\n\t['%s']='%s'", cli->all[i]->name, cli->all[i]->completes);
	buf_cstr(out, "\n)\ndeclare -gA _weir_choices=(");
	for (size_t i = 0; i < cli->all_count; i++) {
		for (const struct args_option *o = cli->all[i]->options; o && o->name; o++)
			if (o->choices && !cli->all[i]->hidden)
				buf_printf(out, "\n\t['%s --%s']='%s'", cli->all[i]->name, o->name, o->choices);
	}
	buf_cstr(out, "\n)\n");
	buf_cstr(out, bash_closing);
}

// ---- zsh

static void add_zsh_spec(struct buf *out, const char *text) { // brackets and colons mean something
	for (const char *p = text; *p; p++) {
		if (*p == '\'') buf_cstr(out, "'\\''");
		else if (strchr("[]:\\", *p)) buf_printf(out, "\\%c", *p);
		else buf_char(out, *p);
	}
}

static void add_zsh_action(struct buf *out, struct str kind, struct str choices) {
	if (choices.n) buf_printf(out, "(" STR_FMT ")", STR_ARG(choices));
	else if (str_eq(kind, STR("file"))) buf_cstr(out, "_files");
	else if (str_eq(kind, STR("folder"))) buf_cstr(out, "_files -/");
	else if (str_eq(kind, STR("shell"))) buf_cstr(out, "(bash zsh fish)");
	else if (str_eq(kind, STR("page"))) buf_cstr(out, "(weir weir.yml)");
	else if (str_eq(kind, STR("command"))) buf_cstr(out, "_weir_commands");
	else if (kind.n)
		buf_printf(out,
		           "{compadd -- ${(f)\"$(weir complete " STR_FMT
		           " \"$words[CURRENT-1]\" 2>/dev/null)\"}}",
		           STR_ARG(kind));
}

static void add_zsh_command(const struct cli_command *c, struct buf *out) {
	buf_cstr(out, "\t");
	add_quoted(out, c->name);
	buf_cstr(out, ") _arguments '(-h --help)'{-h,--help}'[explain it]'");
	for (const struct args_option *o = c->options; o && o->name; o++) {
		buf_cstr(out, " \\\n\t\t");
		if (o->letter)
			buf_printf(out, "'(-%c --%s)'{-%c,--%s}", o->letter, o->name, o->letter, o->name);
		else buf_printf(out, "'--%s'", o->name);
		buf_cstr(out, "'[");
		add_zsh_spec(out, o->help);
		buf_char(out, ']');
		if (o->value) {
			buf_printf(out, ":%s:", o->value);
			bool file = !strcmp(o->value, "FILE"), folder = !strcmp(o->value, "DIR");
			add_zsh_action(out,
			               file     ? STR("file")
			               : folder ? STR("folder")
			                        : STR_NONE,
			               str_of(o->choices));
		}
		buf_char(out, '\'');
	}
	struct str kinds = str_of(c->completes);
	for (int at = 1; kinds.p; at++) {
		struct str kind = str_cut(&kinds, ' ');
		buf_printf(out, " \\\n\t\t'%d:" STR_FMT ":", at, STR_ARG(kind));
		add_zsh_action(out, kind, STR_NONE);
		buf_char(out, '\'');
	}
	buf_cstr(out, " ;;\n");
}

static const char zsh_closing[] = "\tesac\n"
								  "}\n"
								  "_weir \"$@\"\n";

void completion_zsh(const struct cli *cli, struct buf *out) {
	buf_cstr(out, "#compdef weir\n# written by: weir completion zsh\n\n"
	              "_weir_commands() {\n\tlocal -a commands=(\n");
	for (size_t i = 0; i < cli->all_count; i++) {
		struct str word;
		if (cli->all[i]->hidden || !first_of_family(cli, i, &word)) continue;
		bool family = word.n != strlen(cli->all[i]->name);
		buf_printf(out, "\t\t'" STR_FMT ":", STR_ARG(word));
		add_zsh_spec(out, family ? "several commands" : cli->all[i]->brief);
		buf_cstr(out, "'\n");
	}
	buf_cstr(out, "\t)\n\t_describe 'command' commands\n}\n\n"
	              "_weir() {\n"
	              "\tif ((CURRENT == 2)); then\n\t\t_weir_commands\n\t\treturn\n\tfi\n"
	              "\tlocal name=$words[2]\n"
	              "\tcase $name in\n");
	for (size_t i = 0; i < cli->all_count; i++) {
		struct str word;
		if (cli->all[i]->hidden || !first_of_family(cli, i, &word)) continue;
		if (word.n == strlen(cli->all[i]->name)) continue;
		buf_printf(out, "\t" STR_FMT ")\n\t\tif ((CURRENT == 3)); then\n\t\t\tcompadd --",
		           STR_ARG(word));
		for (size_t k = 0; k < cli->all_count; k++) {
			struct str rest = str_of(cli->all[k]->name);
			if (!cli->all[k]->hidden && str_eq(str_cut(&rest, ' '), word) && rest.n)
				buf_printf(out, " " STR_FMT, STR_ARG(rest));
		}
		buf_cstr(out, "\n\t\t\treturn\n\t\tfi\n"
		              "\t\tname=\"$name $words[3]\"\n"
		              "\t\tshift words\n\t\t((CURRENT--))\n\t\t;;\n");
	}
	buf_cstr(out, "\tesac\n\tshift words\n\t((CURRENT--))\n\tcase $name in\n");
	for (size_t i = 0; i < cli->all_count; i++)
		if (!cli->all[i]->hidden) add_zsh_command(cli->all[i], out);
	buf_cstr(out, zsh_closing);
}

// ---- fish

static void add_fish_word(const struct cli_command *c, const char *condition, struct buf *out) {
	struct str kinds = str_of(c->completes);
	if (!kinds.p) return;
	struct str kind = str_cut(&kinds, ' '); // fish has no simple way to tell the second word
	buf_printf(out, "complete -c weir -n '%s' ", condition);
	if (str_eq(kind, STR("file")) || str_eq(kind, STR("folder"))) buf_cstr(out, "-F\n");
	else if (str_eq(kind, STR("shell"))) buf_cstr(out, "-a 'bash zsh fish'\n");
	else if (str_eq(kind, STR("page"))) buf_cstr(out, "-a 'weir weir.yml'\n");
	else if (str_eq(kind, STR("command")))
		buf_cstr(out, "-a '(weir complete command 2>/dev/null)'\n");
	else buf_printf(out, "-a '(weir complete " STR_FMT " 2>/dev/null)'\n", STR_ARG(kind));
}

void completion_fish(const struct cli *cli, struct buf *out) {
	buf_cstr(out,
	         "# fish completion of weir; written by: weir completion fish\ncomplete -c weir -f\n");
	for (size_t i = 0; i < cli->all_count; i++) {
		const struct cli_command *c = cli->all[i];
		struct str word, rest = str_of(c->name);
		if (c->hidden) continue;
		if (first_of_family(cli, i, &word)) {
			buf_printf(out, "complete -c weir -n __fish_use_subcommand -a " STR_FMT " -d ",
			           STR_ARG(word));
			add_quoted(out, word.n == rest.n ? c->brief : "several commands");
			buf_char(out, '\n');
		}
		AUTO_BUF condition = {0};
		struct str family = str_cut(&rest, ' ');
		buf_printf(&condition, "__fish_seen_subcommand_from " STR_FMT, STR_ARG(family));
		if (rest.n) {
			buf_printf(out, "complete -c weir -n '%s' -a " STR_FMT " -d ", condition.p,
			           STR_ARG(rest));
			add_quoted(out, c->brief);
			buf_printf(&condition, "; and __fish_seen_subcommand_from " STR_FMT, STR_ARG(rest));
			buf_char(out, '\n');
		}
		for (const struct args_option *o = c->options; o && o->name; o++) {
			buf_printf(out, "complete -c weir -n '%s' -l %s", condition.p, o->name);
			if (o->letter) buf_printf(out, " -s %c", o->letter);
			bool path = o->value && (!strcmp(o->value, "FILE") || !strcmp(o->value, "DIR"));
			if (o->value) buf_cstr(out, path ? " -r -F" : " -x");
			if (o->choices) buf_printf(out, " -a '%s'", o->choices);
			buf_cstr(out, " -d ");
			add_quoted(out, o->help);
			buf_char(out, '\n');
		}
		add_fish_word(c, condition.p, out);
	}
}
