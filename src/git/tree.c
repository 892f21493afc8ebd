#include "git/tree.h"

#include <assert.h>
#include <stdlib.h>

enum { TREE_BYTES_MAX = 256 << 20 };

bool git_tree_next(struct str *rest, size_t oid_bytes, struct git_entry *out) {
	unsigned mode = 0;
	size_t at = 0;
	for (; at < rest->n && rest->p[at] >= '0' && rest->p[at] <= '7' && at < 7; at++)
		mode = mode * 8 + (unsigned)(rest->p[at] - '0');
	if (at == 0 || at >= rest->n || rest->p[at] != ' ') return false;
	struct str name = str_from(*rest, at + 1);
	size_t end = str_find_char(name, 0);
	if (end == name.n || name.n - end - 1 < oid_bytes) return false;
	struct git_entry entry = {.name = str_slice(name, 0, end), .oid.n = (uint8_t)oid_bytes};
	memcpy(entry.oid.b, name.p + end + 1, oid_bytes);
	switch (mode & 0170000) {
	case 0040000: entry.mode = GIT_MODE_FOLDER; break;
	case 0100000: entry.mode = mode & 0100 ? GIT_MODE_PROGRAM : GIT_MODE_FILE; break;
	case 0120000: entry.mode = GIT_MODE_LINK; break;
	case 0160000: entry.mode = GIT_MODE_MODULE; break;
	default: return false;
	}
	*out = entry;
	*rest = str_from(name, end + 1 + oid_bytes);
	return true;
}

bool git_tree_name_ok(struct str name) {
	if (name.n == 0 || str_eq(name, STR(".")) || str_eq(name, STR(".."))) return false;
	if (memchr(name.p, '/', name.n) || memchr(name.p, 0, name.n)) return false;
	bool is_git = name.n == 4 && name.p[0] == '.' && (name.p[1] | 32) == 'g' &&
	              (name.p[2] | 32) == 'i' && (name.p[3] | 32) == 't';
	return !is_git;
}

struct walk {
	struct git_reader *reader;
	struct arena *life;
	struct git_differences *out;
	struct err *e;
	bool each_gone;
	int depth;
};

static bool walk_trees(struct walk *w, struct str at, struct oid a, struct oid b);

static bool read_tree(struct git_reader *reader, struct oid oid, struct buf *out, struct err *e) {
	struct git_object info;
	if (oid.n == 0) return true;
	if (!git_object_read(reader, oid, TREE_BYTES_MAX, &info, out, e)) return false;
	if (info.type != GIT_TREE) return err_set(e, ERR_INVALID, "a git object that is no tree");
	return true;
}

static struct git_difference *push(struct walk *w) {
	struct git_differences *d = w->out;
	if (d->count == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct git_difference *more = ARENA_ARRAY(w->life, struct git_difference, cap);
		if (d->count) memcpy(more, d->list, d->count * sizeof *more);
		d->list = more;
		d->cap = cap;
	}
	return &d->list[d->count++];
}

// What git_entry compares as in a tree's order: folders sort as if their name ended in a slash. For
// a merge of two lists that may hold the same name with different kinds, plain names are the right
// key, so the lists are sorted again by it.
static int compare_entries(const void *a, const void *b) {
	return str_compare(((const struct git_entry *)a)->name, ((const struct git_entry *)b)->name);
}

static bool parse(struct walk *w, struct str bytes, size_t oid_bytes, struct git_entry **list,
                  size_t *count) {
	size_t n = 0, cap = 0;
	struct git_entry *entries = NULL, entry;
	while (git_tree_next(&bytes, oid_bytes, &entry)) {
		if (!git_tree_name_ok(entry.name)) {
			AUTO_BUF quoted = {0};
			buf_json(&quoted, entry.name);
			free(entries);
			return err_set(w->e, ERR_INVALID, "a tree holds the name %s", quoted.p);
		}
		if (n == cap) {
			cap = cap ? cap * 2 : 32;
			struct git_entry *more = realloc(entries, cap * sizeof *entries);
			if (!more) abort();
			entries = more;
		}
		entries[n++] = entry;
	}
	if (bytes.n) {
		free(entries);
		return err_set(w->e, ERR_INVALID, "a tree that git would not write");
	}
	if (n) qsort(entries, n, sizeof *entries, compare_entries);
	*list = entries;
	*count = n;
	return true;
}

