// One run, step by step; each arrow is a hop between the loop's thread and a worker:
//
//   runs_start: rows, plan, key ──► an earlier verdict holds? ── yes ──► run.reused
//                                        │ no
//                    layers, exec_start (worker) ──► run.started, pidfd watched
//                                                       │ the leader ended
//                    outcome, objects (worker) ──► run.finished | run.stopped | run.lost
//                                                       │ durable
//                                            folder removed (worker)
//
// A restarted daemon calls runs_start with the same id: the folder tells whether the run lives, is
// over or was lost.
#include "app/runs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/gitlayer.h"
#include "app/ingest.h"
#include "app/jobcache.h"
#include "app/jobspec.h"
#include "app/leftover.h"
#include "app/room.h"
#include "app/runstart.h"
#include "app/secrets.h"
#include "app/submodules.h"
#include "app/machine.h"
#include "app/recheck.h"
#include "app/redruns.h"
#include "app/reuse.h"
#include "app/runkey.h"
#include "app/workspaces.h"
#include "git/subset.h"
#include "exec/run.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/note.h"
#include "os/process.h"
#include "store/collect.h"
#include "store/read.h"

struct job_run {
	struct runs *set;
	struct job_run *next;
	struct run_id id;
	struct arena life;
	struct read_run row;
	struct read_candidate candidate;
	struct daemon_repo *repo;
	struct oid trunk; // its tip now; for a change that may change the pipeline, its own commit
	struct conf_plan *plan;
	const struct conf_job *job;
	struct digest *needs; // artifacts of the needed jobs
	size_t need_count;
	struct runkey key;
	struct str whole;              // the inputs object if the whole tree counts
	struct read_verdicts verdicts; // that may hold
	size_t red_from, doubted_from; // those from here on had failed, for sure or not
	struct recheck recheck;
	struct str folder, etc;
	struct exec_spec spec;
	struct exec_strs lowers;
	pid_t leader;
	struct loop_watch *watch;
	int pidfd;
	bool started, adopted;
	atomic_bool cancel_wanted; // read by the worker that starts it
	struct event fact;         // what goes to the turn next
};

struct runs {
	struct daemon *daemon;
	struct workspaces *workspaces;
	struct loop_lane *starts; // checkouts wait for each other
	struct active active;
	struct job_run *list;
	char prefix[20];
	struct machine *machine;
};

enum { STARTS_MAX = 8, CANCEL_TRIES = 200, CANCEL_PAUSE_MS = 50 };

static void submit_fact(struct job_run *r);

static void forget(struct job_run *r) {
	struct job_run **p = &r->set->list;
	while (*p != r) p = &(*p)->next;
	*p = r->next;
	daemon_end(&r->set->active, r->id.v);
	arena_free(&r->life);
	free(r);
}

static void lost(struct job_run *r, const char *text) {
	r->fact = (struct event){.kind = EVENT_RUN_LOST,
	                         .run_lost = {.run = r->id, .text = arena_str(&r->life, str_of(text))}};
}

// ---------------------------------------------------------------- 4. clean up

static void clean_work(void *context) {
	struct job_run *r = context;
	struct err e;
	if (file_exists(r->folder.p) && !exec_cleanup(r->folder.p, &e)) note(NOTE_WARN, "%s", e.text);
	gitlayer_remove(r->folder.p);
	submodules_remove(r->folder.p);
	workspaces_done(r->set->workspaces, r->folder.p);
}

static void cleaned(void *context) {
	forget(context);
}

static void recorded(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct job_run *r = context;
	(void)applied;
	if (!ok && why->code == ERR_UNAVAILABLE) { // read-only: the folder stays and is adopted again
		forget(r);
		return;
	}
	loop_work(r->set->daemon->loop, clean_work, cleaned, r);
}

static void submit_fact(struct job_run *r) {
	turn_submit(r->set->daemon->turn, &r->fact, NULL, recorded, r);
}

