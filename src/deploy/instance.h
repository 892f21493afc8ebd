// One process of a release: started, probed, restarted with backoff when it crashes, stopped with
// everything it became.
//
//        start            probe green           probes red
//   OFF ──────► STARTING ────────────► HEALTHY ◄──────────► UNHEALTHY
//    ▲              │ exits: WAITING if it may restart, else OFF   │
//    │              └───────────────┬──────────────────────────────┘
//    └── STOPPING ◄─ stop ──────────┴──► WAITING ── pause over ──► STARTING
//
// Pauses: 100 ms, doubling to 10 s; 10 s of health set it back to 100 ms.
#pragma once
#include "deploy/children.h"
#include "deploy/servicelog.h"
#include "deploy/spec.h"

// What all instances of a supervisor share; borrowed.
struct instance_home {
	struct loop *loop;
	struct children *children;
	const char *folder; // ENVFOLDER, absolute
	char mark[17];      // names this environment on this machine
	uid_t uid;          // services run as this user, 0 = ours
};

enum instance_state {
	INSTANCE_OFF,
	INSTANCE_STARTING,
	INSTANCE_HEALTHY,
	INSTANCE_UNHEALTHY,
	INSTANCE_WAITING,
	INSTANCE_STOPPING,
};

// What happened, told to the owner after the state has changed.
enum instance_news {
	INSTANCE_STARTED, // a new process: write down its pid
	INSTANCE_BECAME_HEALTHY,
	INSTANCE_FAILED_PROBE, // `failures` in a row
	INSTANCE_EXITED,       // by itself
	INSTANCE_STOPPED,      // after instance_stop; it is OFF
};

enum { INSTANCE_BEFORE = -1 }; // the number of the one that runs service.before, once, unprobed

struct instance;
typedef void instance_fn(void *context, struct instance *i, enum instance_news news);

// What an instance runs; outlives it.
struct instance_plan {
	struct str environment, release,
		folder; // folder: where the artifacts are, its working directory
	struct spec_service service;
	struct spec_pair *secrets; // values, in memory only
	size_t secret_count;
	bool may_restart;    // a release that was never healthy does not restart
	int health_failures; // probes in a row that make it UNHEALTHY
};

// Read by the owner, written by instance.c only.
struct instance {
	const struct instance_home *home;
	const struct instance_plan *plan;
	instance_fn *fn;
	void *context;
	int n;
	uint16_t port;
	enum instance_state state;
	int restarts, failures;
	int64_t backoff_ms, healthy_since_ms; // monotonic, 0 = not healthy
	char why[300];                        // the last failure, for people
	struct child_end end;                 // of the process before this one
	struct child *child;
	pid_t leader; // the last process started, also when it has ended
	int64_t stop_until_ms;
	struct health *health;
	struct servicelog *log;
	struct loop_timer *timer;
	struct buf mark, cgroup, log_path, pipe_path;
};

struct instance *instance_new(const struct instance_home *home, const struct instance_plan *plan,
                              int n, instance_fn *fn, void *context);
// Ends what an earlier supervisor may have left of it first. False: the program could not even be
// started.
MUST_USE bool instance_start(struct instance *i, uint16_t port, struct err *e);
// Takes over a running process. False if it does not run any more.
MUST_USE bool instance_adopt(struct instance *i, struct child_id id, uint16_t port);
void instance_clear(struct instance *i); // ends what an earlier supervisor left of it; when OFF
void instance_stop(
	struct instance *i); // SIGTERM, after the grace SIGKILL; INSTANCE_STOPPED follows
void instance_kill(struct instance *i); // SIGKILL now; INSTANCE_STOPPED follows
void instance_fail(struct instance *i,
                   const char *why); // the owner could not restart it: wait longer
void instance_probe_every(struct instance *i, int64_t ms);
void instance_free(struct instance *i);        // only when OFF; the process must be gone
bool instance_is_up(const struct instance *i); // HEALTHY
const char *instance_state_name(enum instance_state s);
