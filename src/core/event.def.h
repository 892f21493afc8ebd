// The facts that weir records, one row each: EVENT(number, NAME, name, "text name", ENTITY, "what it says"), and its
// fields: F(S, TYPE, name), where S is handed through to F. From here come the structs, the JSON body, the manual and the views.
//
// Append only: numbers and fields are never reused, renamed or retyped; a new field goes to the end of its row and
// is zero or empty in older events. *.issued events are intents: something was asked of an adapter, and only the
// matching outcome says that it happened. ENTITY names the field that says whom the fact is about.
//
// Types: INT; LATER an INT that joined its row later: left out while it is 0, so that older events keep their bytes;
// STR text; JSON a canonical JSON value; OID git object; DIGEST content; REASON; OUTCOME; ids.
#pragma once

#define EVENT_TABLE(EVENT)                                                                         \
	EVENT(1, SERVER_STARTED, server_started, "server.started", NONE, "a daemon began to serve this data") \
	EVENT(2, CLOCK_PASSED, clock_passed, "clock.passed", NONE, "a deadline of the core came")      \
	EVENT(3, REPO_ADDED, repo_added, "repo.added", REPO, "a repository is served or followed")     \
	EVENT(4, REPO_CONFIGURED, repo_configured, "repo.configured", REPO, "trunk's weir.yml, parsed") \
	EVENT(5, TRUNK_MOVED, trunk_moved, "trunk.moved", REPO, "trunk moved by somebody else, or came to be") \
	EVENT(10, CHANGE_PROPOSED, change_proposed, "change.proposed", CHANGE, "a push named a revision of a change") \
	EVENT(11, CHANGE_QUEUED, change_queued, "change.queued", CHANGE, "the revision waits for its landing") \
	EVENT(12, CHANGE_WITHDRAWN, change_withdrawn, "change.withdrawn", CHANGE, "its author took it back") \
	EVENT(13, CHANGE_REJECTED, change_rejected, "change.rejected", CHANGE, "the revision left the queue unlanded") \
	EVENT(14, CHANGE_RETRIED, change_retried, "change.retried", CHANGE, "a rejected revision is queued again") \
	EVENT(15, CHANGE_LANDED, change_landed, "change.landed", CHANGE, "trunk now holds the revision") \
	EVENT(16, CHANGE_VERIFIED, change_verified, "change.verified", CHANGE, "a draft passed; it does not land") \
	EVENT(20, CANDIDATE_ISSUED, candidate_issued, "candidate.issued", CANDIDATE, "a trial merge was asked for") \
	EVENT(21, CANDIDATE_BUILT, candidate_built, "candidate.built", CANDIDATE, "the merge exists; its jobs are known") \
	EVENT(22, CANDIDATE_REFUSED, candidate_refused, "candidate.refused", CANDIDATE, "the merge can't be made") \
	EVENT(23, CANDIDATE_DROPPED, candidate_dropped, "candidate.dropped", CANDIDATE, "it will not become trunk") \
	EVENT(24, JOB_SETTLED, job_settled, "job.settled", CANDIDATE, "runs that disagreed were judged together") \
	EVENT(30, RUN_ISSUED, run_issued, "run.issued", RUN, "a job was asked to run on a candidate")  \
	EVENT(31, RUN_STARTED, run_started, "run.started", RUN, "its process runs")                    \
	EVENT(32, RUN_FINISHED, run_finished, "run.finished", RUN, "it ended by itself or by a limit: a verdict") \
	EVENT(33, RUN_REUSED, run_reused, "run.reused", RUN, "an earlier verdict holds for the same inputs") \
	EVENT(34, RUN_CANCEL_ISSUED, run_cancel_issued, "run.cancel_issued", RUN, "it was asked to stop") \
	EVENT(35, RUN_STOPPED, run_stopped, "run.stopped", RUN, "it stopped because it was asked to: no verdict") \
	EVENT(36, RUN_LOST, run_lost, "run.lost", RUN, "it vanished without an outcome, or could not start") \
	EVENT(37, RUN_MISSED, run_missed, "run.missed", RUN, "no verdict of its change holds: it waits for a slot") \
	EVENT(40, LANDING_ISSUED, landing_issued, "landing.issued", LANDING, "trunk was asked to move to a candidate") \
	EVENT(41, LANDING_FAILED, landing_failed, "landing.failed", LANDING, "trunk did not move")     \
	EVENT(50, RELEASE_MADE, release_made, "release.made", RELEASE, "a landed commit with its artifacts") \
	EVENT(51, RELEASE_REFUSED, release_refused, "release.refused", CANDIDATE, "a job after landing failed") \
	EVENT(52, RELEASE_BLOCKED, release_blocked, "release.blocked", RELEASE, "it may not be deployed by itself") \
	EVENT(60, DEPLOY_REQUESTED, deploy_requested, "deploy.requested", ENV, "somebody wants a release there") \
	EVENT(61, ROLLBACK_REQUESTED, rollback_requested, "rollback.requested", ENV, "somebody wants the release before") \
	EVENT(62, ROLLOUT_ISSUED, rollout_issued, "rollout.issued", ROLLOUT, "a release was asked into an environment") \
	EVENT(63, ROLLOUT_CANCEL_ISSUED, rollout_cancel_issued, "rollout.cancel_issued", ROLLOUT, "it was asked to stop") \
	EVENT(64, ROLLOUT_FINISHED, rollout_finished, "rollout.finished", ROLLOUT, "it is live, or it failed") \
	EVENT(65, ENV_UNHEALTHY, env_unhealthy, "environment.unhealthy", ENV, "what runs there stopped answering well") \
	EVENT(66, ENV_HEALTHY, env_healthy, "environment.healthy", ENV, "it answers well again")       \
	EVENT(70, TOKEN_CREATED, token_created, "token.created", NONE, "a token with scopes; only its hash is kept") \
	EVENT(71, TOKEN_REVOKED, token_revoked, "token.revoked", NONE, "a token is void")              \
	EVENT(72, SECRET_SET, secret_set, "secret.set", REPO, "a secret has a new value, which is kept elsewhere") \
	EVENT(73, SECRET_REMOVED, secret_removed, "secret.removed", REPO, "a secret is gone")          \
	EVENT(74, KEY_ADDED, key_added, "key.added", NONE, "an SSH key may push")                      \
	EVENT(75, KEY_REMOVED, key_removed, "key.removed", NONE, "an SSH key may not any more")        \
	EVENT(76, WEBHOOK_ADDED, webhook_added, "webhook.added", NONE, "a URL is told what lands, fails and deploys") \
	EVENT(77, WEBHOOK_REMOVED, webhook_removed, "webhook.removed", NONE, "a URL is told no more")  \
	EVENT(78, WEBHOOK_DELIVERED, webhook_delivered, "webhook.delivered", NONE, "all up to an event was told") \
	EVENT(100, LOCAL_RUN, local_run, "local.run", NONE, "weir run ran a job on a work tree")

