#include "sim/gitmodel.h"

#include <assert.h>

#include "base/json.h"
#include "base/jsonw.h"

static const char *const plans[GITMODEL_PLANS] = {
	"{\"environments\":[{\"name\":\"production\"}],\"jobs\":["
	"{\"artifacts\":[\"app\"],\"name\":\"build\",\"when\":\"change\"},"
	"{\"name\":\"test\",\"needs\":[0],\"when\":\"change\"}]}",
	"{\"environments\":[{\"name\":\"production\"},{\"name\":\"staging\"}],\"jobs\":["
	"{\"artifacts\":[\"app\"],\"name\":\"build\",\"when\":\"change\"},"
	"{\"name\":\"test\",\"needs\":[0],\"retries\":1,\"when\":\"change\"},"
	"{\"name\":\"lint\",\"when\":\"change\"},"
	"{\"artifacts\":[\"pkg\"],\"name\":\"package\",\"needs\":[0],\"when\":\"landed\"}]}",
	"{\"environments\":[],\"jobs\":["
	"{\"name\":\"a\",\"when\":\"change\"},{\"name\":\"b\",\"retries\":2,\"when\":\"change\"},"
	"{\"name\":\"c\",\"needs\":[0,1],\"when\":\"change\"},"
	"{\"name\":\"long\",\"when\":\"nightly\"}]}",
	"{\"environments\":[{\"name\":\"production\"}],\"jobs\":[]}",
	"{\"environments\":[{\"name\":\"production\"}],\"jobs\":["
	"{\"name\":\"only\",\"when\":\"change\"},"
	"{\"name\":\"soak\",\"retries\":1,\"when\":\"landed\"}]}",
};

struct gitmodel_commit *gitmodel_commit(const struct gitmodel *g, uint32_t number) {
	return table_at(&g->commits, number);
}

static uint32_t add(struct gitmodel *g, struct gitmodel_commit commit) {
	*(struct gitmodel_commit *)table_add(&g->commits, 1) = commit;
	return g->commits.count - 1;
}

void gitmodel_init(struct gitmodel *g) {
	*g = (struct gitmodel){.commits = TABLE_OF(struct gitmodel_commit)};
	for (size_t i = 0; i < GITMODEL_REPOS; i++) {
		struct gitmodel_commit first = {.tree = {.file = {(uint16_t)i}}};
		g->tip[i] = add(g, first);
	}
}

void gitmodel_copy(struct gitmodel *to, const struct gitmodel *from) {
	*to = *from;
	table_copy(&to->commits, &from->commits);
}

void gitmodel_free(struct gitmodel *g) {
	table_free(&g->commits);
}

uint32_t gitmodel_branch(struct gitmodel *g, uint32_t fork, struct gitmodel_tree tree) {
	return add(g, (struct gitmodel_commit){.tree = tree, .parent = {fork + 1, 0}, .fork = fork});
}

void gitmodel_push_foreign(struct gitmodel *g, size_t repo, struct gitmodel_tree tree) {
	struct gitmodel_commit c = {.tree = tree, .parent = {g->tip[repo] + 1, 0}, .foreign = 1};
	g->tip[repo] = add(g, c);
}

// Parents have smaller numbers than their children, so one pass from the newer one down marks all.
bool gitmodel_is_ancestor(const struct gitmodel *g, uint32_t older, uint32_t newer) {
	if (older >= newer) return older == newer;
	gitmodel_commit(g, newer)->seen = true;
	for (uint32_t i = newer; i > older; i--) {
		struct gitmodel_commit *c = gitmodel_commit(g, i);
		if (!c->seen) continue;
		c->seen = false;
		for (size_t p = 0; p < 2; p++)
			if (c->parent[p] > older) gitmodel_commit(g, c->parent[p] - 1)->seen = true;
	}
	bool reached = gitmodel_commit(g, older)->seen;
	gitmodel_commit(g, older)->seen = false;
	return reached;
}

void gitmodel_move(struct gitmodel *g, size_t repo, uint32_t to) {
	if (!gitmodel_is_ancestor(g, g->tip[repo], to)) g->went_back[repo] = true;
	g->tip[repo] = to;
}

static bool merge_trees(const struct gitmodel_tree *from, const struct gitmodel_tree *ours,
                        const struct gitmodel_tree *theirs, struct gitmodel_tree *out) {
	for (size_t i = 0; i < GITMODEL_FILES; i++) {
		bool we = ours->file[i] != from->file[i], they = theirs->file[i] != from->file[i];
		if (we && they && ours->file[i] != theirs->file[i]) return false;
		out->file[i] = they ? theirs->file[i] : ours->file[i];
	}
	return true;
}

// The commit of this intent: made now, or when it was first asked for.
static uint32_t again(struct gitmodel *g, const struct gitmodel_commit *wanted) {
	for (uint32_t i = g->commits.count; i >= wanted->parent[1]; i--) {
		const struct gitmodel_commit *c = gitmodel_commit(g, i - 1);
		if (c->parent[0] == wanted->parent[0] && c->parent[1] == wanted->parent[1] &&
		    c->made == wanted->made)
			return i - 1;
	}
	return add(g, *wanted);
}

