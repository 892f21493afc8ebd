// What weir's faces can ask, one row an operation: OPERATION(NAME, handler, METHOD, path, SCOPE,
// ANSWER, cli, doc). From here come the HTTP routes, the OpenAPI document, the scope check, and the
// command line's help and manual.
//
// path: {x} is one segment and a parameter. SCOPE: NONE READ PROPOSE OPERATE ADMIN (operations.h).
// ANSWER: JSON, TEXT, LINES (one JSON value a line), FILE. cli: the command that does the same; ""
// = none. Append rows, never rename a path.
//
// OPERATION_PARAMS_handler(P): P(IN, name, TYPE, REQUIRED, doc). IN: PATH QUERY BODY; TYPE: INT
// TEXT FLAG.
#pragma once

#define OPERATION_TABLE(OPERATION)                                                                 \
	OPERATION(STATUS, server_status, GET, "/api/v1/status", READ, JSON, "weir status",             \
	          "what the server does now")                                                          \
	OPERATION(DOCTOR, server_doctor, GET, "/api/v1/doctor", READ, JSON, "weir doctor",             \
	          "what on this machine helps or hinders")                                             \
	OPERATION(OPENAPI, server_openapi, GET, "/api/v1/openapi.json", NONE, JSON, "",                \
	          "this description, OpenAPI 3.1")                                                     \
	OPERATION(HEALTH, server_health, GET, "/healthz", NONE, TEXT, "",                              \
	          "ok, or why nothing can be changed")                                                 \
	OPERATION(METRICS, server_metrics, GET, "/metrics", READ, TEXT, "",                            \
	          "counters and gauges for Prometheus")                                                \
	OPERATION(CHANGES, changes_list, GET, "/api/v1/changes", READ, JSON, "weir changes",           \
	          "changes, newest first")                                                             \
	OPERATION(CHANGE, changes_get, GET, "/api/v1/changes/{id}", READ, JSON, "weir status ID",      \
	          "one change with its jobs and times")                                                \
	OPERATION(QUEUE, changes_queue, GET, "/api/v1/queue", READ, JSON, "weir queue",                \
	          "open changes in the order in which they land")                                      \
	OPERATION(PREDICTIONS, predictions_list, GET, "/api/v1/predictions", READ, JSON,               \
	          "weir predictions", "how good weir's predictions of what lands were")                \
	OPERATION(WITHDRAW, changes_withdraw, POST, "/api/v1/changes/{id}/withdraw", PROPOSE, JSON,    \
	          "weir withdraw ID", "take a change back")                                            \
	OPERATION(RETRY, changes_retry, POST, "/api/v1/changes/{id}/retry", PROPOSE, JSON,             \
	          "weir retry ID", "queue a rejected change again as it is")                           \
	OPERATION(CANCEL, changes_cancel, POST, "/api/v1/changes/{id}/cancel", OPERATE, JSON,          \
	          "weir cancel ID", "stop testing a change; it leaves the queue")                      \
	OPERATION(DIFF, changes_diff, GET, "/api/v1/changes/{id}/diff", READ, TEXT, "weir diff ID",    \
	          "what the change changes, as a unified diff")                                        \
	OPERATION(JOB_LOG, joblog_get, GET, "/api/v1/changes/{id}/jobs/{job}/log", READ, TEXT,         \
	          "weir log ID JOB", "what a job printed")                                             \
	OPERATION(RELEASES, releases_list, GET, "/api/v1/releases", READ, JSON, "weir releases",       \
	          "releases, newest first")                                                            \
	OPERATION(RELEASE, releases_get, GET, "/api/v1/releases/{release}", READ, JSON,                \
	          "weir release RELEASE", "a release with the files of its artifacts")                 \
	OPERATION(ARTIFACT, releases_artifact, GET, "/api/v1/releases/{release}/artifact", READ, FILE, \
	          "weir artifact get RELEASE [PATH]", "a file of a release, or all as a tar archive")  \
	OPERATION(ENVS, envs_list, GET, "/api/v1/environments", READ, JSON, "weir environments",       \
	          "environments and what runs there")                                                  \
	OPERATION(ENV, envs_get, GET, "/api/v1/environments/{env}", READ, JSON,                        \
	          "weir environment ENV", "one environment with its rollouts")                         \
	OPERATION(DEPLOY, envs_deploy, POST, "/api/v1/environments/{env}/deploy", OPERATE, JSON,       \
	          "weir deploy ENV [RELEASE]", "put a release into an environment")                    \
	OPERATION(ROLLBACK, envs_rollback, POST, "/api/v1/environments/{env}/rollback", OPERATE, JSON, \
	          "weir rollback ENV", "go back to the release before")                                \
	OPERATION(ENV_LOG, envs_log, GET, "/api/v1/environments/{env}/log", READ, TEXT,                \
	          "weir logs ENV", "what the service prints")                                          \
	OPERATION(REPOS, repos_list, GET, "/api/v1/repos", READ, JSON, "weir repo list",               \
	          "repositories")                                                                      \
	OPERATION(REPO_ADD, repos_add, POST, "/api/v1/repos", ADMIN, JSON,                             \
	          "weir repo add NAME [PATH|URL]",                                                     \
	          "serve a repository, or follow one that lives elsewhere")                            \
	OPERATION(EVENTS, eventlog_list, GET, "/api/v1/events", READ, LINES, "weir events",            \
	          "what happened, oldest first")                                                       \
	OPERATION(TOKENS, admin_tokens, GET, "/api/v1/tokens", ADMIN, JSON, "weir token list",         \
	          "tokens, never their secrets")                                                       \
	OPERATION(TOKEN_CREATE, admin_token_create, POST, "/api/v1/tokens", ADMIN, JSON,               \
	          "weir token create NAME --scopes read,propose",                                      \
	          "a new token; its secret is shown once")                                             \
	OPERATION(TOKEN_REVOKE, admin_token_revoke, DELETE, "/api/v1/tokens/{name}", ADMIN, JSON,      \
	          "weir token revoke NAME", "make a token void")                                       \
	OPERATION(SECRETS, admin_secrets, GET, "/api/v1/repos/{repo}/secrets", ADMIN, JSON,            \
	          "weir secret list", "names of secrets, never their values")                          \
	OPERATION(SECRET_SET, admin_secret_set, PUT, "/api/v1/repos/{repo}/secrets/{name}", ADMIN,     \
	          JSON, "weir secret set NAME", "give a secret its value")                             \
	OPERATION(SECRET_RM, admin_secret_rm, DELETE, "/api/v1/repos/{repo}/secrets/{name}", ADMIN,    \
	          JSON, "weir secret rm NAME", "remove a secret")                                      \
	OPERATION(KEYS, admin_keys, GET, "/api/v1/keys", ADMIN, JSON, "weir key list",                 \
	          "SSH keys that may push")                                                            \
	OPERATION(KEY_ADD, admin_key_add, POST, "/api/v1/keys", ADMIN, JSON, "weir key add NAME KEY",  \
	          "let an SSH key push")                                                               \
	OPERATION(KEY_RM, admin_key_rm, DELETE, "/api/v1/keys/{name}", ADMIN, JSON,                    \
	          "weir key rm NAME", "an SSH key may not push any more")                              \
	OPERATION(WEBHOOKS, admin_webhooks, GET, "/api/v1/webhooks", ADMIN, JSON, "weir webhook list", \
	          "URLs that are told what happens")                                                   \
	OPERATION(WEBHOOK_ADD, admin_webhook_add, POST, "/api/v1/webhooks", ADMIN, JSON,               \
	          "weir webhook add NAME URL", "tell a URL what lands, fails and deploys")             \
	OPERATION(WEBHOOK_RM, admin_webhook_rm, DELETE, "/api/v1/webhooks/{name}", ADMIN, JSON,        \
	          "weir webhook rm NAME", "tell a URL no more")