// batch: the most changes that are tested together; 0 = as many as pay.
#define EVENT_FIELDS_server_started(F, S) F(S, STR, version) F(S, INT, seed) F(S, INT, slots) F(S, LATER, batch)
#define EVENT_FIELDS_clock_passed(F, S) F(S, INT, deadline_ms)
// follow: 0 = weir owns the repository, 1 = trunk lives at url. changes = pattern of branches that are changes.
#define EVENT_FIELDS_repo_added(F, S)                                                              \
	F(S, REPO_ID, repo) F(S, STR, name) F(S, STR, trunk) F(S, STR, url) F(S, INT, follow) F(S, STR, changes) \
	F(S, INT, poll_ms)
// error: why commit has no usable weir.yml; plan is empty then.
#define EVENT_FIELDS_repo_configured(F, S)                                                         \
	F(S, REPO_ID, repo) F(S, OID, commit) F(S, DIGEST, plan_digest) F(S, JSON, plan) F(S, STR, error)
#define EVENT_FIELDS_trunk_moved(F, S) F(S, REPO_ID, repo) F(S, OID, from) F(S, OID, to) F(S, STR, by)
// key: which pushes are the same change. base: where the branch left the target. occurred: when it was pushed.
#define EVENT_FIELDS_change_proposed(F, S)                                                         \
	F(S, CHANGE_ID, change) F(S, INT, revision) F(S, REPO_ID, repo) F(S, STR, target) F(S, DIGEST, key) \
	F(S, OID, head) F(S, OID, base) F(S, STR, title) F(S, STR, author) F(S, STR, email)            \
	F(S, STR, author_kind) F(S, STR, pusher) F(S, STR, topic) F(S, INT, priority) F(S, INT, draft) \
	F(S, INT, pipeline_scope) F(S, INT, commits) F(S, INT, files) F(S, INT, lines_added)           \
	F(S, INT, lines_deleted) F(S, INT, first_commit_ms)
