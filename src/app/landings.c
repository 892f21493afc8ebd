#include "app/landings.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/affects.h"
#include "app/pipeline.h"
#include "base/jsonw.h"
#include "conf/conf.h"
#include "git/candidate.h"
#include "git/follow.h"
#include "git/landing.h"
#include "git/query.h"
#include "os/clock.h"
#include "os/note.h"
#include "store/read.h"

struct landings {
	struct daemon *daemon;
	struct active building, landing;
	struct active held;   // candidates that wait for a landing below them
	struct land *waiting; // for a repository that does not say where its trunk is
};

struct landings *landings_new(struct daemon *d) {
	struct landings *l = calloc(1, sizeof *l);
	if (!l) abort();
	l->daemon = d;
	return l;
}

enum { TRIES = 5, TRY_PAUSE_MS = 100, AGAIN_MS = 2000, AGAIN_MOST = 30 };

// ---------------------------------------------------------------- candidates

struct build {
	struct landings *landings;
	struct daemon_repo *repo;
	struct arena life; // of all texts here
	struct read_candidate candidate;
	struct read_change change;
	struct oid trunk; // tip now: whose weir.yml keeps jobs required
	bool ahead, held; // it stands on what has not landed; and has to wait for that
	bool touches;     // what the change touches is not known yet
	struct read_job_inputs known;
	struct event fact;
};

static struct str conflicts_json(const struct git_merge *m, struct arena *life) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	jsonw_array(&w);
	for (size_t i = 0; i < m->conflict_count; i++) {
		const struct git_conflict *c = &m->conflicts[i];
		jsonw_object(&w);
		jsonw_key_s(&w, "kind", c->kind);
		jsonw_key_s(&w, "ours", c->ours);
		jsonw_key_s(&w, "path", c->path);
		jsonw_key_s(&w, "text", c->text);
		jsonw_key_s(&w, "theirs", c->theirs);
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
	return arena_str(life, buf_view(&text));
}

static void refuse(struct build *b, enum reason reason, struct str text, struct str conflicts) {
	b->fact = (struct event){.kind = EVENT_CANDIDATE_REFUSED,
	                         .candidate_refused = {b->candidate.id, reason, text, conflicts}};
}

static void refuse_err(struct build *b, enum reason reason, const struct err *e) {
	refuse(b, reason, arena_str(&b->life, str_of(e->text)), STR_NONE);
}

static void refuse_conflict(struct build *b, const struct git_merge *m) {
	AUTO_BUF text = {0};
	buf_cstr(&text, "conflicts with the target in ");
	for (size_t i = 0; i < m->conflict_count && i < 5; i++) {
		buf_cstr(&text, i ? ", " : "");
		buf_str(&text, m->conflicts[i].path);
	}
	if (m->conflict_files > 5) buf_printf(&text, " and %zu more", m->conflict_files - 5);
	refuse(b, REASON_CONFLICT_WITH_BASE, arena_str(&b->life, buf_view(&text)),
	       conflicts_json(m, &b->life));
}

static void add_plan(struct build *b, const struct git_candidate *made) {
	struct pipeline p;
	enum reason reason;
	struct err e;
	if (!pipeline_read(b->repo->git, made->commit, b->trunk, b->change.pipeline_scope != 0,
	                   &b->life, &p, &reason, &e)) {
		if (p.told.n) refuse(b, reason, p.told, STR_NONE);
		else refuse_err(b, reason, &e);
		return;
	}
	bool names_another = !str_eq(p.trunk, STR("main")) && !str_eq(p.trunk, str_of(b->repo->trunk));
	if (names_another) { // as nobody would notice: the branch that a repository was added with
		                 // stays
		refuse(b, REASON_BAD_CONFIG,
		       arena_printf(&b->life,
		                    "weir.yml names the trunk " STR_FMT
		                    ", and changes land on %s here: take "
		                    "`trunk:` out, or add the repository anew with --trunk " STR_FMT,
		                    STR_ARG(p.trunk), b->repo->trunk, STR_ARG(p.trunk)),
		       STR_NONE);
		return;
	}
	if (!git_landing_keep(b->repo->git, b->change.id.v, made->commit, &e)) {
		refuse_err(b, REASON_INFRASTRUCTURE, &e);
		return;
	}
	struct affects_query q = {.objects = b->landings->daemon->data,
	                          .git = b->repo->git,
	                          .base = b->candidate.base,
	                          .tree = made->tree,
	                          .plan = p.plan,
	                          .skipped = p.skipped,
	                          .known = &b->known};
	struct str affects = b->touches ? affects_find(&q, &b->life) : STR_NONE;
	b->fact = (struct event){.kind = EVENT_CANDIDATE_BUILT,
	                         .candidate_built = {b->candidate.id, made->commit, made->tree,
	                                             p.digest, p.plan, p.skipped, affects}};
}

