#include "app/localrun_jobs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/gitlayer.h"
#include "app/ingest.h"
#include "app/inputs.h"
#include "app/jobcache.h"
#include "app/jobspec.h"
#include "app/localrun_output.h"
#include "app/localrun_show.h"
#include "app/localrun_reuse.h"
#include "app/submodules.h"
#include "exec/run.h"
#include "exec/runlog.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"
#include "probe/ansi.h"
#include "store/collect.h"
#include "store/read.h"

enum {
	LOOK_MS = 50, // how often the logs of running jobs are read
	LOG_OBJECT_MAX = 256 << 20,
	RESULTS_MAX = 64 << 20,
	STOP_WAIT_MS = 15000,
	STOP_LOOK_MS = 20,
};

// ---------------------------------------------------------------- words

static const char *const state_names[] = {
	[LOCALRUN_WAITS] = "waits",     [LOCALRUN_RUNS] = "running",
	[LOCALRUN_PASSED] = "passed",   [LOCALRUN_REUSED] = "reused",
	[LOCALRUN_FAILED] = "failed",   [LOCALRUN_CANCELLED] = "cancelled",
	[LOCALRUN_SKIPPED] = "skipped",
};

const char *localrun_jobs_state(const struct localrun_job *j) {
	return state_names[j->state];
}

bool localrun_jobs_ok(const struct localrun_job *j) {
	return j->state == LOCALRUN_PASSED || j->state == LOCALRUN_REUSED;
}

static void become(struct localrun_job *j, enum localrun_state next) {
	assert(j->state == LOCALRUN_WAITS || (j->state == LOCALRUN_RUNS && next != LOCALRUN_SKIPPED));
	j->state = next;
}

// ---------------------------------------------------------------- which jobs

static void want(struct localrun *l, size_t index) {
	struct localrun_job *j = &l->jobs[index];
	if (j->wanted) return;
	j->wanted = true;
	for (size_t i = 0; i < j->job->needs.n; i++) want(l, (size_t)j->job->needs.p[i]);
}

// The name of one job, else of all that come from one: "test" is also "test 1/2" and "test (gcc)".
static bool want_named(struct localrun *l, struct str name) {
	ptrdiff_t one = plan_find_job(l->plan, name);
	bool any = one >= 0;
	if (any) want(l, (size_t)one);
	for (size_t i = 0; !any && i < l->count; i++) any = str_eq(l->jobs[i].job->family, name);
	bool family = any && one < 0;
	for (size_t i = 0; i < l->count; i++) {
		const struct conf_job *job = l->jobs[i].job;
		if (one >= 0 || !str_eq(family ? job->family : job->key, name)) continue;
		want(l, i);
		any = true;
	}
	return any;
}

static bool no_such_job(struct localrun *l, const char *word, struct err *e) {
	const char **names = ARENA_ARRAY(l->life, const char *, 2 * l->count + 1);
	AUTO_BUF list = {0};
	size_t n = 0;
	for (size_t i = 0; i < l->count; i++) {
		names[n++] = arena_cstr(l->life, l->jobs[i].job->name);
		names[n++] = arena_cstr(l->life, l->jobs[i].job->key);
		buf_printf(&list, "%s" STR_FMT, i ? ", " : "", STR_ARG(l->jobs[i].job->name));
	}
	const char *nearest = args_nearest(word, names, n);
	if (nearest)
		return err_set(e, ERR_INVALID, "weir.yml has no job \"%s\", did you mean `weir run %s`?",
		               word, nearest);
	return err_set(e, ERR_INVALID, "weir.yml has no job \"%s\", it has: %s", word,
	               list.n ? list.p : "none");
}

bool localrun_jobs_choose(struct localrun *l, const char *const *words, size_t n, struct err *e) {
	for (size_t i = 0; n == 0 && i < l->count; i++)
		if (l->jobs[i].job->when == CONF_WHEN_CHANGE) want(l, i);
	for (size_t i = 0; i < n; i++)
		if (!want_named(l, str_of(words[i]))) return no_such_job(l, words[i], e);
	return true;
}

// ---------------------------------------------------------------- its log, while it grows