// chance: that it lands, as predicted, in millionths (core/predict.h); 0 = by an older weir.
#define EVENT_FIELDS_change_queued(F, S) F(S, CHANGE_ID, change) F(S, INT, revision) F(S, LATER, chance)
#define EVENT_FIELDS_change_withdrawn(F, S) F(S, CHANGE_ID, change) F(S, INT, revision) F(S, STR, by)
#define EVENT_FIELDS_change_rejected(F, S)                                                         \
	F(S, CHANGE_ID, change) F(S, INT, revision) F(S, REASON, reason) F(S, STR, text)               \
	F(S, CANDIDATE_ID, candidate) F(S, RUN_ID, run)
#define EVENT_FIELDS_change_retried(F, S) F(S, CHANGE_ID, change) F(S, INT, revision) F(S, STR, by)
#define EVENT_FIELDS_change_landed(F, S)                                                           \
	F(S, CHANGE_ID, change) F(S, INT, revision) F(S, CANDIDATE_ID, candidate) F(S, LANDING_ID, landing) \
	F(S, OID, commit) F(S, OID, previous) F(S, OID, tree)
#define EVENT_FIELDS_change_verified(F, S)                                                         \
	F(S, CHANGE_ID, change) F(S, INT, revision) F(S, CANDIDATE_ID, candidate)
// base_candidate: the candidate it stands on, 0 = the tip. base: the commit it stands on. time_ms of the event is
// the committer date, so that the same intent gives the same commit. again: the candidate whose verdicts are to be
// found again on the tip. carrier: 1 = others stand on it; it is not tested itself. members: [[change,revision,head]],
// the changes that are tested and land together with it, in their order, all before it; empty = it is alone.
#define EVENT_FIELDS_candidate_issued(F, S)                                                        \
	F(S, CANDIDATE_ID, candidate) F(S, REPO_ID, repo) F(S, CHANGE_ID, change) F(S, INT, revision)  \
	F(S, CANDIDATE_ID, base_candidate) F(S, OID, base) F(S, OID, head) F(S, LATER, again) F(S, LATER, carrier) \
	F(S, JSON, members)
// plan: jobs that decide this candidate, canonical. skipped: indices of jobs whose paths: the change does not touch.
// affects: {"files":[number],"jobs":[name]}: the jobs whose inputs it changed, as far as their last runs tell, and the
// files that it changed (core/areas.h); empty = not known: all of them. member_affects: the same of each member of a
// batch but the last, a list; empty = not known.
#define EVENT_FIELDS_candidate_built(F, S)                                                         \
	F(S, CANDIDATE_ID, candidate) F(S, OID, commit) F(S, OID, tree) F(S, DIGEST, plan_digest) F(S, JSON, plan) \
	F(S, JSON, skipped) F(S, JSON, affects) F(S, JSON, member_affects)
// member: of a batch, the change with which it could not be built; 0 = it cannot be told.
#define EVENT_FIELDS_candidate_refused(F, S)                                                       \
	F(S, CANDIDATE_ID, candidate) F(S, REASON, reason) F(S, STR, text) F(S, JSON, conflicts)       \
	F(S, LATER, member)
