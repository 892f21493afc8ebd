// What can be read of the projections: READ_NAME(F, S) has a row F(S, TYPE, field, SQL) for each
// field of struct read_NAME. TYPE is one of event.def.h; SQL is empty where the column is called as
// the field (t is the table). What the columns mean stands in store/tables.def.h.
#pragma once
// clang-format off

#define READ_REPO(F, S) \
	F(S, REPO_ID, id, ) F(S, STR, name, ) F(S, STR, trunk, ) F(S, STR, url, ) \
	F(S, INT, follow, ) F(S, STR, changes, ) F(S, INT, poll_ms, ) F(S, INT, added_ms, ) \
	F(S, OID, tip, ) F(S, INT, tip_ms, ) F(S, OID, config_commit, ) F(S, INT, config_ms, ) \
	F(S, STR, config_error, ) F(S, DIGEST, plan_digest, )

#define READ_CHANGE(F, S) \
	F(S, CHANGE_ID, id, ) F(S, REPO_ID, repo, ) \
	F(S, STR, repo_name, (SELECT name FROM repos WHERE id = t.repo)) F(S, INT, revision, ) \
	F(S, STR, target, ) F(S, OID, head, ) F(S, OID, base, ) F(S, STR, title, ) \
	F(S, STR, author, ) F(S, STR, email, ) F(S, STR, author_kind, ) F(S, STR, pusher, ) \
	F(S, STR, topic, ) F(S, INT, priority, ) F(S, INT, draft, ) F(S, INT, pipeline_scope, ) \
	F(S, INT, commits, ) F(S, INT, files, ) F(S, INT, lines_added, ) \
	F(S, INT, lines_deleted, ) F(S, INT, first_commit_ms, ) F(S, STR, state, ) \
	F(S, REASON, reason, ) F(S, STR, reason_text, ) F(S, CANDIDATE_ID, candidate, ) \
	F(S, OID, candidate_commit, (SELECT commit_oid FROM candidates WHERE id = t.candidate)) \
	F(S, OID, candidate_tree, (SELECT tree FROM candidates WHERE id = t.candidate)) \
	F(S, RUN_ID, run, ) F(S, LANDING_ID, landing, ) F(S, OID, landed_commit, ) \
	F(S, INT, first_proposed_ms, ) F(S, INT, proposed_ms, ) F(S, INT, queued_ms, ) \
	F(S, INT, landed_ms, ) F(S, INT, deployed_ms, ) F(S, INT, ended_ms, ) F(S, INT, retries, ) \
	F(S, STR, by, ) F(S, INT, chance, )

#define READ_REVISION(F, S) \
	F(S, CHANGE_ID, change, ) F(S, INT, revision, ) F(S, OID, head, ) F(S, OID, base, ) \
	F(S, STR, title, ) F(S, STR, author, ) F(S, STR, pusher, ) F(S, INT, draft, ) \
	F(S, INT, commits, ) F(S, INT, files, ) F(S, INT, lines_added, ) \
	F(S, INT, lines_deleted, ) F(S, STR, state, ) F(S, REASON, reason, ) \
	F(S, STR, reason_text, ) F(S, INT, proposed_ms, ) F(S, INT, queued_ms, ) \
	F(S, INT, ended_ms, )

#define READ_CANDIDATE(F, S) \
	F(S, CANDIDATE_ID, id, ) F(S, REPO_ID, repo, ) F(S, CHANGE_ID, change, ) \
	F(S, INT, revision, ) F(S, CANDIDATE_ID, base_candidate, ) F(S, OID, base, ) \
	F(S, OID, head, ) F(S, OID, commit, commit_oid) F(S, OID, tree, ) \
	F(S, DIGEST, plan_digest, ) \
	F(S, JSON, plan, (SELECT plan FROM plans WHERE digest = t.plan_digest)) \
	F(S, JSON, skipped, ) F(S, JSON, conflicts, ) F(S, STR, state, ) F(S, REASON, reason, ) \
	F(S, STR, reason_text, ) F(S, INT, issued_ms, ) F(S, INT, built_ms, ) \
	F(S, INT, ended_ms, ) F(S, JSON, members, )