static void end_line(struct localrun_job *j, enum runlog_channel channel) {
	struct ansi strip = {0};
	struct buf *line = &j->log_lines[channel == RUNLOG_ERR];
	AUTO_BUF plain = {0};
	ansi_strip(&strip, buf_view(line), &plain);
	buf_utf8(&j->log_text, buf_view(&plain));
	buf_char(&j->log_text, '\n');
	buf_reset(line);
}

static void add_record(struct localrun_job *j, const struct runlog_record *r) {
	struct buf *line = &j->log_lines[r->channel == RUNLOG_ERR];
	switch (r->channel) {
	case RUNLOG_OUT:
	case RUNLOG_ERR: buf_str(line, r->text); break;
	case RUNLOG_WEIR: buf_printf(line, "weir: " STR_FMT, STR_ARG(r->text)); break;
	case RUNLOG_DROPPED:
		buf_printf(line, "weir: %llu bytes are missing here", (unsigned long long)r->dropped);
		break;
	}
	if (!r->goes_on) end_line(j, r->channel);
}

static void take_log(struct localrun_job *j, struct str bytes) {
	buf_str(&j->log_rest, bytes);
	struct str rest = buf_view(&j->log_rest);
	struct runlog_record record;
	while (runlog_next(&rest, &record)) add_record(j, &record);
	AUTO_BUF torn = {0};
	buf_str(&torn, rest);
	buf_reset(&j->log_rest);
	buf_str(&j->log_rest, buf_view(&torn));
}

static void read_log(struct localrun *l, struct localrun_job *j, bool over) {
	AUTO_BUF path = {0}, bytes = {0};
	buf_printf(&path, "%s/log", j->folder.p);
	AUTO_FD fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && lseek(fd, (off_t)j->log_read, SEEK_SET) >= 0 &&
	    file_read_fd(fd, LOG_OBJECT_MAX, &bytes, NULL) && bytes.n) {
		j->log_read += bytes.n;
		take_log(j, buf_view(&bytes));
	}
	for (int i = 0; over && i < 2; i++)
		if (j->log_lines[i].n) end_line(j, i ? RUNLOG_ERR : RUNLOG_OUT);
	if (j->log_text.n > j->log_shown || over) localrun_show_printed(l->show, j);
}

// ---------------------------------------------------------------- start

static bool add_caches(struct localrun *l, struct localrun_job *j, struct err *e) {
	struct str cache = arena_printf(l->life, "%s/cache", l->data.p);
	return jobcache_mounts(cache.p, ".", &j->job->cache, l->life, &j->spec.mounts, e);
}

// From WEIR_SECRET_NAME of the environment; a job goes without those that are not there.
static size_t find_secrets(struct localrun *l, struct localrun_job *j, struct exec_secret *out) {
	struct str *names = ARENA_ARRAY(l->life, struct str, j->job->secrets.n + 1);
	AUTO_BUF missing = {0};
	size_t n = 0;
	for (size_t i = 0; i < j->job->secrets.n; i++) {
		struct str name = j->job->secrets.p[i];
		const char *value = getenv(arena_printf(l->life, "WEIR_SECRET_" STR_FMT, STR_ARG(name)).p);
		if (value) {
			names[n] = name;
			out[n++] = (struct exec_secret){name, str_of(value)};
		} else {
			buf_printf(&missing, "%s" STR_FMT, missing.n ? ", " : "", STR_ARG(name));
		}
	}
	j->spec.secrets = (struct exec_strs){names, n};
	j->missing = arena_str(l->life, buf_view(&missing));
	return n;
}

// Its run, as far as the working tree does not matter.
static void describe_run(struct localrun *l, struct localrun_job *j) {
	struct jobspec_facts facts = {STR_NONE, STR_NONE};
	struct str id = arena_printf(l->life, "%s-%zu-%lld", l->prefix, (size_t)(j - l->jobs),
	                             (long long)j->attempt);
	jobspec_fill(l->plan, j->job, id, &facts, l->life, &j->spec);
	j->spec.etc = l->etc;
	j->folder = arena_printf(l->life, "%s/runs/" STR_FMT, l->data.p, STR_ARG(id));
}