// faked: how likely a good change looks so, in billionths. run: the newest red one.
#define EVENT_FIELDS_job_settled(F, S)                                                             \
	F(S, CANDIDATE_ID, candidate) F(S, INT, job) F(S, STR, name) F(S, OUTCOME, outcome) F(S, INT, reds) \
	F(S, INT, greens) F(S, INT, faked) F(S, RUN_ID, run)
#define EVENT_FIELDS_candidate_dropped(F, S) F(S, CANDIDATE_ID, candidate) F(S, REASON, reason)
// job: index in the candidate's plan. attempt: 1 for the first. trust: 1 change, 2 trunk, 3 release. lookup: 1 = only
// to find a verdict of its change again, which takes no slot. recheck: 1 = it is to be done though a verdict holds.
// doubts: 1 = one red run is no verdict yet (core/flakes.h).
#define EVENT_FIELDS_run_issued(F, S)                                                              \
	F(S, RUN_ID, run) F(S, CANDIDATE_ID, candidate) F(S, INT, job) F(S, STR, name) F(S, INT, attempt) \
	F(S, INT, trust) F(S, LATER, lookup) F(S, LATER, recheck) F(S, LATER, doubts)
// slot_wait_ms: from when its candidate and its needs let it run to when it was issued, which takes a slot.
// begun_ms: when its process began; a daemon that finds it running tells later. 0 in older events: slot_wait_ms is then
// the time that its start took.
#define EVENT_FIELDS_run_started(F, S) F(S, RUN_ID, run) F(S, INT, slot_wait_ms) F(S, LATER, begun_ms)
// rechecks: a run whose verdict would have held for this one, which was done all the same (a sample); differs: 1 = its
// artifacts are others, 2 = its outcome is.
// key, inputs, toolchain: what the verdict is valid for; basis: the key but for the inputs. inputs, artifacts, log,
// results and coverage name stored objects.
#define EVENT_FIELDS_run_finished(F, S)                                                            \
	F(S, RUN_ID, run) F(S, OUTCOME, outcome) F(S, REASON, reason) F(S, STR, text) F(S, INT, exit_status) \
	F(S, INT, signal) F(S, INT, duration_ms) F(S, INT, cpu_ms) F(S, INT, memory_bytes) F(S, STR, cgroup) \
	F(S, DIGEST, key) F(S, DIGEST, inputs) F(S, DIGEST, toolchain) F(S, DIGEST, artifacts) F(S, DIGEST, log) \
	F(S, DIGEST, results) F(S, DIGEST, coverage) F(S, INT, tests) F(S, INT, tests_failed)          \
	F(S, JSON, failed_tests) F(S, DIGEST, basis) F(S, LATER, rechecks) F(S, LATER, differs)
// failed: 1 = the earlier run of this very change had failed; 2 = so, and what that means was not settled for it alone.
#define EVENT_FIELDS_run_reused(F, S)                                                              \
	F(S, RUN_ID, run) F(S, RUN_ID, of) F(S, DIGEST, key) F(S, DIGEST, artifacts) F(S, INT, saved_ms) F(S, LATER, failed)
// sampled: 1 = one would have held, and is checked by a run all the same.
#define EVENT_FIELDS_run_missed(F, S) F(S, RUN_ID, run) F(S, LATER, sampled)
#define EVENT_FIELDS_run_cancel_issued(F, S) F(S, RUN_ID, run) F(S, REASON, reason)
#define EVENT_FIELDS_run_stopped(F, S) F(S, RUN_ID, run) F(S, INT, duration_ms) F(S, DIGEST, log)
// no_room: 1 = the disk was full, which is no attempt of the job.
#define EVENT_FIELDS_run_lost(F, S) F(S, RUN_ID, run) F(S, STR, text) F(S, LATER, no_room)
#define EVENT_FIELDS_landing_issued(F, S)                                                          \
	F(S, LANDING_ID, landing) F(S, CANDIDATE_ID, candidate) F(S, REPO_ID, repo) F(S, CHANGE_ID, change) \
	F(S, INT, revision) F(S, OID, from) F(S, OID, to) F(S, OID, tree)
