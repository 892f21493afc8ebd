// Watches a running sandbox until its job has ended or has to: moves its output through the masker
// into the log, answers on the control socket, keeps time and disk limits; then kills what is left
// of the process tree.
#pragma once
#include "exec/control.h"
#include "exec/mask.h"
#include "exec/runlog.h"
#include "exec/sandbox.h"

enum pump_stop {
	PUMP_ENDED, // the job ended by itself
	PUMP_TIMEOUT,
	PUMP_CANCELLED,
	PUMP_DISK,    // it wrote more than it may
	PUMP_FILLED,  // the file system is nearly full, and the job wrote as much as is reserved
	PUMP_RESERVE, // the file system is nearly full for other reasons
};

struct pump {
	const struct exec_spec *spec;
	const char *upper; // the layer whose size is watched
	struct sandbox *sandbox;
	const struct cgroup *group;
	struct control *control;
	const struct mask *mask;
	struct runlog *log;
	pid_t server;       // a child that is not the job's (exec/trace.h); 0 = none
	int signals;        // signalfd: SIGTERM and SIGINT cancel
	int64_t started_us; // of the run, for the log's times (clock_mono_us)

	// filled in
	enum pump_stop stop;
	int status;         // of bubblewrap, as waitpid gives it; -1 = it was lost
	int64_t running_us; // when the job's shell began; 0 = never
	int landlock;
	int64_t disk_bytes; // what it had written when it was stopped for the disk
	struct buf answer;  // of weir-inner: why it could not start the job
	struct buf early;   // what came on stderr before the job began: bubblewrap's own trouble
	uint64_t masked;    // runs of hidden bytes
};

void pump_run(struct pump *p);
// Kills and reaps every child of this process but `spared`, also adopted ones (it must be a
// subreaper). Gives the status of `wanted`, or -1.
int pump_kill_children(const struct cgroup *group, pid_t wanted, pid_t spared);