#define OPERATION_ID(P) P(PATH, id, INT, 1, "number of the change")
#define OPERATION_PAGE(P)                                                                \
	P(QUERY, before, NTH, 0, "only older than this number: where the page before ended") \
	P(QUERY, limit, PAGE, 0, "at most so many, 50 unless said, up to 1000")

#define OPERATION_PARAMS_server_status(P)
#define OPERATION_PARAMS_server_doctor(P)
#define OPERATION_PARAMS_server_openapi(P)
#define OPERATION_PARAMS_server_health(P)
#define OPERATION_PARAMS_server_metrics(P)
#define OPERATION_PARAMS_changes_list(P)                          \
	P(QUERY, state, TEXT, 0, "open, ended, or all (unless said)") \
	P(QUERY, repo, TEXT, 0, "only of this repository")            \
	OPERATION_PAGE(P)
#define OPERATION_PARAMS_changes_get(P) OPERATION_ID(P)
#define OPERATION_PARAMS_changes_queue(P) P(QUERY, repo, TEXT, 0, "only of this repository")
#define OPERATION_PARAMS_changes_withdraw(P) OPERATION_ID(P)
#define OPERATION_PARAMS_changes_retry(P) OPERATION_ID(P)
#define OPERATION_PARAMS_changes_cancel(P) OPERATION_ID(P)
#define OPERATION_PARAMS_changes_diff(P) OPERATION_ID(P)
#define OPERATION_PARAMS_joblog_get(P)                                                    \
	OPERATION_ID(P)                                                                       \
	P(PATH, job, TEXT, 1, "name of the job") P(QUERY, from, NTH, 0, "first line, from 1") \
		P(QUERY, lines, NTH, 0, "at most so many lines")                                  \
			P(QUERY, format, TEXT, 0,                                                     \
	          "text (unless said), ansi: with colours, or json: one object a line")       \
				P(QUERY, follow, FLAG, 0, "go on until the job ends")