enum gitmodel_merge gitmodel_merge(struct gitmodel *g, uint32_t base, uint32_t head, uint64_t made,
                                   uint32_t *out) {
	if (gitmodel_is_ancestor(g, head, base)) return GITMODEL_IN_TRUNK;
	struct gitmodel_commit merged = {.parent = {base + 1, head + 1}, .made = made};
	const struct gitmodel_commit *h = gitmodel_commit(g, head);
	*out = head;
	if (h->fork == base) return GITMODEL_MERGED;
	if (!merge_trees(&gitmodel_commit(g, h->fork)->tree, &gitmodel_commit(g, base)->tree, &h->tree,
	                 &merged.tree))
		return GITMODEL_CONFLICT;
	*out = again(g, &merged);
	return GITMODEL_MERGED;
}

uint32_t gitmodel_cover(struct gitmodel *g, uint32_t base, uint32_t last, uint64_t made) {
	return again(g, &(struct gitmodel_commit){.tree = gitmodel_commit(g, last)->tree,
	                                          .parent = {base + 1, last + 1},
	                                          .made = made});
}

// ---------------------------------------------------------------- names that can be read back

struct oid gitmodel_oid(uint32_t number) {
	struct oid o = {.n = 20, .b = {'c'}};
	memcpy(o.b + 4, &number, sizeof number);
	return o;
}

uint32_t gitmodel_number(struct oid commit) {
	uint32_t number;
	assert(commit.n == 20 && commit.b[0] == 'c');
	memcpy(&number, commit.b + 4, sizeof number);
	return number;
}

struct oid gitmodel_tree_oid(struct gitmodel_tree tree) {
	struct oid o = {.n = 20, .b = {'t'}};
	memcpy(o.b + 4, tree.file, sizeof tree.file);
	return o;
}

struct gitmodel_tree gitmodel_tree_of(struct oid tree) {
	struct gitmodel_tree t;
	assert(tree.n == 20 && tree.b[0] == 't');
	memcpy(t.file, tree.b + 4, sizeof t.file);
	return t;
}

// Bit n: the job reads file[n].
static const uint8_t read_by[] = {0x0f, 0x1f, 0x61, 0xff};

static struct gitmodel_tree seen_by(struct gitmodel_tree tree, uint32_t job) {
	for (size_t i = 0; i < GITMODEL_FILES; i++)
		if (!(read_by[job % ARRAY_LEN(read_by)] >> i & 1)) tree.file[i] = 0;
	return tree;
}

struct digest gitmodel_inputs(struct gitmodel_tree tree, uint32_t job) {
	struct digest d = {.b = {'i', (uint8_t)job}};
	tree = seen_by(tree, job);
	memcpy(d.b + 4, tree.file, sizeof tree.file);
	return d;
}

bool gitmodel_inputs_hold(struct digest inputs, struct gitmodel_tree tree) {
	return digest_eq(inputs, gitmodel_inputs(tree, inputs.b[1]));
}

struct str gitmodel_affects(struct gitmodel_tree base, struct gitmodel_tree tree, bool blind,
                            struct arena *life) {
	AUTO_JSON plan = NULL;
	AUTO_BUF text = {0};
	if (blind || base.file[0] != tree.file[0] || !json_parse(gitmodel_plan(tree), &plan, NULL))
		return STR_NONE;
	const struct json *jobs = json_get(plan, "jobs");
	struct jsonw w = jsonw_to(&text);
	jsonw_object(&w);
	jsonw_key(&w, "files");
	jsonw_array(&w);
	for (size_t i = 0; i < GITMODEL_FILES; i++)
		if (base.file[i] != tree.file[i]) jsonw_int(&w, (int64_t)i);
	jsonw_array_end(&w);
	jsonw_key(&w, "jobs");
	jsonw_array(&w);
	for (uint32_t i = 0; i < json_length(jobs); i++)
		if (!digest_eq(gitmodel_inputs(base, i), gitmodel_inputs(tree, i)))
			jsonw_str(&w, json_get_str(json_at(jobs, i), "name"));
	jsonw_array_end(&w);
	jsonw_object_end(&w);
	return arena_str(life, buf_view(&text));
}

// ---------------------------------------------------------------- what jobs and services do

struct str gitmodel_plan(struct gitmodel_tree tree) {
	if (tree.file[0] % 16 == 13) return STR_NONE;
	return str_of(plans[tree.file[0] % GITMODEL_PLANS]);
}

bool gitmodel_passes(struct gitmodel_tree tree, struct str plan, uint32_t job) {
	tree = seen_by(tree, job);
	bool together = tree.file[1] % 5 == 1 && tree.file[2] % 5 == 1;
	if (job == 1 && together) return false;
	for (size_t i = 1; i < GITMODEL_FILES; i++)
		if (tree.file[i] % 31 == 7 + job) return false;
	return plan.n > 0;
}

bool gitmodel_becomes_green(struct gitmodel_tree tree) {
	return tree.file[3] % 7 != 4;
}

bool gitmodel_stays_green(struct gitmodel_tree tree) {
	return tree.file[4] % 7 != 4;
}
