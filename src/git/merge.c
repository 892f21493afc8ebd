#include "git/merge.h"

#include "git/plumb.h"
#include "git/tree.h"

// An answer is words that end in NUL: "1" TREE "" or
// "0" TREE {"MODE OID STAGE\tPATH"}... "" {COUNT PATH... TYPE MESSAGE}... ""
// (git-merge-tree(1), --stdin of git 2.39).
struct words {
	struct git_plumb *plumb; // or
	struct str rest;         // all of it
};

enum { MARKED_BYTES_MAX = 4 << 20, MESSAGES_MAX = 1000 };

static bool next_word(struct words *w, struct arena *life, struct str *out, struct err *e) {
	struct str word;
	if (w->plumb) {
		if (!git_plumb_until(w->plumb, 0, &word, e)) return false;
	} else {
		size_t end = str_find_char(w->rest, 0);
		if (end == w->rest.n) return err_set(e, ERR_UNAVAILABLE, "git merge-tree ended early");
		word = str_slice(w->rest, 0, end);
		w->rest = str_from(w->rest, end + 1);
	}
	*out = arena_str(life, word);
	return true;
}

static struct str utf8(struct arena *life, struct str s) {
	AUTO_BUF out = {0};
	buf_utf8(&out, s);
	return arena_str(life, buf_view(&out));
}

struct found {
	struct str path; // bytes
	struct git_conflict *conflict;
};

// Adds a file once; the raw path is kept beside the readable one to find the file in the tree.
static struct found *add_path(struct git_merge *m, struct found *seen, struct str path,
                              struct arena *life) {
	for (size_t i = 0; i < m->conflict_count; i++)
		if (str_eq(seen[i].path, path)) return &seen[i];
	if (m->conflict_count == GIT_CONFLICTS_MAX) return NULL;
	struct git_conflict *c = &m->conflicts[m->conflict_count];
	*c = (struct git_conflict){.path = utf8(life, path), .kind = STR("contents")};
	seen[m->conflict_count] = (struct found){path, c};
	return &seen[m->conflict_count++];
}

static bool take_messages(struct words *w, struct git_merge *m, struct found *seen,
                          struct arena *life, struct err *e) {
	for (;;) {
		struct str count, path, first = STR_NONE, type, text;
		uint64_t n;
		if (!next_word(w, life, &count, e)) return false;
		if (count.n == 0) return true;
		if (!str_to_u64(count, &n))
			return err_set(e, ERR_CORRUPT, "git merge-tree is not understood");
		for (uint64_t i = 0; i < n; i++) {
			if (!next_word(w, life, &path, e)) return false;
			if (i == 0) first = path;
		}
		if (!next_word(w, life, &type, e) || !next_word(w, life, &text, e)) return false;
		if (!str_starts(type, STR("CONFLICT (")) || !str_ends(type, STR(")"))) continue;
		struct found *f = add_path(m, seen, first, life);
		if (!f || f->conflict->text.n) continue;
		f->conflict->kind = str_slice(type, strlen("CONFLICT ("), type.n - 1);
		f->conflict->text = utf8(life, str_trim(text));
	}
}

static bool take_answer(struct words *w, struct git_merge *m, struct found *seen,
                        struct arena *life, struct err *e) {
	struct str word, last = STR_NONE;
	if (!next_word(w, life, &word, e)) return false;
	m->clean = str_eq(word, STR("1"));
	bool known = m->clean || str_eq(word, STR("0"));
	if (!next_word(w, life, &word, e)) return false;
	if (!known || !oid_parse(word, &m->tree))
		return err_set(e, ERR_CORRUPT, "git merge-tree is not understood");
	m->conflicts = ARENA_ARRAY(life, struct git_conflict, GIT_CONFLICTS_MAX);
	for (;;) {
		if (!next_word(w, life, &word, e)) return false;
		if (word.n == 0) break;
		struct str path = str_from(word, str_find_char(word, '\t') + 1);
		if (str_eq(path, last)) continue;
		m->conflict_files++;
		last = path;
		(void)add_path(m, seen, path, life);
	}
	return m->clean || take_messages(w, m, seen, life, e);
}