// A change of weir.yml that has not landed decides nothing yet: neither which jobs the next change
// needs, nor which secrets they see before landing. What stands on one waits until it is trunk's.
static bool has_to_wait(struct build *b) {
	AUTO_BUF trunk = {0}, below = {0};
	struct err e;
	if (!b->ahead) return false;
	bool read = git_query_file(b->repo->git, b->trunk, STR("weir.yml"), CONF_BYTES_MAX, &trunk,
	                           &e) &&
	            git_query_file(b->repo->git, b->candidate.base, STR("weir.yml"), CONF_BYTES_MAX,
	                           &below, &e);
	return !read || !str_eq(buf_view(&trunk), buf_view(&below));
}

static void build_once(struct build *b) {
	struct git_commit head;
	struct git_candidate made;
	struct err e;
	b->held = has_to_wait(b);
	if (b->held) return;
	struct git_candidate_meta meta = {
		.title = b->change.title, .change = b->change.id.v, .time_ms = b->candidate.issued_ms};
	if (!git_commit_read(b->repo->git, b->candidate.head, &b->life, &head, &e)) {
		refuse_err(b, REASON_INFRASTRUCTURE, &e);
		return;
	}
	meta.author = head.author;
	if (!git_candidate_build(b->repo->git, b->candidate.base, b->candidate.head, &meta, &b->life,
	                         &made, &e)) {
		refuse_err(b, e.code == ERR_CONFLICT ? REASON_UNRELATED_HISTORY : REASON_INFRASTRUCTURE,
		           &e);
		return;
	}
	switch (made.kind) {
	case GIT_CANDIDATE_CONFLICT: refuse_conflict(b, &made.merge); return;
	case GIT_CANDIDATE_LANDED:
		refuse(b, REASON_ALREADY_LANDED, STR("the target holds these commits already"), STR_NONE);
		return;
	case GIT_CANDIDATE_READY: add_plan(b, &made); return;
	}
}

// A git child that somebody killed says nothing about the change: it is asked again.
static void build_work(void *context) {
	struct build *b = context;
	for (int i = 0; i < TRIES; i++) {
		if (i) clock_sleep_ms(TRY_PAUSE_MS << i);
		build_once(b);
		if (b->fact.kind != EVENT_CANDIDATE_REFUSED ||
		    b->fact.candidate_refused.reason != REASON_INFRASTRUCTURE)
			return;
		note(NOTE_WARN, "candidate %llu: " STR_FMT, (unsigned long long)b->candidate.id.v,
		     STR_ARG(b->fact.candidate_refused.text));
	}
}

// What it stands on may have landed while it was looked at.
static void hold(struct landings *l, struct candidate_id id) {
	const struct candidate *c = state_candidate(turn_state(l->daemon->turn), id);
	(void)!daemon_begin(&l->held, id.v);
	if (c && !c->base_candidate.v) landings_again(l);
}

static void build_done(void *context) {
	struct build *b = context;
	daemon_end(&b->landings->building, b->candidate.id.v);
	if (b->held) hold(b->landings, b->candidate.id);
	if (b->fact.kind != EVENT_NONE)
		turn_submit(b->landings->daemon->turn, &b->fact, NULL, NULL, NULL);
	arena_free(&b->life);
	free(b);
}

