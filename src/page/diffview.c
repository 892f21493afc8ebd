#include "page/diffview.h"

struct walk {
	struct html *w;
	uint64_t file, old, new;
	bool open, in_hunk;
};

static void close_file(struct walk *k) {
	if (k->open) html_put(k->w, "</pre>\n");
	k->open = k->in_hunk = false;
}

// "a/src/x.c b/src/x.c" -> "src/x.c": the half behind " b/". A name with that inside is rare and
// harmless.
static struct str name_of(struct str line) {
	size_t at = str_find(line, STR(" b/"));
	return at < line.n ? str_from(line, at + 3) : line;
}

static void begin_file(struct walk *k, struct str line) {
	close_file(k);
	k->file++;
	struct str name = name_of(str_from(line, strlen("diff --git ")));
	html_put(
		k->w,
		"<h3 class=\"mono\">%t</h3>\n<pre class=\"diff\" tabindex=\"0\" aria-label=\"Diff of %t\">",
		name, name);
	k->open = true;
}

static uint64_t number_at(struct str s, size_t at) {
	uint64_t v = 0;
	for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9' && v < 100000000; at++)
		v = v * 10 + (uint64_t)(s.p[at] - '0');
	return v;
}

// @@ -35,8 +35,20 @@
static void begin_hunk(struct walk *k, struct str line) {
	k->old = number_at(line, 4);
	size_t plus = str_find_char(line, '+');
	k->new = number_at(line, plus + 1);
	if (k->in_hunk) html_put(k->w, "<span class=\"del\"><i></i><i></i><u></u>⋯\n</span>");
	k->in_hunk = true;
}

static void row(struct walk *k, struct str line) {
	char sign = line.n ? line.p[0] : ' ';
	struct str text = str_from(line, 1);
	switch (sign) {
	case '+':
		html_put(k->w, "<span class=\"add\" id=\"d%u-%u\"><i></i><i>%u</i><u></u>+ %t\n</span>",
		         k->file, k->new, k->new, text);
		k->new ++;
		return;
	case '-':
		html_put(k->w, "<span class=\"del\"><i>%u</i><i></i><u></u>- %t\n</span>", k->old, text);
		k->old++;
		return;
	case '\\': html_put(k->w, "<span class=\"del\"><i></i><i></i><u></u>%t\n</span>", text); return;
	default:
		html_put(k->w, "<span><i>%u</i><i>%u</i><u></u>  %t\n</span>", k->old, k->new, text);
		k->old++;
		k->new ++;
	}
}

bool diffview_write(struct html *w, struct str diff, size_t lines) {
	struct walk k = {.w = w};
	size_t rows = 0;
	bool all = true;
	if (!diff.n) html_put(w, "<p class=\"dim\">No line changes.</p>\n");
	while (diff.n) {
		struct str line = str_cut(&diff, '\n');
		if (rows++ >= lines) {
			all = false;
			break;
		}
		if (str_starts(line, STR("diff --git "))) begin_file(&k, line);
		else if (!k.open) continue;
		else if (str_starts(line, STR("@@ -"))) begin_hunk(&k, line);
		else if (k.in_hunk) row(&k, line);
		else if (str_starts(line, STR("Binary files")) || str_starts(line, STR("rename ")) ||
		         str_starts(line, STR("new file")) || str_starts(line, STR("deleted file")) ||
		         str_starts(line, STR("old mode")) || str_starts(line, STR("new mode")))
			html_put(w, "<span class=\"del\"><i></i><i></i><u></u>%t\n</span>", line);
	}
	close_file(&k);
	return all;
}
