#include "cli/verbs.h"

#include "cli/access.h"
#include "cli/delivery.h"
#include "cli/feed.h"
#include "cli/grid.h"
#include "cli/story.h"
#include "os/clock.h"

static int show_change(struct cli *cli, const struct json *answer, struct ink *out) {
	(void)cli;
	story_change(answer, clock_wall_ms(), out);
	return 0;
}

static int show_queue(struct cli *cli, const struct json *answer, struct ink *out) {
	(void)cli;
	story_queue(answer, clock_wall_ms(), out);
	return 0;
}

static int show_changes(struct cli *cli, const struct json *answer, struct ink *out) {
	const struct json *list = json_get(answer, "changes");
	(void)cli;
	for (size_t i = 0; i < json_length(list); i++) {
		story_line(json_at(list, i), clock_wall_ms(), out);
		ink_end(out);
	}
	if (!json_length(list)) {
		ink_put(out, INK_PLAIN, "No such change.");
		ink_end(out);
	}
	return 0;
}

#define LIST(name, key, empty, ...)                                                            \
	static int name(struct cli *cli, const struct json *answer, struct ink *out) {             \
		static const struct grid_column columns[] = {__VA_ARGS__};                             \
		(void)cli;                                                                             \
		grid_print(json_get(answer, key), columns, ARRAY_LEN(columns), empty, clock_wall_ms(), \
		           out);                                                                       \
		return 0;                                                                              \
	}

LIST(show_releases, "releases", "No release yet: the first change that lands makes one.",
     {"id", "id", GRID_NUMBER, NULL}, {"commit", "commit", GRID_COMMIT, NULL},
     {"made", "made", GRID_TIME, NULL}, {"change", "change", GRID_NUMBER, "none"},
     {"author", "author", GRID_TEXT, "unknown"}, {"title", "title", GRID_TITLE, NULL})
LIST(show_reliability, "reliability",
     "Nothing yet: a prediction is judged when its change has landed or was rejected.",
     {"repository", "repo", GRID_TEXT, NULL},
     {"predicted %", "predicted_percent", GRID_NUMBER, NULL},
     {"landed %", "landed_percent", GRID_NUMBER, NULL}, {"changes", "changes", GRID_NUMBER, NULL})

static int show_predictions(struct cli *cli, const struct json *answer, struct ink *out) {
	const struct json *scores = json_get(answer, "scores");
	for (size_t i = 0; i < json_length(scores); i++) {
		const struct json *s = json_at(scores, i);
		struct str repo = json_get_str(s, "repo");
		ink_put(out, INK_PLAIN,
		        STR_FMT ": Brier score %.3f of %lld changes; %.3f if nothing but the share that "
		                "lands (%lld %%) were known",
		        STR_ARG(repo), json_number(json_get(s, "brier"), 0),
		        (long long)json_get_int(s, "changes", 0), json_number(json_get(s, "baseline"), 0),
		        (long long)json_get_int(s, "landed_percent", 0));
		ink_end(out);
	}
	if (json_length(scores)) ink_end(out);
	return show_reliability(cli, answer, out);
}
LIST(show_files, "files", "This release has no artifact.", {"job", "job", GRID_TEXT, NULL},
     {"size", "size", GRID_SIZE, NULL}, {"path", "path", GRID_TITLE, NULL})
LIST(show_environments, "environments",
     "No environment: name one in weir.yml, see `weir manual weir.yml`.",
     {"environment", "name", GRID_TEXT, NULL}, {"repository", "repo", GRID_TEXT, NULL},
     {"commit", "release.commit", GRID_COMMIT, "none"},
     {"live since", "live_since", GRID_TIME, "not live"},
     {"health", "health", GRID_STATE, "not asked"}, {"title", "release.title", GRID_TITLE, ""})
LIST(show_repos, "repos", "No repository yet. Add one: `weir repo add NAME`.",
     {"name", "name", GRID_TEXT, NULL}, {"trunk", "trunk", GRID_TEXT, NULL},
     {"tip", "tip", GRID_COMMIT, "empty"}, {"follows", "follow", GRID_TEXT, "no"},
     {"source", "source", GRID_TITLE, "here"})
LIST(show_tokens, "tokens", "No token. Make one: `weir token create NAME --scopes read,propose`.",
     {"name", "name", GRID_TEXT, NULL}, {"scopes", "scopes", GRID_TEXT, NULL},
     {"created", "created", GRID_TIME, NULL}, {"expires", "expires", GRID_TIME, "never"},
     {"revoked", "revoked", GRID_TIME, ""})
LIST(show_secrets, "secrets", "No secret. Set one: `weir secret set NAME`.",
     {"name", "name", GRID_TEXT, NULL}, {"set", "set", GRID_TIME, NULL},
     {"by", "by", GRID_TEXT, "unknown"})
LIST(show_keys, "keys", "No SSH key. Add one: `weir key add NAME ~/.ssh/id_ed25519.pub`.",
     {"name", "name", GRID_TEXT, NULL}, {"scopes", "scopes", GRID_TEXT, NULL},
     {"added", "added", GRID_TIME, NULL}, {"key", "key", GRID_TITLE, NULL})
LIST(show_webhooks, "webhooks", "No webhook. Add one: `weir webhook add NAME URL`.",
     {"name", "name", GRID_TEXT, NULL}, {"kinds", "kinds", GRID_TEXT, "all"},
     {"added", "added", GRID_TIME, NULL}, {"url", "url", GRID_TITLE, NULL})

static int show_release(struct cli *cli, const struct json *answer, struct ink *out) {
	ink_put(out, INK_HEAD, "release %lld  " STR_FMT, (long long)json_get_int(answer, "id", 0),
	        STR_ARG(str_slice(json_get_str(answer, "commit"), 0, 7)));
	ink_put(out, INK_PLAIN, "  ");
	ink_str(out, INK_PLAIN, json_get_str(answer, "title"));
	ink_end(out);
	ink_end(out);
	return show_files(cli, answer, out);
}

