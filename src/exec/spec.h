// One execution of a job, as its starter describes it: what `weir-leader` reads from RUN/spec.json.
// Values of secrets are not in it.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct exec_strs {
	struct str *p;
	size_t n;
};
struct exec_pair {
	struct str name, value;
};
struct exec_pairs {
	struct exec_pair *p;
	size_t n;
};

// Zero of a number = the default behind it.
struct exec_spec {
	struct str id;      // 1 to 64 of [A-Za-z0-9_.-], unique on the machine
	struct str command; // for /bin/sh -e -c
	struct str folder;  // where it starts, below the workspace; "" = its root
	struct str etc;     // absolute folder of etc_prepare (exec/etc.h); "" = the leader makes one
	struct exec_pairs
		env; // beside PATH HOME TMPDIR LANG CI USER; overrides them; WEIR_* come from the starter
	struct exec_strs secrets; // names; the values go through exec_start
	struct exec_strs
		lowers; // absolute folders, the topmost first: artifacts of needs, delta, base checkout
	int64_t
		traced; // the last so many of lowers are the tree: what is read of it is recorded; 0 = no
	bool layers_follow; // lowers is empty, the leader is told them later (exec/run.h exec_layers)
	struct exec_pairs
		mounts; // name = path below the workspace, value = absolute folder: caches, writable
	struct exec_strs artifacts, results, coverage; // base/glob.h patterns below the workspace
	bool network;
	int64_t timeout_ms;                // 1 h
	int64_t memory_bytes;              // no limit
	int64_t cpu_milli;                 // no limit; 1000 = one core
	int64_t pids;                      // 4096
	int64_t disk_bytes;                // 20 GB: what the run may write; also the largest file
	int64_t scratch_bytes;             // 1 GB in each of /tmp, /var/tmp, HOME, /dev/shm (memory)
	int64_t log_bytes, log_line_bytes; // 64 MB, 1 MB
	int64_t artifact_bytes, artifact_files; // 2 GB, 10,000
};

void spec_json(const struct exec_spec *spec, struct buf *out); // canonical
// The lowers that follow, canonical.
void spec_layers_json(struct exec_strs lowers, int64_t traced, struct buf *out);
MUST_USE bool spec_layers_parse(struct str json, struct arena *life, struct exec_spec *out,
                                struct err *e); // sets lowers and traced
// With all defaults filled in. ERR_INVALID names the field.
MUST_USE bool spec_parse(struct str json, struct arena *life, struct exec_spec *out, struct err *e);
