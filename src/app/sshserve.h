// The forced command of an SSH key that `weir key add` let in: in ~/.ssh/authorized_keys of the
// daemon's user stands command="weir ssh-serve NAME --data DIR",restrict KEY. It asks the log
// whether the key still stands and may do what is asked for (fetch: read, push: propose), then
// becomes git; the push itself is decided by the daemon, as every push.
#pragma once
#include "cli/cli.h"

int sshserve_command(struct cli *cli); // returns only when nothing was served
