// The life of one run, in one process that outlives the daemon: workspace, sandbox, watching,
// collecting, outcome. Its folder (see exec/run.h) is its only memory.
#pragma once

// `folder` holds spec.json; lock_fd is the held lock of the run (kept until the process ends);
// secrets_fd gives the values of the spec's secrets in its order, each as LENGTH (4 bytes) and
// bytes, or is -1. When the spec's layers follow, they are read from standard input to its end
// (exec/spec.h spec_layers_json); nothing there ends the run without an outcome. Returns the exit
// status: 0 when an outcome was written, whatever it says.
int leader_run(const char *folder, int lock_fd, int secrets_fd);
