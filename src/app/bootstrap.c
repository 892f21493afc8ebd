#include "app/bootstrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/pipeline.h"
#include "git/follow.h"
#include "git/object.h"
#include "git/landing.h"
#include "git/query.h"
#include "git/serve.h"
#include "os/file.h"
#include "os/note.h"
#include "os/process.h"

struct addition {
	struct addition *next; // of daemon->additions
	struct daemon *daemon;
	struct arena life;
	struct bootstrap_repo asked;
	struct str trunk;
	struct oid tip;
	struct pipeline pipeline;
	struct str unread; // why there is no plan
	struct err error;
	bool made;
	struct repo_id id;
	turn_done_fn *done;
	void *context;
};

static bool make(struct addition *a, struct str path, struct err *e) {
	struct daemon *d = a->daemon;
	char *trunk = a->asked.trunk.n ? arena_cstr(&a->life, a->asked.trunk) : NULL;
	if (trunk && !git_repo_branch_ok(a->asked.trunk))
		return err_set(e, ERR_INVALID, "trunk %s is no name of a branch", trunk);
	// What an earlier try left is not in the log: nobody knows it.
	if (file_exists(path.p) && !file_remove_tree(path.p, e)) return false;
	if (a->asked.source.n && !a->asked.follow)
		return git_repo_import(d->git, path.p, arena_cstr(&a->life, a->asked.source), trunk, e);
	return git_repo_create(d->git, path.p, trunk ? trunk : "main", e);
}

static bool look(struct addition *a, struct git_repo *git, struct err *e) {
	enum reason reason;
	struct err why;
	char ref[256];
	if (a->asked.follow && !git_follow_fetch(git, arena_cstr(&a->life, a->asked.source), e))
		return false;
	if (!git_repo_trunk(git, &a->life, &a->trunk, e)) return false;
	snprintf(ref, sizeof ref, a->asked.follow ? "refs/follow/" STR_FMT : "refs/heads/" STR_FMT,
	         STR_ARG(a->trunk));
	if (!git_object_resolve(git, str_of(ref), &a->tip, e)) return false;
	if (oid_is_none(a->tip)) return true;
	if (!pipeline_read_own(git, a->tip, &a->life, &a->pipeline, &reason, &why))
		a->unread = arena_str(&a->life, str_of(why.text));
	return true;
}

static void add_work(void *context) {
	struct addition *a = context;
	struct git_repo *git = NULL;
	struct str path = daemon_path(a->daemon, &a->life, "repos/" STR_FMT ".git",
	                              STR_ARG(a->asked.name));
	a->made = make(a, path, &a->error) && git_repo_open(a->daemon->git, path.p, &git, &a->error) &&
	          look(a, git, &a->error);
	if (git) git_repo_close(git);
	struct err stays;
	if (!a->made && !file_remove_tree(path.p, &stays)) note(NOTE_WARN, "%s", stays.text);
}

static enum turn_fill fill_id(void *context, const struct state *s, struct event *e,
                              struct err *why) {
	struct addition *a = context;
	(void)why;
	a->id.v = s->next_repo;
	e->repo_added.repo = a->id;
	return TURN_GO;
}

static enum turn_fill fill_moved(void *context, const struct state *s, struct event *e,
                                 struct err *why) {
	struct addition *a = context;
	(void)s;
	(void)why;
	e->trunk_moved.repo = a->id;
	return TURN_GO;
}

static enum turn_fill fill_configured(void *context, const struct state *s, struct event *e,
                                      struct err *why) {
	struct addition *a = context;
	(void)s;
	(void)why;
	e->repo_configured.repo = a->id;
	return TURN_GO;
}

static void end_addition(struct addition *a) {
	struct addition **p = &a->daemon->additions;
	while (*p && *p != a) p = &(*p)->next;
	if (*p) *p = a->next;
	arena_free(&a->life);
	free(a);
}

static void added(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct addition *a = context;
	if (a->done) a->done(a->context, ok, why, applied);
}

static void configured(void *context, bool ok, const struct err *why, const struct event *applied) {
	(void)ok;
	(void)why;
	(void)applied;
	end_addition(context);
}