// Once; also by the daemon that finds it running, or over already.
static void tell_start(const struct job_run *r) {
	const struct daemon *d = r->set->daemon;
	const struct run *row = state_run(turn_state(d->turn), r->id);
	struct runstart q = {&r->row, &r->candidate, r->job, r->adopted ? r->folder.p : NULL};
	struct event started;
	if (row && row->state == RUN_ISSUED && runstart_event(d->reader, &q, &started))
		turn_submit(d->turn, &started, NULL, NULL, NULL);
}

// ---------------------------------------------------------------- 3. it ended

static struct str find_inputs(struct job_run *r, const struct exec_outcome *o) {
	struct str inputs;
	struct err e;
	if (!o->traced) return r->whole;
	if (inputs_of_run(r->repo->git, r->candidate.tree, r->folder.p, &r->life, &inputs, &e))
		return inputs;
	note(NOTE_WARN, "what run %llu read: %s", (unsigned long long)r->id.v, e.text);
	return r->whole;
}

static void end_work(void *context) {
	struct job_run *r = context;
	struct exec_outcome o;
	struct ingest stored;
	struct str inputs;
	struct err e;
	enum exec_state state;
	// It waits only for a leader that could not be watched.
	if (!exec_wait(r->folder.p, -1, &state, &e) || state != EXEC_OVER) {
		lost(r, "its leader vanished without an outcome");
		return;
	}
	if (!exec_read_outcome(r->folder.p, &r->life, &o, &e) ||
	    (inputs = find_inputs(r, &o),
	     !ingest_folder(r->set->daemon->data, r->folder.p, inputs, &o, &stored, &e))) {
		lost(r, e.text);
		r->fact.run_lost.no_room = e.code == ERR_NO_ROOM; // its results found no room
		return;
	}
	r->fact = ingest_event(r->id, &o, &stored, &r->life);
	if (r->fact.kind != EVENT_RUN_FINISHED) return;
	runkey_tell(&r->key, inputs, &r->fact.run_finished);
	recheck_judge(&r->recheck, &r->fact.run_finished);
}

static void ended(void *context) {
	struct job_run *r = context;
	const struct run *row = state_run(turn_state(r->set->daemon->turn), r->id);
	// The machine went down, or somebody told the leader to: that is no answer to a question of
	// ours.
	if (r->fact.kind == EVENT_RUN_STOPPED && row && row->state != RUN_CANCELLING)
		lost(r, "it was told to stop, and not by weir");
	// Only while there is none, so that it waits: what it lacks elsewhere (a quota, a limit,
	// another disk) is no reason to try for ever.
	if (r->fact.kind == EVENT_RUN_LOST && r->fact.run_lost.no_room)
		r->fact.run_lost.no_room = !room_for_run(r->set->daemon->room);
	tell_start(r);
	submit_fact(r);
}

static void leader_ended(void *context) {
	struct job_run *r = context;
	loop_unwatch(r->watch);
	r->watch = NULL;
	file_close(&r->pidfd);
	if (!r->adopted) waitpid(r->leader, NULL, 0);
	loop_work(r->set->daemon->loop, end_work, ended, r);
}

// ---------------------------------------------------------------- 2. it runs

struct cancel {
	struct arena life;
	struct str folder;
};

// A leader that only just began does not listen yet.
static void cancel_work(void *context) {
	struct cancel *c = context;
	struct err e;
	for (int i = 0; i < CANCEL_TRIES; i++) {
		if (exec_cancel(c->folder.p, &e)) return;
		if (e.code != ERR_BUSY) break;
		clock_sleep_ms(CANCEL_PAUSE_MS);
	}
	note(NOTE_WARN, "cancel in %s: %s", c->folder.p, e.text);
}

static void cancel_done(void *context) {
	struct cancel *c = context;
	arena_free(&c->life);
	free(c);
}

