#include "app/follows.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/pipeline.h"
#include "app/propose.h"
#include "git/follow.h"
#include "git/object.h"
#include "git/landing.h"
#include "os/note.h"
#include "store/read.h"

struct follow {
	struct follows *set;
	struct daemon_repo *repo;
	struct str url, changes;
	int64_t poll_ms;
	struct loop_timer *timer;
	bool busy, away; // away: the last fetch failed
};

struct follows {
	struct daemon *daemon;
	struct arena life;
	struct follow **list;
	size_t count;
	struct loop_timer *look; // for repositories that were added since
};

// One look at the other side, on a worker thread.
struct poll {
	struct follow *follow;
	struct arena life;
	struct oid known_tip, tip;
	struct digest plan;
	struct pipeline pipeline;
	struct str unread;
	bool fetched;
	struct err error;
	struct event *proposals;
	size_t count;
	struct git_ref *branches; // that match
	size_t branch_count;
};

static void propose_branch(struct poll *p, const struct git_ref *branch) {
	struct follow *f = p->follow;
	struct err e;
	struct propose proposal = {
		.repo = f->repo,
		.target = str_of(f->repo->trunk),
		.head = branch->oid,
		.tip = p->tip,
		.topic = branch->name,
		.pusher = STR("follow"),
	};
	if (str_eq(branch->name, str_of(f->repo->trunk))) return;
	if (propose_judge(&proposal, &p->life, &p->proposals[p->count], &e)) p->count++;
	else if (e.code != ERR_CONFLICT)
		note(NOTE_WARN, "branch " STR_FMT " of %s: %s", STR_ARG(branch->name), f->repo->name,
		     e.text);
}

static void poll_work(void *context) {
	struct poll *p = context;
	struct follow *f = p->follow;
	enum reason reason;
	struct err why;
	char ref[192];
	snprintf(ref, sizeof ref, "refs/follow/%s", f->repo->trunk);
	p->fetched = git_follow_fetch(f->repo->git, f->url.p, &p->error) &&
	             git_object_resolve(f->repo->git, str_of(ref), &p->tip, &p->error) &&
	             git_follow_branches(f->repo->git, f->changes, &p->life, &p->branches,
	                                 &p->branch_count, &p->error);
	if (!p->fetched) return;
	if (!oid_eq(p->tip, p->known_tip) && !oid_is_none(p->tip) &&
	    !pipeline_read_own(f->repo->git, p->tip, &p->life, &p->pipeline, &reason, &why))
		p->unread = arena_str(&p->life, str_of(why.text));
	p->proposals = ARENA_ARRAY(&p->life, struct event, p->branch_count + 1);
	for (size_t i = 0; i < p->branch_count; i++) propose_branch(p, &p->branches[i]);
}

struct written {
	struct git_repo *git;
	struct change_id change;
	uint64_t revision;
	struct oid head;
};

static void write_ref(void *context) {
	struct written *w = context;
	struct err e;
	if (!git_landing_write_change(w->git, w->change.v, w->revision, w->head, &e))
		note(NOTE_WARN, "%s", e.text);
}

static void proposed(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct follow *f = context;
	(void)why;
	if (!ok || !applied) return;
	struct written *w = calloc(1, sizeof *w);
	if (!w) abort();
	*w = (struct written){f->repo->git, applied->change_proposed.change,
	                      (uint64_t)applied->change_proposed.revision,
	                      applied->change_proposed.head};
	loop_work(f->set->daemon->loop, write_ref, free, w);
}

// A branch whose change was taken back stays so until it moves.
static bool was_withdrawn(const struct follow *f, const struct event_change_proposed *p) {
	AUTO_ARENA scratch = {0};
	struct read_change last;
	struct err e;
	return read_change_of_topic(f->set->daemon->reader, p->repo, p->topic, &scratch, &last, &e) &&
	       str_eq(last.state, STR("withdrawn")) && oid_eq(last.head, p->head);
}

static enum turn_fill identify(void *context, const struct state *s, struct event *e,
                               struct err *why) {
	enum turn_fill fill = propose_identify(s, false, e);
	(void)why;
	return fill == TURN_GO && was_withdrawn(context, &e->change_proposed) ? TURN_NOTHING : fill;
}

static bool has_branch(const struct poll *p, struct str name) {
	for (size_t i = 0; i < p->branch_count; i++)
		if (str_eq(p->branches[i].name, name)) return true;
	return false;
}

