#include "app/roles.h"

#include <stdio.h>

#include "app/audit.h"
#include "app/cache.h"
#include "app/localrun.h"
#include "app/logtrace.h"
#include "app/serve.h"
#include "app/sshserve.h"
#include "app/stop.h"
#include "cli/simulatequeue.h"
#include "deploy/supervisor.h"

static int serve(struct cli *cli) {
	int64_t slots = 0, recheck = 2, batch = 0;
	struct err e;
	if (!args_number(&cli->args, "slots", 1, 1000, &slots, &e) ||
	    !args_number(&cli->args, "batch", 1, 100, &batch, &e) ||
	    !args_number(&cli->args, "recheck", 0, 100, &recheck, &e))
		return cli_usage(cli, "%s", e.text);
	struct serve_options o = {
		.data = cli_value(cli, "data"),
		.listen = cli_value(cli, "listen"),
		.slots = (int)slots,
		.batch = (int)batch,
		.recheck = (int)recheck,
		.trusted_proxy = cli_value(cli, "trusted-proxy"),
		.tls_cert = cli_value(cli, "tls-cert"),
		.tls_key = cli_value(cli, "tls-key"),
		.public_url = cli_value(cli, "public-url"),
	};
	return serve_main(&o);
}

static int supervise(struct cli *cli) {
	return supervisor_run(cli_word(cli, 0));
}

static const struct args_option serve_options[] = {
	{"data", 0, "DIR", "folder for everything that is kept (default .weir)", NULL},
	{"listen", 0, "ADDR:PORT", "where to serve (default 127.0.0.1:8420; port 0 picks one)", NULL},
	{"slots", 0, "N", "runs at once (default: the number of cores)", NULL},
	{"batch", 0, "N", "changes tested together under load, at most (1: none; default 8)", NULL},
	{"recheck", 0, "PERCENT", "of reused verdicts, run so many all the same (default 2)", NULL},
	{"trusted-proxy", 0, "ADDR", "IP address of a proxy whose X-Forwarded-For is believed", NULL},
	{"tls-cert", 0, "FILE", "PEM certificate chain: serve HTTPS", NULL},
	{"tls-key", 0, "FILE", "PEM private key of it", NULL},
	{"public-url", 0, "URL", "how people reach it, when by a name: https://weir.example.org", NULL},
	{0},
};

#define OPTION_DATA \
	{ "data", 0, "DIR", "the data folder (default .weir)", NULL }

static const struct args_option audit_options[] = {OPTION_DATA, CLI_OPTION_JSON, {0}};
static const struct args_option replay_options[] = {
	OPTION_DATA,
	{"until", 0, "N", "the last event to apply (default: all)", NULL},
	CLI_OPTION_JSON,
	{0}};
static const struct args_option backup_options[] = {OPTION_DATA, {0}};
static const struct args_option trace_options[] = {
	{"from-log", 0, NULL, "of the changes that ended in a data folder, instead of made up ones",
     NULL},
	OPTION_DATA,
	SIMULATEQUEUE_TRACE_OPTIONS,
	{0}};
static const struct args_option gc_options[] = {
	OPTION_DATA,
	{"days", 0, "N", "keep what was used in so many days (default: logs 90, artifacts 7)", NULL},
	{0}};
static const struct args_option collect_options[] = {
	OPTION_DATA,
	{"log-days", 0, "N", "keep logs of ended runs (default 90)", NULL},
	{"artifact-days", 0, "N", "keep artifacts of ended runs (default 7)", NULL},
	{"releases", 0, "N", "keep artifacts of the newest releases (default 20)", NULL},
	{0},
};

static const struct args_option stop_options[] = {
	OPTION_DATA, {"all", 0, NULL, "every environment of the data folder", NULL}, {0}};

