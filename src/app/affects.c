#include "app/affects.h"

#include "app/inputs.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "conf/plan.h"
#include "core/areas.h"
#include "git/tree.h"
#include "store/object.h"

enum { INPUTS_MAX = 256 << 20, DIFFERENCES_MAX = 4 * AREAS_MAX };

struct look {
	const struct affects_query *q;
	struct arena *life;
	struct object_store *objects;
	struct git_reader reader;
	struct git_differences differences;
	struct conf_plan *plan;
	bool *touched; // of each job
};

static bool is_file(const struct git_difference *d) {
	return d->before != GIT_MODE_FOLDER && d->after != GIT_MODE_FOLDER;
}

static bool matches(const struct look *l, const struct inputs *in) {
	for (size_t i = 0; i < l->differences.count; i++)
		for (size_t k = 0; k < in->pattern_count; k++)
			if (glob_match(in->patterns[k], l->differences.list[i].path)) return true;
	return in->pattern_count == 0;
}

static bool reads_it(struct look *l, struct digest object) {
	AUTO_BUF text = {0};
	AUTO_ARENA scratch = {0};
	struct inputs in;
	struct str why;
	struct err e;
	if (!object_get(l->objects, object, INPUTS_MAX, &text, &e) ||
	    !inputs_parse(buf_view(&text), &scratch, &in, &e))
		return true;
	if (!oid_is_none(in.whole)) return l->differences.count && matches(l, &in);
	return !inputs_changed(&in, &l->differences, &l->reader, &scratch, &why, &e) || why.n > 0;
}

static const struct read_job_input *known_of(const struct look *l, struct str job) {
	for (size_t i = 0; i < l->q->known->n; i++)
		if (str_eq(l->q->known->p[i].job, job)) return &l->q->known->p[i];
	return NULL;
}

static bool runs(const struct look *l, const struct json *skipped, size_t job) {
	for (size_t i = 0; i < json_length(skipped); i++)
		if (json_int(json_at(skipped, i), -1) == (int64_t)job) return false;
	return l->plan->jobs[job].when == CONF_WHEN_CHANGE;
}

static bool needs_touched(const struct look *l, const struct conf_job *job) {
	for (size_t i = 0; i < job->needs.n; i++)
		if (l->touched[job->needs.p[i]]) return true;
	return false;
}

static void find_touched(struct look *l) {
	AUTO_JSON skipped = NULL;
	bool more = true;
	l->touched = ARENA_ARRAY(l->life, bool, l->plan->jobs_n + 1);
	if (l->q->skipped.n && !json_parse(l->q->skipped, &skipped, NULL)) skipped = NULL;
	for (size_t i = 0; i < l->plan->jobs_n; i++) {
		const struct read_job_input *known = known_of(l, l->plan->jobs[i].name);
		l->touched[i] = runs(l, skipped, i) && (!known || reads_it(l, known->inputs));
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < l->plan->jobs_n; i++) {
			if (l->touched[i] || !runs(l, skipped, i) || !needs_touched(l, &l->plan->jobs[i]))
				continue;
			l->touched[i] = more = true;
		}
	}
}

static void write_files(const struct look *l, struct jsonw *w, size_t *count) {
	jsonw_key(w, "files");
	jsonw_array(w);
	for (size_t i = 0; i < l->differences.count; i++) {
		if (!is_file(&l->differences.list[i])) continue;
		jsonw_int(w, areas_of_file(l->differences.list[i].path));
		(*count)++;
	}
	jsonw_array_end(w);
}

static void write_jobs(const struct look *l, struct jsonw *w, size_t *count) {
	jsonw_key(w, "jobs");
	jsonw_array(w);
	for (size_t i = 0; i < l->plan->jobs_n; i++) {
		if (!l->touched[i]) continue;
		jsonw_str(w, l->plan->jobs[i].name);
		(*count)++;
	}
	jsonw_array_end(w);
}

static bool begin(struct look *l) {
	AUTO_JSON plan = NULL;
	struct oid base;
	struct err e;
	if (!git_object_open(l->q->git, &l->reader, &e)) return false;
	if (oid_is_none(l->q->base) || !git_tree_of(&l->reader, l->q->base, &base, &e) ||
	    !git_tree_diff(&l->reader, base, l->q->tree, true, l->life, &l->differences, &e) ||
	    !json_parse(l->q->plan, &plan, &e) || !plan_from_json(plan, l->life, &l->plan, &e) ||
	    !object_store_open(l->q->objects, &l->objects, &e))
		return false;
	for (size_t i = 0; i < l->differences.count; i++)
		if (str_eq(l->differences.list[i].path, STR("weir.yml"))) return false;
	return l->differences.count <= DIFFERENCES_MAX;
}

struct str affects_find(const struct affects_query *q, struct arena *life) {
	struct look l = {.q = q, .life = life};
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	size_t count = 0;
	bool known = begin(&l);
	if (known) {
		find_touched(&l);
		jsonw_object(&w);
		write_files(&l, &w, &count);
		write_jobs(&l, &w, &count);
		jsonw_object_end(&w);
	}
	object_store_close(&l.objects);
	git_object_close(&l.reader);
	return known && count <= AREAS_MAX ? arena_str(life, buf_view(&text)) : STR_NONE;
}
