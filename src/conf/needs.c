#include "conf/needs.h"

#include "conf/keys.h"

static void unknown(const struct draft *draft, const struct draft_job *job,
                    const struct yaml_node *item, struct arena *life, struct conf_diagnostics *d) {
	struct str *names = ARENA_ARRAY(life, struct str, draft->jobs_n);
	for (size_t i = 0; i < draft->jobs_n; i++) names[i] = draft->jobs[i].job.key;
	struct str near = keys_nearest(names, draft->jobs_n, item->text);
	AUTO_BUF hint = {0};
	if (near.n) buf_printf(&hint, "did you mean `" STR_FMT "`?", STR_ARG(near));
	diagnostics_error(d, "unknown-job", item->span, buf_view(&hint),
	                  "job " STR_FMT " needs \"" STR_FMT "\", which does not exist",
	                  STR_ARG(job->job.key), STR_ARG(str_slice(item->text, 0, 100)));
}

static bool has_need(const struct draft_job *job, size_t index) {
	for (size_t i = 0; i < job->needs_n; i++)
		if (job->needs[i] == index) return true;
	return false;
}

static void check_need(const struct draft *draft, const struct draft_job *job, size_t index,
                       const struct yaml_node *item, struct conf_diagnostics *d) {
	static const char *const runs[] = {"before landing", "after landing", "at night"};
	const struct draft_job *need = &draft->jobs[index];
	if (need == job)
		diagnostics_error(d, "needs-circle", item->span, STR_NONE, "job " STR_FMT " needs itself",
		                  STR_ARG(job->job.key));
	else if (has_need(job, index))
		diagnostics_error(d, "duplicate-item", item->span, STR_NONE,
		                  "\"" STR_FMT "\" stands here twice", STR_ARG(item->text));
	else if (need->job.when > job->job.when)
		diagnostics_error(d, "needs-later", item->span, STR("give both the same `when`"),
		                  "job " STR_FMT " runs %s and needs " STR_FMT ", which runs only %s",
		                  STR_ARG(job->job.key), runs[job->job.when], STR_ARG(need->job.key),
		                  runs[need->job.when]);
}

static void resolve(struct draft *draft, struct draft_job *job, struct arena *life,
                    struct conf_diagnostics *d) {
	const struct yaml_node *list = yaml_get(job->map, "needs");
	if (!list || list->kind != YAML_LIST) return; // draft.c told
	job->needs = ARENA_ARRAY(life, size_t, list->count);
	YAML_EACH_ITEM(list, item) {
		size_t index = 0;
		if (item->kind != YAML_SCALAR) {
			diagnostics_error(d, "wrong-type", item->span, STR_NONE,
			                  "needs must be a list of jobs, this is %s", yaml_kind_name(item));
			continue;
		}
		while (index < draft->jobs_n && !str_eq(draft->jobs[index].job.key, item->text)) index++;
		if (index == draft->jobs_n) {
			unknown(draft, job, item, life, d);
			continue;
		}
		check_need(draft, job, index, item, d);
		if (&draft->jobs[index] != job && !has_need(job, index)) job->needs[job->needs_n++] = index;
	}
}

// Depth first; `path` is the way from where it began, and a need that stands on it closes a circle.
// Each circle is told once, where its last step is written.
enum mark { WHITE, ON_PATH, DONE };
struct walk {
	const struct draft *draft;
	struct conf_diagnostics *d;
	unsigned char *marks;
	size_t *path, *next; // next: how many needs of path[i] were followed
};

static void tell_circle(const struct walk *w, size_t depth, size_t closing) {
	const struct draft_job *last = &w->draft->jobs[w->path[depth]];
	size_t from = depth;
	AUTO_BUF text = {0};
	while (w->path[from] != closing) from--;
	for (size_t i = from; i <= depth && text.n < 600; i++)
		buf_printf(&text, STR_FMT " -> ", STR_ARG(w->draft->jobs[w->path[i]].job.key));
	const struct yaml_node *place = last->key;
	YAML_EACH_ITEM(yaml_get(last->map, "needs"), item)
	if (item->kind == YAML_SCALAR && str_eq(item->text, w->draft->jobs[closing].job.key))
		place = item;
	diagnostics_error(w->d, "needs-circle", place->span, STR("none of them could ever start"),
	                  "jobs need each other in a circle: " STR_FMT STR_FMT,
	                  STR_ARG(buf_view(&text)), STR_ARG(w->draft->jobs[closing].job.key));
}

static void walk_from(struct walk *w, size_t start) {
	size_t depth = 0;
	w->path[0] = start;
	w->next[0] = 0;
	w->marks[start] = ON_PATH;
	for (;;) {
		const struct draft_job *job = &w->draft->jobs[w->path[depth]];
		if (w->next[depth] == job->needs_n) {
			w->marks[w->path[depth]] = DONE;
			if (depth-- == 0) return;
			continue;
		}
		size_t need = job->needs[w->next[depth]++];
		if (w->marks[need] == ON_PATH) tell_circle(w, depth, need);
		if (w->marks[need] != WHITE) continue;
		depth++;
		w->path[depth] = need;
		w->next[depth] = 0;
		w->marks[need] = ON_PATH;
	}
}

void needs_resolve(struct draft *draft, struct arena *life, struct conf_diagnostics *d) {
	for (size_t i = 0; i < draft->jobs_n; i++) resolve(draft, &draft->jobs[i], life, d);
	struct walk w = {draft, d, ARENA_ARRAY(life, unsigned char, draft->jobs_n),
	                 ARENA_ARRAY(life, size_t, draft->jobs_n),
	                 ARENA_ARRAY(life, size_t, draft->jobs_n)};
	for (size_t i = 0; i < draft->jobs_n; i++)
		if (w.marks[i] == WHITE) walk_from(&w, i);
}