void git_merge_sides(struct str marked, size_t most, struct arena *life, struct str *ours,
                     struct str *theirs) {
	enum { OUTSIDE, OURS, BASE, THEIRS } at = OUTSIDE;
	struct buf sides[2] = {{0}, {0}};
	bool full[2] = {false, false};
	struct str rest = marked;
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');
		if (at == OUTSIDE && str_starts(line, STR("<<<<<<< "))) {
			at = OURS;
			for (int i = 0; i < 2; i++)
				if (sides[i].n && !full[i]) buf_cstr(&sides[i], "…\n");
		} else if (at == OURS && str_starts(line, STR("||||||| "))) {
			at = BASE;
		} else if ((at == OURS || at == BASE) && str_eq(line, STR("======="))) {
			at = THEIRS;
		} else if (at == THEIRS && str_starts(line, STR(">>>>>>> "))) {
			at = OUTSIDE;
		} else if (at == OURS || at == THEIRS) {
			int i = at == THEIRS;
			full[i] = full[i] || sides[i].n + line.n + 8 > most;
			if (full[i]) continue;
			buf_str(&sides[i], line);
			buf_char(&sides[i], '\n');
		}
	}
	for (int i = 0; i < 2; i++) {
		if (full[i]) buf_cstr(&sides[i], "…\n");
		*(i ? theirs : ours) = utf8(life, buf_view(&sides[i]));
		buf_free(&sides[i]);
	}
}

// The sides of each file; what cannot be read is left empty, the conflict stands without them.
static bool add_sides(struct git_repo *r, struct git_merge *m, const struct found *seen,
                      struct arena *life, struct err *e) {
	AUTO_READER reader = {0};
	if (!git_object_open(r, &reader, e)) return false;
	for (size_t i = 0; i < m->conflict_count; i++) {
		AUTO_BUF text = {0};
		struct git_entry entry;
		struct err ignored;
		if (!git_tree_find(&reader, m->tree, seen[i].path, &entry, &ignored)) continue;
		if (entry.mode != GIT_MODE_FILE && entry.mode != GIT_MODE_PROGRAM) continue;
		if (!git_object_read(&reader, entry.oid, MARKED_BYTES_MAX, NULL, &text, &ignored)) continue;
		struct git_conflict *c = seen[i].conflict;
		git_merge_sides(buf_view(&text), GIT_CONFLICT_BYTES_MAX, life, &c->ours, &c->theirs);
	}
	return true;
}

static bool ask_pool(struct git_repo *r, struct str pair, struct git_merge *m, struct found *seen,
                     struct arena *life, struct err *e) {
	AUTO_PLUMB p = NULL;
	if (!git_plumb_take(r, GIT_PLUMB_MERGE, &p, e)) return false;
	struct words w = {.plumb = p};
	p->pending = 1;
	if (!git_plumb_send(p, pair, e) || !take_answer(&w, m, seen, life, e)) return false;
	p->pending = 0;
	return true;
}

static bool ask_alone(struct git_repo *r, struct str pair, struct git_merge *m, struct found *seen,
                      struct arena *life, struct err *e) {
	AUTO_OUTPUT out = {0};
	const char *const argv[] = {"git", "merge-tree", "--stdin", NULL};
	if (!git_child_run(r->home, r, NULL, argv, pair, GIT_CHILD_TEXT_MAX, GIT_CHILD_TIMEOUT_MS, &out,
	                   e))
		return false;
	if (out.status.end == PROCESS_EXITED && out.status.code == 0) {
		struct words w = {.rest = buf_view(&out.out)};
		return take_answer(&w, m, seen, life, e);
	}
	if (str_contains(buf_view(&out.err), STR("unrelated histories")))
		return err_set(
			e, ERR_CONFLICT,
			"the change has no common history with its target branch; start it from that "
			"branch (git fetch, git switch -c NAME weir/BRANCH)");
	return git_child_failed(argv, &out, e);
}

bool git_merge_try(struct git_repo *r, struct oid ours, struct oid theirs, struct arena *life,
                   struct git_merge *out, struct err *e) {
	AUTO_BUF pair = {0};
	char a[OID_HEX_MAX + 1], b[OID_HEX_MAX + 1];
	struct found *seen = ARENA_ARRAY(life, struct found, GIT_CONFLICTS_MAX);
	struct git_merge m = {0};
	struct err first;
	oid_hex(ours, a);
	oid_hex(theirs, b);
	buf_printf(&pair, "%s %s\n", a, b);
	// The pool's child dies of a pair that cannot be merged, or with the daemon's old packs; alone
	// it tells which.
	if (!ask_pool(r, buf_view(&pair), &m, seen, life, &first)) {
		m = (struct git_merge){0};
		memset(seen, 0, GIT_CONFLICTS_MAX * sizeof *seen);
		if (!ask_alone(r, buf_view(&pair), &m, seen, life, e)) return false;
	}
	if (!m.clean && !add_sides(r, &m, seen, life, e)) return false;
	*out = m;
	return true;
}
