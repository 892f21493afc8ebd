#include "app/builds.h"

#include <stdlib.h>

#include "app/affects.h"
#include "app/pipeline.h"
#include "base/jsonw.h"
#include "conf/conf.h"
#include "core/batch.h"
#include "git/candidate.h"
#include "git/landing.h"
#include "git/query.h"
#include "git/tree.h"
#include "os/clock.h"
#include "os/note.h"
#include "store/read.h"

enum { TRIES = 5, TRY_PAUSE_MS = 100 };

struct builds {
	struct daemon *daemon;
	struct active building;
	struct active held; // candidates that wait for a landing below them
};

struct builds *builds_new(struct daemon *d) {
	struct builds *b = calloc(1, sizeof *b);
	if (!b) abort();
	b->daemon = d;
	return b;
}

void builds_free(struct builds *b) {
	if (!b) return;
	free(b->building.ids);
	free(b->held.ids);
	free(b);
}

struct part { // a change that the candidate tests
	struct member member;
	struct read_change change;
	bool touches;    // what it touches is not known yet
	struct oid base; // the commit that it was merged onto
	struct oid tree; // what came of it
};

struct build {
	struct builds *set;
	struct daemon_repo *repo;
	struct arena life; // of all texts here
	struct read_candidate candidate;
	struct part *parts; // of one that is no batch one; the last is the candidate's own change
	size_t part_count;
	struct oid trunk; // tip now: whose weir.yml keeps jobs required
	bool ahead, held; // it stands on what has not landed; and has to wait for that
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
	b->fact = (struct event){
		.kind = EVENT_CANDIDATE_REFUSED,
		.candidate_refused = {
			.candidate = b->candidate.id, .reason = reason, .text = text, .conflicts = conflicts}};
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

static struct str affects(struct build *b, const struct pipeline *p, const struct part *part) {
	struct affects_query q = {.objects = b->set->daemon->data,
	                          .git = b->repo->git,
	                          .base = part->base,
	                          .tree = part->tree,
	                          .plan = p->plan,
	                          .skipped = p->skipped,
	                          .known = &b->known};
	return part->touches ? affects_find(&q, &b->life) : STR_NONE;
}

// Of all but the last.
static struct str member_affects(struct build *b, const struct pipeline *p) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	if (b->part_count == 1) return STR_NONE;
	jsonw_array(&w);
	for (size_t i = 0; i + 1 < b->part_count; i++) {
		struct str one = affects(b, p, &b->parts[i]);
		if (one.n) jsonw_raw(&w, one);
		else jsonw_null(&w);
	}
	jsonw_array_end(&w);
	return arena_str(&b->life, buf_view(&text));
}

