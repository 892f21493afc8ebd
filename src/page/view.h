// What the pages show: plain values that somebody else has looked up (src/web/view_*.c). A page
// turns one of these into HTML and asks nothing. Times are milliseconds since 1970 UTC, durations
// milliseconds; 0 = not yet, -1 = not known. Texts are borrowed, empty = absent.
#pragma once
#include "page/html.h"

struct view_frame { // around every page
	const char *title;
	const char *nav;      // "flow" "queue" "environments", "" = none of them
	struct str repo;      // "shortlink, branch main"; empty: several or none
	struct str command;   // what does the same in a terminal
	struct str json;      // URL of this page as JSON
	struct str live;      // URL of its event stream, empty = not live
	struct str csrf;      // goes into every form
	struct str read_only; // why nothing can be changed now, empty = all is well
	struct str runs_wait; // why runs do not begin, empty = they do
	bool stuck;           // read_only, and not even what operators do (roll back) can be recorded
	bool may_operate;     // buttons are shown
	int64_t now_ms;
};

struct view_ref { // a change in a list
	uint64_t id;
	struct str title, author, author_kind; // "agent" "person", else unknown
};

enum view_segment_kind {
	SEGMENT_WAITED,
	SEGMENT_RAN,
	SEGMENT_REUSED,
	SEGMENT_RUNNING,
	SEGMENT_FAILED,
	SEGMENT_EXPECTED
};
struct view_segment {
	enum view_segment_kind kind;
	int64_t from_ms, to_ms;
};

enum view_tone { TONE_PLAIN, TONE_RUN, TONE_OK, TONE_BAD, TONE_WARN };

struct view_moving { // a row of the time axis
	struct view_ref ref;
	enum view_tone tone;
	enum html_icon icon;
	struct str state, next; // "testing 3 of 4"; "usually 40 s"
	struct str label;       // the figure in words
	struct view_segment segments[8];
	size_t segment_count;
	int64_t landed_ms;
};

struct view_gauge { // usual bands need four weeks of data; until then there are none
	const char *name;
	int64_t count, oldest_ms; // age of the oldest one, 0 = none
};

enum view_feed_kind {
	FEED_LANDED,
	FEED_EJECTED,
	FEED_WITHDRAWN,
	FEED_DEPLOYED,
	FEED_DEPLOY_FAILED,
	FEED_ROLLED_BACK
};
struct view_feed {
	enum view_feed_kind kind;
	int64_t at_ms;
	struct view_ref ref;
	struct str commit, text, next; // next: what to do; empty = nothing
	struct str test;               // the failing test, if one is known
	int64_t took_ms;               // queued to landed, -1 = not known
	bool stays_queued;
	struct str env; // of the deploy kinds
};

struct view_env { // one environment, now
	struct str name, repo;
	uint64_t release, previous, rollout_release, requested; // ids, 0 = none
	struct str commit, previous_commit,
		rollout_commit; // what lives, what a rollback goes to, what comes
	uint64_t change, previous_change, rollout_change;
	int64_t live_ms, rollout_ms, health_ms;
	struct str health, health_text; // "" "healthy" "unhealthy"
	bool defined, behind;           // trunk's weir.yml names it; a newer release exists
	bool shared;                    // another repository has an environment of this name
	bool cancelling;
};

struct view_typical { // of the newest landed changes, from queued to landed
	int64_t n, p10_ms, p50_ms, p90_ms;
};

struct view_flow {
	struct view_frame frame;
	struct view_gauge gauges[6]; // queue, slot wait, testing, landing, deploy wait, rollout
	int64_t slots, slots_busy;
	struct view_typical typical;
	const struct view_moving *moving;
	size_t moving_count, moving_total;
	const struct view_feed *feed;
	size_t feed_count;
	int64_t landed_hour, ejected_hour, deployed_today, rolled_back_today;
	const struct view_env *envs;
	size_t env_count, repo_count;
	int64_t queued_by_hour[24], landed_by_hour[24]; // today, UTC
	struct str config_error;                        // why trunk has no usable weir.yml
};

enum view_job_state {
	JOB_VIEW_WAITS,
	JOB_VIEW_RUNNING,
	JOB_VIEW_PASSED,
	JOB_VIEW_FAILED,
	JOB_VIEW_REUSED,
	JOB_VIEW_SKIPPED,
	JOB_VIEW_STOPPED,
	JOB_VIEW_LOST
};
struct view_job {
	struct str name, facts;
	enum view_job_state state;
	uint64_t run;
	int64_t issued_ms, started_ms, ended_ms, duration_ms, expected_ms; // expected: -1 = not known
};
