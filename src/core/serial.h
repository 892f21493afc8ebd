// The queue's decision, alone: which candidates should exist now, and which of their runs are worth
// a slot.
//
// Why apart: whether a change lands follows from verdicts (core/decide.c); which verdicts are
// bought first is policy, may change with every release, and is compared with other policies by the
// simulator. So it is one pure function from a view to a plan, and the view is small enough to be
// made by hand in a test.
//
// Words: a *want* is a candidate that should exist: one change on the tip (base = -1) or on another
// want. Wants that stand on each other form a path; a batch is a path of which only the last want
// gets runs. A *funded* run is a job that may start now. Existing candidates that no want names are
// dropped by the caller, so policy is stateless: it is asked again every turn, and keeping a
// candidate means wanting it again.
//
// The policy here is serial: the first change of the order (priority, then arrival) on the tip, its
// jobs as their needs allow, the next change when that one landed or left. It is correct for any
// view, never tests what may not land, and wastes waiting: the speculative policy takes its place
// behind the same function.
//
//   example: changes 7 and 8, tip T.  view: {7, 8}, no candidates    -> wants {7 on T}, funds
//   nothing candidate c1 = 7 on T built, jobs build -> test                  -> wants {7 on T},
//   funds {c1, build} c1's build passed                                                -> wants {7
//   on T}, funds {c1, test} c1's test failed: decide rejects 7; view: {8}                    ->
//   wants {8 on T}
#pragma once
#include "core/state.h"

struct serial_change { // in the order in which they may land: the caller sorts
	struct change_id id;
	uint32_t revision;
};

struct serial_run { // a job that may start: its needs have passed, it waits
	struct candidate_id candidate;
	uint32_t job;
};

struct serial_candidate {
	struct candidate_id id;
	struct change_id change;
	struct candidate_id base; // 0 = the tip
};

struct serial_view {
	const struct serial_change *changes;
	size_t change_count;
	const struct serial_candidate *candidates; // live ones, oldest first
	size_t candidate_count;
	const struct serial_run *ready;
	size_t ready_count;
	size_t slots_free;
};

struct serial_want {
	struct change_id change;
	ptrdiff_t base; // index of an earlier want, -1 = the tip
};

struct serial_plan { // room for change_count wants and slots_free runs is the caller's
	struct serial_want *wants;
	size_t want_count;
	struct serial_run *funded;
	size_t funded_count;
};

void serial_decide(const struct serial_view *view, struct serial_plan *plan);
