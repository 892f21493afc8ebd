#include "app/stop.h"

#include "deploy/environment.h"
#include "os/file.h"

enum { PATIENCE_MS = 60 * 1000 };

static bool is_meant(struct str folder, struct str name) {
	if (str_eq(folder, name)) return true;
	struct str rest = folder;
	(void)str_cut(&rest, '.'); // repository names may hold dots, environments' names come last
	while (rest.p && str_find_char(rest, '.') < rest.n) (void)str_cut(&rest, '.');
	return str_eq(rest, name);
}

int stop_command(struct cli *cli) {
	AUTO_ARENA life = {0};
	struct str *folders, wanted = str_of(cli_word(cli, 0) ? cli_word(cli, 0) : "");
	size_t count, stopped = 0;
	struct err e;
	const char *data = cli_value(cli, "data") ? cli_value(cli, "data") : ".weir";
	if (!wanted.n && !cli_has(cli, "all"))
		return cli_usage(cli, "which environment? name one, or --all");
	struct str envs = arena_printf(&life, "%s/envs", data);
	if (!file_list(envs.p, &life, &folders, &count, &e))
		return cli_fail(cli, &e, "say where its data is with --data DIR");
	for (size_t i = 0; i < count; i++) {
		AUTO_JSON answer = NULL;
		if (!cli_has(cli, "all") && !is_meant(folders[i], wanted)) continue;
		struct str folder = arena_printf(&life, "%s/" STR_FMT, envs.p, STR_ARG(folders[i]));
		if (!environment_command(folder.p, STR("{\"do\":\"stop\"}"), PATIENCE_MS, &answer, &e)) {
			if (!cli_has(cli, "all")) return cli_fail(cli, &e, "it is not running");
			continue;
		}
		cli_out(arena_printf(&life, "✓ " STR_FMT " is stopped\n", STR_ARG(folders[i])));
		stopped++;
	}
	if (stopped || cli_has(cli, "all")) return 0;
	err_set(&e, ERR_NOT_FOUND, "no environment " STR_FMT " in %s", STR_ARG(wanted), data);
	return cli_fail(cli, &e, NULL);
}