void landings_build(struct landings *l, struct candidate_id id) {
	struct daemon *d = l->daemon;
	struct err e;
	const struct candidate *row = state_candidate(turn_state(d->turn), id);
	struct daemon_repo *repo = row ? daemon_repo(d, row->repo) : NULL;
	// A repository that is away: the candidate waits for the start that finds it.
	if (!repo || !daemon_begin(&l->building, id.v)) return;
	struct build *b = calloc(1, sizeof *b);
	if (!b) abort();
	b->landings = l;
	if (!read_candidate(d->reader, id, &b->life, &b->candidate, &e) ||
	    !read_change(d->reader, b->candidate.change, &b->life, &b->change, &e) ||
	    !read_job_inputs(d->reader, b->candidate.repo, &b->life, &b->known, &e)) {
		note(NOTE_ERROR, "candidate %llu: %s", (unsigned long long)id.v, e.text);
		b->candidate.id = id;
		build_done(b);
		return;
	}
	b->repo = repo;
	b->trunk = state_repo(turn_state(d->turn), b->candidate.repo)->tip;
	const struct change *change = state_change(turn_state(d->turn), row->change);
	b->ahead = row->base_candidate.v != 0;
	b->touches = change && !change->areas_known && !change->areas_wrong;
	loop_work(d->loop, build_work, build_done, b);
}

void landings_again(struct landings *l) {
	struct active held = l->held;
	l->held = (struct active){0};
	for (size_t i = 0; i < held.count; i++) {
		const struct candidate *c = state_candidate(turn_state(l->daemon->turn),
		                                            (struct candidate_id){held.ids[i]});
		if (c && c->state == CANDIDATE_BUILDING) landings_build(l, c->id);
	}
	free(held.ids);
}

// ---------------------------------------------------------------- landings

struct land {
	struct land *next; // of those that are asked again later
	struct landings *landings;
	struct loop_timer *again;
	int asked_again;
	struct daemon_repo *repo;
	struct arena life;
	struct landing_id id;
	struct candidate candidate; // as the state has it
	struct oid from;
	struct str url; // of a followed repository, else empty
	struct digest plan;
	struct git_landing_result result;
	struct err error;
	bool known;   // result says what became of it
	bool refused; // not landed for sure, error says why
	struct pipeline pipeline;
	bool has_pipeline;
};

static void land_free(struct land *l) {
	arena_free(&l->life);
	free(l);
}

static bool land_once(struct land *l, const char *ref, struct err *e) {
	if (l->url.n)
		return git_follow_land(l->repo->git, l->url.p, l->repo->trunk, l->from, l->candidate.commit,
		                       &l->result, e);
	return git_landing_land(l->repo->git, ref, l->from, l->candidate.commit, &l->result, e);
}

static bool ask_what_became(struct land *l, const char *ref, struct err *e) {
	if (l->url.n)
		return git_follow_recover(l->repo->git, l->url.p, l->repo->trunk, l->from,
		                          l->candidate.commit, &l->result, e);
	return git_landing_recover(l->repo->git, ref, l->from, l->candidate.commit, &l->result, e);
}

static void land_work(void *context) {
	struct land *l = context;
	enum reason reason;
	struct err e;
	char ref[192];
	snprintf(ref, sizeof ref, "refs/heads/%s", l->repo->trunk);
	for (int i = 0; i < TRIES && !l->known; i++) {
		struct err unanswered;
		if (i) clock_sleep_ms(TRY_PAUSE_MS << i);
		// Asked first: a landing that a dead daemon began may be over.
		l->refused = ask_what_became(l, ref, i ? &unanswered : &l->error);
		l->known = l->refused && l->result.state != GIT_NOT_YET;
		if (!l->known && l->refused)
			l->known = land_once(l, ref, &l->error) && l->result.state != GIT_NOT_YET;
	}
	if (!l->known) l->refused = ask_what_became(l, ref, &e) && l->result.state == GIT_NOT_YET;
	l->has_pipeline = l->known && l->result.state == GIT_LANDED &&
	                  pipeline_read_own(l->repo->git, l->candidate.commit, &l->life, &l->pipeline,
	                                    &reason, &e);
}

static void submit_landed(struct daemon *d, const struct land *l) {
	const struct candidate *c = &l->candidate;
	struct event landed = {
		.kind = EVENT_CHANGE_LANDED,
		.change_landed = {c->change, c->revision, c->id, l->id, c->commit, l->from, c->tree}};
	struct event configured = {.kind = EVENT_REPO_CONFIGURED,
	                           .repo_configured = {.repo = c->repo,
	                                               .commit = c->commit,
	                                               .plan_digest = l->pipeline.own_digest,
	                                               .plan = l->pipeline.own}};
	turn_submit(d->turn, &landed, NULL, NULL, NULL);
	if (l->has_pipeline && !digest_eq(l->plan, l->pipeline.own_digest))
		turn_submit(d->turn, &configured, NULL, NULL, NULL);
}

