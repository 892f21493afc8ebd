#include "git/lookup.h"

#include <stdlib.h>

enum { TREE_BYTES_MAX = 256 << 20 };

static bool enter(struct git_lookup *l, struct str name, struct oid oid, struct err *e) {
	struct git_object info;
	if (l->depth > GIT_TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "folders deeper than %d", GIT_TREE_DEPTH_MAX);
	if (l->depth == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct git_lookup_folder *more = realloc(l->folders, cap * sizeof *more);
		if (!more) abort();
		memset(more + l->cap, 0, (cap - l->cap) * sizeof *more);
		l->folders = more;
		l->cap = cap;
	}
	struct git_lookup_folder *f = &l->folders[l->depth];
	buf_reset(&f->bytes);
	f->name = arena_str(&l->life, name);
	if (!git_object_read(l->reader, oid, TREE_BYTES_MAX, &info, &f->bytes, e)) return false;
	if (info.type != GIT_TREE) return err_set(e, ERR_INVALID, "a git object that is no tree");
	l->depth++;
	return true;
}

static bool entry_of(const struct git_lookup *l, struct str name, struct git_entry *out) {
	struct str rest = buf_view(&l->folders[l->depth - 1].bytes);
	while (git_tree_next(&rest, l->tree.n, out))
		if (str_eq(out->name, name)) return true;
	*out = (struct git_entry){0};
	return false;
}

bool git_lookup_path(struct git_lookup *l, struct str path, struct git_entry *out, struct err *e) {
	size_t at = 1; // folders that are on the way
	*out = (struct git_entry){.mode = GIT_MODE_FOLDER, .oid = l->tree};
	if (!l->depth && !enter(l, STR("."), l->tree, e)) return false;
	struct str rest = str_eq(path, STR(".")) ? STR_NONE : path;
	while (rest.p) {
		struct str name = str_cut(&rest, '/');
		if (out->mode != GIT_MODE_FOLDER) { // below a file
			*out = (struct git_entry){0};
			return true;
		}
		if (at < l->depth && rest.p && str_eq(l->folders[at].name, name)) {
			at++;
			continue;
		}
		l->depth = at;
		if (!entry_of(l, name, out)) return true;
		if (rest.p && out->mode == GIT_MODE_FOLDER) {
			if (!enter(l, name, out->oid, e)) return false;
			at++;
		}
	}
	return true;
}

bool git_lookup_list(struct git_lookup *l, struct str path, struct str *bytes, struct err *e) {
	struct git_entry unused;
	AUTO_BUF below = {0};
	buf_str(&below, path);
	if (!str_eq(path, STR("."))) buf_cstr(&below, "/.");
	if (!git_lookup_path(l, buf_view(&below), &unused, e)) return false;
	*bytes = buf_view(&l->folders[l->depth - 1].bytes);
	return true;
}

void git_lookup_free(struct git_lookup *l) {
	for (size_t i = 0; i < l->cap; i++) buf_free(&l->folders[i].bytes);
	free(l->folders);
	arena_free(&l->life);
}