static void add_done(void *context) {
	struct addition *a = context;
	struct turn *turn = a->daemon->turn;
	if (!a->made) {
		if (a->done) a->done(a->context, false, &a->error, NULL);
		end_addition(a);
		return;
	}
	struct event repo = {.kind = EVENT_REPO_ADDED,
	                     .repo_added = {.name = a->asked.name,
	                                    .trunk = a->trunk,
	                                    .url = a->asked.source,
	                                    .follow = a->asked.follow,
	                                    .changes = a->asked.changes,
	                                    .poll_ms = a->asked.poll_ms ? a->asked.poll_ms : 30000}};
	struct event moved = {.kind = EVENT_TRUNK_MOVED,
	                      .trunk_moved = {.to = a->tip, .by = STR("import")}};
	struct event plan = {.kind = EVENT_REPO_CONFIGURED,
	                     .repo_configured = {.commit = a->tip,
	                                         .plan_digest = a->pipeline.own_digest,
	                                         .plan = a->pipeline.own,
	                                         .error = a->unread}};
	turn_submit(turn, &repo, fill_id, added, a);
	if (!oid_is_none(a->tip)) turn_submit(turn, &moved, fill_moved, NULL, a);
	turn_submit(turn, &plan, fill_configured, configured, a);
}

// Also while one of the same name is being made: the second would take the first for a left-over.
static bool may_add(const struct daemon *d, struct str name, struct err *why) {
	bool known = daemon_repo_named(d, name) != NULL;
	const struct state *s = turn_state(d->turn);
	if (!git_serve_name_ok(name) || name.n > STATE_NAME_MAX)
		return err_set(why, ERR_INVALID,
		               "\"" STR_FMT "\" is no name for a repository: 1 to 63 letters, digits, "
		               "dots, dashes and underscores",
		               STR_ARG(name));
	for (size_t i = 0; i < s->repos.count; i++) // also one that could not be opened
		known = known || str_eq(state_name(&((struct repo *)table_at(&s->repos, i))->name), name);
	for (const struct addition *other = d->additions; other; other = other->next)
		known = known || str_eq(other->asked.name, name);
	if (!known) return true;
	return err_set(why, ERR_CONFLICT, "repository " STR_FMT " exists already", STR_ARG(name));
}

void bootstrap_add(struct daemon *d, const struct bootstrap_repo *repo, turn_done_fn *done,
                   void *context) {
	struct addition *a = calloc(1, sizeof *a);
	if (!a) abort();
	a->daemon = d;
	a->asked = *repo;
	a->asked.name = arena_str(&a->life, repo->name);
	a->asked.source = arena_str(&a->life, repo->source);
	a->asked.trunk = arena_str(&a->life, repo->trunk);
	a->asked.changes = arena_str(&a->life, repo->changes);
	a->done = done;
	a->context = context;
	struct err why;
	if (!may_add(d, repo->name, &why)) {
		if (done) done(context, false, &why, NULL);
		end_addition(a);
		return;
	}
	a->next = d->additions;
	d->additions = a;
	loop_work(d->loop, add_work, add_done, a);
}

// ---------------------------------------------------------------- after the replay

static void submit_move(struct daemon *d, const struct repo *row, const struct daemon_repo *r,
                        struct oid tip) {
	AUTO_ARENA scratch = {0};
	struct pipeline plan = {0};
	enum reason reason;
	struct err why = {0};
	char was[OID_HEX_MAX + 1], is[OID_HEX_MAX + 1];
	oid_hex(row->tip, was);
	oid_hex(tip, is);
	note(NOTE_WARN, "%s of %s is %s, the log says %s: it moved without weir", r->trunk, r->name, is,
	     was);
	struct event moved = {.kind = EVENT_TRUNK_MOVED,
	                      .trunk_moved = {row->id, row->tip, tip, STR("unknown")}};
	turn_submit(d->turn, &moved, NULL, NULL, NULL);
	if (oid_is_none(tip)) return;
	bool usable = pipeline_read_own(r->git, tip, &scratch, &plan, &reason, &why);
	struct event configured = {.kind = EVENT_REPO_CONFIGURED,
	                           .repo_configured = {row->id, tip, plan.own_digest, plan.own,
	                                               usable ? STR_NONE : str_of(why.text)}};
	turn_submit(d->turn, &configured, NULL, NULL, NULL);
}