static void cancel(const struct job_run *r) {
	struct cancel *c = calloc(1, sizeof *c);
	if (!c) abort();
	c->folder = arena_str(&c->life, r->folder);
	loop_work(r->set->daemon->loop, cancel_work, cancel_done, c);
}

static void follow(void *context) {
	struct job_run *r = context;
	struct daemon *d = r->set->daemon;
	if (r->fact.kind != EVENT_NONE) { // it did not even begin
		submit_fact(r);
		return;
	}
	if (r->leader <= 0) { // over already, or its pid is not known: the folder tells
		r->started = true;
		loop_work(d->loop, end_work, ended, r);
		if (r->cancel_wanted) cancel(r);
		return;
	}
	r->pidfd = process_pidfd(r->leader);
	r->watch = r->pidfd >= 0 ? loop_watch(d->loop, r->pidfd, true, false, leader_ended, r) : NULL;
	if (!r->watch) { // no descriptor is left
		file_close(&r->pidfd);
		loop_work(d->loop, end_work, ended, r);
	}
	r->started = true;
	tell_start(r);
	if (r->cancel_wanted) cancel(r);
}

static bool secret_values(struct job_run *r, struct exec_secret **out, size_t *count,
                          struct err *e) {
	bool allowed = r->row.trust > KEY_TRUST_CHANGE || r->job->before_landing;
	*out = ARENA_ARRAY(&r->life, struct exec_secret, r->job->secrets.n + 1);
	*count = 0;
	if (!allowed) r->spec.secrets.n = 0;
	for (size_t i = 0; i < r->spec.secrets.n; i++) {
		struct exec_secret *s = &(*out)[(*count)++];
		s->name = r->spec.secrets.p[i];
		if (!secrets_get(r->set->daemon->data, str_of(r->repo->name), s->name, &r->life, &s->value,
		                 e))
			return false;
	}
	return true;
}

static bool add_caches(struct job_run *r, struct err *e) {
	struct str cache = daemon_path(r->set->daemon, &r->life, "cache");
	struct str owner = arena_printf(&r->life, "%s/%d", r->repo->name, (int)r->row.trust);
	return jobcache_mounts(cache.p, owner.p, &r->job->cache, &r->life, &r->spec.mounts, e);
}

// The verdict holds only while its artifacts are there; they are then kept for the run that reuses.
static bool renew(const struct job_run *r, struct digest artifacts) {
	AUTO_OBJECTS objects = NULL;
	struct err e;
	return digest_is_none(artifacts) || (object_store_open(r->set->daemon->data, &objects, &e) &&
	                                     collect_renew(objects, artifacts, &e));
}

static bool reuse(struct job_run *r) {
	const struct read_verdicts *all = &r->verdicts;
	struct reuse_verdict *verdicts = ARENA_ARRAY(&r->life, struct reuse_verdict, all->n + 1);
	size_t found;
	struct str why;
	for (size_t i = 0; i < all->n; i++)
		verdicts[i] = (struct reuse_verdict){all->p[i].inputs, all->p[i].tree};
	struct reuse_query q = {.objects = r->set->daemon->data,
	                        .git = r->repo->git,
	                        .tree = r->candidate.tree,
	                        .whole_inputs = digest_of(r->whole),
	                        .verdicts = verdicts,
	                        .verdict_count = all->n};
	reuse_find(&q, &r->life, &found, &why);
	if (found == all->n || !renew(r, all->p[found].artifacts)) return false;
	const struct read_verdict *v = &all->p[found];
	bool red = found >= r->red_from;
	if (!red && (r->row.recheck || recheck_due(r->id, r->set->daemon->recheck))) {
		r->recheck = (struct recheck){v->run, v->artifacts};
		return false;
	}
	r->fact = (struct event){.kind = EVENT_RUN_REUSED,
	                         .run_reused = {r->id, v->run, v->key, v->artifacts, v->duration_ms,
	                                        red ? 1 + (found >= r->doubted_from) : 0}};
	return true;
}

