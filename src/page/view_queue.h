// The view of the queue page.
#pragma once
#include "page/view.h"

struct view_node { // a change in its lane
	struct view_ref ref;
	enum view_tone tone;
	enum html_icon icon;
	struct str state;
	const struct view_job *jobs;
	size_t job_count;
};

struct view_lane {
	struct str repo, trunk, tip;
	int64_t tip_ms;
	const struct view_node *nodes;
	size_t node_count, node_total;
};

struct view_slot {
	struct view_ref ref;
	struct str job;
	int64_t started_ms, expected_ms;
};

struct view_queue {
	struct view_frame frame;
	const struct view_lane *lanes;
	size_t lane_count;
	const struct view_slot *running;
	size_t running_count;
	int64_t slots, landed_hour, waiting;
	struct view_typical typical;
	const struct view_feed *feed;
	size_t feed_count;
};
