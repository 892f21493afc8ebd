// What each event does to the projections: RULE(EVENT, "sql"), in the order of execution.
// Parameters are the fields of the event (:change), :time (its time_ms) and :seq. Several rules of
// one event run in the order of this page.
#pragma once

// The environments of :plan. A rule must not fail on an odd event: it would stop the log.
#define PLAN_ENVIRONMENTS                                              \
	"json_each(iif(json_valid(:plan), :plan, '{}'), '$.environments')" \
	" WHERE type = 'object' AND json_type(value, '$.name') = 'text'"
// What a change falls back to when its candidate is gone.
#define BACK_TO_QUEUE                                                                     \
	"UPDATE changes SET state = iif(queued_ms > 0, 'queued', 'proposed'), candidate = 0," \
	" reason = :reason"
#define OF_CANDIDATE                                 \
	" WHERE candidate = :candidate AND ended_ms = 0" \
	" AND (id = (SELECT change FROM candidates WHERE id = :candidate)" \
	" OR id IN (SELECT change FROM members WHERE candidate = :candidate))"
#define END_REVISION(state) "UPDATE revisions SET state = '" state "', ended_ms = :time"
#define THIS_REVISION " WHERE change = :change AND revision = :revision"
#define THIS_CHANGE " WHERE id = :change AND revision = :revision"
// The same push again says nothing new but its priority, and whether it is a draft.
#define NOT_QUEUED_YET                                                            \
	" WHERE NOT EXISTS (SELECT 1 FROM changes" THIS_CHANGE " AND ended_ms = 0" \
	" AND queued_ms > 0)"

// One more change of the tenth in which its chance lay; error: of the prediction, in millionths.
#define PREDICTED(landed, error)                                                            \
	"INSERT INTO predictions(repo, tenth, changes, landed, chances, brier)"                 \
	" SELECT repo, chance / 100000, 1, " landed ", chance, (" error ") * (" error ")"       \
	" / 1000000 FROM changes WHERE id = :change AND chance > 0"
#define ON_CHANCE                                                                           \
	" ON CONFLICT(repo, tenth) DO UPDATE SET changes = changes + 1,"                        \
	" landed = landed + excluded.landed, chances = chances + excluded.chances,"             \
	" brier = brier + excluded.brier"

// What the author is told: a refused candidate or landing said more than the code of its reason.
#define REFUSAL_TEXT                                                                          \
	"coalesce((SELECT nullif(reason_text, '') FROM candidates WHERE id = :candidate"        \
	" AND :text = :reason), (SELECT nullif(reason_text, '') FROM landings"                  \
	" WHERE candidate = :candidate AND :text = :reason AND :reason = 'landing-refused'"     \
	" ORDER BY id DESC LIMIT 1), :text || coalesce((SELECT ': ' || nullif(reason_text, '')"   \
	" FROM runs WHERE id = :run), ''))"

