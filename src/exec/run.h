// The door of this folder: start a run, follow it, end it, clean up. Daemon and `weir run` use the
// same.
//
// A run's folder, made by exec_start and readable by its owner only:
//   spec.json     what to do (exec/spec.h)
//   lock          flock held while the leader lives
//   pid           "PID TICKS BOOT-ID" of the leader
//   control       socket (exec/control.h)
//   cgroup        its cgroups, one a line
//   log           what it printed (exec/runlog.h)
//   leader.err    what the leader itself complained of
//   reads         what it asked about its tree (exec/reads.h), when that was traced to the end
//   upper/ work/  the overlay's own (exec_drop_workspace)
//   out/          manifest.json and files/PATH
//   results/ results.json coverage/    what was collected
//   outcome.json  how it ended (exec/outcome.h)
//
// 1. exec_start gives the leader's pid: the caller's child until the caller ends; the leader then
// lives on.
// 2. The run is over when outcome.json is there; wait by pidfd (os/process.h) or exec_wait, and
// reap the child.
// 3. After a restart exec_look tells for each folder whether it still runs, is over, or was lost.
// 4. exec_cleanup when nobody needs the folder.
#pragma once
#include <sys/types.h>

#include "exec/outcome.h"
#include "exec/sandbox.h"
#include "exec/spec.h"

// `secrets` are the values for spec->secrets, in any order; they go through a sealed memory file,
// never through the disk, an argument or an environment. `programs` is the folder of weir-leader,
// weir-inner and weir-results; NULL = where the calling program lies. The folder must not exist,
// its parent must. ERR_INVALID: spec or a secret.
MUST_USE bool exec_start(const struct exec_spec *spec, const char *folder,
                         const struct exec_secret *secrets, size_t secret_count,
                         const char *programs, pid_t *leader, struct err *e);

// The same in two steps, for layers that take a while: spec->lowers is empty, the sandbox comes up
// while they are made, and the job starts when they are told. Each exec_begin that succeeded is
// ended by one of exec_layers and exec_abandon.
struct exec_begun {
	pid_t leader;
	int layers; // a pipe towards the leader; its end without a word is the leader's end
};
MUST_USE bool exec_begin(const struct exec_spec *spec, const char *folder,
                         const struct exec_secret *secrets, size_t secret_count,
                         const char *programs, struct exec_begun *out, struct err *e);
MUST_USE bool exec_layers(struct exec_begun *begun, struct exec_strs lowers, int64_t traced,
                          struct err *e);
// The leader ends and removes the folder, soon; it remains a child to be reaped.
void exec_abandon(struct exec_begun *begun);

enum exec_state {
	EXEC_RUNNING, // *leader is its pid, 0 in the moment before it has written it
	EXEC_OVER,    // there is an outcome
	EXEC_LOST,    // neither: its leader was killed or the machine went down; its job is dead too
};
// What became of a run, also one started by a process that is gone.
enum exec_state exec_look(const char *folder, pid_t *leader);

// ERR_NOT_FOUND: none yet.
MUST_USE bool exec_read_outcome(const char *folder, struct arena *life, struct exec_outcome *out,
                                struct err *e);
// Blocks until the run is over or lost; reaps the leader where it is a child. ERR_TIMEOUT; < 0
// waits for ever.
MUST_USE bool exec_wait(const char *folder, int64_t timeout_ms, enum exec_state *state,
                        struct err *e);
// Asks the leader to end the run; its outcome says "cancelled". Fine when the run is over already.
MUST_USE bool exec_cancel(const char *folder, struct err *e);

// Removes the workspace's layers / everything. Slow for large trees: may run on a thread or in
// another process, and again after a crash in the middle. ERR_BUSY while the run lives.
MUST_USE bool exec_drop_workspace(const char *folder, struct err *e);
MUST_USE bool exec_cleanup(const char *folder, struct err *e);
