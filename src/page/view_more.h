// The views of one thing each: a change, a log, an environment, the list of environments, a notice.
#pragma once
#include "page/view.h"

struct view_test {
	struct str job, name, message, place; // place: "test/http_test.c:212"
	struct str output;
};

struct view_conflict {
	struct str path, kind, text, ours, theirs;
};

struct view_log_line {
	uint64_t number; // from 1
	char channel;    // 'o' 'e' 'w', 'd' = bytes are missing here
	struct str html; // safe already (probe/ansi.h)
	bool hit;
};

struct view_log {
	struct str job;
	const struct view_log_line *lines;
	size_t line_count;
	uint64_t total; // lines of the whole log, 0 = not known
	bool running;
	struct str gone; // why there is none: "removed by retention", "not started"
};

struct view_change {
	struct view_frame frame;
	struct view_ref ref;
	struct str repo, target, head, state; // state as in JSON
	struct str candidate_commit, landed_commit;
	uint64_t revision;
	int64_t files, lines_added, lines_deleted, commits;
	bool draft;
	struct str reason_code, reason_text, reason_next;
	bool stays_queued, may_withdraw, may_retry, may_cancel;
	int64_t proposed_ms, queued_ms, tested_from_ms, tested_to_ms, landed_ms, deployed_ms, ended_ms;
	struct str deployed_env;
	struct str delivery_state, delivery_text; // of its own release: failed, rolled-back; else ""
	uint64_t ahead;                           // changes before it in the queue
	const uint64_t *with;                     // changes that are tested, and land, with it
	size_t with_count;
	struct view_typical typical;
	const struct view_test *tests;
	size_t test_count, tests_failed, tests_run;
	const struct view_job *jobs;
	size_t job_count;
	const struct view_conflict *conflicts;
	size_t conflict_count;
	struct view_log log; // the end of the log that matters most
	struct str diff;     // unified, "" = none
	struct str diff_gone;
	bool whole_diff;
};

struct view_log_page {
	struct view_frame frame;
	struct view_ref ref;
	struct view_job job;
	struct view_log log;
	uint64_t first, last;      // lines shown
	struct str earlier, later; // URLs, empty = none
};

struct view_rollout {
	struct str commit, state, cause, by, reason_code, reason_text; // state as the API names it
	uint64_t change;
	int64_t began_ms, ended_ms, took_ms;
};

struct view_release {
	uint64_t id, change;
	struct str commit, title;
	int64_t made_ms, artifacts;
	bool blocked, lives;
};

struct view_environment {
	struct view_frame frame;
	struct view_env env;
	struct str listen;
	const struct view_rollout *rollouts;
	size_t rollout_count, rollout_total;
	const struct view_release *releases;
	size_t release_count;
	struct view_log log;
	struct str notice; // what the last button did
};

struct view_environments {
	struct view_frame frame;
	const struct view_env *envs;
	size_t env_count;
	const struct view_release *releases;
	size_t release_count;
};

struct view_notice { // an error, an answer, an empty place
	struct view_frame frame;
	int status; // HTTP, 0 = it is no error
	struct str title, text, next;
};

// A list of changes (search results, "all").
struct view_list {
	struct view_frame frame;
	struct str query;
	const struct view_feed *rows;
	size_t row_count;
};