#define PROJECT_RULES(RULE)                                                                        \
	RULE(SERVER_STARTED,                                                                           \
	     "INSERT INTO server(id, version, seed, slots, started_ms, starts)"                        \
	     " VALUES(1, :version, :seed, :slots, :time, 1) ON CONFLICT(id) DO UPDATE SET"             \
	     " version = :version, seed = :seed, slots = :slots, started_ms = :time,"                  \
	     " starts = starts + 1")                                                                   \
	RULE(REPO_ADDED, "INSERT INTO repos(id, name, trunk, url, follow, changes, poll_ms, added_ms)" \
	                 " VALUES(:repo, :name, :trunk, :url, :follow, :changes, :poll_ms, :time)"     \
	                 " ON CONFLICT(id) DO UPDATE SET name = :name, trunk = :trunk, url = :url,"    \
	                 " follow = :follow, changes = :changes, poll_ms = :poll_ms")                  \
	RULE(REPO_CONFIGURED,                                                                          \
	     "UPDATE repos SET config_commit = :commit, config_ms = :time, config_error = :error,"     \
	     " plan_digest = :plan_digest WHERE id = :repo")                                           \
	RULE(REPO_CONFIGURED, "INSERT INTO plans(digest, plan) SELECT :plan_digest, :plan"             \
	                      " WHERE :plan_digest <> '' AND :plan <> '' ON CONFLICT DO NOTHING")      \
	/* A name that is new to the repository gets the next id; new names of one plan by name. */    \
	RULE(REPO_CONFIGURED,                                                                          \
	     "INSERT INTO envs(id, repo, name)"                                                        \
	     " SELECT (SELECT coalesce(max(id), 0) FROM envs) + row_number() OVER (ORDER BY n),"       \
	     " :repo, n FROM (SELECT DISTINCT json_extract(value, '$.name') AS n"                      \
	     " FROM " PLAN_ENVIRONMENTS ")"                                                            \
	     " WHERE n <> '' AND n NOT IN (SELECT name FROM envs WHERE repo = :repo) ORDER BY n")      \
	RULE(REPO_CONFIGURED,                                                                          \
	     "UPDATE envs SET defined = name IN (SELECT json_extract(value, '$.name')"                 \
	     " FROM " PLAN_ENVIRONMENTS ") WHERE repo = :repo AND json_valid(:plan)")                  \
	RULE(TRUNK_MOVED, "UPDATE repos SET tip = :to, tip_ms = :time WHERE id = :repo")               \
	RULE(CHANGE_PROPOSED,                                                                          \
	     "UPDATE revisions SET state = 'superseded', reason = 'superseded', ended_ms = :time"      \
	     " WHERE change = :change AND state = 'open' AND revision < :revision")                    \
	RULE(CHANGE_PROPOSED,                                                                          \
	     "REPLACE INTO revisions(change, revision, head, base, title, author, pusher, draft,"      \
	     " commits, files, lines_added, lines_deleted, state, proposed_ms)"                        \
	     " SELECT :change, :revision, :head, :base, :title, :author, :pusher, :draft, :commits,"   \
	     " :files, :lines_added, :lines_deleted, 'open', :time" NOT_QUEUED_YET)                    \
	RULE(CHANGE_PROPOSED,                                                                          \
	     "REPLACE INTO changes(id, repo, revision, target, key, head, base, title, author,"        \
	     " email, author_kind, pusher, topic, priority, draft, pipeline_scope, commits, files,"    \
	     " lines_added, lines_deleted, first_commit_ms, state, first_proposed_ms, proposed_ms)"    \
	     " SELECT :change, :repo, :revision, :target, :key, :head, :base, :title, :author,"        \
	     " :email, :author_kind, :pusher, :topic, :priority, :draft, :pipeline_scope, :commits,"   \
	     " :files, :lines_added, :lines_deleted, :first_commit_ms, 'proposed',"                    \
	     " coalesce((SELECT first_proposed_ms FROM changes WHERE id = :change), :time), :time"     \
	     NOT_QUEUED_YET)                                                                           \
	RULE(CHANGE_PROPOSED,                                                                          \
	     "UPDATE changes SET priority = :priority, draft = :draft" THIS_CHANGE)                    \
	RULE(CHANGE_QUEUED,                                                                            \
	     "UPDATE changes SET state = 'queued', queued_ms = :time, ended_ms = 0, reason = '',"      \
	     " reason_text = '', chance = :chance" THIS_CHANGE)                                        \
	RULE(CHANGE_QUEUED,                                                                            \
	     "UPDATE revisions SET state = 'open', queued_ms = :time, ended_ms = 0, reason = '',"      \
	     " reason_text = ''" THIS_REVISION)                                                        \
	RULE(CHANGE_RETRIED,                                                                           \
	     "UPDATE changes SET state = iif(draft, 'proposed', 'queued'), queued_ms = iif(draft, 0,"  \
	     " :time), ended_ms = 0, reason = '', reason_text = '', candidate = 0, run = 0,"           \
	     " retries = retries + 1, by = :by" THIS_CHANGE)                                           \
	RULE(CHANGE_RETRIED,                                                                           \
	     "UPDATE revisions SET state = 'open', queued_ms = iif(draft, 0, :time), ended_ms = 0,"    \
	     " reason = '', reason_text = ''" THIS_REVISION)                                           \
	RULE(CHANGE_WITHDRAWN,                                                                         \
	     "UPDATE changes SET state = 'withdrawn', ended_ms = :time, reason = 'withdrawn',"         \
	     " reason_text = '', by = :by" THIS_CHANGE)                                                \
	RULE(CHANGE_LANDED, PREDICTED("1", "1000000 - chance") ON_CHANCE)                              \
	RULE(CHANGE_REJECTED, PREDICTED("0", "chance") " AND :reason NOT IN ('infrastructure',"        \
	                      " 'landing-refused', 'already-landed', 'cancelled')" ON_CHANCE)          \
	RULE(CHANGE_WITHDRAWN, END_REVISION("withdrawn") ", reason = 'withdrawn'" THIS_REVISION)       \
	RULE(CHANGE_REJECTED,                                                                          \
	     "UPDATE changes SET state = 'rejected', ended_ms = :time, reason = :reason,"              \
	     " reason_text = " REFUSAL_TEXT ", candidate = :candidate, run = :run" THIS_CHANGE)              \
	RULE(CHANGE_REJECTED,                                                                          \
	     END_REVISION("rejected") ", reason = :reason, reason_text = " REFUSAL_TEXT THIS_REVISION) \
	RULE(CHANGE_LANDED,                                                                            \
	     "UPDATE changes SET state = 'landed', ended_ms = :time, landed_ms = :time, reason = '',"  \
	     " reason_text = '', candidate = :candidate, landing = :landing,"                          \
	     " landed_commit = :commit" THIS_CHANGE)                                                   \
	RULE(CHANGE_LANDED, END_REVISION("landed") ", reason = '', reason_text = ''" THIS_REVISION)    \
	RULE(CHANGE_LANDED, "UPDATE candidates SET state = 'landed', ended_ms = :time"                 \
	                    " WHERE id = :candidate")                                                  \
	RULE(CHANGE_LANDED,                                                                            \
	     "UPDATE landings SET state = 'landed', ended_ms = :time WHERE id = :landing")             \
	RULE(CHANGE_LANDED, "UPDATE repos SET tip = :commit, tip_ms = :time"                           \
	                    " WHERE id = (SELECT repo FROM changes WHERE id = :change)")               \
	RULE(CANDIDATE_ISSUED,                                                                         \
	     "REPLACE INTO candidates(id, repo, change, revision, base_candidate, base, head, state,"  \
	     " issued_ms, members) VALUES(:candidate, :repo, :change, :revision, :base_candidate,"     \
	     " :base, :head, 'issued', :time, :members)")                                              \
	RULE(CANDIDATE_ISSUED,                                                                         \
	     "REPLACE INTO members(candidate, change, revision) SELECT :candidate,"                    \
	     " value ->> 0, value ->> 1 FROM json_each(iif(json_valid(:members), :members, '[]'))"     \
	     " WHERE type = 'array' AND json_type(value, '$[0]') = 'integer'"                          \
	     " AND json_type(value, '$[1]') = 'integer'")                                              \
	RULE(CANDIDATE_ISSUED,                                                                         \
	     "UPDATE changes SET state = 'testing', candidate = :candidate, reason = '',"              \
	     " reason_text = '' WHERE ended_ms = 0 AND id IN"                                          \
	     " (SELECT change FROM members WHERE candidate = :candidate AND revision = changes.revision)") \
	RULE(CANDIDATE_ISSUED,                                                                         \
	     "UPDATE changes SET state = 'testing', candidate = :candidate, reason = '',"              \
	     " reason_text = ''" THIS_CHANGE " AND ended_ms = 0 AND NOT :carrier")                     \
	RULE(CANDIDATE_BUILT,                                                                          \
	     "UPDATE candidates SET state = 'built', built_ms = :time, commit_oid = :commit,"          \
	     " tree = :tree, plan_digest = :plan_digest, skipped = :skipped WHERE id = :candidate")    \
	RULE(CANDIDATE_BUILT, "INSERT INTO plans(digest, plan) SELECT :plan_digest, :plan"             \
	                      " WHERE :plan_digest <> '' AND :plan <> '' ON CONFLICT DO NOTHING")      \
	RULE(CANDIDATE_REFUSED,                                                                        \
	     "UPDATE candidates SET state = 'refused', ended_ms = :time, reason = :reason,"            \
	     " reason_text = :text, conflicts = :conflicts WHERE id = :candidate")                     \
	RULE(CANDIDATE_REFUSED, BACK_TO_QUEUE ", reason_text = :text" OF_CANDIDATE)                    \
	RULE(CANDIDATE_DROPPED,                                                                        \
	     "UPDATE candidates SET state = 'dropped', ended_ms = :time, reason = :reason"             \
	     " WHERE id = :candidate AND state IN ('issued', 'built')")                                \
	RULE(CANDIDATE_DROPPED, BACK_TO_QUEUE ", reason_text = ''" OF_CANDIDATE)                       \
	RULE(RUN_ISSUED,                                                                               \
	     "REPLACE INTO runs(id, repo, candidate, change, revision, job, name, attempt, trust,"     \
	     " lookup, recheck, doubts, state, issued_ms) SELECT :run, repo, id, change, revision,"    \
	     " :job, :name, :attempt, :trust, :lookup, :recheck, :doubts, 'issued', :time FROM candidates" \
	     " WHERE id = :candidate")                                                                 \
	RULE(RUN_STARTED,                                                                              \
	     "UPDATE runs SET state = 'running', started_ms = iif(:begun_ms, :begun_ms, :time),"       \
	     " slot_wait_ms = :slot_wait_ms"                                                           \
	     " WHERE id = :run")                                                                       \
	RULE(RUN_FINISHED,                                                                             \
	     "UPDATE runs SET state = 'finished', outcome = :outcome, reason = :reason,"               \
	     " reason_text = :text, exit_status = :exit_status, signal = :signal, ended_ms = :time,"   \
	     " duration_ms = :duration_ms, cpu_ms = :cpu_ms, memory_bytes = :memory_bytes,"            \
	     " cgroup = :cgroup, key = :key, inputs = :inputs, toolchain = :toolchain,"                \
	     " artifacts = :artifacts, log = :log, results = :results, coverage = :coverage,"          \
	     " tests = :tests, tests_failed = :tests_failed, failed_tests = :failed_tests,"            \
	     " rechecks = :rechecks, differs = :differs, basis = :basis WHERE id = :run")              \
	RULE(RUN_FINISHED, /* a red run of the same inputs: nobody is to be answered by the green one */ \
	     "DELETE FROM verdicts WHERE key = :key AND :outcome <> 'passed'"                          \
	     " AND repo = (SELECT repo FROM runs WHERE id = :run)")                         \
	RULE(RUN_FINISHED,                                                                             \
	     "INSERT INTO tallies(name, n) SELECT column1, 1 FROM (VALUES ('rechecked', 0),"           \
	     " ('varied', 1), ('differed', 2)) WHERE :rechecks > 0 AND column2 IN (0, :differs)"       \
	     " ON CONFLICT(name) DO UPDATE SET n = n + 1")                                             \
	RULE(RUN_REUSED,                                                                               \
	     "INSERT INTO tallies(name, n) SELECT column1, column2 FROM (VALUES ('reused', 1),"        \
	     " ('saved_ms', :saved_ms)) WHERE true ON CONFLICT(name) DO UPDATE SET n = n + excluded.n") \
	RULE(RUN_FINISHED,                                                                             \
	     "REPLACE INTO verdicts(key, repo, basis, inputs, tree, run, artifacts, time_ms)"          \
	     " SELECT :key, r.repo, :basis, :inputs, c.tree, :run, :artifacts, :time FROM runs AS r"           \
	     " JOIN candidates AS c ON c.id = r.candidate"                                             \
	     " WHERE r.id = :run AND :basis <> '' AND :outcome = 'passed' AND NOT (r.doubts AND EXISTS"     \
	     " (SELECT 1 FROM runs AS o WHERE o.candidate = r.candidate AND o.job = r.job"             \
	     " AND o.outcome = 'failed'))")                                                            \
	/* Green after red answers nobody before it is settled. */                                     \
	RULE(JOB_SETTLED,                                                                              \
	     "REPLACE INTO verdicts(key, repo, basis, inputs, tree, run, artifacts, time_ms)"          \
	     " SELECT r.key, r.repo, r.basis, r.inputs, c.tree, r.id, r.artifacts, :time FROM runs AS r" \
	     " JOIN candidates AS c ON c.id = r.candidate WHERE :outcome = 'passed'"                   \
	     " AND r.candidate = :candidate AND r.job = :job AND r.state = 'finished'"                 \
	     " AND r.outcome = 'passed' AND r.basis <> '' ORDER BY r.id DESC LIMIT 1")                 \
	RULE(RUN_FINISHED,                                                                             \
	     "REPLACE INTO job_inputs(repo, job, inputs) SELECT repo, name, :inputs FROM runs"         \
	     " WHERE id = :run AND :basis <> '' AND :outcome = 'passed'")                              \
	/* Red for a reason that is no flake's, or judged red of one change: no doubt is left. */      \
	RULE(RUN_FINISHED,                                                                             \
	     "UPDATE runs SET sure = 1 WHERE id = :run AND :reason NOT IN"                           \
	     " ('test-failed', 'exit-status', 'signalled', 'job-failed')")                             \
	RULE(JOB_SETTLED,                                                                              \
	     "UPDATE runs SET sure = 1 WHERE :outcome = 'failed' AND candidate = :candidate"         \
	     " AND job = :job AND NOT EXISTS (SELECT 1 FROM members WHERE candidate = :candidate)")    \
	/* What was judged red as a whole answers nobody as green. */                                  \
	RULE(JOB_SETTLED, "DELETE FROM verdicts WHERE :outcome = 'failed' AND run IN"                  \
	                  " (SELECT id FROM runs WHERE candidate = :candidate AND job = :job)")        \
	RULE(JOB_SETTLED,                                                                              \
	     "INSERT INTO tallies(name, n) SELECT 'flakes', 1 WHERE :outcome = 'passed'"               \
	     " ON CONFLICT(name) DO UPDATE SET n = n + 1")                                             \
	RULE(RUN_MISSED, "DELETE FROM runs WHERE id = :run")                                           \
	RULE(RUN_REUSED,                                                                               \
	     "UPDATE verdicts SET time_ms = :time, tree = (SELECT c.tree FROM runs AS r"               \
	     " JOIN candidates AS c ON c.id = r.candidate WHERE r.id = :run) WHERE key = :key"         \
	     " AND repo = (SELECT repo FROM runs WHERE id = :run)")        \
	/* What the earlier run printed and found is what this one has to show. */                     \
	RULE(RUN_REUSED,                                                                               \
	     "UPDATE runs SET state = 'reused', ended_ms = :time, key = :key,"                         \
	     " artifacts = :artifacts, reused_of = :of, saved_ms = :saved_ms,"                         \
	     " (outcome, reason, reason_text, exit_status, signal, inputs, toolchain, log, results,"   \
	     " coverage, tests, tests_failed, failed_tests) = (SELECT iif(:failed, 'failed', 'passed')," \
	     " reason, reason_text, exit_status, signal, inputs, toolchain, log, results, coverage,"   \
	     " tests, tests_failed, failed_tests FROM (SELECT 1) LEFT JOIN runs AS o ON o.id = :of)"   \
	     " WHERE id = :run")                                                                       \
	RULE(                                                                                          \
		RUN_CANCEL_ISSUED,                                                                         \
		"UPDATE runs SET state = 'cancelling', reason = :reason WHERE id = :run AND ended_ms = 0") \
	RULE(RUN_STOPPED,                                                                              \
	     "UPDATE runs SET state = 'stopped', outcome = 'cancelled', ended_ms = :time,"             \
	     " duration_ms = :duration_ms, log = :log WHERE id = :run")                                \
	RULE(RUN_LOST, "UPDATE runs SET state = 'lost', ended_ms = :time, reason = 'infrastructure',"  \
	               " reason_text = :text WHERE id = :run")                                         \
	RULE(LANDING_ISSUED,                                                                           \
	     "REPLACE INTO landings(id, candidate, repo, change, revision, from_oid, to_oid, tree,"    \
	     " state, issued_ms) VALUES(:landing, :candidate, :repo, :change, :revision, :from, :to,"  \
	     " :tree, 'issued', :time)")                                                               \
	RULE(LANDING_ISSUED, "UPDATE changes SET state = 'landing'" THIS_CHANGE " AND ended_ms = 0")   \
	RULE(LANDING_FAILED, "UPDATE landings SET state = 'failed', ended_ms = :time, found = :found," \
	                     " reason_text = :text WHERE id = :landing")                               \
	RULE(LANDING_FAILED, "UPDATE changes SET state = 'testing' WHERE state = 'landing'"            \
	                     " AND id = (SELECT change FROM landings WHERE id = :landing)")            \
	RULE(RELEASE_MADE,                                                                             \
	     "REPLACE INTO releases(id, repo, change, candidate, commit_oid, artifacts, made_ms)"      \
	     " VALUES(:release, :repo, :change, :candidate, :commit, :artifacts, :time)")              \
	RULE(RELEASE_BLOCKED, "REPLACE INTO blocks(release, env, reason, blocked_ms)"                  \
	                      " VALUES(:release, :env, :reason, :time)")                               \
	RULE(RELEASE_BLOCKED, /* STATE_BLOCKS_MAX */                                                   \
	     "DELETE FROM blocks WHERE env = :env AND release = (SELECT min(release) FROM blocks"      \
	     " WHERE env = :env AND release <> :release HAVING count(*) >= 500)")                      \
	RULE(DEPLOY_REQUESTED,                                                                         \
	     "DELETE FROM blocks WHERE env = :env AND release = :release AND :force")                  \
	RULE(DEPLOY_REQUESTED,                                                                         \
	     "UPDATE envs SET requested_release = :release, requested_by = :by, requested_ms = :time," \
	     " requested_text = ''"                                                                    \
	     " WHERE id = :env")                                                                       \
	RULE(ROLLBACK_REQUESTED,                                                                       \
	     "UPDATE envs SET requested_release = 0, requested_by = :by, requested_ms = :time,"        \
	     " requested_text = :text"                                                                 \
	     " WHERE id = :env")                                                                       \
	RULE(ROLLOUT_ISSUED,                                                                           \
	     "REPLACE INTO rollouts(id, env, release, previous, cause, by, state, issued_ms)"          \
	     " VALUES(:rollout, :env, :release, :previous, :cause, iif(:cause = 'landed', '',"         \
	     " coalesce((SELECT requested_by FROM envs WHERE id = :env), '')), 'issued', :time)")      \
	/* Why it goes back: what it undoes was blocked just before, by a person's wish or by itself. */ \
	RULE(ROLLOUT_ISSUED,                                                                           \
	     "UPDATE rollouts SET (reason, by, reason_text) = (SELECT b.reason,"                       \
	     " iif(b.reason = 'became-unhealthy', '', rollouts.by),"                                   \
	     " iif(b.reason = 'became-unhealthy', e.health_text, e.requested_text)"                    \
	     " FROM blocks AS b JOIN envs AS e ON e.id = b.env"                                        \
	     " WHERE b.env = :env AND b.release = :previous)"                                          \
	     " WHERE id = :rollout AND :cause = 'rollback'"                                            \
	     " AND EXISTS(SELECT 1 FROM blocks WHERE env = :env AND release = :previous)")             \
	RULE(ROLLOUT_ISSUED, "UPDATE envs SET rollout = :rollout WHERE id = :env")                     \
	RULE(ROLLOUT_CANCEL_ISSUED, "UPDATE rollouts SET state = 'cancelling', reason = :reason"       \
	                            " WHERE id = :rollout AND ended_ms = 0")                           \
	RULE(ROLLOUT_FINISHED,                                                                         \
	     "UPDATE rollouts SET outcome = :outcome,"                                                 \
	     " (reason, reason_text) = (SELECT reason, reason_text WHERE cause = 'rollback'"           \
	     " AND :outcome = 'passed' UNION ALL SELECT :reason, :text LIMIT 1),"                      \
	     " state = CASE :outcome WHEN 'passed' THEN 'live' WHEN 'cancelled' THEN 'cancelled'"      \
	     " ELSE 'failed' END, ended_ms = :time, exposed_ms = :exposed_ms,"                         \
	     " duration_ms = :duration_ms WHERE id = :rollout")                                        \
	RULE(ROLLOUT_FINISHED, "UPDATE envs SET rollout = 0 WHERE rollout = :rollout")                 \
	RULE(ROLLOUT_FINISHED, /* back to a release: what came after it is forgotten */                \
	     "DELETE FROM env_history WHERE :outcome = 'passed' AND (env, 'rollback') ="               \
	     " (SELECT env, cause FROM rollouts WHERE id = :rollout) AND place > (SELECT max(h.place)" \
	     " FROM env_history AS h JOIN rollouts AS r ON r.id = :rollout WHERE h.env = r.env"        \
	     " AND h.release = r.release)")                                                            \
	RULE(ROLLOUT_FINISHED,                                                                         \
	     "INSERT INTO env_history(env, place, release) SELECT r.env, coalesce((SELECT max(place)"  \
	     " FROM env_history WHERE env = r.env), 0) + 1, r.release FROM rollouts AS r WHERE"        \
	     " :outcome = 'passed' AND r.id = :rollout AND r.release <> coalesce((SELECT h.release"    \
	     " FROM env_history AS h WHERE h.env = r.env ORDER BY h.place DESC LIMIT 1), 0)")          \
	RULE(ROLLOUT_FINISHED, /* STATE_HISTORY */                                                     \
	     "DELETE FROM env_history WHERE env = (SELECT env FROM rollouts WHERE id = :rollout)"      \
	     " AND place <= (SELECT max(h.place) FROM env_history AS h WHERE h.env = env_history.env)" \
	     " - 8")                                                                                   \
	RULE(ROLLOUT_FINISHED,                                                                         \
	     "UPDATE envs SET release = (SELECT r.release FROM rollouts AS r WHERE r.id = :rollout),"  \
	     " live_ms = :time, health = 'healthy', health_text = '', health_ms = :time"               \
	     " WHERE :outcome = 'passed' AND id = (SELECT env FROM rollouts WHERE id = :rollout)")     \
	/* A release brings every change that landed before its own. */                                \
	RULE(ROLLOUT_FINISHED,                                                                         \
	     "UPDATE changes SET deployed_ms = :time"                                                  \
	     " WHERE :outcome = 'passed' AND landed_ms > 0 AND deployed_ms = 0"                        \
	     " AND repo = (SELECT e.repo FROM releases AS e JOIN rollouts AS o ON o.release = e.id"    \
	     " WHERE o.id = :rollout)"                                                                 \
	     " AND landing <= (SELECT c.landing FROM changes AS c JOIN releases AS e"                  \
	     " ON e.change = c.id JOIN rollouts AS o ON o.release = e.id WHERE o.id = :rollout)")      \
	RULE(ENV_UNHEALTHY,                                                                            \
	     "UPDATE envs SET health = 'unhealthy', health_text = :text, health_ms = :time"            \
	     " WHERE id = :env")                                                                       \
	RULE(                                                                                          \
		ENV_HEALTHY,                                                                               \
		"UPDATE envs SET health = 'healthy', health_text = '', health_ms = :time WHERE id = :env") \
	RULE(TOKEN_CREATED, "REPLACE INTO tokens(name, scopes, hash, created_ms, expires_ms)"          \
	                    " VALUES(:name, :scopes, :hash, :time, :expires_ms)")                      \
	RULE(TOKEN_REVOKED, "UPDATE tokens SET revoked_ms = :time WHERE name = :name")                 \
	RULE(SECRET_SET,                                                                               \
	     "REPLACE INTO secrets(repo, name, by, set_ms) VALUES(:repo, :name, :by, :time)")          \
	RULE(SECRET_REMOVED, "DELETE FROM secrets WHERE repo = :repo AND name = :name")                \
	RULE(KEY_ADDED, "REPLACE INTO ssh_keys(name, key, scopes, added_ms)"                           \
	                " VALUES(:name, :key, :scopes, :time)")                                        \
	RULE(KEY_REMOVED, "DELETE FROM ssh_keys WHERE name = :name")                                   \
	RULE(WEBHOOK_ADDED, "REPLACE INTO webhooks(name, url, kinds, upto, added_ms)"                  \
	                    " VALUES(:name, :url, :kinds, :seq, :time)")                               \
	RULE(WEBHOOK_REMOVED, "DELETE FROM webhooks WHERE name = :name")                               \
	RULE(WEBHOOK_DELIVERED, "UPDATE webhooks SET upto = :upto WHERE name = :name")                 \
	RULE(LOCAL_RUN,                                                                                \
	     "REPLACE INTO local_runs(seq, job, outcome, duration_ms, key, artifacts, log, results,"   \
	     " tree, basis, inputs, time_ms) VALUES(:seq, :job, :outcome, :duration_ms, :key,"         \
	     " :artifacts, :log, :results, :tree, :basis, :inputs, :time)")
