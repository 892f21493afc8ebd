// Operations on the server itself: status, health, metrics, the description of the API.
#include "api/call.h"

enum { HOUR_MS = 3600 * 1000 };

struct counts {
	int64_t proposed, queued, testing, landing, runs_issued, runs_running, rollouts, unhealthy;
};

static struct counts count(const struct state *s) {
	struct counts n = {0};
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		n.proposed += c->state == CHANGE_PROPOSED;
		n.queued += c->state == CHANGE_QUEUED;
	}
	for (size_t i = 0; i < s->candidates.count; i++) {
		const struct candidate *c = table_at(&s->candidates, i);
		n.testing += c->state == CANDIDATE_BUILDING || c->state == CANDIDATE_TESTING;
		n.landing += c->state == CANDIDATE_LANDING;
	}
	for (size_t i = 0; i < s->runs.count; i++) {
		const struct run *r = table_at(&s->runs, i);
		n.runs_issued += r->state == RUN_ISSUED;
		n.runs_running += r->state != RUN_ISSUED;
	}
	for (size_t i = 0; i < s->envs.count; i++) {
		const struct env *e = table_at(&s->envs, i);
		n.rollouts += e->rollout.v != 0;
		n.unhealthy += e->unhealthy;
	}
	return n;
}

static void write_counted(struct jsonw *w, const struct read_counts *list) {
	static const char *const what[] = {"failed",   "landed",   "live",
	                                   "proposed", "rejected", "rolled-back"};
	jsonw_object(w);
	for (size_t k = 0; k < ARRAY_LEN(what); k++) {
		int64_t n = 0;
		for (size_t i = 0; i < list->n; i++)
			if (str_eq(list->p[i].what, str_of(what[k]))) n += list->p[i].n;
		jsonw_key_i(w, k + 1 < ARRAY_LEN(what) ? what[k] : "rolled_back", n);
	}
	jsonw_object_end(w);
}

void server_status(struct call *c) {
	const struct api_host *h = c->host;
	const struct state *s = h->state(h->context);
	struct counts n = count(s);
	struct read_counts hour;
	struct err e = {0};
	const char *why = h->read_only(h->context);
	if (!read_counted(c->store, h->now_ms(h->context) - HOUR_MS, &c->life, &hour, &e)) {
		call_fail(c, &e, NULL);
		return;
	}
	struct jsonw *w = call_json(c);
	jsonw_object(w);
	jsonw_key(w, "last_hour");
	write_counted(w, &hour);
	jsonw_key_i(w, "landing", n.landing);
	jsonw_key_i(w, "proposed", n.proposed);
	jsonw_key_i(w, "queued", n.queued);
	jsonw_key_z(w, "read_only", why);
	jsonw_key_i(w, "rollouts", n.rollouts);
	jsonw_key_i(w, "runs", n.runs_running);
	jsonw_key_z(w, "runs_wait_because", h->runs_wait ? h->runs_wait(h->context) : NULL);
	jsonw_key_i(w, "runs_waiting", n.runs_issued);
	jsonw_key_i(w, "seq", (int64_t)h->seq(h->context));
	jsonw_key_i(w, "slots", s->slots);
	jsonw_key_t(w, "started", h->started_ms);
	jsonw_key_i(w, "testing", n.testing);
	jsonw_key_t(w, "time", h->now_ms(h->context));
	jsonw_key_z(w, "url", h->url);
	jsonw_key_z(w, "version", h->version);
	jsonw_object_end(w);
	call_finish(c);
}

static void examined(void *context, bool ok, struct str text, const struct err *e) {
	struct call *c = context;
	if (!ok) {
		call_fail(c, e, NULL);
		return;
	}
	buf_str(&c->answer.body, text);
	call_finish(c);
}

void server_doctor(struct call *c) {
	c->host->doctor(c->host->context, examined, c);
}

void server_openapi(struct call *c) {
	operation_openapi(c->host->url, c->host->version, &c->answer.body);
	call_finish(c);
}