static bool differ(struct walk *w, struct str at, const struct git_entry *old,
                   const struct git_entry *new) {
	enum git_mode before = old ? old->mode : GIT_MODE_NONE;
	enum git_mode after = new ? new->mode : GIT_MODE_NONE;
	assert(old || new);
	struct str name = old ? old->name : new->name;
	bool both = old && new;
	if (both && before == after && oid_eq(old->oid, new->oid)) return true;
	if (at.n + name.n > GIT_TREE_PATH_BYTES)
		return err_set(w->e, ERR_LIMIT, "a path of more than %d bytes", GIT_TREE_PATH_BYTES);
	if (w->out->count >= GIT_TREE_PATHS_MAX)
		return err_set(w->e, ERR_LIMIT, "more than %d files", GIT_TREE_PATHS_MAX);
	struct str path = at.n ? arena_printf(w->life, STR_FMT "/" STR_FMT, STR_ARG(at), STR_ARG(name))
	                       : arena_str(w->life, name);
	struct oid none = {0};
	struct oid from = before == GIT_MODE_FOLDER ? old->oid : none;
	struct oid to = after == GIT_MODE_FOLDER ? new->oid : none;
	if (before != GIT_MODE_FOLDER || after != GIT_MODE_FOLDER)
		*push(w) = (struct git_difference){path, before, after, old ? old->oid : none,
		                                   new ? new->oid : none};
	if (to.n == 0 && !w->each_gone) return true;
	if (from.n == 0 && to.n == 0) return true;
	return walk_trees(w, path, from, to);
}

static bool walk_lists(struct walk *w, struct str at, struct git_entry *a, size_t a_count,
                       struct git_entry *b, size_t b_count) {
	size_t i = 0, j = 0;
	while (i < a_count || j < b_count) {
		int order = i == a_count ? 1 : j == b_count ? -1 : str_compare(a[i].name, b[j].name);
		struct git_entry *old = order <= 0 ? &a[i++] : NULL;
		struct git_entry *new = order >= 0 ? &b[j++] : NULL;
		if (!differ(w, at, old, new)) return false;
	}
	return true;
}

static bool walk_trees(struct walk *w, struct str at, struct oid a, struct oid b) {
	AUTO_BUF a_bytes = {0}, b_bytes = {0};
	struct git_entry *a_list = NULL, *b_list = NULL;
	size_t a_count = 0, b_count = 0;
	if (++w->depth > GIT_TREE_DEPTH_MAX)
		return err_set(w->e, ERR_LIMIT, "folders deeper than %d", GIT_TREE_DEPTH_MAX);
	bool ok = read_tree(w->reader, a, &a_bytes, w->e) && read_tree(w->reader, b, &b_bytes, w->e) &&
	          parse(w, buf_view(&a_bytes), a.n, &a_list, &a_count) &&
	          parse(w, buf_view(&b_bytes), b.n, &b_list, &b_count) &&
	          walk_lists(w, at, a_list, a_count, b_list, b_count);
	free(a_list);
	free(b_list);
	w->depth--;
	return ok;
}

bool git_tree_diff(struct git_reader *reader, struct oid a, struct oid b, bool each_gone,
                   struct arena *life, struct git_differences *out, struct err *e) {
	struct walk w = {reader, life, out, e, each_gone, 0};
	*out = (struct git_differences){0};
	if (oid_eq(a, b)) return true;
	return walk_trees(&w, STR_NONE, a, b);
}

static bool find_in(struct git_reader *reader, struct oid tree, struct str name,
                    struct git_entry *out, struct err *e) {
	AUTO_BUF bytes = {0};
	struct git_entry entry;
	if (!read_tree(reader, tree, &bytes, e)) return false;
	struct str rest = buf_view(&bytes);
	while (git_tree_next(&rest, tree.n, &entry)) {
		if (!str_eq(entry.name, name)) continue;
		*out = entry;
		out->name = name;
		return true;
	}
	return err_set(e, ERR_NOT_FOUND, "no file of this name");
}

bool git_tree_find(struct git_reader *reader, struct oid tree, struct str path,
                   struct git_entry *out, struct err *e) {
	struct git_entry entry = {STR_NONE, GIT_MODE_FOLDER, tree};
	struct str rest = path;
	while (rest.p) {
		struct str name = str_cut(&rest, '/');
		if (entry.mode != GIT_MODE_FOLDER || !find_in(reader, entry.oid, name, &entry, e)) {
			if (e && entry.mode == GIT_MODE_FOLDER && e->code != ERR_NOT_FOUND) return false;
			return err_set(e, ERR_NOT_FOUND, STR_FMT " is not there", STR_ARG(path));
		}
	}
	*out = entry;
	return true;
}

bool git_tree_of(struct git_reader *reader, struct oid commit, struct oid *tree, struct err *e) {
	AUTO_BUF bytes = {0};
	struct git_object info;
	if (!git_object_read(reader, commit, TREE_BYTES_MAX, &info, &bytes, e)) return false;
	if (info.type == GIT_TREE) {
		*tree = commit;
		return true;
	}
	struct str rest = buf_view(&bytes), line = str_cut(&rest, '\n');
	struct oid found;
	if (info.type != GIT_COMMIT || !str_starts(line, STR("tree ")) ||
	    !oid_parse(str_from(line, 5), &found))
		return err_set(e, ERR_INVALID, "a git object that is no commit");
	*tree = found;
	return true;
}