#define EVENT_FIELDS_landing_failed(F, S) F(S, LANDING_ID, landing) F(S, OID, found) F(S, STR, text)
// artifacts: [{"artifacts":digest,"job":name}] of the jobs that made any.
#define EVENT_FIELDS_release_made(F, S)                                                            \
	F(S, RELEASE_ID, release) F(S, REPO_ID, repo) F(S, CHANGE_ID, change) F(S, CANDIDATE_ID, candidate) \
	F(S, OID, commit) F(S, JSON, artifacts)
#define EVENT_FIELDS_release_refused(F, S) F(S, CANDIDATE_ID, candidate) F(S, RUN_ID, run) F(S, REASON, reason)
#define EVENT_FIELDS_release_blocked(F, S) F(S, RELEASE_ID, release) F(S, ENV_ID, env) F(S, REASON, reason)
#define EVENT_FIELDS_deploy_requested(F, S)                                                        \
	F(S, ENV_ID, env) F(S, RELEASE_ID, release) F(S, INT, force) F(S, STR, by)
#define EVENT_FIELDS_rollback_requested(F, S) F(S, ENV_ID, env) F(S, STR, by) F(S, STR, text)
// cause: "landed", "deploy" or "rollback".
#define EVENT_FIELDS_rollout_issued(F, S)                                                          \
	F(S, ROLLOUT_ID, rollout) F(S, ENV_ID, env) F(S, RELEASE_ID, release) F(S, RELEASE_ID, previous) \
	F(S, STR, cause)
#define EVENT_FIELDS_rollout_cancel_issued(F, S) F(S, ROLLOUT_ID, rollout) F(S, REASON, reason)
// outcome: passed = live. exposed_ms: when the first request could reach it; 0 = never.
#define EVENT_FIELDS_rollout_finished(F, S)                                                        \
	F(S, ROLLOUT_ID, rollout) F(S, OUTCOME, outcome) F(S, REASON, reason) F(S, STR, text) F(S, INT, exposed_ms) \
	F(S, INT, duration_ms)
// settled: 1 = it was taken for good before: said to people, and nothing is rolled back.
#define EVENT_FIELDS_env_unhealthy(F, S) F(S, ENV_ID, env) F(S, RELEASE_ID, release) F(S, STR, text) F(S, LATER, settled)
#define EVENT_FIELDS_env_healthy(F, S) F(S, ENV_ID, env) F(S, RELEASE_ID, release)
#define EVENT_FIELDS_token_created(F, S) F(S, STR, name) F(S, STR, scopes) F(S, DIGEST, hash) F(S, INT, expires_ms)
#define EVENT_FIELDS_token_revoked(F, S) F(S, STR, name)
#define EVENT_FIELDS_secret_set(F, S) F(S, REPO_ID, repo) F(S, STR, name) F(S, STR, by)
#define EVENT_FIELDS_secret_removed(F, S) F(S, REPO_ID, repo) F(S, STR, name) F(S, STR, by)
#define EVENT_FIELDS_key_added(F, S) F(S, STR, name) F(S, STR, key) F(S, STR, scopes)
#define EVENT_FIELDS_key_removed(F, S) F(S, STR, name)
#define EVENT_FIELDS_webhook_added(F, S) F(S, STR, name) F(S, STR, url) F(S, STR, kinds)
#define EVENT_FIELDS_webhook_removed(F, S) F(S, STR, name)
#define EVENT_FIELDS_webhook_delivered(F, S) F(S, STR, name) F(S, INT, upto)
#define EVENT_FIELDS_local_run(F, S)                                                               \
	F(S, STR, job) F(S, OUTCOME, outcome) F(S, INT, duration_ms) F(S, DIGEST, key) F(S, DIGEST, artifacts) \
	F(S, DIGEST, log) F(S, DIGEST, results) F(S, OID, tree) F(S, DIGEST, basis) F(S, DIGEST, inputs)