#define READ_RUN(F, S) \
	F(S, RUN_ID, id, ) F(S, REPO_ID, repo, ) F(S, CANDIDATE_ID, candidate, ) \
	F(S, CHANGE_ID, change, ) F(S, INT, revision, ) F(S, INT, job, ) F(S, STR, name, ) \
	F(S, INT, attempt, ) F(S, INT, trust, ) F(S, STR, state, ) F(S, OUTCOME, outcome, ) \
	F(S, REASON, reason, ) F(S, STR, reason_text, ) F(S, INT, exit_status, ) \
	F(S, INT, signal, ) F(S, INT, issued_ms, ) F(S, INT, started_ms, ) F(S, INT, ended_ms, ) \
	F(S, INT, slot_wait_ms, ) F(S, INT, duration_ms, ) F(S, INT, cpu_ms, ) \
	F(S, INT, memory_bytes, ) F(S, STR, cgroup, ) F(S, DIGEST, key, ) F(S, DIGEST, inputs, ) \
	F(S, DIGEST, toolchain, ) F(S, DIGEST, artifacts, ) F(S, DIGEST, log, ) \
	F(S, DIGEST, results, ) F(S, DIGEST, coverage, ) F(S, INT, tests, ) \
	F(S, INT, tests_failed, ) F(S, JSON, failed_tests, ) F(S, RUN_ID, reused_of, ) \
	F(S, INT, saved_ms, ) F(S, RUN_ID, rechecks, ) F(S, INT, differs, ) F(S, INT, lookup, ) F(S, INT, sure, ) \
	F(S, INT, recheck, )

#define READ_PREDICTION(F, S) \
	F(S, REPO_ID, repo, ) F(S, INT, tenth, ) F(S, INT, changes, ) F(S, INT, landed, ) \
	F(S, INT, chances, ) F(S, INT, brier, )

#define READ_TALLY(F, S) F(S, STR, name, ) F(S, INT, n, )

#define READ_VERDICT(F, S) \
	F(S, DIGEST, key, ) F(S, DIGEST, inputs, ) F(S, OID, tree, ) F(S, RUN_ID, run, ) \
	F(S, DIGEST, artifacts, ) F(S, INT, time_ms, ) \
	F(S, INT, duration_ms, (SELECT duration_ms FROM runs WHERE id = t.run))

#define READ_JOB_INPUT(F, S) F(S, STR, job, ) F(S, DIGEST, inputs, )

#define READ_LOCAL_RUN(F, S) \
	F(S, INT, seq, ) F(S, STR, job, ) F(S, OUTCOME, outcome, ) F(S, INT, duration_ms, ) \
	F(S, DIGEST, key, ) F(S, DIGEST, artifacts, ) F(S, DIGEST, log, ) F(S, DIGEST, results, ) \
	F(S, OID, tree, ) F(S, DIGEST, inputs, ) F(S, INT, time_ms, )

#define READ_RELEASE(F, S) \
	F(S, RELEASE_ID, id, ) F(S, REPO_ID, repo, ) F(S, CHANGE_ID, change, ) \
	F(S, CANDIDATE_ID, candidate, ) F(S, OID, commit, commit_oid) F(S, JSON, artifacts, ) \
	F(S, INT, made_ms, ) F(S, STR, title, (SELECT title FROM changes WHERE id = t.change)) \
	F(S, STR, author, (SELECT author FROM changes WHERE id = t.change))

#define READ_BLOCK(F, S) \
	F(S, RELEASE_ID, release, ) F(S, ENV_ID, env, ) F(S, REASON, reason, ) \
	F(S, INT, blocked_ms, )

