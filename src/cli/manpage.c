#include "cli/manpage.h"

#include "cli/help.h"

// Text as troff wants it: backslashes, hyphens that are minus signs, dots at the start of a line;
// what stands between backquotes becomes bold.
static void add_text(struct buf *out, const char *text) {
	bool bold = false;
	for (const char *p = text; *p; p++) {
		bool first = p == text || p[-1] == '\n';
		if (first && (*p == '.' || *p == '\'')) buf_cstr(out, "\\&");
		if (*p == '`') buf_cstr(out, (bold = !bold) ? "\\fB" : "\\fR");
		else if (*p == '\\') buf_cstr(out, "\\e");
		else if (*p == '-') buf_cstr(out, "\\-");
		else if (*p == '\n' && p[1] == '\n') buf_cstr(out, "\n.PP"); // the second one ends the line
		else buf_char(out, *p);
	}
}

static void add_option(struct buf *out, const struct args_option *o) {
	buf_cstr(out, ".TP\n\\fB");
	if (o->letter) buf_printf(out, "\\-%c\\fR, \\fB", o->letter);
	buf_cstr(out, "\\-\\-");
	add_text(out, o->name);
	buf_cstr(out, "\\fR");
	if (o->value) buf_printf(out, " \\fI%s\\fR", o->value);
	buf_char(out, '\n');
	add_text(out, o->help);
	if (o->choices) {
		buf_cstr(out, ": ");
		add_text(out, o->choices);
	}
	buf_cstr(out, ".\n");
}

static void add_command(struct buf *out, const struct cli_command *c) {
	AUTO_BUF usage = {0};
	help_usage(c, &usage);
	buf_cstr(out, ".SS weir ");
	add_text(out, usage.p);
	buf_char(out, '\n');
	add_text(out, c->brief);
	buf_cstr(out, ".\n");
	if (c->about) {
		add_text(out, c->about);
		buf_char(out, '\n');
	}
	for (const struct args_option *o = c->options; o && o->name; o++) add_option(out, o);
}

static const char opening[] =
	".TH WEIR 1\n"
	".SH NAME\n"
	"weir \\- carry every commit from a push to production\n"
	".SH SYNOPSIS\n"
	"\\fBweir\\fR [\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]\n"
	".SH DESCRIPTION\n"
	"weir is one program: a server that tests, lands and deploys changes of git repositories, and\n"
	"the command line for it. A change is proposed with\n"
	"\\fBgit push weir HEAD:refs/for/main\\fR; what a change must pass and where a release runs "
	"stands in\n"
	"weir.yml.\n"
	".PP\n"
	"Each command explains itself with \\fB\\-\\-help\\fR. With \\fB\\-C\\fR weir goes to that "
	"folder first.\n";

static const char closing[] =
	".SH EXIT STATUS\n"
	".TP\n\\fB0\\fR\nYes.\n"
	".TP\n\\fB1\\fR\nA negative answer: a job failed, a file has errors, a change was rejected.\n"
	".TP\n\\fB2\\fR\nWrong usage.\n"
	".TP\n\\fB3\\fR\nThe server cannot be reached.\n"
	".SH ENVIRONMENT\n"
	".TP\n\\fBWEIR_URL\\fR\nThe server, such as http://127.0.0.1:8420. Otherwise the one that "
	"serves the nearest \\fI.weir/\\fR here or above.\n"
	".TP\n\\fBWEIR_TOKEN\\fR\nThe token to show to it. Otherwise the first line of\n"
	"\\fI~/.config/weir/token\\fR. On its own machine the server's user needs none.\n"
	".TP\n\\fBNO_COLOR\\fR\nIf it is not empty, nothing is coloured.\n"
	".SH FILES\n"
	".TP\n\\fIweir.yml\\fR\nAt the root of a repository, see\n.BR weir.yml (5).\n"
	".TP\n\\fI.weir/\\fR\nWhat the server keeps, unless \\fB\\-\\-data\\fR says another folder.\n"
	".SH SEE ALSO\n"
	".BR weir.yml (5),\n.BR git\\-push (1)\n";

void manpage_write(const struct cli *cli, struct buf *out) {
	const char *group = "";
	buf_cstr(out, opening);
	for (size_t i = 0; i < cli->all_count; i++) {
		const struct cli_command *c = cli->all[i];
		if (c->hidden) continue;
		if (strcmp(group, c->group) != 0) {
			group = c->group;
			buf_cstr(out, ".SH ");
			for (const char *p = group; *p; p++)
				buf_char(out, *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p);
			buf_char(out, '\n');
		}
		add_command(out, c);
	}
	buf_cstr(out, closing);
}