static void land_done(void *context);

static void land_again(void *context) {
	struct land *l = context;
	loop_timer_free(l->again);
	l->again = NULL;
	struct land **p = &l->landings->waiting;
	while (*p != l) p = &(*p)->next;
	*p = l->next;
	if (!l->landings->daemon->stopping)
		loop_work(l->landings->daemon->loop, land_work, land_done, l);
	else land_free(l);
}

// When trunk may have moved, to say that it did not would be a lie. When it did not because git or
// the disk failed, that is no fault of the change.
static bool ask_again(struct land *l) {
	enum err_code code = l->error.code;
	bool no = code == ERR_DENIED || code == ERR_CONFLICT || code == ERR_INVALID;
	return !l->known && (!l->refused || (!no && l->asked_again++ < AGAIN_MOST));
}

static void land_done(void *context) {
	struct land *l = context;
	struct daemon *d = l->landings->daemon;
	if (ask_again(l)) {
		note(NOTE_WARN, "landing %llu: %s; asked again", (unsigned long long)l->id.v,
		     l->error.text);
		l->next = l->landings->waiting;
		l->landings->waiting = l;
		l->again = loop_timer(d->loop, land_again, l);
		loop_timer_set(l->again, AGAIN_MS);
		return;
	}
	daemon_end(&l->landings->landing, l->id.v);
	if (l->known && l->result.state == GIT_LANDED) {
		submit_landed(d, l);
	} else {
		struct event failed = {
			.kind = EVENT_LANDING_FAILED,
			.landing_failed = {l->id, l->known ? l->result.tip : (struct oid){0},
		                       str_of(l->known ? "trunk moved" : l->error.text)}};
		note(NOTE_WARN, "landing %llu: " STR_FMT, (unsigned long long)l->id.v,
		     STR_ARG(failed.landing_failed.text));
		turn_submit(d->turn, &failed, NULL, NULL, NULL);
	}
	land_free(l);
}

void landings_land(struct landings *set, struct landing_id id) {
	struct daemon *d = set->daemon;
	const struct state *s = turn_state(d->turn);
	const struct repo *row = NULL;
	struct err e;
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *r = table_at(&s->repos, i);
		if (r->landing.v == id.v) row = r;
	}
	struct daemon_repo *git = row ? daemon_repo(d, row->id) : NULL;
	if (!git || !daemon_begin(&set->landing, id.v)) return;
	struct land *l = calloc(1, sizeof *l);
	if (!l) abort();
	l->landings = set;
	l->id = id;
	l->repo = git;
	l->candidate = *state_candidate(s, row->landing_candidate);
	l->from = row->tip;
	l->plan = row->plan;
	struct read_repo repo;
	if (row->follow && read_repo(d->reader, row->id, &l->life, &repo, &e)) l->url = repo.url;
	loop_work(d->loop, land_work, land_done, l);
}

// ---------------------------------------------------------------- clean-up

struct release_ref {
	struct git_repo *git;
	struct change_id change;
};

static void release_work(void *context) {
	struct release_ref *r = context;
	struct err e;
	if (!git_landing_drop(r->git, r->change.v, &e)) note(NOTE_DEBUG, "candidate ref: %s", e.text);
}

void landings_release(struct landings *l, struct repo_id repo, struct change_id change) {
	struct daemon_repo *r = daemon_repo(l->daemon, repo);
	if (!r) return;
	struct release_ref *job = calloc(1, sizeof *job);
	if (!job) abort();
	*job = (struct release_ref){r->git, change};
	loop_work(l->daemon->loop, release_work, free, job);
}

void landings_free(struct landings *l) {
	if (!l) return;
	while (l->waiting) {
		struct land *next = l->waiting->next;
		land_free(l->waiting);
		l->waiting = next;
	}
	free(l->building.ids);
	free(l->landing.ids);
	free(l->held.ids);
	free(l);
}