// As the commit that is checked out names them; who runs this believes their own .gitmodules.
static bool add_submodules(struct localrun *l, struct localrun_job *j, struct exec_strs *layers,
                           struct err *e) {
	struct submodules_request q = {.home = l->git,
	                               .data = l->data.p,
	                               .git = l->snapshot.repo,
	                               .commit = l->snapshot.head,
	                               .trunk = l->snapshot.head,
	                               .run = j->folder.p};
	return !j->job->submodules || submodules_make(&q, l->life, layers, e);
}

static bool add_git(struct localrun *l, struct localrun_job *j, struct exec_strs *layers,
                    struct err *e) {
	return !j->job->git ||
	       gitlayer_make(l->snapshot.repo, l->snapshot.head, j->folder.p, l->life, layers, e);
}

// Without its layers: the sandbox comes up while they are made.
static bool begin_run(struct localrun *l, struct localrun_job *j, struct err *e) {
	struct exec_secret *secrets = ARENA_ARRAY(l->life, struct exec_secret, j->job->secrets.n + 1);
	size_t secret_count = find_secrets(l, j, secrets);
	return add_caches(l, j, e) &&
	       exec_begin(&j->spec, j->folder.p, secrets, secret_count, NULL, &j->begun, e);
}

void localrun_jobs_foresee(struct localrun *l) {
	struct err e;
	for (size_t i = 0; i < l->count; i++) {
		struct localrun_job *j = &l->jobs[i];
		if (!j->wanted || j->job->needs.n) continue;
		j->attempt = 1;
		describe_run(l, j);
		if (begin_run(l, j, &e)) return;
		j->attempt = 0; // tried again, and told, when it is its turn
		(void)!exec_cleanup(j->folder.p, &e);
		return;
	}
}

// What was begun and is not wanted.
static void abandon(struct localrun_job *j) {
	if (j->begun.leader) exec_abandon(&j->begun);
	j->begun.leader = 0;
}

// A tree that git was not asked for again may have lost a part to git's own cleaning: the next run
// asks.
static bool prepare(struct localrun *l, const struct workspace_request *q, struct exec_strs *layers,
                    struct err *e) {
	if (workspaces_prepare(l->workspaces, q, l->life, layers, e)) return true;
	unlink(arena_printf(l->life, "%s/snapshot/tree", l->data.p).p);
	return false;
}

static bool start(struct localrun *l, struct localrun_job *j, struct err *e) {
	int64_t begun = clock_mono_us();
	struct digest *needs = ARENA_ARRAY(l->life, struct digest, j->job->needs.n + 1);
	struct exec_strs layers = {0};
	struct workspace_request q = {.git = l->snapshot.repo,
	                              .group = "local",
	                              .tree = j->tree,
	                              .run = j->folder.p,
	                              .artifacts = needs,
	                              .artifact_count = localrun_reuse_needs(l, j, needs)};
	if (oid_is_none(j->tree)) return err_set(e, ERR_UNAVAILABLE, STR_FMT, STR_ARG(j->why));
	if ((j->job->git || j->job->submodules) && oid_is_none(l->snapshot.head))
		return err_set(e, ERR_CONFLICT, "it asks for `%s: true`, and there is no commit yet",
		               j->job->git ? "git" : "submodules");
	if (!j->begun.leader && !begin_run(l, j, e)) return false;
	if (!prepare(l, &q, &layers, e)) return false;
	int64_t traced = jobspec_traced(j->job, layers.n - q.artifact_count);
	if (!add_submodules(l, j, &layers, e) || !add_git(l, j, &layers, e)) return false;
	j->times.workspace = clock_mono_us() - begun;
	j->started_us = clock_mono_us();
	if (!exec_layers(&j->begun, layers, traced, e)) return false;
	j->pidfd = process_pidfd(j->begun.leader);
	return true;
}

static void remove_run(struct localrun *l, struct localrun_job *j) {
	struct err e;
	if (j->folder.n && file_exists(j->folder.p) && !exec_cleanup(j->folder.p, &e))
		localrun_show_note(l->show, "%s", e.text);
	gitlayer_remove(j->folder.p);
	submodules_remove(j->folder.p);
	workspaces_done(l->workspaces, j->folder.p);
}

