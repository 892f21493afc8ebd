// Child processes. A child gets only what its spec names: arguments, environment, three descriptors
// and `pass` ones; every other descriptor is closed. With die_with_parent it gets SIGKILL when the
// thread that started it ends.
#pragma once
#include <signal.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct process_spec {
	const char *const *argv; // argv[0] is looked up in PATH of this process unless it holds a slash
	const char *const *env;  // "NAME=value"..., NULL-terminated; NULL = this process's own
	const char *cwd;         // NULL = unchanged
	const char *cgroup;      // folder of a cgroup to be in from the first instruction; NULL = stay
	const char *const *cgroups; // further ones, NULL-terminated (version 1 has one per controller)
	uid_t uid; // 0 = unchanged; else with gid, no other group and no new privileges
	gid_t gid;
	int in, out, err; // descriptors for 0, 1, 2; -1 = /dev/null. 0 is the caller's stdin!
	const int *pass;  // pass[i] becomes descriptor 3 + i
	size_t pass_count;
	bool new_session; // setsid: no terminal, own process group
	bool die_with_parent;
};

#define PROCESS_SPEC_NONE .in = -1, .out = -1, .err = -1

MUST_USE bool process_start(const struct process_spec *spec, pid_t *pid,
                            struct err *e); // ERR_NOT_FOUND: no such program

enum process_end { PROCESS_EXITED, PROCESS_SIGNALLED, PROCESS_TIMED_OUT };
struct process_status {
	enum process_end end;
	int code; // exit status or signal
};
// Blocks. timeout_ms < 0 waits for ever; on timeout the process group (new_session) or the process
// is killed.
MUST_USE bool process_wait(pid_t pid, int64_t timeout_ms, struct process_status *out,
                           struct err *e);

// Runs to the end, feeding `input` and collecting both outputs (each at most `most` bytes, else the
// child is killed and ERR_LIMIT). spec->in/out/err are ignored.
struct process_output {
	struct process_status status;
	struct buf out, err;
};
#define AUTO_OUTPUT __attribute__((cleanup(process_output_free))) struct process_output
void process_output_free(struct process_output *o);
MUST_USE bool process_run(const struct process_spec *spec, struct str input, size_t most,
                          int64_t timeout_ms, struct process_output *out, struct err *e);

// Identity that survives reuse of a pid: start time in clock ticks since boot (field 22 of
// /proc/PID/stat).
MUST_USE bool process_start_ticks(pid_t pid, uint64_t *ticks, struct err *e);
int process_pidfd(pid_t pid); // -1 when it is gone; becomes readable when the process ends
// Kills every process that holds an open descriptor on the file at `path` (see os/file.h
// file_lock), except this one: that is how a restarted daemon finds the children of a dead one.
// Returns how many.
size_t process_kill_holders(const char *path);