static int show_done(struct cli *cli, const struct json *answer, struct ink *out) {
	struct str name = json_get_str(answer, "name"), verb = str_of(cli->command->name);
	(void)str_cut(&verb, ' ');
	bool gone = str_eq(verb, STR("rm")) || str_eq(verb, STR("revoke"));
	ink_glyph(out, INK_GOOD, INK_OK);
	ink_put(out, INK_PLAIN, " ");
	ink_str(out, INK_HEAD, name);
	ink_put(out, INK_PLAIN,
	        str_eq(verb, STR("revoke")) ? " is void"
	        : gone                      ? " is removed"
	                                    : " is stored");
	ink_end(out);
	return 0;
}

static const struct args_option secret_more[] = {
	{"repo", 0, "NAME", "its repository, where there are several", NULL}, {0}};
static const struct args_option repo_more[] = {
	{"poll", 0, "DURATION", "how often to look; 30s unless said", NULL},
	{"changes", 0, "PATTERN", "branches that are changes, such as weir/*", NULL},
	{0}};
static const struct args_option token_more[] = {
	{"scopes", 0, "SCOPES", "of read, propose, operate, admin, pipeline, with commas", NULL}, {0}};

#define CHANGE .group = CLI_GROUP_CHANGES, .completes = "change"
#define DELIVERY .group = CLI_GROUP_DELIVERY
#define SERVER .group = CLI_GROUP_SERVER

static const struct verb verbs[] = {
	{OPERATION_QUEUE, .group = CLI_GROUP_CHANGES, .show = show_queue},
	{OPERATION_CHANGES, .group = CLI_GROUP_CHANGES, .show = show_changes},
	{OPERATION_PREDICTIONS, .group = CLI_GROUP_CHANGES, .show = show_predictions},
	{OPERATION_JOB_LOG, .group = CLI_GROUP_CHANGES, .completes = "change job", .run = feed_log},
	{OPERATION_DIFF, CHANGE},
	{OPERATION_CANCEL, CHANGE, .show = show_change},
	{OPERATION_RETRY, CHANGE, .show = show_change},
	{OPERATION_WITHDRAW, CHANGE, .show = show_change},
	{OPERATION_DEPLOY, DELIVERY, .completes = "environment release", .run = delivery_deploy,
     .more = delivery_options,
     .about = "Waits until the release is live, or is not; the release before stays ready for "
              "`weir rollback`. After each landing weir deploys by itself."},
	{OPERATION_ROLLBACK, DELIVERY, .completes = "environment", .run = delivery_rollback,
     .more = delivery_options,
     .about = "The release before is still running, so traffic goes back at once. What was rolled "
              "back is blocked there until a newer release, or `weir deploy --force`."},
	{OPERATION_RELEASES, DELIVERY, .show = show_releases},
	{OPERATION_RELEASE, DELIVERY, .completes = "release", .show = show_release},
	{OPERATION_ARTIFACT, DELIVERY, .completes = "release", .run = feed_artifact,
     .more = feed_artifact_options},
	{OPERATION_ENVS, DELIVERY, .show = show_environments},
	{OPERATION_ENV, DELIVERY, .completes = "environment", .show = delivery_show},
	{OPERATION_ENV_LOG, DELIVERY, .completes = "environment"},
	{OPERATION_EVENTS, SERVER, .run = feed_events},
	{OPERATION_REPO_ADD, SERVER, .run = access_repo_add, .more = repo_more,
     .about = "Without a source it is empty and takes the first push to trunk. PATH or URL is "
              "copied once; with `--follow` trunk stays there, weir looks for changes and lands "
              "there."},
	{OPERATION_REPOS, SERVER, .show = show_repos},
	{OPERATION_TOKEN_CREATE, SERVER, .show = access_token, .more = token_more},
	{OPERATION_TOKENS, SERVER, .show = show_tokens},
	{OPERATION_TOKEN_REVOKE, SERVER, .show = show_done},
	{OPERATION_SECRET_SET, SERVER, .run = access_secret_set, .more = secret_more,
     .about = "Reads the value from standard input, without the last end of line; on a terminal it "
              "asks, without showing it."},
	{OPERATION_SECRETS, SERVER, .show = show_secrets, .more = secret_more},
	{OPERATION_SECRET_RM, SERVER, .show = show_done, .more = secret_more},
	{OPERATION_KEY_ADD, SERVER, .completes = "name file", .run = access_key_add,
     .about = "KEY is the line of a .pub file, or the path of one. Prints the line for the "
              "authorized_keys of the user who runs the server."},
	{OPERATION_KEYS, SERVER, .show = show_keys},
	{OPERATION_KEY_RM, SERVER, .show = show_done},
	{OPERATION_WEBHOOK_ADD, SERVER, .show = show_done},
	{OPERATION_WEBHOOKS, SERVER, .show = show_webhooks},
	{OPERATION_WEBHOOK_RM, SERVER, .show = show_done},
};

void verbs_commands(struct arena *life, const struct cli_command **out, size_t *n) {
	struct cli_command *list = ARENA_ARRAY(life, struct cli_command, ARRAY_LEN(verbs) + 1);
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		count += verb_command(&verbs[i], life, &list[count]);
	*out = list;
	*n = count;
}

int verbs_run(struct cli *cli) {
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct cli_command row;
		if (verb_command(&verbs[i], cli->life, &row) && !strcmp(row.name, cli->command->name))
			return verb_run(cli, &verbs[i]);
	}
	return cli_usage(cli, "weir %s has no row", cli->command->name);
}
