#include "app/serve.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/bootstrap.h"
#include "app/dispatch.h"
#include "app/follows.h"
#include "app/host.h"
#include "app/housekeeping.h"
#include "app/landings.h"
#include "app/pushes.h"
#include "app/rollouts.h"
#include "app/runs.h"
#include "app/version.h"
#include "app/webhooks.h"
#include "os/clock.h"
#include "os/failpoint.h"
#include "os/file.h"
#include "os/note.h"
#include "store/reserve.h"

static void on_turn(void *context, uint64_t seq) {
	struct daemon *d = context;
	host_notify(d->host, seq);
	webhooks_notify(d->webhooks);
}

static void on_read_only(void *context) {
	struct daemon *d = context;
	struct err e;
	if (!reserve_release(d->data, &e)) note(NOTE_WARN, "the reserve on disk: %s", e.text);
}

static void on_recovered(void *context) {
	struct daemon *d = context;
	struct err e;
	if (!reserve_restore(d->data, &e)) note(NOTE_WARN, "the reserve on disk: %s", e.text);
	dispatch_outbox(d);
}

static void on_stop(void *context) {
	struct daemon *d = context;
	if (d->stopping) _exit(1); // asked twice
	d->stopping = true;
	note(NOTE_INFO, "stopping; runs and services go on");
	loop_stop(d->loop);
}

static void on_started(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct daemon *d = context;
	(void)applied;
	if (ok) {
		dispatch_outbox(d);
		return;
	}
	note(NOTE_ERROR, "%s", why->text);
}

static bool open_folder(struct daemon *d, const char *folder, int *lock, struct arena *life,
                        struct err *e) {
	char real[PATH_MAX];
	if (!file_make_folders(folder, 0755, e)) return false;
	if (!realpath(folder, real)) return err_set(e, ERR_IO, "cannot find %s", folder);
	d->data = arena_cstr(life, str_of(real));
	static const char *const parts[] = {"repos", "runs", "cache", "envs", "tmp"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!file_make_folders(daemon_path(d, life, "%s", parts[i]).p, 0755, e)) return false;
	struct str path = daemon_path(d, life, "lock");
	if (!file_lock(path.p, lock, e)) {
		if (e->code != ERR_BUSY) return false;
		return err_set(e, ERR_BUSY,
		               "another weir serves %s already; use its URL, or another folder with --data",
		               d->data);
	}
	return true;
}

static bool open_parts(struct daemon *d, struct arena *life, struct err *e) {
	struct turn_hooks hooks = {d, dispatch_event, on_turn, on_recovered, on_read_only};
	if (!store_open(d->data, STORE_WRITE, &d->log, e) ||
	    !store_open(d->data, STORE_READ, &d->reader, e))
		return false;
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
	d->landings = landings_new(d);
	return runs_open(d, &d->runs, e) && rollouts_open(d, &d->rollouts, e) &&
	       bootstrap_reconcile(d, e);
}

static void close_parts(struct daemon *d) {
	housekeeping_close(d->housekeeping);
	webhooks_close(d->webhooks);
	follows_close(d->follows);
	pushes_close(d->pushes);
	host_close(d->host);
	if (d->runs) runs_close(d->runs);
	if (d->rollouts) rollouts_close(d->rollouts);
	if (d->loop) loop_close(d->loop);
	if (d->landings) landings_free(d->landings);
	for (size_t i = 0; i < d->repo_count; i++) {
		git_repo_close(d->repos[i]->git);
		free(d->repos[i]);
	}
	free(d->repos);
	if (d->git) git_home_close(d->git);
	store_close(&d->reader);
	store_close(&d->log);
}

static void announce(struct daemon *d, int slots) {
	uint64_t seed;
	clock_random(&seed, sizeof seed);
	struct event started = {.kind = EVENT_SERVER_STARTED,
	                        .server_started = {STR(VERSION_TEXT), (int64_t)(seed >> 1), slots}};
	turn_submit(d->turn, &started, NULL, on_started, d);
	printf("%s\n", d->url);
	fflush(stdout);
}

int serve_main(const struct serve_options *o) {
	AUTO_ARENA perm = {0};
	struct daemon d = {.started_ms = clock_wall_ms()};
	struct err e;
	AUTO_FD lock = -1;
	int slots = o->slots > 0 ? o->slots : (int)sysconf(_SC_NPROCESSORS_ONLN);
	d.program = version_program(&perm);
	signal(SIGPIPE, SIG_IGN);
	failpoint_arm();
	setenv("UV_THREADPOOL_SIZE", "16", 0);
	if (!open_folder(&d, o->data ? o->data : ".weir", &lock, &perm, &e) ||
	    !open_parts(&d, &perm, &e) || !host_open(&d, o, &d.host, &e) ||
	    !pushes_open(&d, &d.pushes, &e) || !follows_open(&d, &d.follows, &e) ||
	    !bootstrap_work_tree(&d, &e)) {
		fprintf(stderr, "error: %s\n", e.text);
		return err_exit_status(e.code) == 3 ? 3 : 1;
	}
	d.webhooks = webhooks_open(&d);
	d.housekeeping = housekeeping_open(&d);
	loop_on_signal(d.loop, SIGTERM, on_stop, &d);
	loop_on_signal(d.loop, SIGINT, on_stop, &d);
	announce(&d, slots);
	loop_run(d.loop);
	close_parts(&d);
	return 0;
}
