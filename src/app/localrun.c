#include "app/localrun.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/jobcache.h"
#include "app/localrun_jobs.h"
#include "app/localrun_output.h"
#include "app/localrun_show.h"
#include "app/pipeline.h"
#include "conf/conf.h"
#include "conf/spread.h"
#include "exec/etc.h"
#include "exec/toolchain.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/collect.h"

enum {
	LOCK_LOOK_MS = 50,
	SIGNAL_STATUS = 128,
	WAL_BYTES = 1 << 17,
	COLLECT_EVERY_S = 24 * 3600,
	SNAPSHOT_OBJECTS_MAX = 20000
};

const struct args_option localrun_options[] = {
	{"slots", 'j', "N", "jobs at once (default: the number of cores)", NULL},
	{"no-reuse", 0, NULL, "run also what passed here before with the same inputs", NULL},
	{"fail-fast", 0, NULL, "cancel everything when the first job fails", NULL},
	{"write-back", 0, NULL, "copy artifacts of jobs that passed into the working tree", NULL},
	{"log", 0, NULL, "on a terminal: show what the jobs print", NULL},
	{"timing", 0, NULL, "tell where the time went", NULL},
	{"explain", 0, NULL, "tell why each job ran or was reused", NULL},
	CLI_OPTION_JSON,
	{0},
};

const char localrun_about[] =
	"Runs the jobs of weir.yml on the working tree as it is: tracked files as they are on disk and "
	"untracked ones that are not ignored; the repository is not touched. Same sandbox, same "
	"verdict "
	"keys as on the server: what a job reads of the tree is recorded, and a job that passed here "
	"is "
	"not run again until something that it read changes. Without "
	"JOB all jobs run that a change runs; with it, those and what they need. A name stands for all "
	"rows of a matrix and all shards, too.\n"
	"Artifacts are put into .weir/out/JOB/, logs into .weir/out/JOB.log. The secret NAME of a job "
	"is the variable WEIR_SECRET_NAME of the environment. Exits with 1 when a job did not pass.";

static volatile int interrupted; // the only thing that a signal changes

static void on_signal(int number) {
	if (interrupted) _exit(SIGNAL_STATUS + number); // asked twice: the next `weir run` cleans up
	interrupted = number;
}

static void catch_signals(void) {
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) sigaction(signals[i], &action, NULL);
}