// Who deletes the branch there takes the change back.
static void withdraw_gone(struct poll *p) {
	struct daemon *d = p->follow->set->daemon;
	struct read_changes open;
	struct err e;
	struct read_filter filter = {.which = READ_OPEN, .repo = p->follow->repo->id};
	if (!read_changes(d->reader, filter, &p->life, &open, &e)) {
		note(NOTE_WARN, "%s: %s", p->follow->repo->name, e.text);
		return;
	}
	for (size_t i = 0; i < open.n; i++) {
		const struct read_change *c = &open.p[i];
		if (!str_eq(c->pusher, STR("follow")) || has_branch(p, c->topic)) continue;
		if (str_eq(c->state, STR("landing"))) continue; // it cannot be taken back any more
		struct event gone = {.kind = EVENT_CHANGE_WITHDRAWN,
		                     .change_withdrawn = {c->id, c->revision, STR("upstream")}};
		turn_submit(d->turn, &gone, NULL, NULL, NULL);
	}
}

// Told when it changes, not at each look.
static void tell_away(struct poll *p) {
	struct follow *f = p->follow;
	if (!p->fetched && !f->away)
		note(NOTE_WARN, "%s: %s; looked for again every %lld s", f->repo->name, p->error.text,
		     (long long)(f->poll_ms + 999) / 1000);
	if (p->fetched && f->away) note(NOTE_INFO, "%s: reached again", f->repo->name);
	f->away = !p->fetched;
}

// Only when weir is not landing there itself: its own landing is no news.
static void submit_tip(struct poll *p) {
	struct daemon *d = p->follow->set->daemon;
	const struct repo *row = state_repo(turn_state(d->turn), p->follow->repo->id);
	if (row->landing.v || oid_eq(row->tip, p->tip) || !oid_eq(row->tip, p->known_tip)) return;
	struct event moved = {.kind = EVENT_TRUNK_MOVED,
	                      .trunk_moved = {row->id, row->tip, p->tip, STR("upstream")}};
	struct event plan = {
		.kind = EVENT_REPO_CONFIGURED,
		.repo_configured = {row->id, p->tip, p->pipeline.own_digest, p->pipeline.own, p->unread}};
	turn_submit(d->turn, &moved, NULL, NULL, NULL);
	if (p->unread.n || !digest_eq(p->pipeline.own_digest, row->plan))
		turn_submit(d->turn, &plan, NULL, NULL, NULL);
}

static void poll_done(void *context) {
	struct poll *p = context;
	struct follow *f = p->follow;
	f->busy = false;
	tell_away(p);
	if (p->fetched) {
		submit_tip(p);
		for (size_t i = 0; i < p->count; i++)
			turn_submit(f->set->daemon->turn, &p->proposals[i], identify, proposed, f);
		withdraw_gone(p);
	}
	loop_timer_set(f->timer, f->poll_ms);
	arena_free(&p->life);
	free(p);
}

static void on_due(void *context) {
	struct follow *f = context;
	const struct repo *row = state_repo(turn_state(f->set->daemon->turn), f->repo->id);
	if (f->busy || f->set->daemon->stopping || !row) return;
	struct poll *p = calloc(1, sizeof *p);
	if (!p) abort();
	p->follow = f;
	p->known_tip = row->tip;
	f->busy = true;
	loop_work(f->set->daemon->loop, poll_work, poll_done, p);
}

static void follow(struct follows *set, struct daemon_repo *r) {
	struct read_repo row;
	struct err e;
	for (size_t i = 0; i < set->count; i++)
		if (set->list[i]->repo == r) return;
	if (!read_repo(set->daemon->reader, r->id, &set->life, &row, &e) || !row.follow) return;
	struct follow *f = calloc(1, sizeof *f);
	set->list = realloc(set->list, (set->count + 1) * sizeof(struct follow *));
	if (!f || !set->list) abort();
	*f = (struct follow){
		.set = set, .repo = r, .url = row.url, .changes = row.changes, .poll_ms = row.poll_ms};
	f->timer = loop_timer(set->daemon->loop, on_due, f);
	loop_timer_set(f->timer, 0);
	set->list[set->count++] = f;
}

static void on_look(void *context) {
	struct follows *set = context;
	const struct state *s = turn_state(set->daemon->turn);
	for (size_t i = 0; i < s->repos.count; i++) {
		const struct repo *row = table_at(&s->repos, i);
		struct daemon_repo *r = row->follow ? daemon_repo(set->daemon, row->id) : NULL;
		if (r) follow(set, r);
	}
	loop_timer_set(set->look, 1000);
}

bool follows_open(struct daemon *d, struct follows **out, struct err *e) {
	struct follows *set = calloc(1, sizeof *set);
	(void)e;
	if (!set) abort();
	set->daemon = d;
	set->look = loop_timer(d->loop, on_look, set);
	loop_timer_set(set->look, 0);
	*out = set;
	return true;
}

void follows_close(struct follows *set) {
	if (!set) return;
	loop_timer_free(set->look);
	for (size_t i = 0; i < set->count; i++) {
		loop_timer_free(set->list[i]->timer);
		free(set->list[i]);
	}
	free(set->list);
	arena_free(&set->life);
	free(set);
}