// ---------------------------------------------------------------- end

static enum outcome outcome_of(const struct localrun_job *j) {
	return j->state == LOCALRUN_PASSED   ? OUTCOME_PASSED
	       : j->state == LOCALRUN_FAILED ? OUTCOME_FAILED
	                                     : OUTCOME_CANCELLED;
}

static bool record(struct localrun *l, struct localrun_job *j, struct err *e) {
	struct store_head head;
	uint64_t first;
	int64_t begun = clock_mono_us();
	if (!store_head(l->log, &head, e)) return false;
	int64_t now = clock_wall_ms();
	struct event event = {.kind = EVENT_LOCAL_RUN,
	                      .time_ms = now > head.time_ms ? now : head.time_ms,
	                      .local_run = {.job = j->job->name,
	                                    .outcome = outcome_of(j),
	                                    .duration_ms = j->duration_ms,
	                                    .key = key_of(j->basis, digest_of(j->inputs)),
	                                    .basis = j->basis,
	                                    .inputs = digest_of(j->inputs),
	                                    .artifacts = j->artifacts,
	                                    .log = j->log,
	                                    .results = j->results,
	                                    .tree = l->snapshot.tree}};
	bool ok = store_append(l->log, &event, 1, &first, e);
	j->times.append = clock_mono_us() - begun;
	return ok;
}

static struct str find_inputs(struct localrun *l, const struct localrun_job *j) {
	struct str inputs;
	struct err e;
	if (!j->outcome.traced) return j->whole;
	if (inputs_of_run(l->snapshot.repo, j->tree, j->folder.p, l->life, &inputs, &e)) return inputs;
	localrun_show_note(l->show, "what " STR_FMT " read: %s", STR_ARG(j->job->name), e.text);
	return j->whole;
}

// The job's own `outcome` becomes a state; false = weir's fault, told in e.
static bool judge(struct localrun *l, struct localrun_job *j, struct err *e) {
	struct ingest stored;
	AUTO_BUF text = {0};
	int64_t begun = clock_mono_us();
	if (!exec_read_outcome(j->folder.p, l->life, &j->outcome, e)) return false;
	j->duration_ms = j->outcome.duration_ms;
	if (j->outcome.end == EXEC_ERROR)
		return err_set(e, ERR_IO, STR_FMT, STR_ARG(j->outcome.reason_text));
	j->inputs = find_inputs(l, j);
	if (!ingest_folder(l->data.p, j->folder.p, j->inputs, &j->outcome, &stored, e)) return false;
	struct event fact = ingest_event((struct run_id){0}, &j->outcome, &stored, l->life);
	j->log = stored.log;
	j->results = stored.results;
	if (fact.kind == EVENT_RUN_FINISHED) {
		j->artifacts = stored.artifacts;
		j->reason = fact.run_finished.reason;
		j->text = fact.run_finished.text;
	}
	if (file_read(arena_printf(l->life, "%s/results.json", j->folder.p).p, RESULTS_MAX, &text,
	              NULL))
		j->results_json = arena_str(l->life, buf_view(&text));
	j->times.store = clock_mono_us() - begun;
	become(j, j->outcome.end == EXEC_CANCELLED ? LOCALRUN_CANCELLED
	          : j->outcome.end == EXEC_PASSED  ? LOCALRUN_PASSED
	                                           : LOCALRUN_FAILED);
	return true;
}

static void fail(struct localrun *l, struct localrun_job *j, const struct err *e) {
	become(j, LOCALRUN_FAILED);
	j->reason = REASON_INFRASTRUCTURE;
	j->text = arena_str(l->life, str_of(e->text));
}

