// The operation that holds what was predicted of changes (core/predict.h) against what became of
// them.
#include "api/call.h"
#include "core/predict.h"

struct score { // of one repository
	struct str repo;
	int64_t changes, landed, brier; // brier: sum of squared errors, millionths
};

static void write_share(struct jsonw *w, const char *key, int64_t millionths) {
	AUTO_BUF text = {0};
	buf_printf(&text, "%lld.%06lld", (long long)(millionths / PREDICT_PPM),
	           (long long)(millionths % PREDICT_PPM));
	jsonw_key(w, key);
	jsonw_raw(w, buf_view(&text));
}

static int64_t percent(int64_t part, int64_t whole) {
	return (part * 100 + whole / 2) / whole;
}

// The mean squared error, and that of saying of each change what share of all landed.
static void write_score(struct jsonw *w, const struct score *s) {
	int64_t landed = s->landed * PREDICT_PPM / s->changes;
	jsonw_object(w);
	write_share(w, "baseline", landed * (PREDICT_PPM - landed) / PREDICT_PPM);
	write_share(w, "brier", s->brier / s->changes);
	jsonw_key_i(w, "changes", s->changes);
	jsonw_key_i(w, "landed_percent", percent(s->landed, s->changes));
	jsonw_key_s(w, "repo", s->repo);
	jsonw_object_end(w);
}

static void write_tenth(struct jsonw *w, struct str repo, const struct read_prediction *p) {
	jsonw_object(w);
	jsonw_key_i(w, "changes", p->changes);
	jsonw_key_i(w, "from_percent", p->tenth * 10);
	jsonw_key_i(w, "landed_percent", percent(p->landed, p->changes));
	jsonw_key_i(w, "predicted_percent", percent(p->chances / p->changes, PREDICT_PPM));
	jsonw_key_s(w, "repo", repo);
	jsonw_key_i(w, "to_percent", p->tenth * 10 + 10);
	jsonw_object_end(w);
}

static struct str name_of(struct call *c, struct repo_id id) {
	struct read_repo repo;
	struct err e;
	return read_repo(c->store, id, &c->life, &repo, &e) ? repo.name : STR("?");
}

void predictions_list(struct call *c) {
	struct err e = {0};
	struct read_predictions list;
	struct score *scores;
	size_t n = 0;
	if (!read_predictions(c->store, &c->life, &list, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	scores = ARENA_ARRAY(&c->life, struct score, list.n + 1);
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "reliability");
	jsonw_array(w);
	for (size_t i = 0; i < list.n; i++) {
		const struct read_prediction *p = &list.p[i];
		bool new = i == 0 || list.p[i - 1].repo.v != p->repo.v;
		if (new) scores[n++].repo = name_of(c, p->repo);
		struct score *s = &scores[n - 1];
		s->changes += p->changes;
		s->landed += p->landed;
		s->brier += p->brier;
		write_tenth(w, s->repo, p);
	}
	jsonw_array_end(w);
	jsonw_key(w, "scores");
	jsonw_array(w);
	for (size_t i = 0; i < n; i++) write_score(w, &scores[i]);
	jsonw_array_end(w);
	jsonw_object_end(w);
	call_finish(c);
}
