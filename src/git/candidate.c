#include "git/candidate.h"

#include "git/tree.h"

static struct str one_line(struct arena *life, struct str title) {
	struct str rest = str_trim(title), line = str_trim(str_cut(&rest, '\n'));
	if (line.n == 0) line = STR("(no title)");
	char *copy = arena_cstr(life, str_slice(line, 0, 500));
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' ';
	return str_of(copy);
}

static bool write_merge(struct git_repo *r, struct oid tip, struct oid head, struct oid tree,
                        const struct git_candidate_meta *meta, struct arena *life, struct oid *out,
                        struct err *e) {
	struct oid parents[2] = {tip, head};
	struct str title = one_line(life, meta->title);
	struct git_commit c = {
		.tree = tree,
		.parents = parents,
		.parent_count = 2,
		.author = meta->author,
		.committer = {STR("weir"), STR("weir@localhost"), meta->time_ms / 1000, 0},
		.message = arena_printf(life, STR_FMT "\n\nChange: %llu\n", STR_ARG(title),
	                            (unsigned long long)meta->change),
	};
	return git_commit_write(r, &c, out, e);
}

// Trees of both ends, and how many files lie between them.
static bool measure(struct git_repo *r, struct oid tip, struct git_candidate *c, struct err *e) {
	AUTO_READER reader = {0};
	AUTO_ARENA scratch = {0};
	struct oid before = {0};
	struct git_differences d = {0};
	if (!git_object_open(r, &reader, e)) return false;
	if (!git_tree_of(&reader, c->commit, &c->tree, e)) return false;
	if (!oid_is_none(tip) && !git_tree_of(&reader, tip, &before, e)) return false;
	if (!git_tree_diff(&reader, before, c->tree, true, &scratch, &d, e)) return false;
	c->files_changed = 0;
	for (size_t i = 0; i < d.count; i++) {
		bool was = d.list[i].before != GIT_MODE_NONE && d.list[i].before != GIT_MODE_FOLDER;
		bool is = d.list[i].after != GIT_MODE_NONE && d.list[i].after != GIT_MODE_FOLDER;
		c->files_changed += was || is;
	}
	return true;
}

bool git_candidate_build(struct git_repo *r, struct oid tip, struct oid head,
                         const struct git_candidate_meta *meta, struct arena *life,
                         struct git_candidate *out, struct err *e) {
	struct git_candidate c = {.kind = GIT_CANDIDATE_READY, .commit = head, .is_head = true};
	struct git_commit proposed;
	bool ahead = oid_is_none(tip), landed = false;
	if (!git_commit_read(r, head, life, &proposed, e)) return err_context(e, "the change's head");
	if (oid_eq(tip, head)) landed = true;
	else if (!ahead && !git_commit_is_near_ancestor(r, tip, head, &ahead, e)) return false;
	if (!landed && !ahead) {
		if (!git_merge_try(r, tip, head, life, &c.merge, e)) return false;
		// A head that stands on the tip merges to its own tree; only then a process is asked.
		if (c.merge.clean && oid_eq(c.merge.tree, proposed.tree) &&
		    !git_commit_is_ancestor(r, tip, head, &ahead, e))
			return false;
		if (ahead) c.merge = (struct git_merge){0};
	}
	if (!landed && !ahead) {
		c.is_head = false;
		if (!c.merge.clean) {
			c.kind = GIT_CANDIDATE_CONFLICT;
			c.commit = (struct oid){0};
			*out = c;
			return true;
		}
		AUTO_READER reader = {0};
		struct oid tip_tree;
		if (!git_object_open(r, &reader, e) || !git_tree_of(&reader, tip, &tip_tree, e))
			return false;
		if (oid_eq(tip_tree, c.merge.tree) && !git_commit_is_ancestor(r, head, tip, &landed, e))
			return false;
		if (!landed && !write_merge(r, tip, head, c.merge.tree, meta, life, &c.commit, e))
			return false;
	}
	if (landed) {
		c.kind = GIT_CANDIDATE_LANDED;
		c.commit = tip;
	}
	if (!measure(r, tip, &c, e)) return false;
	if (!c.is_head && !landed && !oid_eq(c.tree, c.merge.tree))
		return err_set(e, ERR_CORRUPT, "the candidate's tree is not the merge's tree");
	*out = c;
	return true;
}

bool git_candidate_cover(struct git_repo *r, struct oid tip, struct git_candidate last,
                         const struct git_candidate_meta *metas, size_t n, struct arena *life,
                         struct oid *commit, struct err *e) {
	AUTO_BUF message = {0};
	struct oid parents[2] = {tip, last.commit};
	int64_t at_s = metas[n - 1].time_ms / 1000;
	buf_printf(&message, "Land %zu changes\n\n", n);
	for (size_t i = 0; i < n; i++) {
		struct str title = one_line(life, metas[i].title);
		buf_printf(&message, "#%llu " STR_FMT "\n", (unsigned long long)metas[i].change,
		           STR_ARG(title));
	}
	buf_char(&message, '\n');
	for (size_t i = 0; i < n; i++)
		buf_printf(&message, "Change: %llu\n", (unsigned long long)metas[i].change);
	struct git_person weir = {STR("weir"), STR("weir@localhost"), at_s, 0};
	struct git_commit c = {.tree = last.tree,
	                       .parents = parents,
	                       .parent_count = 2,
	                       .author = weir,
	                       .committer = weir,
	                       .message = buf_view(&message)};
	return git_commit_write(r, &c, commit, e);
}
