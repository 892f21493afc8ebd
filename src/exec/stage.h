// Where the parts of a sandbox are put together before bubblewrap takes them over: the leader's own
// mount namespace (an ordinary user's in a user namespace of its own), with a small tmpfs that
// holds
//
//   root/     what the job sees as / (exec/root.h)
//   tree/     of several traced layers: what they are together
//   view/     the traced layers as exec/trace.h shows them
//   root/work the overlay: other layers, view, the run's upper layer
//             with the caches of the spec mounted in it
//
// The overlay is mounted with userxattr (so a delta layer is opaque by user.overlay.opaque whoever
// runs weir) and volatile: an fsync of a job costs nothing, because a run that the machine does not
// survive is done again.
#pragma once
#include "exec/spec.h"
#include "exec/trace.h"

enum { STAGE_UID = 61000 }; // uid and gid of jobs: inside always, outside when weir runs as root

struct stage {
	const char *folder; // absolute
	int work;           // the overlay's root, O_PATH; closed by the end of the process
	struct trace trace; // of the spec's traced layers
	char untraced[160]; // why they are not traced; "" = they are, or there are none
};

// Changes this process for good. `run` is the run's folder, `inner` the path of weir-inner; both
// absolute. root/work is an empty folder yet.
MUST_USE bool stage_enter(const struct exec_spec *spec, const char *run, const char *inner,
                          struct arena *life, struct stage *out, struct err *e);
// The overlay of spec->lowers and the caches, also in a sandbox that is there already: the tmpfs is
// shared, and bubblewrap's copy of it a slave (mount_namespaces(7)). Makes upper/ and work/ in
// `run`, and TRACE_RECORD when layers are traced. ERR_CONFLICT: the tree has a link or a file where
// a cache is to lie.
MUST_USE bool stage_mount_work(const struct exec_spec *spec, const char *run, struct stage *stage,
                               struct err *e);
