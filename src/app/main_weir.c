// weir: the command line and the daemon, one program.
#include "cli/cli.h"

int main(int argc, char **argv) {
	return cli_main(argc, argv, NULL, 0);
}