static const struct cli_command commands[] = {
	{.name = "run",
     .words = "[JOB...]",
     .brief = "Run jobs on the working tree, as the server would",
     .group = CLI_GROUP_LOCAL,
     .words_max = -1,
     .options = localrun_options,
     .completes = "job",
     .about = localrun_about,
     .run = localrun_main},
	{.name = "serve",
     .words = "",
     .brief = "serve git, API and pages, run the queue and deploy",
     .group = CLI_GROUP_SERVER,
     .options = serve_options,
     .about = "Prints its URL when it is ready. In a work tree and with an empty data folder it "
              "adds a copy of that\n"
              "repository and prints how to push to it. Runs and services go on when it stops; the "
              "next start adopts them.",
     .run = serve},
	{.name = "audit",
     .words = "",
     .brief = "check every promise against log, git and objects",
     .group = CLI_GROUP_SERVER,
     .options = audit_options,
     .about = "Reads the data folder of a live or stopped daemon with code of its own: the hash "
              "chain, each landing\n"
              "against git, each verdict against its inputs, the projections, the objects. Exit "
              "status 1: a promise is broken.",
     .run = audit_command},
	{.name = "replay",
     .words = "",
     .brief = "show the state as it was after an event",
     .group = CLI_GROUP_SERVER,
     .options = replay_options,
     .run = audit_replay},
	{.name = "backup",
     .words = "DIR",
     .brief = "copy everything, consistent while the daemon works",
     .group = CLI_GROUP_SERVER,
     .words_min = 1,
     .words_max = 1,
     .options = backup_options,
     .completes = "folder",
     .run = audit_backup},
	{.name = "collect",
     .words = "",
     .brief = "free the logs and artifacts that retention no longer keeps",
     .group = CLI_GROUP_SERVER,
     .options = collect_options,
     .run = audit_collect},
	{.name = "cache stat",
     .words = "",
     .brief = "what earlier verdicts there are to reuse, and what that saved",
     .group = CLI_GROUP_SERVER,
     .options = audit_options,
     .about = "Of a server's data and of that of `weir run`, whichever are here.",
     .run = cache_stat},
	{.name = "cache verify",
     .words = "",
     .brief = "check that each verdict's tree still gives the answers it recorded",
     .group = CLI_GROUP_SERVER,
     .options = backup_options,
     .about = "Exit status 1: a verdict is wrong.",
     .run = cache_verify},
	{.name = "cache gc",
     .words = "",
     .brief = "free what earlier verdicts keep",
     .group = CLI_GROUP_SERVER,
     .options = gc_options,
     .run = cache_gc},
	{.name = "simulate trace",
     .words = "",
     .brief = "write a trace of changes for `weir simulate queue`",
     .group = CLI_GROUP_LOCAL,
     .options = trace_options,
     .about = "Made up: Poisson arrivals, lognormal durations, areas at random, as the papers on "
              "SubmitQueue describe such queues. With --from-log: the changes of a data folder, "
              "as they "
              "arrived, with how long their jobs take one after the other, and the folders that "
              "they touch "
              "as areas; the share of job time that was reused is told beside it.",
     .run = logtrace_command},
	{.name = "stop",
     .words = "[ENV]",
     .brief = "end an environment's service, which otherwise outlives the server",
     .group = CLI_GROUP_SERVER,
     .words_max = 1,
     .options = stop_options,
     .about = "Stop `weir serve` before, or it starts the environment's supervisor again.",
     .run = stop_command},
	{.name = "ssh-serve",
     .words = "KEY",
     .brief = "serve git to one SSH key, as the forced command that weir key add prints",
     .group = CLI_GROUP_SERVER,
     .words_min = 1,
     .words_max = 1,
     .options = backup_options,
     .hidden = true,
     .run = sshserve_command},
	{.name = "supervise",
     .words = "FOLDER",
     .brief = "supervise an environment",
     .group = CLI_GROUP_SERVER,
     .words_min = 1,
     .words_max = 1,
     .hidden = true,
     .run = supervise},
};

const struct cli_command *roles_all(size_t *count) {
	*count = ARRAY_LEN(commands);
	return commands;
}
