#include "app/reuse.h"

#include "store/object.h"

enum { INPUTS_MAX = 256 << 20 };

struct look {
	const struct reuse_query *q;
	struct object_store *objects;
	struct git_reader reader;
	bool reads; // the reader is open
	struct arena *life;
	struct oid from; // of `differences`
	struct git_differences differences;
	bool differ; // `from` could be compared
	struct err e;
};

static void compare(struct look *l, struct oid from) {
	if (oid_eq(l->from, from)) return;
	l->from = from;
	l->differences = (struct git_differences){0};
	l->differ = git_tree_diff(&l->reader, from, l->q->tree, true, l->life, &l->differences, &l->e);
}

static bool open_reader(struct look *l) {
	if (!l->reads) l->reads = git_object_open(l->q->git, &l->reader, &l->e);
	return l->reads;
}

static bool changed_inputs(struct look *l, const struct reuse_verdict *v, struct str *why) {
	AUTO_BUF object = {0};
	struct inputs in;
	bool hold = false;
	if (!object_get(l->objects, v->inputs, INPUTS_MAX, &object, &l->e)) {
		*why = STR("what it read is no longer kept");
		return true;
	}
	struct str text = arena_str(l->life, buf_view(&object));
	bool parsed = inputs_parse(text, l->life, &in, &l->e);
	if (parsed && !oid_is_none(in.whole)) {
		*why = STR("the tree changed");
	} else if (parsed && oid_eq(v->tree, l->q->tree)) {
		return false;
	} else if (!parsed || !open_reader(l)) {
		*why = arena_str(l->life, str_of(l->e.text));
	} else {
		compare(l, v->tree);
		if (l->differ && inputs_changed(&in, &l->differences, &l->reader, l->life, why, &l->e))
			return why->n > 0;
		*why = STR("what it read changed");
		if (inputs_hold(&in, &l->reader, l->q->tree, &hold, &l->e) && hold) *why = STR_NONE;
	}
	return why->n > 0;
}

static bool holds(struct look *l, const struct reuse_verdict *v, struct str *why) {
	*why = STR_NONE;
	return digest_eq(v->inputs, l->q->whole_inputs) || !changed_inputs(l, v, why);
}

void reuse_find(const struct reuse_query *q, struct arena *life, size_t *found, struct str *why) {
	struct look l = {.q = q, .life = life};
	struct str one;
	*why = STR_NONE;
	*found = q->verdict_count;
	if (!q->verdict_count || !object_store_open(q->objects, &l.objects, &l.e)) return;
	for (size_t i = 0; i < q->verdict_count && *found == q->verdict_count; i++) {
		if (holds(&l, &q->verdicts[i], &one)) *found = i;
		else if (i == 0) *why = one;
	}
	if (*found < q->verdict_count) *why = STR_NONE;
	if (l.reads) git_object_close(&l.reader);
	object_store_close(&l.objects);
}