static bool reconcile_trunk(struct daemon *d, const struct repo *row, struct daemon_repo *r,
                            struct err *e) {
	struct oid tip;
	char ref[192];
	if (row->follow || row->landing.v) return true; // the landing finds out itself
	snprintf(ref, sizeof ref, "refs/heads/%s", r->trunk);
	if (!git_object_resolve(r->git, str_of(ref), &tip, e)) return false;
	if (!oid_eq(tip, row->tip)) submit_move(d, row, r, tip);
	return true;
}

// What can't be opened waits in the log as it is: its work is asked for again when it is back.
static void reconcile_repo(struct daemon *d, const struct repo *row) {
	struct err e;
	bool known = daemon_repo(d, row->id) != NULL;
	bool opened = known ||
	              daemon_open_repo(d, row->id, state_name(&row->name), str_of(row->trunk), &e);
	if (opened && reconcile_trunk(d, row, daemon_repo(d, row->id), &e)) return;
	if (opened && !known) daemon_close_repo(d, row->id);
	note(NOTE_ERROR, "%s; the others are served. Put it back and start weir again", e.text);
}

struct change_ref {
	struct git_repo *git;
	struct change_id change;
	uint64_t revision;
	struct oid head;
};

struct change_refs {
	struct change_ref *list;
	size_t count;
};

static void write_refs(void *context) {
	struct change_refs *refs = context;
	for (size_t i = 0; i < refs->count; i++) {
		const struct change_ref *c = &refs->list[i];
		struct err e;
		if (!git_landing_write_change(c->git, c->change.v, c->revision, c->head, &e))
			note(NOTE_WARN, "change %llu: %s", (unsigned long long)c->change.v, e.text);
	}
}

static void refs_written(void *context) {
	struct change_refs *refs = context;
	free(refs->list);
	free(refs);
}

// Refs of changes are derived from the log. Ten thousand take seconds: nobody waits for them.
static void reconcile_refs(struct daemon *d, const struct state *s) {
	struct change_refs *refs = calloc(1, sizeof *refs);
	if (!refs || !(refs->list = calloc((size_t)s->changes.count + 1, sizeof *refs->list))) abort();
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		const struct daemon_repo *r = daemon_repo(d, c->repo);
		if (r) refs->list[refs->count++] = (struct change_ref){r->git, c->id, c->revision, c->head};
	}
	loop_work(d->loop, write_refs, refs_written, refs);
}

void bootstrap_reconcile(struct daemon *d) {
	const struct state *s = turn_state(d->turn);
	for (size_t i = 0; i < s->repos.count; i++) reconcile_repo(d, table_at(&s->repos, i));
	reconcile_refs(d, s);
}

static void work_tree_added(void *context, bool ok, const struct err *why,
                            const struct event *applied) {
	struct daemon *d = context;
	if (!ok) {
		fprintf(stderr, "error: cannot add this work tree: %s\n", why->text);
		return;
	}
	printf(
		"Serving a copy of this repository. Next, with weir.yml committed:\n  git remote add weir "
		"%s/git/" STR_FMT ".git\n"
		"  git push weir HEAD:refs/for/" STR_FMT "\n",
		d->public_url, STR_ARG(applied->repo_added.name), STR_ARG(applied->repo_added.trunk));
	fflush(stdout);
}

bool bootstrap_work_tree(struct daemon *d, struct err *e) {
	AUTO_OUTPUT out = {0};
	const char *const argv[] = {"git", "rev-parse", "--show-toplevel", NULL};
	struct process_spec spec = {.argv = argv, PROCESS_SPEC_NONE, .die_with_parent = true};
	if (turn_state(d->turn)->repos.count) return true;
	if (!process_run(&spec, STR_NONE, 65536, 10000, &out, e)) return false;
	if (out.status.end != PROCESS_EXITED || out.status.code) return true; // no work tree here
	struct str top = str_trim(buf_view(&out.out));
	AUTO_BUF name = {0};
	for (size_t i = 0; i < top.n; i++) {
		char c = top.p[i];
		if (c == '/') buf_reset(&name);
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		         c == '-' || c == '_' || c == '.')
			buf_char(&name, c);
	}
	if (!git_serve_name_ok(buf_view(&name)) || name.n > STATE_NAME_MAX)
		buf_reset(&name), buf_cstr(&name, "project");
	struct bootstrap_repo repo = {.name = buf_view(&name), .source = top};
	bootstrap_add(d, &repo, work_tree_added, d);
	return true;
}
