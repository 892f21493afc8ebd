#include "git/subset.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/glob.h"
#include "git/child.h"

static bool matches(const struct str *patterns, size_t n, const struct git_difference *d) {
	if (d->after == GIT_MODE_FOLDER) return false;
	for (size_t i = 0; i < n; i++)
		if (glob_match(patterns[i], d->path)) return true;
	return false;
}

static bool list(struct git_reader *reader, struct oid tree, struct arena *life,
                 struct git_differences *out, struct err *e) {
	return git_tree_diff(reader, (struct oid){0}, tree, false, life, out, e);
}

// Lines for `git update-index -z --index-info`.
static void put_index(const struct git_differences *all, const struct str *patterns, size_t n,
                      struct buf *out) {
	char hex[OID_HEX_MAX + 1];
	for (size_t i = 0; i < all->count; i++) {
		const struct git_difference *d = &all->list[i];
		if (!matches(patterns, n, d)) continue;
		oid_hex(d->new, hex);
		buf_printf(out, "%06o %s\t", (unsigned)d->after, hex);
		buf_str(out, d->path);
		buf_char(out, 0);
	}
}

static bool ask(struct git_repo *r, const char *index, const char *const *argv, struct str input,
                struct process_output *out, struct err *e) {
	AUTO_ARENA life = {0};
	struct git_child_env env = {0};
	git_child_env(&env, &life, r, false);
	git_child_env_add(&env, arena_printf(&life, "GIT_INDEX_FILE=%s", index).p);
	if (!git_child_run(r->home, r, &env, argv, input, GIT_CHILD_TEXT_MAX, GIT_CHILD_TIMEOUT_MS, out,
	                   e))
		return false;
	if (out->status.end == PROCESS_EXITED && out->status.code == 0) return true;
	return git_child_failed(argv, out, e);
}

static bool write_tree(struct git_repo *r, struct str entries, struct oid *out, struct err *e) {
	static const char *const update[] = {"git", "update-index", "-z", "--index-info", NULL};
	static const char *const write[] = {"git", "write-tree", "--missing-ok", NULL};
	AUTO_BUF folder = {0}, index = {0};
	AUTO_OUTPUT updated = {0};
	AUTO_OUTPUT written = {0};
	buf_printf(&folder, "%s/subset.XXXXXX", r->objects ? r->objects : r->path);
	if (!mkdtemp(folder.p)) return err_set(e, ERR_IO, "cannot make a folder for an index");
	buf_printf(&index, "%s/index", folder.p);
	bool ok = ask(r, index.p, update, entries, &updated, e) &&
	          ask(r, index.p, write, STR_NONE, &written, e);
	unlink(index.p);
	rmdir(folder.p);
	return ok && (oid_parse(str_trim(buf_view(&written.out)), out) ||
	              err_set(e, ERR_UNAVAILABLE, "git write-tree gave no tree"));
}

bool git_subset_make(struct git_repo *r, struct oid tree, const struct str *patterns, size_t n,
                     struct oid *out, struct err *e) {
	AUTO_ARENA life = {0};
	AUTO_READER reader = {0};
	AUTO_BUF entries = {0};
	struct git_differences all = {0};
	if (!git_object_open(r, &reader, e) || !list(&reader, tree, &life, &all, e)) return false;
	put_index(&all, patterns, n, &entries);
	return write_tree(r, buf_view(&entries), out, e);
}

bool git_subset_is(struct git_reader *reader, struct oid tree, const struct str *patterns, size_t n,
                   struct oid subset, bool *is, struct err *e) {
	AUTO_ARENA life = {0};
	AUTO_BUF wanted = {0}, found = {0};
	struct git_differences all = {0}, some = {0};
	static const struct str every = {"**", 2};
	if (!list(reader, tree, &life, &all, e) || !list(reader, subset, &life, &some, e)) return false;
	put_index(&all, patterns, n, &wanted);
	put_index(&some, &every, 1, &found);
	*is = str_eq(buf_view(&wanted), buf_view(&found));
	return true;
}