void server_health(struct call *c) {
	const char *why = c->host->read_only(c->host->context);
	c->answer.type = "text/plain; charset=utf-8";
	if (why) c->answer.status = 503;
	buf_printf(&c->answer.body, why ? "read-only: %s\n" : "ok\n", why);
	call_finish(c);
}

// ---------------------------------------------------------------- metrics (Prometheus text format
// 0.0.4)

static void metric(struct buf *out, const char *name, const char *type, const char *help) {
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(struct buf *out, const char *name, const char *help, int64_t v) {
	metric(out, name, "gauge", help);
	buf_printf(out, "%s %lld\n", name, (long long)v);
}

static void counter(struct buf *out, const char *name, const char *help, int64_t v) {
	metric(out, name, "counter", help);
	buf_printf(out, "%s %lld\n", name, (long long)v);
}

static const struct {
	const char *tally, *name, *help;
	bool seconds;
} tallies[] = {
	{"reused", "weir_runs_reused_total", "Runs answered by an earlier verdict.", false},
	{"saved_ms", "weir_runs_saved_seconds_total", "What the reused runs took when they ran.", true},
	{"flakes", "weir_flakes_total", "Jobs that were red and, run again, found to be green.", false},
	{"rechecked", "weir_rechecks_total", "Runs done though a verdict would have held.", false},
	{"differed", "weir_rechecks_differed_total", "Of these, with another outcome.", false},
	{"varied", "weir_rechecks_varied_total", "Of these, with other artifacts.", false},
};

void server_metrics(struct call *c) {
	const struct api_host *h = c->host;
	const struct state *s = h->state(h->context);
	struct counts n = count(s);
	struct buf *out = &c->answer.body;
	struct err e;
	c->answer.type = "text/plain; version=0.0.4; charset=utf-8";
	counter(out, "weir_events_total", "Events in the log.", (int64_t)h->seq(h->context));
	counter(out, "weir_changes_total", "Changes ever proposed.", (int64_t)s->next_change - 1);
	counter(out, "weir_candidates_total", "Trial merges ever asked for.",
	        (int64_t)s->next_candidate - 1);
	counter(out, "weir_runs_total", "Runs of jobs ever issued.", (int64_t)s->next_run - 1);
	counter(out, "weir_releases_total", "Releases ever made.", (int64_t)s->next_release - 1);
	counter(out, "weir_rollouts_total", "Rollouts ever issued.", (int64_t)s->next_rollout - 1);
	for (size_t i = 0; i < ARRAY_LEN(tallies); i++) {
		int64_t v;
		if (!read_tally_of(c->store, tallies[i].tally, &v, &e)) continue;
		metric(out, tallies[i].name, "counter", tallies[i].help);
		if (tallies[i].seconds)
			buf_printf(out, "%s %lld.%03d\n", tallies[i].name, (long long)(v / 1000),
			           (int)(v % 1000));
		else buf_printf(out, "%s %lld\n", tallies[i].name, (long long)v);
	}
	metric(out, "weir_changes_open", "gauge", "Open changes by what they do now.");
	buf_printf(out, "weir_changes_open{state=\"proposed\"} %lld\n", (long long)n.proposed);
	buf_printf(out, "weir_changes_open{state=\"queued\"} %lld\n", (long long)n.queued);
	gauge(out, "weir_candidates_testing", "Candidates under test.", n.testing);
	gauge(out, "weir_landings_active", "Landings under way.", n.landing);
	gauge(out, "weir_slots", "Runs that may go on at once.", s->slots);
	gauge(out, "weir_runs_running", "Runs that go on now.", n.runs_running);
	gauge(out, "weir_runs_waiting", "Runs that were issued and have not begun.", n.runs_issued);
	gauge(out, "weir_rollouts_active", "Rollouts under way.", n.rollouts);
	gauge(out, "weir_environments_unhealthy", "Environments that do not answer well.", n.unhealthy);
	gauge(out, "weir_read_only", "1 when nothing can be recorded.",
	      h->read_only(h->context) ? 1 : 0);
	gauge(out, "weir_start_time_seconds", "When this daemon began, since 1970.",
	      h->started_ms / 1000);
	call_finish(c);
}
