// What the daemon is made of: one struct that its adapters share. The parts that act on events:
//
//   landing.c   candidate.issued -> trial merge and plan; landing.issued -> trunk moves
//   runs.c      run.issued -> workspace, sandbox, verdict; run.cancel_issued
//   rollouts.c  rollout.issued -> supervisor of the environment
//   envwatch.c  what supervisors tell -> env.unhealthy, env.healthy
//   pushes.c    the receive socket: a push becomes change.proposed
//   follows.c   repositories whose trunk lives elsewhere
//   webhooks.c  URLs that are told; housekeeping.c keeps everything small
//   dispatch.c  which of them acts on which event, and what is asked again after a start
//
// All of them run on the loop's thread; what blocks goes through loop_work with a context of its
// own. Each is idempotent by the id of its event: asked twice, it acts once.
#pragma once
#include "app/turn.h"
#include "base/hash.h"
#include "git/home.h"
#include "git/repo.h"

struct daemon_repo {
	struct repo_id id;
	char name[64], trunk[128];
	struct git_repo *git;
};

struct runs;
struct envwatch;
struct rollouts;
struct pushes;
struct builds;
struct landings;
struct follows;
struct host;
struct webhooks;
struct housekeeping;
struct room;
struct addition;

struct daemon {
	const char *data;    // absolute path of the data folder
	const char *program; // absolute path of this program
	struct loop *loop;
	struct store *log;    // written by the turn only
	struct store *reader; // projections, for the loop's thread
	struct turn *turn;
	struct git_home *git;
	struct daemon_repo **repos; // pointers stay good; without those that could not be opened
	size_t repo_count;
	struct addition *additions; // repositories being made, app/bootstrap.c
	struct runs *runs;
	struct rollouts *rollouts;
	struct envwatch *envwatch;
	struct pushes *pushes;
	struct builds *builds;
	struct landings *landings;
	struct follows *follows;
	struct host *host;
	struct webhooks *webhooks;
	struct housekeeping *housekeeping;
	struct room *room;
	char url[256];        // http://127.0.0.1:8420, for this machine
	char public_url[256]; // for everybody; the same unless said otherwise
	int64_t started_ms;
	int slots, recheck, batch;
	struct loop_lane *exchanges; // of git over HTTP: a push waits there for its own judgement
	bool announced;              // server.started is recorded
	bool stopping;               // nothing new begins
	struct loop_timer *stop_timer;
	int64_t stop_by_ms;
	int quiet; // looks in a row that found no work under way
};

struct daemon_repo *daemon_repo(const struct daemon *d, struct repo_id id); // NULL when unknown
struct daemon_repo *daemon_repo_named(const struct daemon *d, struct str name);
// Opens DATA/repos/NAME.git and keeps it. Called for repo.added, after the repository was made.
MUST_USE bool daemon_open_repo(struct daemon *d, struct repo_id id, struct str name,
                               struct str trunk, struct err *e);
void daemon_close_repo(struct daemon *d,
                       struct repo_id id); // before the loop runs, or nobody uses it
struct str daemon_path(const struct daemon *d, struct arena *life, const char *format, ...)
	PRINTF_LIKE(3, 4); // below data
// A set of ids under way, so that an adapter acts once on each.
struct active {
	uint64_t *ids;
	size_t count, cap;
};
bool daemon_begin(struct active *set, uint64_t id); // false: it is under way already
void daemon_end(struct active *set, uint64_t id);