// previous: where a rollback leads, as environments_back of the core has it; 0 = nowhere.
#define READ_ENV(F, S) \
	F(S, ENV_ID, id, ) F(S, REPO_ID, repo, ) \
	F(S, STR, repo_name, (SELECT name FROM repos WHERE id = t.repo)) F(S, STR, name, ) \
	F(S, INT, defined, ) F(S, RELEASE_ID, release, ) \
	F(S, RELEASE_ID, previous, coalesce((SELECT h.release FROM env_history AS h \
		WHERE h.env = t.id AND h.release <> t.release AND NOT EXISTS(SELECT 1 FROM blocks AS b \
			WHERE b.env = t.id AND b.release = h.release) ORDER BY h.place DESC LIMIT 1), 0)) \
	F(S, ROLLOUT_ID, rollout, ) F(S, INT, live_ms, ) F(S, STR, health, ) \
	F(S, STR, health_text, ) F(S, INT, health_ms, ) F(S, RELEASE_ID, requested_release, ) \
	F(S, STR, requested_by, ) F(S, INT, requested_ms, )

#define READ_ROLLOUT(F, S) \
	F(S, ROLLOUT_ID, id, ) F(S, ENV_ID, env, ) F(S, RELEASE_ID, release, ) \
	F(S, RELEASE_ID, previous, ) F(S, STR, cause, ) F(S, STR, by, ) F(S, STR, state, ) \
	F(S, OUTCOME, outcome, ) F(S, REASON, reason, ) F(S, STR, reason_text, ) \
	F(S, INT, issued_ms, ) F(S, INT, exposed_ms, ) F(S, INT, ended_ms, ) \
	F(S, INT, duration_ms, )

// what: landed, rejected, or live, failed, cancelled (a rollout). Ids that do not apply are 0.
#define READ_FEED(F, S) \
	F(S, INT, time_ms, ) F(S, STR, what, ) F(S, REPO_ID, repo, ) F(S, CHANGE_ID, change, ) \
	F(S, RELEASE_ID, release, ) F(S, ENV_ID, env, ) F(S, ROLLOUT_ID, rollout, ) \
	F(S, STR, env_name, ) F(S, STR, title, ) F(S, STR, author, ) F(S, OID, commit, commit_oid) \
	F(S, REASON, reason, ) F(S, STR, reason_text, ) F(S, STR, cause, )

// The newest rollout of a change's own release. state: as a rollout's, or rolled-back.
#define READ_DELIVERY(F, S) \
	F(S, ROLLOUT_ID, rollout, ) F(S, ENV_ID, env, ) F(S, STR, env_name, ) F(S, STR, state, ) \
	F(S, REASON, reason, ) F(S, STR, reason_text, ) F(S, INT, ended_ms, )

// What happened in an hour that begins at hour_ms. what: proposed, landed, rejected, live, rolled-back, failed.
#define READ_COUNT(F, S) F(S, INT, hour_ms, ) F(S, STR, what, ) F(S, INT, n, )

#define READ_TOKEN(F, S) \
	F(S, STR, name, ) F(S, STR, scopes, ) F(S, DIGEST, hash, ) F(S, INT, created_ms, ) \
	F(S, INT, expires_ms, ) F(S, INT, revoked_ms, )

#define READ_KEY(F, S) \
	F(S, STR, name, ) F(S, STR, key, ) F(S, STR, scopes, ) F(S, INT, added_ms, )

#define READ_WEBHOOK(F, S) \
	F(S, STR, name, ) F(S, STR, url, ) F(S, STR, kinds, ) F(S, INT, upto, ) \
	F(S, INT, added_ms, )

#define READ_SECRET(F, S) \
	F(S, REPO_ID, repo, ) F(S, STR, name, ) F(S, STR, by, ) F(S, INT, set_ms, )

// kind: the number of event.def.h, also where a newer weir wrote it.
#define READ_EVENT(F, S) \
	F(S, INT, seq, ) F(S, INT, time_ms, ) F(S, INT, kind, ) F(S, INT, version, ) \
	F(S, REPO_ID, repo, ) F(S, STR, entity, ) F(S, JSON, body, ) \
	F(S, DIGEST, hash, lower(hex(hash)))

