#include "sim/world_git.h"

#include "core/batch.h"

static size_t place(struct repo_id repo) {
	return (size_t)repo.v - 1;
}

// ---------------------------------------------------------------- trial merges

static struct event refused(struct candidate_id candidate, enum reason reason) {
	return (struct event){.kind = EVENT_CANDIDATE_REFUSED,
	                      .candidate_refused = {.candidate = candidate, .reason = reason}};
}

// What the last runs tell is often little, and sometimes wrong.
static struct str affects(struct world *w, uint32_t base, struct gitmodel_tree tree) {
	struct gitmodel_tree before = gitmodel_commit(&w->git, base)->tree;
	if (world_below(w, 8) == 0) before = tree;
	return gitmodel_affects(before, tree, world_below(w, 4) == 0, &w->texts);
}

static struct event built(struct world *w, const struct event_candidate_issued *e,
                          uint32_t commit) {
	struct candidate_id candidate = e->candidate;
	struct gitmodel_tree tree = gitmodel_commit(&w->git, commit)->tree;
	struct str plan = gitmodel_plan(tree);
	struct gitmodel_tree base = gitmodel_commit(&w->git, gitmodel_number(e->base))->tree;
	if (!plan.n) return refused(candidate, REASON_BAD_CONFIG);
	if (e->members.n && base.file[0] != tree.file[0]) return refused(candidate, REASON_BATCH_SPLIT);
	return (struct event){.kind = EVENT_CANDIDATE_BUILT,
	                      .candidate_built = {
							  .candidate = candidate,
							  .commit = gitmodel_oid(commit),
							  .tree = gitmodel_tree_oid(tree),
							  .plan_digest = digest_of(plan),
							  .plan = plan,
							  .skipped = tree.file[7] % 3 ? STR_NONE : STR("[2]"),
							  .affects = affects(w, gitmodel_number(e->base), tree),
						  }};
}

// The members of a batch one on the other, and one commit over all.
static enum gitmodel_merge merge(struct world *w, const struct event_candidate_issued *e,
                                 uint64_t made, uint32_t *out, uint64_t *member) {
	AUTO_ARENA scratch = {0};
	struct member *members;
	size_t n;
	uint32_t base = gitmodel_number(e->base), on = base;
	if (!batch_read(e->members, &scratch, &members, &n)) return GITMODEL_CONFLICT;
	for (size_t i = 0; i <= n; i++) {
		struct oid head = i < n ? members[i].head : e->head;
		*member = i < n ? members[i].change.v : e->change.v;
		enum gitmodel_merge how = gitmodel_merge(&w->git, on, gitmodel_number(head), made, out);
		if (how != GITMODEL_MERGED) return how;
		on = *out;
	}
	if (n) *out = gitmodel_cover(&w->git, base, on, made);
	return GITMODEL_MERGED;
}

void world_git_ask_candidate(struct world *w, const struct event_candidate_issued *e,
                             int64_t issued_ms) {
	uint32_t commit;
	uint64_t member = 0;
	struct event answer;
	switch (merge(w, e, (uint64_t)issued_ms, &commit, &member)) {
	case GITMODEL_MERGED: answer = built(w, e, commit); break;
	case GITMODEL_CONFLICT: answer = refused(e->candidate, REASON_CONFLICT_WITH_BASE); break;
	case GITMODEL_IN_TRUNK: answer = refused(e->candidate, REASON_ALREADY_LANDED); break;
	}
	if (answer.kind == EVENT_CANDIDATE_REFUSED && e->members.n && world_below(w, 2))
		answer.candidate_refused.member = (int64_t)member;
	world_send(w, WORLD_FROM_GIT, 1 + (int64_t)world_below(w, 20), answer, 0);
}

// ---------------------------------------------------------------- landings

static void landed(struct world *w, const struct event_landing_issued *e) {
	struct event answer = {.kind = EVENT_CHANGE_LANDED};
	answer.change_landed = (struct event_change_landed){.change = e->change,
	                                                    .revision = e->revision,
	                                                    .candidate = e->candidate,
	                                                    .landing = e->landing,
	                                                    .commit = e->to,
	                                                    .previous = e->from,
	                                                    .tree = e->tree};
	world_send(w, WORLD_FROM_GIT, 1, answer, 0);
}

static void failed(struct world *w, const struct event_landing_issued *e, struct oid found) {
	world_send(w, WORLD_FROM_GIT, 1,
	           (struct event){.kind = EVENT_LANDING_FAILED,
	                          .landing_failed = {e->landing, found, STR("trunk is elsewhere")}},
	           0);
}