static void missed(struct job_run *r) {
	r->fact = (struct event){.kind = EVENT_RUN_MISSED, .run_missed = {r->id, r->recheck.of.v != 0}};
}

static bool add_submodules(struct job_run *r, struct err *e) {
	struct submodules_request q = {.home = r->set->daemon->git,
	                               .data = r->set->daemon->data,
	                               .git = r->repo->git,
	                               .commit = r->candidate.commit,
	                               .trunk = r->trunk,
	                               .run = r->folder.p};
	if (!r->job->submodules || submodules_make(&q, &r->life, &r->lowers, e)) return true;
	// The change's own fault is a verdict; trying again would not help.
	if (e->code == ERR_DENIED || e->code == ERR_INVALID || e->code == ERR_NOT_FOUND) {
		r->fact = (struct event){.kind = EVENT_RUN_FINISHED,
		                         .run_finished = {.run = r->id,
		                                          .outcome = OUTCOME_FAILED,
		                                          .reason = REASON_BAD_CONFIG,
		                                          .text = arena_str(&r->life, str_of(e->text))}};
		runkey_tell(&r->key, r->whole, &r->fact.run_finished);
	}
	return false;
}

static bool add_git(struct job_run *r, struct err *e) {
	return !r->job->git ||
	       gitlayer_make(r->repo->git, r->candidate.commit, r->folder.p, &r->life, &r->lowers, e);
}

// A job with `inputs:` is given only those files: its tree is another one.
static bool narrow(struct job_run *r, struct err *e) {
	const struct conf_strs *inputs = &r->job->inputs;
	if (inputs->n && !git_subset_make(r->repo->git, r->candidate.tree, inputs->p, inputs->n,
	                                  &r->candidate.tree, e))
		return false;
	r->whole = jobspec_inputs(r->job, r->candidate.tree,
	                          r->job->git ? r->candidate.commit : (struct oid){0}, &r->life);
	return true;
}

static void start_work(void *context) {
	struct job_run *r = context;
	struct err e;
	if (r->cancel_wanted) {
		r->fact = (struct event){.kind = EVENT_RUN_STOPPED, .run_stopped = {.run = r->id}};
		return;
	}
	if (!narrow(r, &e)) {
		lost(r, e.text);
		return;
	}
	if (r->verdicts.n && reuse(r)) return;
	if (r->row.lookup) {
		missed(r);
		return;
	}
	struct exec_secret *secrets;
	size_t secret_count;
	struct workspace_request q = {.git = r->repo->git,
	                              .group = r->repo->name,
	                              .tree = r->candidate.tree,
	                              .run = r->folder.p,
	                              .artifacts = r->needs,
	                              .artifact_count = r->need_count};
	bool ok = workspaces_prepare(r->set->workspaces, &q, &r->life, &r->lowers, &e);
	if (ok) r->spec.traced = jobspec_traced(r->job, r->lowers.n - r->need_count);
	if (!ok || !add_submodules(r, &e) || !add_git(r, &e) || !add_caches(r, &e) ||
	    !secret_values(r, &secrets, &secret_count, &e)) {
		if (r->fact.kind == EVENT_NONE) lost(r, e.text);
		return;
	}
	r->spec.lowers = r->lowers;
	r->spec.etc = r->etc;
	if (!exec_start(&r->spec, r->folder.p, secrets, secret_count, NULL, &r->leader, &e))
		lost(r, e.text);
	else runkey_write(&r->key, r->folder.p);
}

static void adopt_work(void *context) {
	struct job_run *r = context;
	pid_t leader = 0;
	struct err e;
	runkey_read(r->folder.p, &r->key);
	if (!narrow(r, &e)) {
		note(NOTE_WARN, "%s", e.text);
		r->key = (struct runkey){0}; // it counts, and is never reused
	}
	for (int i = 0; i < 50 && exec_look(r->folder.p, &leader) == EXEC_RUNNING && leader == 0; i++)
		clock_sleep_ms(20);
	r->leader = exec_look(r->folder.p, &leader) == EXEC_RUNNING ? leader : 0;
}

