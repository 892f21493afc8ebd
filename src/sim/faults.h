// `weir simulate faults`: the real core in a simulated world, one world a seed. First everything
// goes wrong that can (sim/world.h), while at least thirty people push; then the faults stop, and
// what is open must come to its end. After every event each promise is asked (sim/invariant.h).
//
// The same seed gives the same world, event for event. Pure: to use two cores, give each half the
// seeds.
#pragma once
#include "base/buf.h"
#include "sim/bug.h"
#include "sim/world.h"

struct sim_options {
	uint64_t first_seed, seeds;
	enum bug bug;    // planted; BUG_NONE = the real thing
	bool json;       // the report as one JSON object instead of lines
	bool keep_on;    // further seeds after one that broke a promise
	struct buf *log; // when set: the last seed's events, one JSON object a line
};

struct sim_totals { // sums, so that two reports can be added
	uint64_t seeds, changes, landed, rejected, withdrawn, events, turns, refused, rollouts;
	uint64_t faults[WORLD_FAULT_COUNT];
	uint64_t thin;        // seeds with fewer than 30 changes, 1 crash or 3 other faults
	uint64_t broken;      // seeds that broke a promise
	uint64_t broken_seed; // the first of them
	char broken_name[16], broken_text[400];
};

// Adds to *totals. False when a promise was broken: totals->broken_*.
MUST_USE bool sim_faults_run(const struct sim_options *options, struct sim_totals *totals);
void sim_faults_add(struct sim_totals *to, const struct sim_totals *more);
void sim_faults_report(const struct sim_options *options, const struct sim_totals *totals,
                       struct buf *out);
// BUG_COUNT when there is no such name.
enum bug sim_faults_bug_named(struct str name);
const char *sim_faults_bug_name(enum bug bug);
const char *sim_faults_bug_text(enum bug bug);
