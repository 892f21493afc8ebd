// The simulated world: everything that weir's adapters would talk to, and the ways in which it
// fails. Data; the parts stand in world_git, world_runs, world_deploy and people, each with the
// same shape: ask_* takes a command (any number of times, as after a restart), tick lets time pass,
// and facts come back as messages, which may be lost, doubled, late or out of order.
//
// The daemon that lives in it is sim/daemon. Time is in milliseconds; nothing here is random but
// by `random`.
#pragma once
#include "base/prng.h"
#include "core/event.h"
#include "sim/bug.h"
#include "sim/gitmodel.h"

#define WORLD_FAULTS(FAULT)                                  \
	FAULT(CRASH, "crashes")                                  \
	FAULT(DISK_FULL, "full disks")                           \
	FAULT(CLOCK, "clock jumps")                              \
	FAULT(DOUBLED, "doubled facts")                          \
	FAULT(LOST, "lost facts")                                \
	FAULT(LATE, "late facts")                                \
	FAULT(REORDERED, "reordered facts")                      \
	FAULT(RUN_LOST, "lost runs")                             \
	FAULT(RUN_LIES, "runs reported twice, differently")      \
	FAULT(RUN_UNKNOWN, "reports of unknown runs")            \
	FAULT(FLAKE, "flaky failures")                           \
	FAULT(FOREIGN_PUSH, "pushes past weir")                  \
	FAULT(STALE_LOCK, "stale locks")                         \
	FAULT(ANSWER_LOST, "ref updates with unknown result")    \
	FAULT(ORPHAN, "git children that outlived their daemon") \
	FAULT(HALF_DEPLOYED, "rollouts that died half way")      \
	FAULT(UNHEALTHY, "services that became unhealthy")

enum world_fault {
#define FAULT(NAME, text) WORLD_##NAME,
	WORLD_FAULTS(FAULT)
#undef FAULT
		WORLD_FAULT_COUNT
};

enum world_from { WORLD_FROM_GIT, WORLD_FROM_RUNNER, WORLD_FROM_DEPLOY, WORLD_FROM_PERSON };

struct world_message {
	int64_t due_ms;
	enum world_from from;
	uint32_t person; // number + 1 of who waits for an answer, 0 = nobody
	struct event fact;
};

struct world_run {
	uint64_t id;
	int64_t start_ms, end_ms;
	struct digest key;
	uint32_t job;
	bool stopped;
	bool lookup;   // no process: a question
	bool recorded; // its verdict is in the log, and may be used again
	bool red;      // and it is one
	uint64_t change, revision;
	struct event outcome;
};

struct world_child { // a git process that will move trunk
	int64_t due_ms;
	struct event_landing_issued intent;
	bool orphan;
};

struct world_rollout {
	uint64_t id, env, release;
	int64_t switch_ms, end_ms;
	bool green, stays, switched, stopped, told;
};

struct world_service {
	uint64_t env, release;
	int64_t unhealthy_ms; // -1 = stays well
};

struct world_person {
	uint32_t repo, head, pushes;
	int64_t next_ms, waits_since_ms; // -1 = does not wait
	uint64_t change, revision;
	int32_t priority;
	bool draft, done;
};

struct world_ack { // a promise that was given
	struct change_id change;
	int64_t revision;
	struct oid head;
};

struct world {
	struct prng random;
	int64_t now_ms, wall_offset_ms, disk_full_until_ms;
	bool faults; // on in the first phase
	enum bug bug;
	struct gitmodel git;
	struct table messages, runs, children, rollouts, services, people, acks;
	uint64_t counted[WORLD_FAULT_COUNT];
	struct arena texts; // of facts
};

void world_init(struct world *w, uint64_t seed, enum bug bug);
void world_free(struct world *w);
// A fact on its way; the fault menu may lose, double or delay it.
void world_send(struct world *w, enum world_from from, int64_t delay_ms, struct event fact,
                uint32_t person);
// Takes one message that is due; false when there is none.
MUST_USE bool world_receive(struct world *w, struct world_message *out);
int64_t world_next_ms(const struct world *w); // when something is due again, -1 = never
void world_daemon_died(struct world *w);      // what was in its hands is gone
bool world_fault(struct world *w, enum world_fault f, uint64_t in, uint64_t out_of); // counts it
int64_t world_wall_ms(const struct world *w);
uint64_t world_below(struct world *w, uint64_t limit);