static int64_t cores(void) {
	cpu_set_t set;
	return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int64_t cpu_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// ---------------------------------------------------------------- where and what

static bool find_root(struct localrun *l, struct err *e) {
	char *here = realpath(".", NULL);
	struct str at = here ? arena_str(l->life, str_of(here)) : STR_NONE;
	free(here);
	while (at.n) {
		struct str root = arena_str(l->life, at);
		if (file_exists(arena_printf(l->life, "%s/.git", root.p).p)) {
			l->root = root;
			l->data = arena_printf(l->life, "%s/.weir/local", root.p);
			return true;
		}
		while (at.n && at.p[at.n - 1] != '/') at.n--;
		if (at.n) at.n--;
	}
	return err_set(e, ERR_NOT_FOUND, "this is not a git working tree");
}

// Prints what is wrong as `weir check` does.
static int read_plan(struct localrun *l) {
	AUTO_BUF text = {0};
	struct err e;
	struct str path = arena_printf(l->life, "%s/weir.yml", l->root.p);
	if (!file_read(path.p, CONF_BYTES_MAX + 1, &text, &e) && e.code != ERR_LIMIT) {
		if (e.code == ERR_NOT_FOUND)
			err_set(&e, ERR_NOT_FOUND, "there is no weir.yml in %s", l->root.p);
		return cli_fail(l->cli, &e, "Write one with `weir init`");
	}
	struct str kept = arena_str(l->life, buf_view(&text));
	struct conf_diagnostics d = {.life = l->life};
	if (conf_parse(kept, l->life, &l->plan, &d)) return 0;
	AUTO_INK out = cli_ink(l->cli);
	if (cli_has(l->cli, "json")) {
		diagnostics_json(&d, STR("weir.yml"), &out.out);
		ink_end(&out);
	} else {
		diagnostics_text(&d, STR("weir.yml"), l->cli->colour, &out.out);
	}
	cli_print(&out);
	return 1;
}

static bool make_folders(struct localrun *l, struct err *e) {
	static const char *const folders[] = {"runs", "cache"};
	struct str ignore = arena_printf(l->life, "%s/.weir/.gitignore", l->root.p);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (!file_make_folders(arena_printf(l->life, "%s/%s", l->data.p, folders[i]).p, 0755, e))
			return false;
	file_spread_folder(arena_printf(l->life, "%s/runs", l->data.p).p);
	return file_exists(ignore.p) || file_write_atomic(ignore.p, STR("*\n"), 0644, e);
}

static bool take_lock(struct localrun *l, int *fd, struct err *e) {
	struct str path = arena_printf(l->life, "%s/lock", l->data.p);
	bool told = false;
	while (!file_lock(path.p, fd, e)) {
		if (e->code != ERR_BUSY || interrupted) return false;
		if (!told) fprintf(stderr, "another weir run is under way here, this one waits for it\n");
		told = true;
		clock_sleep_ms(LOCK_LOOK_MS);
	}
	return true;
}

// A short-lived writer that folded SQLite's own log into the database at each end would wait for
// the disk three times more. It does so when that log has grown.
static void keep_log(struct store *s) {
	sqlite3_db_config(store_db(s), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_wal_autocheckpoint(store_db(s), 0);
}

static void fold_log(struct localrun *l) {
	struct stat st;
	struct str path = arena_printf(l->life, "%s/weir.db-wal", l->data.p);
	if (!l->log || stat(path.p, &st) || st.st_size < WAL_BYTES) return;
	sqlite3_wal_checkpoint_v2(store_db(l->log), NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static bool open_parts(struct localrun *l, struct err *e) {
	AUTO_ARENA scratch = {0};
	int64_t begun = clock_mono_us();
	struct str id = arena_printf(&scratch, "%s/cache/toolchain", l->data.p);
	bool ok = store_open(l->data.p, STORE_WRITE, &l->log, e) &&
	          object_store_open(l->data.p, &l->objects, e) &&
	          toolchain_id(&(struct toolchain_paths){0}, id.p, clock_wall_ms(), &l->toolchain, e);
	if (l->log) keep_log(l->log);
	l->open_us = clock_mono_us() - begun;
	return ok;
}

// They are opened while git looks at the working tree: each takes milliseconds, and neither needs
// the other.
struct opening {
	struct localrun *l;
	struct err e;
	bool ok;
};

static void *open_beside(void *context) {
	struct opening *o = context;
	o->ok = open_parts(o->l, &o->e);
	return NULL;
}

static bool take_snapshot(struct localrun *l, struct err *e) {
	if (l->snapshot.repo) return true; // the jobs depended on it
	int64_t begun = clock_mono_us();
	struct str folder = arena_printf(l->life, "%s/snapshot", l->data.p);
	bool ok = git_snapshot_take(l->git, l->root.p, folder.p, l->life, &l->snapshot, e);
	l->snapshot_us = clock_mono_us() - begun;
	return ok;
}

// Where nothing is reused, the log and the rest can wait until a job runs.
static bool look(struct localrun *l, struct err *e) {
	struct opening o = {.l = l};
	pthread_t thread;
	if (!l->reuse) return take_snapshot(l, e);
	bool beside = pthread_create(&thread, NULL, open_beside, &o) == 0;
	bool taken = take_snapshot(l, e);
	if (beside) pthread_join(thread, NULL);
	else (void)open_beside(&o);
	if (!o.ok) *e = o.e;
	l->opened = o.ok;
	return o.ok && taken;
}

static bool open_local(struct localrun *l, struct err *e) {
	struct digest name = digest_of(l->root);
	struct str etc = arena_printf(l->life, "%s/cache/etc", l->data.p);
	snprintf(l->prefix, sizeof l->prefix, "l%02x%02x%02x-%d", name.b[0], name.b[1], name.b[2],
	         (int)getpid());
	l->open = open_parts;
	localrun_jobs_sweep(l);
	if (!etc_prepare(etc.p, clock_wall_ms(), l->life, &l->etc, e)) return false;
	localrun_jobs_foresee(l);
	if (!look(l, e)) return false;
	l->workspaces = workspaces_new(arena_printf(l->life, "%s/cache", l->data.p).p, l->data.p);
	workspaces_find(l->workspaces);
	return true;
}

// git's objects of earlier snapshots, once there are many: the next run hashes the tree anew. A
// checkout is only known by its tree, which goes with them.
static bool tidy_snapshots(struct localrun *l, struct err *e) {
	struct str *names;
	size_t n;
	struct str one = arena_printf(l->life, "%s/snapshot/objects/17", l->data.p);
	if (!file_list(one.p, l->life, &names, &n, NULL) || n * 256 < SNAPSHOT_OBJECTS_MAX) return true;
	return file_remove_tree(arena_printf(l->life, "%s/cache/base", l->data.p).p, e) &&
	       file_remove_tree(arena_printf(l->life, "%s/snapshot", l->data.p).p, e);
}

// What nobody will ask for any more: layers at once, the rest once a day.
static void tidy(struct localrun *l) {
	struct collect_policy policy = {.now_ms = clock_wall_ms(), COLLECT_POLICY_USUAL};
	struct collect_result done;
	struct stat st;
	struct err e;
	struct str stamp = arena_printf(l->life, "%s/collected", l->data.p);
	workspaces_sweep(l->workspaces, WORKSPACES_IDLE_MS);
	if (stat(stamp.p, &st) == 0 && policy.now_ms / 1000 - st.st_mtim.tv_sec < COLLECT_EVERY_S)
		return;
	jobcache_tidy(arena_printf(l->life, "%s/cache", l->data.p).p, 0, policy.now_ms,
	              JOBCACHE_IDLE_MS);
	if (!collect_run(l->log, l->objects, policy, &done, &e) || !tidy_snapshots(l, &e) ||
	    !file_write_atomic(stamp.p, STR_NONE, 0644, &e))
		localrun_show_note(l->show, "%s", e.text);
}

static void make_jobs(struct localrun *l) {
	assert(l->plan);
	l->count = l->plan->jobs_n;
	l->jobs = ARENA_ARRAY(l->life, struct localrun_job, l->count + 1);
	for (size_t i = 0; i < l->count; i++)
		l->jobs[i] = (struct localrun_job){.job = &l->plan->jobs[i], .pidfd = -1};
}

// ---------------------------------------------------------------- the command

static bool all_ok(const struct localrun *l) {
	for (size_t i = 0; i < l->count; i++)
		if (l->jobs[i].wanted && !localrun_jobs_ok(&l->jobs[i])) return false;
	return true;
}

static bool write_back(struct localrun *l, struct err *e) {
	int64_t files = 0;
	for (size_t i = 0; i < l->count; i++)
		if (localrun_jobs_ok(&l->jobs[i]) && !localrun_output_write_back(l, &l->jobs[i], &files, e))
			return false;
	AUTO_INK k = cli_ink(l->cli);
	ink_put(&k, INK_PLAIN, "%lld files of artifacts written into the working tree",
	        (long long)files);
	ink_end(&k);
	if (localrun_show_face(l->show) != LOCALRUN_JSON) cli_print(&k);
	return true;
}

// A job for each file of the tree, where weir.yml asks for it.
static bool spread(struct localrun *l, struct err *e) {
	AUTO_READER reader = {0};
	return !spread_wanted(l->plan) ||
	       (take_snapshot(l, e) && git_object_open(l->snapshot.repo, &reader, e) &&
	        pipeline_spread(&reader, l->snapshot.tree, l->life, &l->plan, e));
}

static bool begin(struct localrun *l, int *lock, bool *usage, struct err *e) {
	*usage = false;
	if (!make_folders(l, e) || !take_lock(l, lock, e) || !git_home_open(NULL, NULL, &l->git, e) ||
	    !spread(l, e))
		return false;
	make_jobs(l);
	*usage = !localrun_jobs_choose(l, l->cli->args.words, l->cli->args.word_count, e);
	if (*usage) return false;
	l->show = localrun_show_new(l, cli_has(l->cli, "log"));
	return open_local(l, e);
}

static int run(struct localrun *l) {
	AUTO_FD lock = -1;
	struct err e = {0};
	bool usage, ok = begin(l, &lock, &usage, &e);
	if (ok) {
		catch_signals();
		localrun_jobs_run(l);
		ok = l->broken.code == ERR_NONE;
		if (!ok) e = l->broken;
		if (ok) localrun_show_end(l->show, cli_has(l->cli, "timing"), cli_has(l->cli, "explain"));
		if (ok && cli_has(l->cli, "write-back") && !interrupted) ok = write_back(l, &e);
		if (l->opened && !interrupted) tidy(l);
	}
	if (l->snapshot.repo) git_repo_close(l->snapshot.repo);
	if (l->git) git_home_close(l->git);
	if (l->workspaces) workspaces_free(l->workspaces);
	object_store_close(&l->objects);
	fold_log(l);
	store_close(&l->log);
	localrun_jobs_free(l);
	if (usage) return cli_usage(l->cli, "%s", e.text);
	if (!ok) {
		cli_fail(l->cli, &e, NULL);
		return 1;
	}
	return interrupted ? SIGNAL_STATUS + interrupted : all_ok(l) ? 0 : 1;
}

int localrun_main(struct cli *cli) {
	struct localrun l = {.cli = cli,
	                     .life = cli->life,
	                     .start_us = cpu_us(),
	                     .begun_us = clock_mono_us(),
	                     .reuse = !cli_has(cli, "no-reuse"),
	                     .fail_fast = cli_has(cli, "fail-fast"),
	                     .interrupted = &interrupted};
	struct err e = {0};
	int64_t slots = cores();
	if (!args_number(&cli->args, "slots", 1, 1000, &slots, &e)) return cli_usage(cli, "%s", e.text);
	l.slots = (size_t)slots;
	if (!find_root(&l, &e))
		return cli_fail(cli, &e, "weir run works on a git working tree: `git init` makes one");
	int status = read_plan(&l);
	if (status) return status;
	return run(&l);
}