static void add_plan(struct build *b, const struct git_candidate *made) {
	const struct part *own = &b->parts[b->part_count - 1];
	struct pipeline p;
	enum reason reason;
	struct err e;
	if (!pipeline_read(b->repo->git, made->commit, b->trunk, own->change.pipeline_scope != 0,
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
	if (!git_landing_keep(b->repo->git, own->change.id.v, made->commit, &e)) {
		refuse_err(b, REASON_INFRASTRUCTURE, &e);
		return;
	}
	b->fact = (struct event){.kind = EVENT_CANDIDATE_BUILT,
	                         .candidate_built = {b->candidate.id, made->commit, made->tree,
	                                             p.digest, p.plan, p.skipped, affects(b, &p, own),
	                                             member_affects(b, &p)}};
}

static struct git_candidate_meta meta_of(const struct build *b, const struct part *part) {
	return (struct git_candidate_meta){.title = part->change.title,
	                                   .change = part->member.change.v,
	                                   .time_ms = b->candidate.issued_ms};
}

// Merges one change onto `base`. False: the candidate is refused.
static bool add_part(struct build *b, struct part *part, struct oid base,
                     struct git_candidate *made) {
	struct git_candidate_meta meta = meta_of(b, part);
	struct git_commit head;
	struct err e;
	if (!git_commit_read(b->repo->git, part->member.head, &b->life, &head, &e)) {
		refuse_err(b, REASON_INFRASTRUCTURE, &e);
		return false;
	}
	meta.author = head.author;
	if (!git_candidate_build(b->repo->git, base, part->member.head, &meta, &b->life, made, &e)) {
		refuse_err(b, e.code == ERR_CONFLICT ? REASON_UNRELATED_HISTORY : REASON_INFRASTRUCTURE,
		           &e);
		return false;
	}
	part->base = base;
	part->tree = made->tree;
	switch (made->kind) {
	case GIT_CANDIDATE_CONFLICT: refuse_conflict(b, &made->merge); return false;
	case GIT_CANDIDATE_LANDED:
		refuse(b, REASON_ALREADY_LANDED, STR("the target holds these commits already"), STR_NONE);
		return false;
	case GIT_CANDIDATE_READY: return true;
	}
	return false;
}

static bool same_weir_yml(const struct build *b, struct oid one, struct oid other) {
	AUTO_BUF a = {0}, c = {0};
	struct err e;
	return git_query_file(b->repo->git, one, STR("weir.yml"), CONF_BYTES_MAX, &a, &e) &&
	       git_query_file(b->repo->git, other, STR("weir.yml"), CONF_BYTES_MAX, &c, &e) &&
	       str_eq(buf_view(&a), buf_view(&c));
}

// A change of weir.yml is tested by itself: it decides which jobs the others need.
static void build_batch(struct build *b) {
	struct git_candidate_meta *metas = ARENA_ARRAY(&b->life, struct git_candidate_meta,
	                                               b->part_count);
	struct git_candidate made = {.commit = b->candidate.base};
	struct err e;
	for (size_t i = 0; i < b->part_count; i++) {
		struct part *part = &b->parts[i];
		struct oid base = made.commit;
		metas[i] = meta_of(b, part);
		bool good = add_part(b, part, base, &made);
		if (good && !same_weir_yml(b, base, made.commit)) {
			refuse(b, REASON_BATCH_SPLIT, STR("it changes weir.yml"), STR_NONE);
			good = false;
		}
		if (good) continue;
		b->fact.candidate_refused.member = (int64_t)part->member.change.v;
		return;
	}
	if (!git_candidate_cover(b->repo->git, b->candidate.base, made, metas, b->part_count, &b->life,
	                         &made.commit, &e))
		refuse_err(b, REASON_INFRASTRUCTURE, &e);
	else add_plan(b, &made);
}

static void build_once(struct build *b) {
	struct git_candidate made;
	// A change of weir.yml that has not landed decides nothing yet: neither which jobs the next
	// change needs, nor which secrets they see before landing. What stands on one waits until it is
	// trunk's.
	b->held = b->ahead && !same_weir_yml(b, b->trunk, b->candidate.base);
	if (b->held) return;
	if (b->part_count > 1) build_batch(b);
	else if (add_part(b, &b->parts[0], b->candidate.base, &made)) add_plan(b, &made);
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
static void hold(struct builds *set, struct candidate_id id) {
	const struct candidate *c = state_candidate(turn_state(set->daemon->turn), id);
	(void)!daemon_begin(&set->held, id.v);
	if (c && !c->base_candidate.v) builds_again(set);
}

static void build_done(void *context) {
	struct build *b = context;
	daemon_end(&b->set->building, b->candidate.id.v);
	if (b->held) hold(b->set, b->candidate.id);
	if (b->fact.kind != EVENT_NONE) turn_submit(b->set->daemon->turn, &b->fact, NULL, NULL, NULL);
	arena_free(&b->life);
	free(b);
}

static bool read_parts(struct build *b, struct err *e) {
	const struct daemon *d = b->set->daemon;
	struct member *members;
	size_t n;
	if (!batch_read(b->candidate.members, &b->life, &members, &n))
		return err_set(e, ERR_CORRUPT, "its members cannot be read");
	b->parts = ARENA_ARRAY(&b->life, struct part, n + 1);
	b->part_count = n + 1;
	for (size_t i = 0; i <= n; i++) {
		struct part *part = &b->parts[i];
		if (i < n) part->member = members[i];
		else
			part->member = (struct member){.change = b->candidate.change,
			                               .head = b->candidate.head,
			                               .revision = (uint32_t)b->candidate.revision};
		const struct change *change = state_change(turn_state(d->turn), part->member.change);
		part->touches = change && !change->areas_known && !change->areas_wrong;
		if (!read_change(d->reader, part->member.change, &b->life, &part->change, e)) return false;
	}
	return true;
}

void builds_start(struct builds *set, struct candidate_id id) {
	struct daemon *d = set->daemon;
	struct err e;
	const struct candidate *row = state_candidate(turn_state(d->turn), id);
	struct daemon_repo *repo = row ? daemon_repo(d, row->repo) : NULL;
	// A repository that is away: the candidate waits for the start that finds it.
	if (!repo || !daemon_begin(&set->building, id.v)) return;
	struct build *b = calloc(1, sizeof *b);
	if (!b) abort();
	b->set = set;
	if (!read_candidate(d->reader, id, &b->life, &b->candidate, &e) || !read_parts(b, &e) ||
	    !read_job_inputs(d->reader, b->candidate.repo, &b->life, &b->known, &e)) {
		note(NOTE_ERROR, "candidate %llu: %s", (unsigned long long)id.v, e.text);
		b->candidate.id = id;
		refuse_err(b, REASON_INFRASTRUCTURE, &e);
		build_done(b);
		return;
	}
	b->repo = repo;
	b->trunk = state_repo(turn_state(d->turn), b->candidate.repo)->tip;
	b->ahead = row->base_candidate.v != 0;
	loop_work(d->loop, build_work, build_done, b);
}

void builds_again(struct builds *set) {
	struct active held = set->held;
	set->held = (struct active){0};
	for (size_t i = 0; i < held.count; i++) {
		const struct candidate *c = state_candidate(turn_state(set->daemon->turn),
		                                            (struct candidate_id){held.ids[i]});
		if (c && c->state == CANDIDATE_BUILDING) builds_start(set, c->id);
	}
	free(held.ids);
}
