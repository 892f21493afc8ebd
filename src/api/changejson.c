#include "api/changejson.h"

#include "api/failures.h"
#include "api/jobs.h"
#include "api/queueorder.h"
#include "core/predict.h"

static void write_reason(struct jsonw *w, const struct read_change *c) {
	jsonw_key(w, "reason");
	if (c->reason == REASON_NONE) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_key_s(w, "code", reason_code(c->reason));
	jsonw_key_b(w, "stays_queued", reason_stays_queued(c->reason));
	jsonw_key_s(w, "text", c->reason_text.n ? c->reason_text : reason_code(c->reason));
	jsonw_object_end(w);
}

static void write_job(struct api *api, struct jsonw *w, const struct jobs_row *j, bool details) {
	const struct read_run *r = j->run;
	jsonw_object(w);
	jsonw_key(w, "duration_ms");
	if (r && r->ended_ms && !j->reused) jsonw_int(w, r->duration_ms);
	else jsonw_null(w);
	jsonw_key(w, "failed_tests");
	if (r && r->failed_tests.n) jsonw_raw(w, r->failed_tests);
	else {
		jsonw_array(w);
		jsonw_array_end(w);
	}
	if (details) {
		jsonw_key(w, "failures");
		failures_write(api, r, w);
	}
	jsonw_key_s(w, "name", j->name);
	call_key_text(w, "reason", r ? reason_code(r->reason) : STR_NONE);
	jsonw_key_b(w, "reused", j->reused);
	if (r) jsonw_key_i(w, "run", (int64_t)r->id.v);
	jsonw_key_z(w, "state", jobs_state_name(j->state));
	if (r && r->tests) {
		jsonw_key_i(w, "tests", r->tests);
		jsonw_key_i(w, "tests_failed", r->tests_failed);
	}
	call_key_text(w, "text", r ? r->reason_text : STR_NONE);
	jsonw_object_end(w);
}

// Null before a rollout of what it made began.
static void write_delivery(struct api *api, const struct read_change *c, struct arena *life,
                           struct jsonw *w) {
	struct read_delivery d;
	jsonw_key(w, "delivery");
	if (!c->landed_ms || !read_delivery(api->host.store, c->id, life, &d, NULL)) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	jsonw_key_s(w, "environment", d.env_name);
	call_key_text(w, "next", reason_next(d.reason));
	call_key_text(w, "reason", d.reason ? reason_code(d.reason) : STR_NONE);
	jsonw_key_i(w, "rollout", (int64_t)d.rollout.v);
	jsonw_key_s(w, "state", d.state);
	call_key_text(w, "text", d.reason_text);
	jsonw_object_end(w);
}

static void write_times(struct jsonw *w, const struct read_change *c) {
	jsonw_key(w, "times");
	jsonw_object(w);
	jsonw_key_t(w, "deployed", c->deployed_ms);
	jsonw_key_t(w, "ended", c->ended_ms);
	jsonw_key_t(w, "landed", c->landed_ms);
	jsonw_key_t(w, "proposed", c->proposed_ms);
	jsonw_key_t(w, "queued", c->queued_ms);
	jsonw_object_end(w);
}

static void write_waits(struct api *api, struct change_id id, struct arena *life, struct jsonw *w) {
	const struct state *s = api->host.state(api->host.context);
	struct queueorder waits = queueorder_waits(s, id, life);
	jsonw_key(w, "waits_for");
	jsonw_array(w);
	for (size_t i = 0; i < waits.n; i++) {
		jsonw_object(w);
		jsonw_key_i(w, "change", (int64_t)waits.p[i]->id.v);
		jsonw_key_s(w, "why", queueorder_why(s, state_change(s, id), waits.p[i], life));
		jsonw_object_end(w);
	}
	jsonw_array_end(w);
}

static void write_with(const struct read_change *c, const struct read_candidate *candidate,
                       struct arena *life, struct jsonw *w) {
	uint64_t *with;
	size_t n = jobs_others(candidate, c->id, life, &with);
	jsonw_key(w, "with");
	jsonw_array(w);
	for (size_t i = 0; i < n; i++) jsonw_int(w, (int64_t)with[i]);
	jsonw_array_end(w);
}

bool changejson_write(struct api *api, const struct read_change *c, bool details,
                      struct arena *life, struct jsonw *w, struct err *e) {
	struct jobs jobs;
	if (!jobs_read(api->host.store, c->candidate, life, &jobs, e)) return false;
	int64_t ahead = queueorder_ahead(api->host.state(api->host.context), c->id);
	jsonw_object(w);
	call_key_text(w, "author", c->author);
	call_key_text(w, "author_kind", c->author_kind);
	jsonw_key(w, "candidate");
	if (oid_is_none(c->candidate_commit)) jsonw_null(w);
	else {
		jsonw_object(w);
		call_key_oid(w, "commit", c->candidate_commit);
		call_key_oid(w, "tree", c->candidate_tree);
		jsonw_object_end(w);
	}
	jsonw_key(w, "chance_percent");
	if (c->chance) jsonw_int(w, (c->chance + PREDICT_PPM / 200) / (PREDICT_PPM / 100));
	else jsonw_null(w);
	jsonw_key_i(w, "commits", c->commits);
	jsonw_key(w, "conflicts");
	jsonw_raw(w, jobs.candidate.conflicts);
	write_delivery(api, c, life, w);
	jsonw_key_b(w, "draft", c->draft != 0);
	jsonw_key_i(w, "files", c->files);
	call_key_oid(w, "head", c->head);
	jsonw_key_i(w, "id", (int64_t)c->id.v);
	jsonw_key(w, "jobs");
	jsonw_array(w);
	for (size_t i = 0; i < jobs.n; i++) write_job(api, w, &jobs.p[i], details);
	jsonw_array_end(w);
	call_key_oid(w, "landed_commit", c->landed_commit);
	jsonw_key_i(w, "lines_added", c->lines_added);
	jsonw_key_i(w, "lines_deleted", c->lines_deleted);
	call_key_text(w, "next", reason_next(c->reason));
	jsonw_key(w, "place");
	if (ahead < 0) jsonw_null(w);
	else jsonw_int(w, ahead);
	jsonw_key_i(w, "priority", c->priority);
	write_reason(w, c);
	jsonw_key_s(w, "repo", c->repo_name);
	jsonw_key_i(w, "revision", c->revision);
	jsonw_key_s(w, "state", c->state);
	jsonw_key_s(w, "target", c->target);
	write_times(w, c);
	jsonw_key_s(w, "title", c->title);
	jsonw_key_s(w, "url",
	            arena_printf(life, "%s/change/%llu", api->host.url, (unsigned long long)c->id.v));
	if (details) {
		write_waits(api, c->id, life, w);
		write_with(c, &jobs.candidate, life, w);
	}
	jsonw_object_end(w);
	return true;
}