#define OPERATION_PARAMS_releases_list(P) \
	P(QUERY, repo, TEXT, 0, "only of this repository") OPERATION_PAGE(P)
#define OPERATION_RELEASE(P)                                               \
	P(PATH, release, TEXT, 1, "number, or the first digits of the commit") \
	P(QUERY, repo, TEXT, 0, "its repository, where several have such a commit")
#define OPERATION_PARAMS_releases_get(P) OPERATION_RELEASE(P)
#define OPERATION_PARAMS_releases_artifact(P) \
	OPERATION_RELEASE(P)                      \
	P(QUERY, job, TEXT, 0, "only of this job") P(QUERY, path, TEXT, 0, "one file, by its path")
#define OPERATION_ENV(P)                             \
	P(PATH, env, TEXT, 1, "name of the environment") \
	P(QUERY, repo, TEXT, 0, "its repository, where several have the name")
#define OPERATION_PARAMS_envs_list(P) P(QUERY, repo, TEXT, 0, "only of this repository")
#define OPERATION_PARAMS_envs_get(P) OPERATION_ENV(P)
#define OPERATION_PARAMS_envs_deploy(P)                                                       \
	OPERATION_ENV(P)                                                                          \
	P(BODY, release, TEXT, 0, "number or first digits of the commit; the newest unless said") \
		P(BODY, force, FLAG, 0, "also a release that was rolled back there")
#define OPERATION_PARAMS_envs_rollback(P) \
	OPERATION_ENV(P) P(BODY, reason, TEXT, 0, "why, for the record")
#define OPERATION_PARAMS_envs_log(P) \
	OPERATION_ENV(P)                 \
	P(QUERY, lines, NTH, 0, "the last lines, 200 unless said") P(QUERY, follow, FLAG, 0, "go on")
#define OPERATION_PARAMS_repos_list(P)
#define OPERATION_PARAMS_predictions_list(P)
#define OPERATION_PARAMS_repos_add(P)                                                 \
	P(BODY, name, TEXT, 1, "its name here")                                           \
	P(BODY, source, TEXT, 0,                                                          \
	  "path or URL of a repository to copy or to follow; empty unless said")          \
	P(BODY, trunk, TEXT, 0, "its trunk; main, or what the source says")               \
	P(BODY, follow, FLAG, 0, "trunk lives at the source, weir lands there")           \
	P(BODY, changes, TEXT, 0, "pattern of branches that are changes, such as weir/*") \
	P(BODY, poll_ms, INT, 0, "how often to look, 30000 unless said")
#define OPERATION_PARAMS_eventlog_list(P)                                  \
	P(QUERY, from, INT, 0, "first number; the last 50 events unless said") \
	P(QUERY, entity, TEXT, 0, "only about this, such as change/12")        \
	P(QUERY, limit, NTH, 0, "at most so many, 1000 unless said")           \
	P(QUERY, follow, FLAG, 0, "go on with what happens")
#define OPERATION_PARAMS_admin_tokens(P)
#define OPERATION_PARAMS_admin_token_create(P)                                          \
	P(BODY, name, TEXT, 1, "whose it is")                                               \
	P(BODY, scopes, TEXT, 1, "of read, propose, operate, admin, pipeline, with commas") \
	P(BODY, days, INT, 0, "how long; 90 unless said, at most 3650, 0 = for ever")
#define OPERATION_NAME(P) P(PATH, name, TEXT, 1, "its name")
#define OPERATION_PARAMS_admin_token_revoke(P) OPERATION_NAME(P)
#define OPERATION_REPO(P) P(PATH, repo, TEXT, 1, "name of the repository")
#define OPERATION_PARAMS_admin_secrets(P) OPERATION_REPO(P)
#define OPERATION_PARAMS_admin_secret_set(P) \
	OPERATION_REPO(P) OPERATION_NAME(P) P(BODY, value, TEXT, 1, "up to 64 kB")
#define OPERATION_PARAMS_admin_secret_rm(P) OPERATION_REPO(P) OPERATION_NAME(P)
#define OPERATION_PARAMS_admin_keys(P)
#define OPERATION_PARAMS_admin_key_add(P)                 \
	P(BODY, name, TEXT, 1, "whose it is")                 \
	P(BODY, key, TEXT, 1, "a line as in authorized_keys") \
		P(BODY, scopes, TEXT, 0, "read,propose unless said")
#define OPERATION_PARAMS_admin_key_rm(P) OPERATION_NAME(P)
#define OPERATION_PARAMS_admin_webhooks(P)
#define OPERATION_PARAMS_admin_webhook_add(P) \
	P(BODY, name, TEXT, 1, "its name here")   \
	P(BODY, url, TEXT, 1, "http or https")    \
		P(BODY, kinds, TEXT, 0, "of landed, rejected, deployed, with commas; all unless said")
#define OPERATION_PARAMS_admin_webhook_rm(P) OPERATION_NAME(P)