static void ended(struct localrun *l, struct localrun_job *j) {
	struct err e = {0};
	pid_t leader;
	(void)waitpid(j->begun.leader, NULL, 0);
	j->begun.leader = 0;
	file_close(&j->pidfd);
	l->running--;
	j->times.leader = clock_mono_us() - j->started_us;
	read_log(l, j, true);
	if (exec_look(j->folder.p, &leader) != EXEC_OVER) {
		AUTO_BUF said = {0};
		bool has = file_read(arena_printf(l->life, "%s/leader.err", j->folder.p).p, 65536, &said,
		                     NULL);
		err_set(&e, ERR_IO, "its leader vanished without an outcome%s" STR_FMT,
		        has && said.n ? ": " : "", STR_ARG(str_trim(buf_view(&said))));
		fail(l, j, &e);
	} else if (!judge(l, j, &e)) {
		fail(l, j, &e);
	}
	bool again = j->state == LOCALRUN_FAILED && j->reason != REASON_INFRASTRUCTURE &&
	             j->attempt <= j->job->retries && !l->stopping;
	if (l->opened && !record(l, j, &e)) localrun_show_note(l->show, "not recorded: %s", e.text);
	if (!again && !localrun_output_put(l, j, &e)) localrun_show_note(l->show, "%s", e.text);
	localrun_show_ended(l->show, j);
	remove_run(l, j);
	if (again) j->state = LOCALRUN_WAITS;
	else if (j->state == LOCALRUN_FAILED && l->fail_fast) l->stopping = true;
}

// ---------------------------------------------------------------- the graph

static void skip(struct localrun *l, struct localrun_job *j, struct str needed) {
	become(j, LOCALRUN_SKIPPED);
	j->skipped_for = needed;
	localrun_show_ended(l->show, j);
}

enum readiness { READY, NOT_YET, NEVER };

static enum readiness look_at_needs(const struct localrun *l, const struct localrun_job *j,
                                    struct str *culprit) {
	enum readiness answer = READY;
	for (size_t i = 0; i < j->job->needs.n; i++) {
		const struct localrun_job *need = &l->jobs[j->job->needs.p[i]];
		if (need->state == LOCALRUN_WAITS || need->state == LOCALRUN_RUNS) {
			answer = NOT_YET;
			continue;
		}
		if (localrun_jobs_ok(need)) continue;
		*culprit = need->job->name;
		return NEVER;
	}
	return answer;
}

static void begin(struct localrun *l, struct localrun_job *j) {
	struct err e = {0};
	if (!j->begun.leader) j->attempt++;
	buf_reset(&j->log_text);
	buf_reset(&j->log_rest);
	j->log_shown = 0;
	j->log_read = 0;
	if (!j->begun.leader) describe_run(l, j);
	localrun_reuse_narrow(l, j);
	if (l->opened) localrun_reuse_basis(l, j);
	if (j->attempt == 1 && localrun_reuse_find(l, j)) {
		AUTO_BUF log = {0};
		if (object_get(l->objects, j->log, LOG_OBJECT_MAX, &log, NULL)) take_log(j, buf_view(&log));
		abandon(j);
		become(j, LOCALRUN_REUSED);
		if (!localrun_output_put(l, j, &e)) localrun_show_note(l->show, "%s", e.text);
		localrun_show_ended(l->show, j);
		return;
	}
	if (!start(l, j, &e)) {
		pid_t leader = j->begun.leader;
		abandon(j);
		if (leader) (void)waitpid(leader, NULL, 0);
		fail(l, j, &e);
		localrun_show_ended(l->show, j);
		remove_run(l, j);
		if (l->fail_fast) l->stopping = true;
		return;
	}
	become(j, LOCALRUN_RUNS);
	l->running++;
	if (j->missing.n && j->attempt == 1)
		localrun_show_note(l->show,
		                   STR_FMT " runs without " STR_FMT
		                           ": set `WEIR_SECRET_NAME` to give a job its secret NAME here",
		                   STR_ARG(j->job->name), STR_ARG(j->missing));
	localrun_show_started(l->show, j);
	if (l->opened) return;
	l->opened = l->open(l, &l->broken);
	if (l->opened) localrun_reuse_basis(l, j);
	else l->stopping = true;
}

