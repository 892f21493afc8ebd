#include "cli/complete.h"

#include "cli/remote.h"

static const struct kind {
	const char *name, *field; // of each row
	enum operation_id operation;
} kinds[] = {
	{"change", "id", OPERATION_CHANGES},     {"environment", "name", OPERATION_ENVS},
	{"release", "id", OPERATION_RELEASES},   {"repo", "name", OPERATION_REPOS},
	{"repository", "name", OPERATION_REPOS},
};

static void print_rows(const struct json *answer, const char *field) {
	struct str key;
	struct json *list;
	for (void *it = NULL; json_next(answer, &it, &key, &list);) {
		if (json_kind(list) != JSON_KIND_ARRAY) continue;
		for (size_t i = 0; i < json_length(list); i++) {
			const struct json *v = json_get(json_at(list, i), field);
			AUTO_BUF line = {0};
			if (json_kind(v) == JSON_KIND_INT) buf_printf(&line, "%lld", (long long)json_int(v, 0));
			else buf_str(&line, json_str(v));
			buf_char(&line, '\n');
			if (line.n > 1) cli_out(buf_view(&line));
		}
		return;
	}
}

static int complete(struct cli *cli) {
	AUTO_BUF body = {0};
	AUTO_JSON answer = NULL;
	struct remote *remote = NULL;
	const char *next = NULL;
	struct err e;
	struct str none[16] = {{0}};
	struct str wanted = str_of(cli_word(cli, 0));
	for (size_t i = 0; str_eq(wanted, STR("command")) && i < cli->all_count; i++) {
		if (cli->all[i]->hidden) continue;
		cli_out(str_of(cli->all[i]->name));
		cli_out(STR("\n"));
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!str_eq(wanted, str_of(kinds[i].name))) continue;
		if (remote_open(cli->life, &remote, &e) &&
		    remote_ask(remote, kinds[i].operation, none, &body, &next, &e) &&
		    json_parse(buf_view(&body), &answer, &e))
			print_rows(answer, kinds[i].field);
		remote_close(remote);
	}
	return 0;
}

const struct cli_command complete_commands[] = {
	{.name = "complete",
     .words = "KIND",
     .brief = "list what a word may be",
     .group = CLI_GROUP_HELP,
     .words_min = 1,
     .words_max = 1,
     .hidden = true,
     .run = complete},
	{0},
};
