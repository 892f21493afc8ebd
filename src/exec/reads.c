#include "exec/reads.h"

#include <stdlib.h>

static const char letters[] = "asrl"; // in the order of their bits

static int by_path(const void *a, const void *b) {
	return str_compare(((const struct reads_entry *)a)->path,
	                   ((const struct reads_entry *)b)->path);
}

void reads_write(struct reads *r, struct buf *out) {
	if (r->n) qsort(r->list, r->n, sizeof r->list[0], by_path);
	for (size_t i = 0; i < r->n; i++) {
		for (size_t bit = 0; letters[bit]; bit++)
			if (r->list[i].what & (1U << bit)) buf_char(out, letters[bit]);
		buf_char(out, ' ');
		buf_str(out, r->list[i].value);
		buf_char(out, ' ');
		buf_str(out, r->list[i].path);
		buf_char(out, 0);
	}
}

static bool parse_letters(struct str word, unsigned *out) {
	*out = 0;
	for (size_t i = 0; i < word.n; i++) {
		const char *at = word.p[i] ? strchr(letters, word.p[i]) : NULL;
		if (!at) return false;
		*out |= 1U << (at - letters);
	}
	return *out != 0;
}

bool reads_parse(struct str text, struct arena *life, struct reads *out, struct err *e) {
	size_t count = 0;
	for (size_t i = 0; i < text.n; i++) count += text.p[i] == 0;
	struct reads r = {.list = ARENA_ARRAY(life, struct reads_entry, count + 1)};
	struct str rest = text;
	while (rest.n) {
		struct str path = str_cut(&rest, 0), word = str_cut(&path, ' ');
		struct reads_entry entry = {.value = str_cut(&path, ' ')};
		entry.path = path;
		if (!rest.p || !path.n || !parse_letters(word, &entry.what) ||
		    (r.n && str_compare(r.list[r.n - 1].path, path) >= 0))
			return err_set(e, ERR_CORRUPT, "the record of what a run read is not one (entry %zu)",
			               r.n + 1);
		r.list[r.n++] = entry;
	}
	*out = r;
	return true;
}

// The first entry that does not stand before the path.
static size_t place(const struct reads *r, struct str path) {
	size_t low = 0, high = r->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (str_compare(r->list[middle].path, path) < 0) low = middle + 1;
		else high = middle;
	}
	return low;
}

unsigned reads_of(const struct reads *r, struct str path) {
	size_t at = place(r, path);
	return at < r->n && str_eq(r->list[at].path, path) ? r->list[at].what : 0;
}

bool reads_below(const struct reads *r, struct str path) {
	// What is below does not follow at once: "a-b" stands between "a" and "a/b".
	if (reads_of(r, path)) return true;
	AUTO_BUF below = {0};
	buf_str(&below, path);
	buf_char(&below, '/');
	size_t at = place(r, buf_view(&below));
	return at < r->n && str_starts(r->list[at].path, buf_view(&below));
}
