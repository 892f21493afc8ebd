#include "cli/commands.h"

#include "cli/complete.h"
#include "cli/docs.h"
#include "cli/doctor.h"
#include "cli/local.h"
#include "cli/simulate.h"
#include "cli/simulatequeue.h"
#include "cli/verbs.h"
#include "cli/watch.h"

static const char *const groups[] = {CLI_GROUP_LOCAL, CLI_GROUP_CHANGES, CLI_GROUP_DELIVERY,
                                     CLI_GROUP_SERVER, CLI_GROUP_HELP};

static bool among(const struct cli_command *c, const struct cli_command *const *list, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (!strcmp(c->name, list[i]->name)) return true;
	return false;
}

static void add_table(const struct cli_command *table, struct arena *life,
                      const struct cli_command ***list, size_t *n) {
	size_t more = 0;
	while (table[more].name) more++;
	const struct cli_command **all = ARENA_ARRAY(life, const struct cli_command *, *n + more + 1);
	for (size_t i = 0; i < *n; i++) all[i] = (*list)[i];
	for (size_t i = 0; i < more; i++)
		if (!among(&table[i], all, *n)) all[(*n)++] = &table[i];
	*list = all;
}

void commands_all(const struct cli_command *extra, size_t n, struct arena *life,
                  const struct cli_command *const **all, size_t *count) {
	const struct cli_command **list = ARENA_ARRAY(life, const struct cli_command *, n + 1);
	const struct cli_command *verbs;
	size_t used = 0, ignored;
	for (size_t i = 0; i < n; i++) list[used++] = &extra[i];
	verbs_commands(life, &verbs, &ignored);
	add_table(local_commands, life, &list, &used);
	add_table(simulate_commands, life, &list, &used);
	add_table(simulatequeue_commands, life, &list, &used);
	add_table(watch_commands, life, &list, &used);
	add_table(verbs, life, &list, &used);
	add_table(doctor_commands, life, &list, &used);
	add_table(docs_commands, life, &list, &used);
	add_table(complete_commands, life, &list, &used);

	const struct cli_command **out = ARENA_ARRAY(life, const struct cli_command *, used + 1);
	*count = 0;
	for (size_t g = 0; g < ARRAY_LEN(groups); g++)
		for (size_t i = 0; i < used; i++)
			if (!strcmp(list[i]->group, groups[g])) out[(*count)++] = list[i];
	*all = out;
}
