// What a job reads of its tree. Below the overlay of the workspace lies, in place of the checkout,
// a read-only file system (FUSE) that shows the same files and notes what the kernel asks for:
//
//     upper (what the job writes)   artifacts of needs      the overlay's layers
//     view                                                  served by a process of the leader's
//     delta, base checkout                                  what is on the disk
//
// The kernel keeps every answer, a missing name as well, so that it asks once for each name, file
// and listing however often the job looks: a build that makes 800,000 look-ups makes 1,500 here.
// It is the kernel itself that resolves paths, so whatever a job does to get at a file (threads,
// links, descriptors of folders, mappings, static or foreign programs), the question comes here; a
// job has no way around it and nothing to race with. Folders are listed in order of their names,
// and inode numbers and times are the same on every machine.
//
// What the machine gives (/usr, the kernel's /proc) is not seen: it is the toolchain's part of a
// verdict's key.
#pragma once
#include <sys/types.h>

#include "base/err.h"

#define TRACE_RECORD "reads" // in the run's folder

struct trace {
	pid_t pid;   // the server; 0 = none
	int control; // its end ends the server
};

// Serves `tree` (a folder) at `at` (an empty one), and writes what was asked for into `record` (a
// file that is made, exec/reads.h) when it ends. ERR_UNSUPPORTED: this machine has no FUSE for us.
// The server dies with the caller; waitpid(-1) does not see it.
MUST_USE bool trace_start(const char *tree, const char *at, const char *record, struct trace *out,
                          struct err *e);
// Nobody uses the view any more, or nobody will be believed: ends the server. False: it had died,
// so that the job saw errors which were not its own.
MUST_USE bool trace_end(struct trace *t, struct err *e);