// ---------------------------------------------------------------- 1. what to run

static bool find_needs(struct job_run *r, struct err *e) {
	const struct state *s = turn_state(r->set->daemon->turn);
	const struct candidate *c = state_candidate(s, r->candidate.id);
	if (!c || c->job_count != r->plan->jobs_n)
		return err_set(e, ERR_NOT_FOUND, "its candidate is gone");
	r->needs = ARENA_ARRAY(&r->life, struct digest, r->job->needs.n + 1);
	for (size_t i = 0; i < r->job->needs.n; i++) {
		struct digest d = state_job(s, c, (size_t)r->job->needs.p[i])->artifacts;
		if (!digest_is_none(d)) r->needs[r->need_count++] = d;
	}
	return true;
}

static bool describe(struct job_run *r, struct err *e) {
	struct daemon *d = r->set->daemon;
	AUTO_JSON plan = NULL;
	struct read_change change;
	if (!read_run(d->reader, r->id, &r->life, &r->row, e) ||
	    !read_candidate(d->reader, r->row.candidate, &r->life, &r->candidate, e) ||
	    !read_change(d->reader, r->candidate.change, &r->life, &change, e) ||
	    !json_parse(r->candidate.plan, &plan, e) || !plan_from_json(plan, &r->life, &r->plan, e))
		return false;
	r->repo = daemon_repo(d, r->candidate.repo);
	r->trunk = state_repo(turn_state(d->turn), r->candidate.repo)->tip;
	if (change.pipeline_scope) r->trunk = r->candidate.commit;
	if (!r->repo || r->row.job < 0 || (size_t)r->row.job >= r->plan->jobs_n)
		return err_set(e, ERR_CORRUPT, "run %llu names no job", (unsigned long long)r->id.v);
	r->job = &r->plan->jobs[r->row.job];
	struct jobspec_facts facts = {str_of(r->repo->name), str_of(r->repo->trunk)};
	jobspec_fill(r->plan, r->job,
	             arena_printf(&r->life, "%s-%llu", r->set->prefix, (unsigned long long)r->id.v),
	             &facts, &r->life, &r->spec);
	return true;
}

static bool find_basis(struct job_run *r, struct err *e) {
	if (!find_needs(r, e)) return false;
	r->key.toolchain = r->set->machine->toolchain;
	r->key.basis = jobspec_basis(r->plan, r->job, &r->spec, r->needs, r->need_count,
	                             r->key.toolchain, (enum key_trust)r->row.trust);
	return true;
}

static void find_verdicts(struct job_run *r) {
	struct store *d = r->set->daemon->reader;
	struct err e;
	if (!jobspec_is_reusable(r->job) || r->row.attempt > 1) return;
	if (!read_verdicts(d, r->row.repo, r->key.basis, &r->life, &r->verdicts, &e)) {
		note(NOTE_WARN, "%s", e.text);
		r->verdicts.n = 0;
	}
	r->red_from = r->doubted_from = r->verdicts.n;
	if (r->row.lookup &&
	    !redruns_add(d, &r->row, r->key.basis, &r->life, &r->verdicts, &r->doubted_from, &e))
		note(NOTE_WARN, "%s", e.text);
}