// Each half is found by its index and limited by itself: ?1 repository or 0, ?2 before or 0, ?3 limit.
#define READ_FEED_SQL \
	"(SELECT * FROM (SELECT ended_ms AS time_ms, state AS what, repo, id AS change, 0 AS release," \
	" 0 AS env, 0 AS rollout, '' AS env_name, title, author, landed_commit AS commit_oid, reason," \
	" reason_text, '' AS cause FROM changes WHERE ended_ms > 0 AND (?2 = 0 OR ended_ms < ?2)" \
	" AND (?1 = 0 OR repo = ?1) AND state IN ('landed', 'rejected') ORDER BY ended_ms DESC LIMIT ?3)" \
	" UNION ALL SELECT * FROM (SELECT o.ended_ms, o.state, n.repo, e.change, o.release, o.env, o.id," \
	" n.name, c.title, c.author, e.commit_oid, o.reason, o.reason_text, o.cause FROM rollouts AS o" \
	" JOIN envs AS n ON n.id = o.env LEFT JOIN releases AS e ON e.id = o.release" \
	" LEFT JOIN changes AS c ON c.id = e.change WHERE o.ended_ms > 0 AND (?2 = 0 OR o.ended_ms < ?2)" \
	" AND (?1 = 0 OR n.repo = ?1) ORDER BY o.ended_ms DESC LIMIT ?3))"

// ?1 change.
#define READ_DELIVERY_SQL \
	"(SELECT o.id AS rollout, o.env, n.name AS env_name," \
	" iif(b.release IS NOT NULL AND o.state = 'live', 'rolled-back', o.state) AS state," \
	" coalesce(b.reason, o.reason) AS reason, o.reason_text, o.ended_ms" \
	" FROM releases AS e JOIN rollouts AS o ON o.release = e.id JOIN envs AS n ON n.id = o.env" \
	" LEFT JOIN blocks AS b ON b.release = o.release AND b.env = o.env" \
	" WHERE e.change = ?1 ORDER BY o.id DESC LIMIT 1)"

// ?1 since. Each part is found by its index.
#define READ_COUNT_SQL \
	"(SELECT first_proposed_ms / 3600000 * 3600000 AS hour_ms, 'proposed' AS what, count(*) AS n" \
	" FROM changes WHERE first_proposed_ms >= ?1 GROUP BY 1 UNION ALL" \
	" SELECT ended_ms / 3600000 * 3600000, state, count(*) FROM changes WHERE ended_ms >= ?1" \
	" AND ended_ms > 0 AND state IN ('landed', 'rejected') GROUP BY 1, 2 UNION ALL" \
	" SELECT ended_ms / 3600000 * 3600000, iif(state = 'live' AND cause = 'rollback', 'rolled-back', state)," \
	" count(*) FROM rollouts WHERE ended_ms >= ?1 AND ended_ms > 0 AND state IN ('live', 'failed') GROUP BY 1, 2)"

// READ_TABLES(T): T(struct and list, NAME, table or view of SQL)
#define READ_TABLES(T) \
	T(repo, REPO, "repos") \
	T(change, CHANGE, "changes") \
	T(revision, REVISION, "revisions") \
	T(candidate, CANDIDATE, "candidates") \
	T(run, RUN, "runs") \
	T(verdict, VERDICT, "verdicts") \
	T(tally, TALLY, "tallies") \
	T(prediction, PREDICTION, "predictions") \
	T(job_input, JOB_INPUT, "job_inputs") \
	T(local_run, LOCAL_RUN, "local_runs") \
	T(release, RELEASE, "releases") \
	T(block, BLOCK, "blocks") \
	T(env, ENV, "envs") \
	T(rollout, ROLLOUT, "rollouts") \
	T(feed, FEED, READ_FEED_SQL) \
	T(delivery, DELIVERY, READ_DELIVERY_SQL) \
	T(count, COUNT, READ_COUNT_SQL) \
	T(token, TOKEN, "tokens") \
	T(key, KEY, "ssh_keys") \
	T(webhook, WEBHOOK, "webhooks") \
	T(secret, SECRET, "secrets") \
	T(event, EVENT, "events")