static bool is_under_way(const struct world *w, struct landing_id landing) {
	for (size_t i = 0; i < w->children.count; i++) {
		const struct world_child *c = table_at(&w->children, i);
		if (c->intent.landing.v == landing.v && !c->orphan) return true;
	}
	return false;
}

static void fork_child(struct world *w, const struct event_landing_issued *e) {
	struct world_child *c = table_add(&w->children, 1);
	uint64_t slow = w->faults && world_below(w, 4) == 0 ? 600 : 30;
	*c = (struct world_child){w->now_ms + 1 + (int64_t)world_below(w, slow), *e, false};
}

void world_git_ask_landing(struct world *w, const struct event_landing_issued *e, bool recovering) {
	uint32_t to = gitmodel_number(e->to), tip = w->git.tip[place(e->repo)];
	if (is_under_way(w, e->landing)) return;
	if (recovering && w->bug == BUG_FORGETS_LANDING) return;
	if (gitmodel_is_ancestor(&w->git, to, tip)) {
		if (recovering && w->bug == BUG_LANDS_AGAIN) {
			struct gitmodel_tree again = gitmodel_commit(&w->git, tip)->tree;
			w->git.tip[place(e->repo)] = gitmodel_branch(&w->git, tip, again);
		}
		landed(w, e);
	} else if (tip == gitmodel_number(e->from)) {
		fork_child(w, e);
	} else {
		failed(w, e, gitmodel_oid(tip));
	}
}

// The child's whole life: one compare-and-swap. Only its own daemon hears of it.
static void swap(struct world *w, const struct world_child *c) {
	size_t repo = place(c->intent.repo);
	uint32_t to = gitmodel_number(c->intent.to), from = gitmodel_number(c->intent.from);
	if (w->git.stale_lock[repo]) {
		w->git.stale_lock[repo] = false; // ours, of a killed child: removed, and tried again
		if (!c->orphan) fork_child(w, &c->intent);
		return;
	}
	if (w->git.tip[repo] == from || w->bug == BUG_NO_COMPARE) gitmodel_move(&w->git, repo, to);
	if (c->orphan || world_fault(w, WORLD_ANSWER_LOST, 5, 100)) return;
	if (gitmodel_is_ancestor(&w->git, to, w->git.tip[repo])) landed(w, &c->intent);
	else failed(w, &c->intent, gitmodel_oid(w->git.tip[repo]));
}

void world_git_tick(struct world *w) {
	for (size_t i = 0; i < w->children.count;) {
		struct world_child c = *(struct world_child *)table_at(&w->children, i);
		if (c.due_ms > w->now_ms) {
			i++;
			continue;
		}
		table_remove(&w->children, i, 1);
		swap(w, &c);
	}
}

void world_git_recover(struct world *w) {
	for (size_t i = w->children.count; i > 0; i--) {
		const struct world_child *c = table_at(&w->children, i - 1);
		size_t repo = place(c->intent.repo);
		if (!c->orphan) continue;
		if (world_fault(w, WORLD_STALE_LOCK, 1, 3)) w->git.stale_lock[repo] = true;
		table_remove(&w->children, i - 1, 1);
	}
}

// ---------------------------------------------------------------- other people

// Changes one to three files. `good` keeps weir.yml and what would fail alone out of it.
struct gitmodel_tree world_git_edit(struct world *w, struct gitmodel_tree tree, bool good) {
	for (size_t n = 1 + world_below(w, 3); n > 0; n--) {
		size_t file = 1 + world_below(w, GITMODEL_FILES - 1);
		uint16_t value = (uint16_t)world_below(w, 1000);
		if (good && (value % 31 >= 7 && value % 31 < 14)) value = 62;
		tree.file[file] = value;
	}
	if (!good && world_below(w, 8) == 0) tree.file[0] = (uint16_t)world_below(w, 16);
	return tree;
}

void world_git_disturb(struct world *w) {
	if (!world_fault(w, WORLD_FOREIGN_PUSH, 1, w->children.count ? 30 : 200)) return;
	size_t repo = world_below(w, GITMODEL_REPOS);
	if (w->children.count) // best just before a landing
		repo = place(((const struct world_child *)table_at(&w->children, 0))->intent.repo);
	struct gitmodel_tree tree = gitmodel_commit(&w->git, w->git.tip[repo])->tree;
	gitmodel_push_foreign(&w->git, repo, world_git_edit(w, tree, true));
}
