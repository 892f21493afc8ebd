#include "sim/queuereport.h"

#include <math.h>
#include <stdlib.h>

#include "base/jsonw.h"

static int by_size(const void *a, const void *b) {
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

void queuereport_of(const struct queuetrace *t, const struct queuemodel_result *run,
                    struct arena *life, struct queuereport *out) {
	int64_t *took = ARENA_ARRAY(life, int64_t, t->n + 1);
	double n = (double)t->n;
	for (size_t k = 0; k < run->decision_count; k++) {
		const struct queuemodel_decision *d = &run->decisions[k];
		took[d->change] = d->at_ms - t->changes[d->change].arrival_ms;
	}
	qsort(took, t->n, sizeof *took, by_size);
	*out = (struct queuereport){
		.n = t->n,
		.landed = run->landed,
		.p50_ms = took[t->n / 2],
		.p95_ms = took[(size_t)(.95 * n)],
		.p99_ms = took[(size_t)(.99 * n)],
		.builds_per_change = (double)run->candidate_count / n,
		.aborted_ratio = run->candidate_count ? (double)run->stopped / (double)run->candidate_count
	                                          : 0,
		.again = run->again,
		.executor_s_per_landed = run->landed ? (double)run->executor_ms / 1000 / (double)run->landed
	                                         : 0,
	};
}

// ---------------------------------------------------------------- as JSON

// Reals as JSON: with what digits matter, and no further noughts.
static void real(struct jsonw *w, const char *key, double v) {
	AUTO_BUF text = {0};
	buf_printf(&text, "%.10g", round(v * 1e4) / 1e4);
	jsonw_key(w, key);
	jsonw_raw(w, buf_view(&text));
}

static void seconds(struct jsonw *w, const char *key, int64_t ms) {
	real(w, key, (double)ms / 1000);
}

static void numbers(struct jsonw *w, const char *key, const uint32_t *list, size_t n) {
	jsonw_key(w, key);
	jsonw_array(w);
	for (size_t k = 0; k < n; k++) jsonw_int(w, list[k]);
	jsonw_array_end(w);
}

static void outcomes(struct jsonw *w, const struct queuetrace *t,
                     const struct queuemodel_result *run) {
	AUTO_BUF text = {0};
	char *at = buf_grow(&text, t->n + 1);
	memset(at, '0', t->n);
	for (size_t k = 0; k < run->decision_count; k++)
		if (run->decisions[k].landed) at[run->decisions[k].change] = '1';
	jsonw_key_s(w, "outcomes", (struct str){at, t->n});
}

static void explanation(struct jsonw *w, const struct queuemodel_result *run) {
	jsonw_key(w, "candidates");
	jsonw_array(w);
	for (size_t k = 0; k < run->candidate_count; k++) {
		const struct queuemodel_candidate *c = &run->candidates[k];
		jsonw_object(w);
		jsonw_key_i(w, "id", (int64_t)k);
		numbers(w, "members", c->members, c->member_count);
		numbers(w, "base", c->base, c->base_count);
		seconds(w, "began_s", c->began_ms);
		seconds(w, "ended_s", c->ended_ms);
		jsonw_key_z(w, "result", c->stopped ? "aborted" : c->passed ? "passed" : "failed");
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
	jsonw_key(w, "decisions");
	jsonw_array(w);
	for (size_t k = 0; k < run->decision_count; k++) {
		const struct queuemodel_decision *d = &run->decisions[k];
		jsonw_object(w);
		jsonw_key_i(w, "change", d->change);
		jsonw_key_z(w, "outcome", d->landed ? "landed" : "rejected");
		seconds(w, "at_s", d->at_ms);
		numbers(w, "candidates", d->candidates, d->candidate_count);
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

void queuereport_json(const char *policy, const struct queuetrace *t,
                      const struct queuemodel_options *options, const struct queuemodel_result *run,
                      const struct queuereport *report, bool explain, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_z(&w, "policy", policy);
	jsonw_key_i(&w, "executors", (int64_t)options->executors);
	jsonw_key_i(&w, "n", (int64_t)report->n);
	jsonw_key_i(&w, "landed", (int64_t)report->landed);
	jsonw_key(&w, "turnaround_s");
	jsonw_object(&w);
	seconds(&w, "p50", report->p50_ms);
	seconds(&w, "p95", report->p95_ms);
	seconds(&w, "p99", report->p99_ms);
	jsonw_object_end(&w);
	real(&w, "builds_per_change", report->builds_per_change);
	real(&w, "aborted_ratio", report->aborted_ratio);
	real(&w, "executor_s_per_landed", report->executor_s_per_landed);
	if (report->again) jsonw_key_i(&w, "runs_again", (int64_t)report->again);
	if (options->reuse > 0) real(&w, "modelled_reuse", options->reuse);
	outcomes(&w, t, run);
	if (explain) explanation(&w, run);
	jsonw_object_end(&w);
}
