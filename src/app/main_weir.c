// weir: the command line and the daemon, one program.
#include "app/commands.h"

int main(int argc, char **argv) {
	size_t count;
	const struct cli_command *commands = commands_all(&count);
	return cli_main(argc, argv, commands, count);
}
