#include "cli/commands.h"

#include "cli/docs.h"
#include "cli/local.h"

static const char *const groups[] = {CLI_GROUP_LOCAL, CLI_GROUP_CHANGES, CLI_GROUP_DELIVERY,
                                     CLI_GROUP_SERVER, CLI_GROUP_HELP};

// Each table ends with a row without a name.
static const struct cli_command *const tables[] = {local_commands, docs_commands};

static bool among(const struct cli_command *c, const struct cli_command *list, size_t n) {
	for (size_t i = 0; i < n; i++)
		if (!strcmp(c->name, list[i].name)) return true;
	return false;
}

void commands_all(const struct cli_command *extra, size_t n, struct arena *life,
                  const struct cli_command *const **all, size_t *count) {
	size_t most = n, used = 0;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct cli_command *c = tables[t]; c->name; c++) most++;
	const struct cli_command **out = ARENA_ARRAY(life, const struct cli_command *, most + 1);
	for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
		for (size_t i = 0; i < n; i++)
			if (!strcmp(extra[i].group, groups[g])) out[used++] = &extra[i];
		for (size_t t = 0; t < ARRAY_LEN(tables); t++)
			for (const struct cli_command *c = tables[t]; c->name; c++)
				if (!strcmp(c->group, groups[g]) && !among(c, extra, n)) out[used++] = c;
	}
	*all = out;
	*count = used;
}
