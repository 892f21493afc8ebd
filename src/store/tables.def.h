// The tables of the projections, as SQL. Ids are the events' ids; 0, '' = none; *_ms = milliseconds
// since 1970 UTC, 0 = not yet; digests and oids are hexadecimal; reasons are codes of
// core/reason.def.h. Any difference in this page or in project.def.h makes the next start of weir
// fill the tables again from the log.
#pragma once

#define ID "INTEGER PRIMARY KEY"
#define INT "INTEGER NOT NULL DEFAULT 0"
#define TEXT "TEXT NOT NULL DEFAULT ''"

// PROJECT_TABLES(T): T(name, columns, options, indexes)
#define PROJECT_TABLES(T)                                                                          \
	T(server,                                                                                      \
	  "id " ID ", version " TEXT ", seed " INT ", slots " INT ", started_ms " INT ", starts " INT, \
	  "", "")                                                                                      \
	T(repos,                                                                                       \
	  "id " ID ", name " TEXT ", trunk " TEXT ", url " TEXT ", follow " INT ", changes " TEXT      \
	  ", poll_ms " INT ", added_ms " INT ", tip " TEXT ", tip_ms " INT ", config_commit " TEXT     \
	  ", config_ms " INT ", config_error " TEXT ", plan_digest " TEXT,                             \
	  "", "")                                                                                      \
	T(plans, "digest TEXT PRIMARY KEY, plan " TEXT, " WITHOUT ROWID", "")                          \
	/* One row a change: its newest revision. state: proposed, queued, testing, landing, */        \
	/* landed, rejected, withdrawn. reason of an open change: why it went back to the queue. */    \
	T(changes,                                                                                     \
	  "id " ID ", repo " INT ", revision " INT ", target " TEXT ", key " TEXT ", head " TEXT       \
	  ", base " TEXT ", title " TEXT ", author " TEXT ", email " TEXT ", author_kind " TEXT        \
	  ", pusher " TEXT ", topic " TEXT ", priority " INT ", draft " INT ", pipeline_scope " INT    \
	  ", commits " INT ", files " INT ", lines_added " INT ", lines_deleted " INT                  \
	  ", first_commit_ms " INT ", state " TEXT ", reason " TEXT ", reason_text " TEXT              \
	  ", candidate " INT ", run " INT ", landing " INT ", landed_commit " TEXT                     \
	  ", first_proposed_ms " INT ", proposed_ms " INT ", queued_ms " INT ", landed_ms " INT        \
	  ", deployed_ms " INT ", ended_ms " INT ", retries " INT ", by " TEXT ", chance " INT,                        \
	  "",                                                                                          \
	  "CREATE INDEX changes_open ON changes(repo, id) WHERE ended_ms = 0;"                         \
	  "CREATE INDEX changes_ended ON changes(ended_ms, id) WHERE ended_ms > 0;"                    \
	  "CREATE INDEX changes_repo ON changes(repo, id);"                                            \
	  "CREATE INDEX changes_proposed ON changes(first_proposed_ms);"                               \
	  "CREATE INDEX changes_landed ON changes(repo, landing) WHERE landed_ms > 0;"                 \
	  "CREATE INDEX changes_undeployed ON changes(repo, landing)"                                  \
	  " WHERE landed_ms > 0 AND deployed_ms = 0;")                                                 \
	/* Every revision, also the superseded ones. state: open, landed, rejected, withdrawn, */      \
	/* superseded. */                                                                              \
	T(revisions,                                                                                   \
	  "change INTEGER NOT NULL, revision INTEGER NOT NULL, head " TEXT ", base " TEXT              \
	  ", title " TEXT ", author " TEXT ", pusher " TEXT ", draft " INT ", commits " INT            \
	  ", files " INT ", lines_added " INT ", lines_deleted " INT ", state " TEXT ", reason " TEXT  \
	  ", reason_text " TEXT ", proposed_ms " INT ", queued_ms " INT ", ended_ms " INT              \
	  ", PRIMARY KEY(change, revision)",                                                           \
	  " WITHOUT ROWID", "")                                                                        \
	/* state: issued, built, refused, dropped, landed */                                           \
	T(candidates,                                                                                  \
	  "id " ID ", repo " INT ", change " INT ", revision " INT ", base_candidate " INT             \
	  ", base " TEXT ", head " TEXT ", commit_oid " TEXT ", tree " TEXT ", plan_digest " TEXT      \
	  ", skipped " TEXT ", conflicts " TEXT ", state " TEXT ", reason " TEXT ", reason_text " TEXT \
	  ", issued_ms " INT ", built_ms " INT ", ended_ms " INT ", members " TEXT,                     \
	  "", "CREATE INDEX candidates_change ON candidates(change, id);")                             \
	/* Of batches: the changes that are tested with a candidate's own. */                          \
	T(members,                                                                                     \
	  "candidate INTEGER NOT NULL, change INTEGER NOT NULL, revision " INT                         \
	  ", PRIMARY KEY(change, candidate)",                                                          \
	  " WITHOUT ROWID", "CREATE INDEX members_candidate ON members(candidate);")                   \
	/* state: issued, running, cancelling, finished, reused, stopped, lost */                      \
	T(runs,                                                                                        \
	  "id " ID ", repo " INT ", candidate " INT ", change " INT ", revision " INT ", job " INT     \
	  ", name " TEXT ", attempt " INT ", trust " INT ", state " TEXT ", outcome " TEXT             \
	  ", reason " TEXT ", reason_text " TEXT ", exit_status " INT ", signal " INT                  \
	  ", issued_ms " INT ", started_ms " INT ", ended_ms " INT ", slot_wait_ms " INT               \
	  ", duration_ms " INT ", cpu_ms " INT ", memory_bytes " INT ", cgroup " TEXT ", key " TEXT    \
	  ", inputs " TEXT ", toolchain " TEXT ", artifacts " TEXT ", log " TEXT ", results " TEXT     \
	  ", coverage " TEXT ", tests " INT ", tests_failed " INT ", failed_tests " TEXT               \
	  ", reused_of " INT ", saved_ms " INT ", rechecks " INT ", differs " INT ", lookup " INT      \
	  ", recheck " INT ", doubts " INT ", sure " INT ", basis " TEXT,                                                            \
	  "",                                                                                          \
	  "CREATE INDEX runs_candidate ON runs(candidate, id);"                                        \
	  "CREATE INDEX runs_change ON runs(change, id);"                                              \
	  "CREATE INDEX runs_open ON runs(id) WHERE ended_ms = 0;"                                     \
	  "CREATE INDEX runs_ended ON runs(ended_ms) WHERE ended_ms > 0;"                              \
	  "CREATE INDEX runs_passed ON runs(repo, name, id)"                                           \
	  " WHERE state = 'finished' AND outcome = 'passed';")                                         \
	/* The newest passed run of each verdict key, and the newest tree it holds for. */             \
	T(verdicts,                                                                                    \
	  "key TEXT NOT NULL, repo INTEGER NOT NULL, basis " TEXT ", inputs " TEXT ", tree " TEXT      \
	  ", run " INT ", artifacts " TEXT ", time_ms " INT ", PRIMARY KEY(key, repo)",                                                        \
	  " WITHOUT ROWID", "CREATE INDEX verdicts_basis ON verdicts(basis, time_ms);")              \
	/* What the newest passed run of a job read. */                                                \
	T(job_inputs, "repo INTEGER NOT NULL, job TEXT NOT NULL, inputs " TEXT ", PRIMARY KEY(repo, job)", \
	  " WITHOUT ROWID", "")                                                                        \
	/* Sums over all runs ever: reused, saved_ms, rechecked, differed (in its outcome), varied (in   \
	   its artifacts). */                                                                          \
	T(tallies, "name TEXT PRIMARY KEY, n " INT, " WITHOUT ROWID", "")                              \
	/* What was predicted of changes, by tenths of it, and what became of them. chances: their sum;  \
	   brier: the sum of the squared errors; both in millionths. */                                \
	T(predictions,                                                                                 \
	  "repo INTEGER NOT NULL, tenth INTEGER NOT NULL, changes " INT ", landed " INT                \
	  ", chances " INT ", brier " INT ", PRIMARY KEY(repo, tenth)",                                \
	  " WITHOUT ROWID", "")                                                                        \
	/* state: issued, landed, failed */                                                            \
	T(landings,                                                                                    \
	  "id " ID ", candidate " INT ", repo " INT ", change " INT ", revision " INT                  \
	  ", from_oid " TEXT ", to_oid " TEXT ", tree " TEXT ", state " TEXT ", found " TEXT           \
	  ", reason_text " TEXT ", issued_ms " INT ", ended_ms " INT,                                  \
	  "", "")                                                                                      \
	T(releases,                                                                                    \
	  "id " ID ", repo " INT ", change " INT ", candidate " INT ", commit_oid " TEXT               \
	  ", artifacts " TEXT ", made_ms " INT,                                                        \
	  "",                                                                                          \
	  "CREATE INDEX releases_repo ON releases(repo, id);"                                          \
	  "CREATE INDEX releases_commit ON releases(commit_oid);")                                     \
	T(blocks,                                                                                      \
	  "release INTEGER NOT NULL, env INTEGER NOT NULL, reason " TEXT ", blocked_ms " INT           \
	  ", PRIMARY KEY(release, env)",                                                               \
	  " WITHOUT ROWID", "")                                                                        \
	/* defined: trunk's weir.yml names it. release: what is live. health: '', healthy, unhealthy   \
	 */                                                                                            \
	T(envs,                                                                                        \
	  "id " ID ", repo " INT ", name " TEXT ", defined " INT ", release " INT ", rollout " INT    \
	  ", live_ms " INT ", health " TEXT ", health_text " TEXT ", health_ms " INT  \
	  ", requested_release " INT ", requested_by " TEXT ", requested_ms " INT                      \
	  ", requested_text " TEXT,                                                                    \
	  "", "CREATE UNIQUE INDEX envs_name ON envs(repo, name);")                                    \
	/* What ran in an environment, oldest first: the core's struct env.history */                   \
	T(env_history,                                                                                 \
	  "env INTEGER NOT NULL, place INTEGER NOT NULL, release " INT ", PRIMARY KEY(env, place)",    \
	  " WITHOUT ROWID", "")                                                                        \
	/* state: issued, cancelling, live (and once live: also after it), failed, cancelled */        \
	T(rollouts,                                                                                    \
	  "id " ID ", env " INT ", release " INT ", previous " INT ", cause " TEXT ", by " TEXT        \
	  ", state " TEXT ", outcome " TEXT ", reason " TEXT ", reason_text " TEXT ", issued_ms " INT  \
	  ", exposed_ms " INT ", ended_ms " INT ", duration_ms " INT,                                  \
	  "",                                                                                          \
	  "CREATE INDEX rollouts_env ON rollouts(env, id);"                                            \
	  "CREATE INDEX rollouts_ended ON rollouts(ended_ms) WHERE ended_ms > 0;")                     \
	T(tokens,                                                                                      \
	  "name TEXT PRIMARY KEY, scopes " TEXT ", hash " TEXT ", created_ms " INT ", expires_ms " INT \
	  ", revoked_ms " INT,                                                                         \
	  " WITHOUT ROWID", "CREATE INDEX tokens_hash ON tokens(hash);")                               \
	T(ssh_keys, "name TEXT PRIMARY KEY, key " TEXT ", scopes " TEXT ", added_ms " INT,             \
	  " WITHOUT ROWID", "")                                                                        \
	T(webhooks,                                                                                    \
	  "name TEXT PRIMARY KEY, url " TEXT ", kinds " TEXT ", upto " INT ", added_ms " INT,          \
	  " WITHOUT ROWID", "")                                                                        \
	T(secrets,                                                                                     \
	  "repo INTEGER NOT NULL, name TEXT NOT NULL, by " TEXT ", set_ms " INT                        \
	  ", PRIMARY KEY(repo, name)",                                                                 \
	  " WITHOUT ROWID", "")                                                                        \
	T(local_runs,                                                                                  \
	  "seq " ID ", job " TEXT ", outcome " TEXT ", duration_ms " INT ", key " TEXT                 \
	  ", artifacts " TEXT ", log " TEXT ", results " TEXT ", tree " TEXT ", basis " TEXT           \
	  ", inputs " TEXT ", time_ms " INT,                                                           \
	  "",                                                                                          \
	  "CREATE INDEX local_runs_basis ON local_runs(basis);"                                            \
	  "CREATE INDEX local_runs_time ON local_runs(time_ms);")
