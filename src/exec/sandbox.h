// One job inside bubblewrap: builds its arguments and the job for weir-inner, starts it, and says
// how it came up. bubblewrap gets an empty environment and its arguments through a descriptor,
// because /proc/1/environ and /proc/1/cmdline inside are its own.
#pragma once
#include <sys/types.h>

#include "exec/cgroup.h"
#include "exec/stage.h"

#define SANDBOX_WORK "/work"
#define SANDBOX_HOME "/home/job"

struct exec_secret {
	struct str name, value;
};

struct sandbox {
	pid_t pid;    // bubblewrap outside; its end is the job's end
	int out, err; // read ends of the job's outputs, non-blocking
	int report;   // to weir-inner and its answer (exec/inner_job.h), non-blocking
	int info;     // bubblewrap's JSON with "child-pid"
	int go;       // network only: a byte lets it start; else -1
};

// `secrets` are those of the spec, in its order.
MUST_USE bool sandbox_start(const struct exec_spec *spec, const struct exec_secret *secrets,
                            const struct stage *stage, const struct cgroup *group,
                            struct sandbox *out, struct err *e);
// The workspace is there: the job may begin. Nothing happens when the sandbox has ended meanwhile.
void sandbox_go(struct sandbox *s);
// The pid of the sandbox's first process as seen from here; blocks until bubblewrap has made it. 0
// = it failed.
pid_t sandbox_child(struct sandbox *s);
