// weir: the command line and the daemon, one program.
#include "app/roles.h"

int main(int argc, char **argv) {
	size_t count;
	const struct cli_command *commands = roles_all(&count);
	return cli_main(argc, argv, commands, count);
}