// Starts what may start. Jobs stand in any order in the file, so it goes round until nothing moves.
static bool advance(struct localrun *l) {
	bool open = false, moved = true;
	while (moved) {
		moved = open = false;
		for (size_t i = 0; i < l->count; i++) {
			struct localrun_job *j = &l->jobs[i];
			struct str culprit = STR_NONE;
			if (!j->wanted || j->state != LOCALRUN_WAITS) continue;
			enum readiness r = look_at_needs(l, j, &culprit);
			if (l->stopping) r = NEVER;
			if (r == NEVER) skip(l, j, culprit);
			else if (r == READY && l->running < l->slots) begin(l, j);
			moved = moved || j->state != LOCALRUN_WAITS;
			open = open || j->state == LOCALRUN_WAITS;
		}
	}
	return open || l->running > 0;
}

static void cancel_running(struct localrun *l) {
	for (size_t i = 0; i < l->count; i++) {
		struct localrun_job *j = &l->jobs[i];
		struct err e;
		if (j->state != LOCALRUN_RUNS || j->cancel_asked) continue;
		j->cancel_asked = exec_cancel(j->folder.p, &e); // else asked again at the next look
	}
}

static void wait_for_some(struct localrun *l) {
	struct pollfd *fds = calloc(l->count + 1, sizeof *fds);
	if (!fds) abort();
	size_t n = 0;
	for (size_t i = 0; i < l->count; i++)
		if (l->jobs[i].state == LOCALRUN_RUNS)
			fds[n++] = (struct pollfd){.fd = l->jobs[i].pidfd, .events = POLLIN};
	(void)poll(fds, n, LOOK_MS);
	n = 0;
	for (size_t i = 0; i < l->count; i++) {
		struct localrun_job *j = &l->jobs[i];
		if (j->state != LOCALRUN_RUNS) continue;
		bool over = fds[n].fd < 0 || fds[n].revents;
		n++;
		if (over) ended(l, j);
		else read_log(l, j, false);
	}
	free(fds);
}

void localrun_jobs_run(struct localrun *l) {
	while (advance(l)) {
		if (*l->interrupted) l->stopping = true;
		if (l->stopping) cancel_running(l);
		localrun_show_tick(l->show);
		if (l->running) wait_for_some(l);
	}
}

// ---------------------------------------------------------------- what others left behind

// A leader that has written its outcome lives on for a moment.
static bool clean_up(const char *folder, struct err *e) {
	for (int left = STOP_WAIT_MS / STOP_LOOK_MS; left > 0; left--) {
		if (exec_cleanup(folder, e)) return true;
		if (e->code != ERR_BUSY) return false;
		clock_sleep_ms(STOP_LOOK_MS);
	}
	return false;
}

void localrun_jobs_sweep(struct localrun *l) {
	struct str *names;
	size_t n;
	struct err e;
	struct str runs = arena_printf(l->life, "%s/runs", l->data.p);
	if (!file_list(runs.p, l->life, &names, &n, NULL)) return;
	for (size_t i = 0; i < n; i++) {
		struct str folder = arena_printf(l->life, "%s/" STR_FMT, runs.p, STR_ARG(names[i]));
		enum exec_state state;
		pid_t leader;
		if (str_ends(names[i], STR(".delta")) || str_ends(names[i], STR(".git")) ||
		    str_ends(names[i], STR(".modules"))) {
			if (!file_remove_tree(folder.p, &e)) localrun_show_note(l->show, "%s", e.text);
			continue;
		}
		if (exec_look(folder.p, &leader) == EXEC_RUNNING &&
		    (!exec_cancel(folder.p, &e) || !exec_wait(folder.p, STOP_WAIT_MS, &state, &e)))
			localrun_show_note(l->show, "%s: %s", folder.p, e.text);
		if (!clean_up(folder.p, &e)) localrun_show_note(l->show, "%s", e.text);
	}
}

void localrun_jobs_free(struct localrun *l) {
	for (size_t i = 0; i < l->count; i++) {
		struct localrun_job *j = &l->jobs[i];
		abandon(j);
		file_close(&j->pidfd);
		buf_free(&j->log_rest);
		buf_free(&j->log_text);
		for (int k = 0; k < 2; k++) buf_free(&j->log_lines[k]);
	}
}
