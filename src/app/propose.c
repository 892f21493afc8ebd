#include "app/propose.h"

#include "git/commit.h"
#include "git/query.h"

enum { TEXT_MAX = 500 }; // bytes of a title, as of the push option

bool propose_priority(struct str text, int64_t *out, struct err *e) {
	static const struct {
		struct str name;
		int64_t value;
	} names[] = {{{"high", 4}, 10}, {{"normal", 6}, 0}, {{"low", 3}, -10}};
	*out = 0;
	if (text.n == 0) return true;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq(text, names[i].name)) continue;
		*out = names[i].value;
		return true;
	}
	int64_t value;
	if (!str_to_i64(text, &value) || value < -100 || value > 100)
		return err_set(e, ERR_INVALID,
		               "priority " STR_FMT " is none of high, normal, low, -100 to 100",
		               STR_ARG(text));
	*out = value;
	return true;
}

// Who is known to be a program says so in its name or address; everybody else is unknown, never a
// person by guess.
static struct str author_kind(const struct git_person *author) {
	bool agent = str_ends(author->name, STR("[bot]")) || str_contains(author->email, STR("[bot]@"));
	return agent ? STR("agent") : STR("unknown");
}

// (repository, target, topic | Change-Id | pusher and patch-id of the first commit)
static bool change_key(const struct propose *p, const struct git_commit *first,
                       const struct git_commit *head, struct digest *out, struct err *e) {
	struct hash h;
	struct oid patch = {0};
	hash_begin(&h);
	hash_add_u64(&h, p->repo->id.v);
	hash_add_str(&h, p->target);
	if (p->topic.n) {
		hash_add_str(&h, STR("topic"));
		hash_add_str(&h, p->topic);
	} else if (head->change_id.n) {
		hash_add_str(&h, STR("change-id"));
		hash_add_str(&h, head->change_id);
	} else {
		if (!git_commit_patch_id(p->repo->git, first->oid, &patch, e)) return false;
		if (oid_is_none(patch)) patch = first->oid; // an empty commit
		hash_add_str(&h, STR("patch"));
		hash_add_str(&h, p->pusher);
		hash_add(&h, patch.b, patch.n);
	}
	*out = hash_end(&h);
	return true;
}

static bool check_new(const struct propose *p, struct oid *base, struct err *e) {
	bool landed = false;
	*base = (struct oid){0};
	if (oid_is_none(p->tip)) return true;
	if (!git_query_base(p->repo->git, p->tip, p->head, base, e)) return false;
	if (oid_is_none(*base))
		return err_set(e, ERR_INVALID,
		               "this branch has no common history with " STR_FMT
		               "; begin it from there and push again",
		               STR_ARG(p->target));
	if (!git_commit_is_ancestor(p->repo->git, p->head, p->tip, &landed, e)) return false;
	if (landed)
		return err_set(e, ERR_CONFLICT,
		               STR_FMT " holds these commits already: there is nothing to land",
		               STR_ARG(p->target));
	return true;
}

// Whole in the commit; here it stands in every list.
static struct str short_text(struct str text, struct arena *life) {
	if (text.n <= TEXT_MAX) return text;
	size_t n = TEXT_MAX - strlen("…");
	while (n && ((unsigned char)text.p[n] & 0xc0) == 0x80) n--; // never half a character
	return arena_printf(life, STR_FMT "…", STR_ARG(str_slice(text, 0, n)));
}

bool propose_judge(const struct propose *p, struct arena *life, struct event *out, struct err *e) {
	struct git_commit head, first;
	struct oid base, *commits;
	size_t count;
	struct git_size size;
	struct digest key;
	if (!git_commit_read(p->repo->git, p->head, life, &head, e)) return false;
	if (!check_new(p, &base, e)) return false;
	if (!git_commit_list(p->repo->git, p->tip, p->head, GIT_CHANGE_COMMITS_MAX, life, &commits,
	                     &count, e)) {
		if (e->code != ERR_LIMIT) return false;
		return err_set(e, ERR_LIMIT, "more than %d commits in one change; push a smaller series",
		               GIT_CHANGE_COMMITS_MAX);
	}
	if (!git_commit_read(p->repo->git, count ? commits[0] : p->head, life, &first, e)) return false;
	if (!git_query_size(p->repo->git, base, p->head, &size, e) ||
	    !change_key(p, &first, &head, &key, e))
		return false;
	*out = (struct event){.kind = EVENT_CHANGE_PROPOSED,
	                      .change_proposed = {
							  .repo = p->repo->id,
							  .target = p->target,
							  .key = key,
							  .head = p->head,
							  .base = base,
							  .title = short_text(p->title.n ? p->title : head.title, life),
							  .author = short_text(head.author.name, life),
							  .email = short_text(head.author.email, life),
							  .author_kind = author_kind(&head.author),
							  .pusher = p->pusher,
							  .topic = p->topic,
							  .priority = p->priority,
							  .draft = p->draft,
							  .pipeline_scope = p->pipeline_scope,
							  .commits = (int64_t)count,
							  .files = (int64_t)size.files,
							  .lines_added = (int64_t)size.lines_added,
							  .lines_deleted = (int64_t)size.lines_deleted,
							  .first_commit_ms = first.committer.time_s * 1000,
						  }};
	return true;
}

enum turn_fill propose_identify(const struct state *s, bool names_priority, struct event *e) {
	struct event_change_proposed *p = &e->change_proposed;
	struct state_identity id = state_identify(s, p->repo, p->key, p->head);
	const struct change *c = id.same ? state_change(s, id.change) : NULL;
	bool moves = false;
	// Rejected, perhaps for want of the scope; or the same commit, but now it is to land, or no
	// more.
	bool allowed = id.same && !c && p->pipeline_scope;
	if (allowed || (c && c->draft != (p->draft != 0))) {
		id.revision++;
		id.same = false;
	} else if (c) {
		moves = names_priority && c->state == CHANGE_QUEUED && c->priority != p->priority;
	}
	p->change = id.change;
	p->revision = id.revision;
	return id.same && !moves ? TURN_NOTHING : TURN_GO;
}
