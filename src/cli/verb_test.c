// Commands that come out of the table of operations, and what all tables have in common.
#include "cli/verb.h"

#include "base/unit.h"
#include "cli/commands.h"

static struct cli_command command(enum operation_id id, struct arena *life) {
	struct verb v = {.id = id, .group = CLI_GROUP_SERVER};
	struct cli_command c = {0};
	assert_true(verb_command(&v, life, &c));
	return c;
}

static const struct args_option *option(const struct cli_command *c, const char *name) {
	for (const struct args_option *o = c->options; o && o->name; o++)
		if (!strcmp(o->name, name)) return o;
	return NULL;
}

static void words(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct cli_command c = command(OPERATION_REPO_ADD, &life);
	assert_string_equal(c.name, "repo add");
	assert_string_equal(c.words, "NAME [PATH|URL]");
	assert_int_equal(c.words_min, 1);
	assert_int_equal(c.words_max, 2);
	assert_null(option(&c, "name")); // it is a word
	assert_null(option(&c, "source"));
	assert_non_null(option(&c, "poll")); // poll_ms as a duration
	const struct args_option *poll = option(&c, "poll");
	assert_true(poll && strcmp(poll->value, "DURATION") == 0);
	const struct args_option *follow = option(&c, "follow");
	assert_true(follow && follow->letter == 'f');
	c = command(OPERATION_TOKEN_CREATE, &life);
	assert_string_equal(c.name, "token create");
	assert_string_equal(c.words, "NAME");
	assert_non_null(option(&c, "scopes"));
	c = command(OPERATION_QUEUE, &life);
	assert_string_equal(c.name, "queue");
	assert_string_equal(c.words, "");
	assert_int_equal(c.words_max, 0);
	assert_non_null(option(&c, "json"));
	c = command(OPERATION_DIFF, &life);
	assert_null(option(&c, "json")); // its answer is text
	c = command(OPERATION_SECRET_SET, &life);
	assert_null(option(&c, "value")); // never on a command line
	struct verb none = {.id = OPERATION_HEALTH};
	assert_false(verb_command(&none, &life, &c));
}

// Every operation with a command has one, and no command lacks what help and manual show.
static void nothing_is_missing(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	const struct cli_command *const *all;
	size_t n;
	commands_all(NULL, 0, &life, &all, &n);
	for (int id = 0; id < OPERATION_COUNT; id++) {
		const struct operation *o = operation_at((enum operation_id)id);
		if (!o->cli[0]) continue;
		struct verb v = {.id = (enum operation_id)id};
		struct cli_command c;
		assert_true(verb_command(&v, &life, &c));
		bool found = false;
		for (size_t i = 0; i < n; i++) found |= !strcmp(all[i]->name, c.name);
		if (!found) fail_msg("no command for %s", o->cli);
	}
	for (size_t i = 0; i < n; i++) {
		assert_non_null(all[i]->run);
		assert_true(all[i]->brief[0] && all[i]->brief[strlen(all[i]->brief) - 1] != '.');
		if (strlen(all[i]->brief) > 78) fail_msg("%s: brief is too long", all[i]->name);
		for (size_t k = 0; k < i; k++) assert_string_not_equal(all[i]->name, all[k]->name);
	}
}

static int nothing(struct cli *cli) {
	(void)cli;
	return 0;
}

static void extra_commands(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	static const struct cli_command extra[] = {
		{.name = "serve", .words = "", .brief = "serve", .group = CLI_GROUP_SERVER, .run = nothing},
		{.name = "doctor",
	     .words = "",
	     .brief = "another",
	     .group = CLI_GROUP_LOCAL,
	     .run = nothing},
	};
	const struct cli_command *const *all;
	size_t n, doctors = 0, serves = 0;
	commands_all(extra, 2, &life, &all, &n);
	for (size_t i = 0; i < n; i++) {
		serves += !strcmp(all[i]->name, "serve");
		if (strcmp(all[i]->name, "doctor") != 0) continue;
		doctors++;
		assert_string_equal(all[i]->brief, "another"); // what the program brings wins
	}
	assert_int_equal(doctors, 1);
	assert_int_equal(serves, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(nothing_is_missing),
		cmocka_unit_test(extra_commands),
	};
	return cmocka_run_group_tests_name("verb", tests, NULL, NULL);
}
