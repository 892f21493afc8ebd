// REASON(NAME, "code", stays_queued, "what to do next")
// Why a change left the queue or stays in it, a candidate was dropped, a run or a rollout ended as it did: a
// closed list. Append only: a code is part of events, of the API and of the manual. Every reason of a change says
// whether it stays queued. The vocabulary follows Mergify's (reference: docs.mergify.com, merge queue lifecycle).
#define REASON_TABLE(REASON)                                                                                           \
	REASON(NONE, "", 0, "")                                                                                            \
	REASON(TEST_FAILED, "test-failed", 0, "fix it and push again")                                                     \
	REASON(JOB_FAILED, "job-failed", 0, "fix it and push again")                                                       \
	REASON(JOB_TIMED_OUT, "job-timed-out", 0, "make it faster or raise its timeout, then push again")                  \
	REASON(JOB_KILLED, "job-killed", 0, "use less memory or disk, or raise its resources, then push again")            \
	REASON(ARTIFACT_MISSING, "artifact-missing", 0, "make the job write the file or correct artifacts:, then push")    \
	REASON(INFRASTRUCTURE, "infrastructure", 0, "weir could not run the job; weir retry starts it again")              \
	REASON(CONFLICT_WITH_BASE, "conflict-with-base", 0, "rebase onto the target and push again")                       \
	REASON(CONFLICT_WITH_AHEAD, "conflict-with-change-ahead", 1, "nothing: it is tried again when that change ended")  \
	REASON(UNRELATED_HISTORY, "unrelated-history", 0, "push a branch that began from the target")                      \
	REASON(BAD_CONFIG, "bad-config", 0, "run weir check, correct weir.yml and push again")                             \
	REASON(NO_CONFIG, "no-config", 0, "run weir init, commit weir.yml and push again")                                 \
	REASON(WITHDRAWN, "withdrawn", 0, "push again to propose it anew")                                                 \
	REASON(SUPERSEDED, "superseded", 0, "nothing: the newer revision goes on")                                         \
	REASON(BASE_CHANGED, "base-changed", 1, "nothing: it is tested again on the new tip")                              \
	REASON(HIGHER_PRIORITY_AHEAD, "higher-priority-ahead", 1, "nothing: it is tested again behind that change")        \
	REASON(CHANGE_AHEAD_LEFT, "change-ahead-left", 1, "nothing: it is tested again without that change")               \
	REASON(CANCELLED, "cancelled", 0, "weir retry queues it again")                                                    \
	REASON(DRAFT_TESTED, "draft-tested", 0, "push without -o draft to land it")                                        \
	REASON(ALREADY_LANDED, "already-landed", 0, "nothing: its commits are in the target")                              \
	REASON(LANDING_REFUSED, "landing-refused", 0, "see the text: git would not move the target")                       \
	REASON(EXIT_STATUS, "exit-status", 0, "read the log")                                                              \
	REASON(SIGNALLED, "signalled", 0, "read the log")                                                                  \
	REASON(RESULTS_UNREADABLE, "results-unreadable", 0, "correct results: in weir.yml or what writes the file")        \
	REASON(SECRET_IN_OUTPUT, "secret-in-output", 0, "do not write the secret into an artifact")                        \
	REASON(NOT_NEEDED, "not-needed", 0, "nothing: its result could not matter any more")                               \
	REASON(HEALTH_NEVER_GREEN, "health-never-green", 0, "read weir logs; the earlier release still serves")            \
	REASON(SERVICE_EXITED, "service-exited", 0, "read weir logs; the earlier release still serves")                    \
	REASON(BEFORE_FAILED, "before-failed", 0, "read weir logs; the earlier release still serves")                      \
	REASON(DEPLOY_FAILED, "deploy-failed", 0, "see the text; the earlier release still serves")                        \
	REASON(BECAME_UNHEALTHY, "became-unhealthy", 0, "the release is blocked; fix it and land the fix")                 \
	REASON(ROLLED_BACK, "rolled-back", 0, "the release is blocked until a newer one, or --force")                      \
	REASON(INDEPENDENT, "independent", 1, "nothing: it is tested without the change ahead, which it does not touch") \
	REASON(BATCH_SPLIT, "batch-split", 1, "nothing: the changes that were tested together are tested apart")

enum reason {
#define REASON(NAME, code, stays, next) REASON_##NAME,
	REASON_TABLE(REASON)
#undef REASON
	    REASON_COUNT
};
