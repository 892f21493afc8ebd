#include "app/landings.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/pipeline.h"
#include "core/batch.h"
#include "git/follow.h"
#include "git/landing.h"
#include "os/clock.h"
#include "os/note.h"
#include "store/read.h"

struct landings {
	struct daemon *daemon;
	struct active landing;
	struct land *waiting; // for a repository that does not say where its trunk is
};

struct landings *landings_new(struct daemon *d) {
	struct landings *l = calloc(1, sizeof *l);
	if (!l) abort();
	l->daemon = d;
	return l;
}

enum { TRIES = 5, TRY_PAUSE_MS = 100, AGAIN_MS = 2000, AGAIN_MOST = 30 };

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
	const struct state *s = turn_state(d->turn);
	const struct repo *r = state_repo(s, c->repo);
	size_t n = r->landing.v == l->id.v ? batch_size(s, c) : 0;
	struct event configured = {.kind = EVENT_REPO_CONFIGURED,
	                           .repo_configured = {.repo = c->repo,
	                                               .commit = c->commit,
	                                               .plan_digest = l->pipeline.own_digest,
	                                               .plan = l->pipeline.own}};
	for (size_t i = 0; i < n; i++) {
		struct event landed = batch_landed(s, r, i);
		turn_submit(d->turn, &landed, NULL, NULL, NULL);
	}
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
	free(l->landing.ids);
	free(l);
}
