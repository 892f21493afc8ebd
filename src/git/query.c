#include "git/query.h"

#include <stdlib.h>

#include "git/child.h"
#include "git/tree.h"

// The tree without entries, which git knows without having it (SHA-1).
#define EMPTY_TREE "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

static void name_of(struct oid o, char out[OID_HEX_MAX + 1]) {
	if (oid_is_none(o)) memcpy(out, EMPTY_TREE, sizeof EMPTY_TREE);
	else oid_hex(o, out);
}

static bool fits(struct str path, struct err *e) {
	size_t folders = 0;
	for (size_t i = 0; i < path.n; i++) folders += path.p[i] == '/';
	struct str begin = str_slice(path, 0, path.n < 60 ? path.n : 60);
	if (folders >= GIT_TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, STR_FMT "... lies %zu folders deep; at most %d are taken",
		               STR_ARG(begin), folders, GIT_TREE_DEPTH_MAX - 1);
	if (path.n <= GIT_TREE_PATH_BYTES) return true;
	return err_set(e, ERR_LIMIT, "the path " STR_FMT "... has %zu bytes; at most %d are taken",
	               STR_ARG(begin), path.n, GIT_TREE_PATH_BYTES);
}

bool git_query_size(struct git_repo *r, struct oid base, struct oid head, struct git_size *out,
                    struct err *e) {
	AUTO_OUTPUT output = {0};
	char a[OID_HEX_MAX + 1], b[OID_HEX_MAX + 1];
	struct git_size size = {0};
	name_of(base, a);
	name_of(head, b);
	const char *const argv[] = {"git",          "diff-tree", "-r", "--numstat", "-z",
	                            "--no-renames", a,           b,    NULL};
	if (!git_child_ask(r, argv, STR_NONE, GIT_CHILD_TEXT_MAX, &output, e)) return false;
	struct str rest = buf_view(&output.out);
	while (rest.n) {
		uint64_t added, deleted;
		struct str record = str_cut(&rest, 0);
		size.files++;
		if (str_to_u64(str_cut(&record, '\t'), &added)) size.lines_added += added;
		if (str_to_u64(str_cut(&record, '\t'), &deleted)) size.lines_deleted += deleted;
		if (!fits(record, e)) return false;
	}
	*out = size;
	return true;
}

static bool diff(struct git_reader *reader, struct oid base, struct oid head, struct arena *life,
                 struct git_differences *out, struct err *e) {
	struct oid a = {0}, b;
	if (!oid_is_none(base) && !git_tree_of(reader, base, &a, e)) return false;
	return git_tree_of(reader, head, &b, e) && git_tree_diff(reader, a, b, true, life, out, e);
}

