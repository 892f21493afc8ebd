#include "app/serve.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/bootstrap.h"
#include "app/dispatch.h"
#include "app/follows.h"
#include "app/host.h"
#include "app/housekeeping.h"
#include "app/builds.h"
#include "app/landings.h"
#include "app/pushes.h"
#include "app/envwatch.h"
#include "app/rollouts.h"
#include "app/room.h"
#include "app/runs.h"
#include "app/version.h"
#include "app/webhooks.h"
#include "exec/cgroup.h"
#include "os/clock.h"
#include "os/failpoint.h"
#include "os/file.h"
#include "os/note.h"
#include "store/reserve.h"

enum { STOP_MS = 3000, STOP_LOOK_MS = 20, FILES_WANTED = 65536, EXCHANGES_MAX = 24 };

static void on_started(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct daemon *d = context;
	(void)applied;
	d->announced = ok;
	if (ok) {
		dispatch_outbox(d);
		return;
	}
	note(NOTE_ERROR, "%s", why->text);
}

static void announce(struct daemon *d) {
	uint64_t seed;
	clock_random(&seed, sizeof seed);
	struct event started = {
		.kind = EVENT_SERVER_STARTED,
		.server_started = {STR(VERSION_TEXT), (int64_t)(seed >> 1), d->slots, d->batch}};
	turn_submit(d->turn, &started, NULL, on_started, d);
}

static void on_turn(void *context, uint64_t seq) {
	struct daemon *d = context;
	host_notify(d->host, seq);
	webhooks_notify(d->webhooks);
}

static void on_read_only(void *context) {
	struct daemon *d = context;
	struct err e;
	if (!reserve_release(d->data, &e)) note(NOTE_WARN, "the reserve on disk: %s", e.text);
	host_notify(d->host, turn_seq(d->turn)); // open pages say so
}

static void on_recovered(void *context) {
	struct daemon *d = context;
	if (!d->announced) announce(d); // the disk was full from the start
	bootstrap_reconcile(d);
	envwatch_look_again(d->envwatch);
	dispatch_outbox(d);
	host_notify(d->host, turn_seq(d->turn));
}

// ---------------------------------------------------------------- stop

// Work that began may end and have its facts recorded, but nothing new begins (dispatch.c). What
// lasts longer is left as a kill would leave it: git children die with us, the next start asks the
// outbox again. Quiet twice: what came last had a turn of its own.
static void look_for_end(void *context) {
	struct daemon *d = context;
	d->quiet = loop_working(d->loop) ? 0 : d->quiet + 1;
	if (d->quiet >= 2) {
		loop_stop(d->loop);
		return;
	}
	if (loop_now_ms(d->loop) >= d->stop_by_ms) {
		note(NOTE_INFO, "%zu pieces of work are left to the next start", loop_working(d->loop));
		host_withdraw(d->host);
		_exit(0);
	}
	loop_timer_set(d->stop_timer, STOP_LOOK_MS);
}

static void on_stop(void *context) {
	struct daemon *d = context;
	if (d->stopping) _exit(1); // asked twice
	d->stopping = true;
	note(NOTE_INFO, "stopping; runs and services go on");
	d->stop_by_ms = loop_now_ms(d->loop) + STOP_MS;
	loop_timer_set(d->stop_timer, 0);
}

// ---------------------------------------------------------------- start

// Services and jobs have users of their own: they may pass through the data folder to what is
// theirs (envs, caches), but not list it, and not reach what is nobody else's.
static bool own_folder(const char *path, mode_t mode, struct err *e) {
	if (!file_make_folders(path, mode, e)) return false;
	if (chmod(path, mode)) note(NOTE_WARN, "%s keeps its mode; it belongs to somebody else", path);
	return true;
}

static bool open_folder(struct daemon *d, const char *folder, int *lock, struct arena *life,
                        struct err *e) {
	static const struct {
		const char *name;
		mode_t mode;
	} parts[] = {{"repos", 0755}, {"runs", 0700},    {"cache", 0711},  {"envs", 0711},
	             {"tmp", 0700},   {"objects", 0700}, {"secrets", 0700}};
	char real[PATH_MAX];
	if (!own_folder(folder, 0711, e)) return false;
	if (!realpath(folder, real)) return err_set(e, ERR_IO, "cannot find %s", folder);
	d->data = arena_cstr(life, str_of(real));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!own_folder(daemon_path(d, life, "%s", parts[i].name).p, parts[i].mode, e))
			return false;
	file_spread_folder(daemon_path(d, life, "runs").p);
	// Served from a work tree, the folder is nobody's commit.
	struct str ignore = daemon_path(d, life, ".gitignore");
	if (!file_exists(ignore.p) && !file_write_atomic(ignore.p, STR("*\n"), 0644, e)) return false;
	struct str path = daemon_path(d, life, "lock");
	if (!file_lock(path.p, lock, e)) {
		if (e->code != ERR_BUSY) return false;
		return err_set(e, ERR_BUSY,
		               "another weir serves %s already; use its URL, or another folder with --data",
		               d->data);
	}
	return true;
}

// The log and what SQLite keeps beside it, which takes its mode from it.
// A folder that holds repositories has a log: without it weir would begin anew, and forget all.
static bool log_is_there(const struct daemon *d, struct arena *life, struct err *e) {
	struct stat st;
	struct str *names;
	size_t n;
	if (stat(daemon_path(d, life, "weir.db").p, &st) == 0 && st.st_size > 0) return true;
	if (!file_list(daemon_path(d, life, "repos").p, life, &names, &n, NULL) || n == 0) return true;
	return err_set(
		e, ERR_CORRUPT,
		"%s holds repositories and no log: weir.db is missing or empty; put back weir.db "
		"from a backup, or move %s/repos away to begin anew",
		d->data, d->data);
}