void runs_start(struct runs *set, struct run_id id) {
	struct daemon *d = set->daemon;
	struct err e;
	const struct run *row = state_run(turn_state(d->turn), id);
	const struct candidate *of = row ? state_candidate(turn_state(d->turn), row->candidate) : NULL;
	// A repository that is away: the run waits for the start that finds it.
	if (!of || !daemon_repo(d, of->repo) || !daemon_begin(&set->active, id.v)) return;
	struct job_run *r = calloc(1, sizeof *r);
	if (!r) abort();
	r->set = set;
	r->id = id;
	r->pidfd = -1;
	r->next = set->list;
	set->list = r;
	r->folder = daemon_path(d, &r->life, "runs/%llu", (unsigned long long)id.v);
	r->etc = arena_str(&r->life, set->machine->etc);
	if (!describe(r, &e) || !find_basis(r, &e)) {
		lost(r, e.text);
		submit_fact(r);
	} else if (file_exists(r->folder.p)) {
		r->adopted = true;
		loop_work(d->loop, adopt_work, follow, r);
	} else {
		find_verdicts(r);
		// Also what is reused: it may have to run when its artifacts turn out to be gone.
		if (!r->row.lookup && !room_for_run(d->room)) forget(r);
		else loop_lane_work(set->starts, start_work, follow, r);
	}
}

static struct job_run *find(const struct runs *set, struct run_id id) {
	for (struct job_run *r = set->list; r; r = r->next)
		if (r->id.v == id.v) return r;
	return NULL;
}

void runs_cancel(struct runs *set, struct run_id id) {
	struct job_run *r = find(set, id);
	if (!r || r->cancel_wanted) return;
	r->cancel_wanted = true;
	if (r->started) cancel(r);
}

struct str runs_folder(const struct runs *set, struct run_id id, struct arena *life) {
	const struct job_run *r = find(set, id);
	return r && r->started ? arena_str(life, r->folder) : STR_NONE;
}

// ---------------------------------------------------------------- open and close

// Lowers that runs of an earlier daemon may still use stay.
static void find_earlier(struct runs *set, struct arena *life) {
	struct str *names;
	size_t count;
	workspaces_find(set->workspaces);
	if (!file_list(daemon_path(set->daemon, life, "runs").p, life, &names, &count, NULL)) return;
	leftover_remove(set->daemon, names, count);
	for (size_t i = 0; i < count; i++) {
		AUTO_BUF text = {0};
		struct exec_spec spec;
		struct err e;
		struct str run = daemon_path(set->daemon, life, "runs/" STR_FMT, STR_ARG(names[i]));
		if (file_read(arena_printf(life, "%s/spec.json", run.p).p, 1 << 24, &text, &e) &&
		    spec_parse(buf_view(&text), life, &spec, &e))
			workspaces_adopt(set->workspaces, run.p, &spec.lowers);
	}
}

void runs_tidy(struct runs *set) {
	AUTO_ARENA scratch = {0};
	workspaces_sweep(set->workspaces, WORKSPACES_IDLE_MS);
	jobcache_tidy(daemon_path(set->daemon, &scratch, "cache").p, 2, clock_wall_ms(),
	              JOBCACHE_IDLE_MS);
}

bool runs_open(struct daemon *d, struct runs **out, struct err *e) {
	AUTO_ARENA scratch = {0};
	char hex[DIGEST_HEX + 1];
	struct runs *set = calloc(1, sizeof *set);
	if (!set) abort();
	set->daemon = d;
	digest_hex(digest_of(str_of(d->data)), hex);
	snprintf(set->prefix, sizeof set->prefix, "w%.8s", hex);
	set->starts = loop_lane(d->loop, STARTS_MAX);
	set->workspaces = workspaces_new(daemon_path(d, &scratch, "cache").p, d->data);
	find_earlier(set, &scratch);
	*out = set;
	return machine_open(d, &set->machine, e);
}

// Leaders go on; the next daemon adopts them.
void runs_close(struct runs *set) {
	if (!set) return;
	while (set->list) {
		struct job_run *r = set->list;
		set->list = r->next;
		loop_unwatch(r->watch);
		file_close(&r->pidfd);
		arena_free(&r->life);
		free(r);
	}
	machine_close(set->machine);
	loop_lane_free(set->starts);
	workspaces_free(set->workspaces);
	free(set->active.ids);
	free(set);
}