static int compare_paths(const void *a, const void *b) {
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

bool git_query_paths(struct git_repo *r, struct oid base, struct oid head, size_t most,
                     struct arena *life, struct str **paths, size_t *count, struct err *e) {
	AUTO_READER reader = {0};
	struct git_differences d = {0};
	if (!git_object_open(r, &reader, e) || !diff(&reader, base, head, life, &d, e)) return false;
	struct str *list = ARENA_ARRAY(life, struct str, d.count + 1);
	size_t n = 0;
	for (size_t i = 0; i < d.count; i++) {
		bool was = d.list[i].before != GIT_MODE_NONE && d.list[i].before != GIT_MODE_FOLDER;
		bool is = d.list[i].after != GIT_MODE_NONE && d.list[i].after != GIT_MODE_FOLDER;
		if (was || is) list[n++] = d.list[i].path;
	}
	if (n > most) return err_set(e, ERR_LIMIT, "%zu files differ, the limit is %zu", n, most);
	if (n) qsort(list, n, sizeof *list, compare_paths);
	*paths = list;
	*count = n;
	return true;
}

bool git_query_diff(struct git_repo *r, struct oid base, struct oid head, size_t most,
                    struct buf *out, bool *cut, struct err *e) {
	AUTO_OUTPUT output = {0};
	char a[OID_HEX_MAX + 1], b[OID_HEX_MAX + 1];
	name_of(base, a);
	name_of(head, b);
	const char *const argv[] = {
		"git",           "diff-tree",     "-r", "-p", "--stat", "-M", "--no-color", "--full-index",
		"--no-ext-diff", "--no-textconv", a,    b,    NULL};
	// A diff above the limit ends the child and is no error: its head is what was asked for.
	if (!git_child_ask(r, argv, STR_NONE, most + 1, &output, e) && e->code != ERR_LIMIT)
		return false;
	struct str text = buf_view(&output.out);
	*cut = text.n > most;
	if (*cut) text.n = most;
	while (*cut && text.n && text.p[text.n - 1] != '\n') text.n--; // whole lines
	buf_str(out, text);
	return true;
}

bool git_query_file(struct git_repo *r, struct oid commit, struct str path, size_t most,
                    struct buf *out, struct err *e) {
	AUTO_READER reader = {0};
	struct git_entry entry;
	struct oid tree;
	if (!git_object_open(r, &reader, e) || !git_tree_of(&reader, commit, &tree, e) ||
	    !git_tree_find(&reader, tree, path, &entry, e))
		return false;
	if (entry.mode != GIT_MODE_FILE && entry.mode != GIT_MODE_PROGRAM)
		return err_set(e, ERR_INVALID, STR_FMT " is not a regular file", STR_ARG(path));
	if (!git_object_read(&reader, entry.oid, most, NULL, out, e))
		return err_context(e, STR_FMT, STR_ARG(path));
	return true;
}

bool git_query_tree(struct git_repo *r, struct oid commit, struct oid *tree, struct err *e) {
	AUTO_READER reader = {0};
	return git_object_open(r, &reader, e) && git_tree_of(&reader, commit, tree, e);
}

bool git_query_base(struct git_repo *r, struct oid a, struct oid b, struct oid *out,
                    struct err *e) {
	AUTO_OUTPUT output = {0};
	char x[OID_HEX_MAX + 1], y[OID_HEX_MAX + 1];
	struct oid found = {0};
	oid_hex(a, x);
	oid_hex(b, y);
	const char *const argv[] = {"git", "merge-base", x, y, NULL};
	if (!git_child_run(r->home, r, NULL, argv, STR_NONE, 1 << 20, GIT_CHILD_TIMEOUT_MS, &output, e))
		return false;
	if (output.status.end != PROCESS_EXITED || output.status.code > 1)
		return git_child_failed(argv, &output, e);
	struct str rest = buf_view(&output.out);
	if (output.status.code == 0 && !oid_parse(str_cut(&rest, '\n'), &found))
		return err_set(e, ERR_CORRUPT, "git merge-base answers what is no commit");
	*out = found;
	return true;
}

bool git_query_refs(struct git_repo *r, const char *prefix, struct arena *life,
                    struct git_ref **refs, size_t *count, struct err *e) {
	AUTO_OUTPUT output = {0};
	const char *const argv[] = {"git", "for-each-ref", "--format=%(objectname) %(refname)", prefix,
	                            NULL};
	if (!git_child_ask(r, argv, STR_NONE, GIT_CHILD_TEXT_MAX, &output, e)) return false;
	size_t n = 0;
	for (size_t i = 0; i < output.out.n; i++) n += output.out.p[i] == '\n';
	struct git_ref *list = ARENA_ARRAY(life, struct git_ref, n + 1);
	struct str rest = buf_view(&output.out);
	for (size_t i = 0; i < n; i++) {
		struct str line = str_cut(&rest, '\n');
		if (!oid_parse(str_cut(&line, ' '), &list[i].oid))
			return err_set(e, ERR_CORRUPT, "git for-each-ref is not understood");
		list[i].name = arena_str(life, line);
	}
	*refs = list;
	*count = n;
	return true;
}