// ---- as text

struct page {
	struct ink *out;
	unsigned margin;
	bool literal, term; // between nf and fi; the next line is the name of a TP
	enum ink_role role; // of the words that follow (\fB \fI \fR)
};

static void end_paragraph(struct page *p) {
	if (p->out->column) ink_end(p->out);
}

static void add_word(struct page *p, struct str word) {
	AUTO_BUF piece = {0};
	struct ink *out = p->out;
	size_t columns = 0;
	for (size_t i = 0; i < word.n; i++) { // what it needs without its escapes
		char escaped = word.p[i] == '\\' && i + 1 < word.n ? word.p[++i] : 0;
		if (escaped == 'f') i++;
		else if (escaped != '&') columns++;
	}
	if (out->column > p->margin && out->column + 1 + columns > 78) ink_end(out);
	if (!out->column) ink_to(out, p->margin);
	else if (out->column > p->margin) ink_put(out, INK_PLAIN, " ");
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] != '\\' || i + 1 == word.n) {
			buf_char(&piece, word.p[i]);
			continue;
		}
		char c = word.p[++i];
		if (c == '-') buf_char(&piece, '-');
		else if (c == 'e') buf_char(&piece, '\\');
		else if (c == 'f' && i + 1 < word.n) {
			ink_str(out, p->role, buf_view(&piece));
			buf_reset(&piece);
			p->role = word.p[++i] == 'R' ? INK_PLAIN : INK_HEAD;
		}
	}
	ink_str(out, p->role, buf_view(&piece));
}

static void add_words(struct page *p, struct str line) {
	while (line.p) {
		struct str word = str_cut(&line, ' ');
		if (word.n) add_word(p, word);
	}
}

// Arguments of a macro: words, or "several words"; font macros join what troff joins.
static void add_macro_words(struct page *p, struct str line, bool alternate) {
	AUTO_BUF joined = {0};
	bool quoted = false, head = true;
	buf_cstr(&joined, "\\fB");
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '"') quoted = !quoted;
		else if (line.p[i] == ' ' && alternate && !quoted) {
			buf_cstr(&joined, (head = !head) ? "\\fB" : "\\fR");
		} else buf_char(&joined, line.p[i]);
	}
	buf_cstr(&joined, "\\fR");
	add_words(p, buf_view(&joined));
}

static void add_heading(struct page *p, struct str text, unsigned column) {
	end_paragraph(p);
	ink_end(p->out);
	unsigned margin = p->margin;
	p->margin = column;
	p->role = INK_HEAD;
	add_words(p, text);
	p->role = INK_PLAIN;
	p->margin = margin;
	end_paragraph(p);
}

static void add_macro(struct page *p, struct str line) {
	struct str name = str_cut(&line, ' ');
	if (str_eq(name, STR(".SH"))) {
		add_heading(p, line, 0);
		p->margin = 4;
	} else if (str_eq(name, STR(".SS"))) {
		add_heading(p, line, 2);
		p->margin = 4;
	} else if (str_eq(name, STR(".PP"))) {
		end_paragraph(p);
		ink_end(p->out);
		p->margin = 4;
	} else if (str_eq(name, STR(".TP"))) {
		end_paragraph(p);
		p->margin = 4;
		p->term = true;
	} else if (str_eq(name, STR(".nf")) || str_eq(name, STR(".fi"))) {
		end_paragraph(p);
		p->literal = str_eq(name, STR(".nf"));
	} else if (str_eq(name, STR(".B")) || str_eq(name, STR(".BR"))) {
		add_macro_words(p, line, name.n == 3);
	}
}

void manpage_text(struct str roff, struct ink *out) {
	struct page p = {.out = out, .margin = 4};
	while (roff.p) {
		struct str line = str_cut(&roff, '\n');
		bool term = p.term;
		if (p.literal && !str_starts(line, STR("."))) {
			ink_to(out, 8);
			for (size_t i = 0; i < line.n; i++)
				if (line.p[i] != '\\') ink_str(out, INK_PLAIN, (struct str){line.p + i, 1});
			ink_end(out);
		} else if (line.n && line.p[0] == '.') {
			add_macro(&p, line);
		} else {
			add_words(&p, line);
		}
		if (!term) continue;
		p.term = false;
		end_paragraph(&p);
		p.margin = 10;
	}
	end_paragraph(&p);
}