static bool open_store(struct daemon *d, struct arena *life, struct err *e) {
	if (!log_is_there(d, life, e)) return false;
	mode_t before = umask(0077);
	bool ok = store_open(d->data, STORE_WRITE, &d->log, e) &&
	          store_open(d->data, STORE_READ, &d->reader, e);
	umask(before);
	static const char *const files[] = {"weir.db", "weir.db-wal", "weir.db-shm"};
	for (size_t i = 0; ok && i < ARRAY_LEN(files); i++)
		(void)!chmod(daemon_path(d, life, "%s", files[i]).p, 0600); // an older weir made it
	return ok;
}

// Runs, git children and clients each hold descriptors.
static void raise_limits(void) {
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= FILES_WANTED) return;
	files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &files)) note(NOTE_WARN, "open files stay limited");
}

// Where runs get cgroups of version 2 with limits, they are children of ours: done before the
// first.
static void delegate(void) {
	AUTO_BUF own = {0};
	struct err e;
	if (!file_read("/proc/self/cgroup", 1 << 16, &own, &e)) return;
	if (!cgroup_delegate("/sys/fs/cgroup", buf_view(&own)))
		note(NOTE_DEBUG, "no cgroup of version 2 is delegated");
}

static bool open_parts(struct daemon *d, struct arena *life, struct err *e) {
	struct turn_hooks hooks = {d, dispatch_event, on_turn, on_recovered, on_read_only};
	if (!open_store(d, life, e)) return false;
	struct err room;
	if (!reserve_restore(d->data, &room)) note(NOTE_WARN, "the reserve on disk: %s", room.text);
	if (!git_home_open(d->data, version_program_beside(life, d->program, "weir-hook"), &d->git, e))
		return false;
	size_t killed = 0, locks = 0;
	if (!git_home_recover(d->git, &killed, &locks, e)) return false;
	if (killed || locks)
		note(NOTE_INFO, "recovered: %zu git children ended, %zu stale locks removed", killed,
		     locks);
	if (!loop_open(&d->loop, e) || !turn_open(d->loop, d->log, &hooks, &d->turn, e)) return false;
	d->started_ms = turn_now(d->turn);
	d->builds = builds_new(d);
	d->landings = landings_new(d);
	d->exchanges = loop_lane(d->loop, EXCHANGES_MAX);
	d->stop_timer = loop_timer(d->loop, look_for_end, d);
	d->room = room_open(d);
	if (!runs_open(d, &d->runs, e) || !rollouts_open(d, &d->rollouts, e)) return false;
	d->envwatch = envwatch_open(d);
	bootstrap_reconcile(d);
	return true;
}

// No work is under way any more. After a start that failed some parts are missing.
static void close_parts(struct daemon *d) {
	host_close(d->host);
	housekeeping_close(d->housekeeping);
	room_close(d->room);
	webhooks_close(d->webhooks);
	follows_close(d->follows);
	pushes_close(d->pushes);
	runs_close(d->runs);
	rollouts_close(d->rollouts);
	envwatch_close(d->envwatch);
	turn_close(d->turn);
	loop_timer_free(d->stop_timer);
	loop_lane_free(d->exchanges);
	loop_close(d->loop);
	builds_free(d->builds);
	landings_free(d->landings);
	for (size_t i = 0; i < d->repo_count; i++) {
		git_repo_close(d->repos[i]->git);
		free(d->repos[i]);
	}
	free(d->repos);
	if (d->git) git_home_close(d->git);
	store_close(&d->reader);
	store_close(&d->log);
}

int serve_main(const struct serve_options *o) {
	AUTO_ARENA perm = {0};
	struct daemon d = {0};
	struct err e;
	AUTO_FD lock = -1;
	d.recheck = o->recheck;
	d.batch = o->batch;
	d.slots = o->slots > 0 ? o->slots : (int)sysconf(_SC_NPROCESSORS_ONLN);
	d.program = version_program(&perm);
	signal(SIGPIPE, SIG_IGN);
	failpoint_arm();
	umask(022);
	raise_limits();
	delegate();
	// More than all lanes together (runs.c, rollouts.c, githttp.c): what they wait for goes on.
	setenv("UV_THREADPOOL_SIZE", "64", 0);
	if (!open_folder(&d, o->data ? o->data : ".weir", &lock, &perm, &e) ||
	    !open_parts(&d, &perm, &e) || !host_open(&d, o, &d.host, &e) ||
	    !pushes_open(&d, &d.pushes, &e) || !follows_open(&d, &d.follows, &e) ||
	    !bootstrap_work_tree(&d, &e)) {
		fprintf(stderr, "error: %s\n", e.text);
		int status = err_exit_status(e.code) == 3 ? 3 : 1;
		if (d.loop && loop_working(d.loop)) _exit(status); // what began goes on at the next start
		close_parts(&d);
		return status;
	}
	d.webhooks = webhooks_open(&d);
	d.housekeeping = housekeeping_open(&d);
	loop_on_signal(d.loop, SIGTERM, on_stop, &d);
	loop_on_signal(d.loop, SIGINT, on_stop, &d);
	announce(&d);
	printf("%s\n", d.url);
	fflush(stdout);
	loop_run(d.loop);
	close_parts(&d);
	return 0;
}
