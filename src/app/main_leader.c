// weir-leader RUN: one per run, started by exec_start (exec/run.h) with the run's lock as
// descriptor 3 and the values of its secrets as descriptor 4. By hand: `weir-leader RUN` with
// RUN/spec.json, for a run without secrets.
#include <fcntl.h>
#include <stdio.h>

#include "exec/leader.h"

int main(int argc, char **argv) {
	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: weir-leader RUN (a folder with spec.json)\n");
		return 2;
	}
	int lock = fcntl(3, F_GETFD) >= 0 ? 3 : -1, secrets = fcntl(4, F_GETFD) >= 0 ? 4 : -1;
	return leader_run(argv[1], lock, secrets);
}
