// The queue's decision, alone: which candidates are worth a slot now.
//
// Why apart: whether a change lands follows from verdicts (facts decide). Which verdicts are bought
// first is policy: it may change with every release, and is compared with other policies by the
// simulator (`weir simulate queue`). So it is one pure function from a view to a plan.
//
// Words
//   before(i)   the open changes that come before change i and conflict with it: what i's verdict
//               depends on. Changes that do not conflict never wait for each other.
//   candidate   members tested together on an assumed base: the open changes that are assumed to
//               land first. Its verdict counts for a member i only if before(i) turns out exactly
//               as assumed: those inside land, those outside do not.
//   path        an assumption about before(i). The likely one takes each change as it is predicted;
//               a flip takes one the other way.
//   refuted     a member whose before() has turned out otherwise: the verdict says nothing of it.
//   price       of starting a candidate, between 0 and 1: with a high one only the likely path is
//               tested; with a low one many are, and few wait. What slots are left for.
//
// Each turn starts from the view alone (nothing is remembered between turns):
//
//   1. believe   predictions, made better by what candidates have shown: a green one lifts all of
//                its changes, a red one is shared out among its suspects. Never a decision.
//   2. need      which changes have no candidate on their likely path.
//   3. stop      when slots are short: candidates whose path has become improbable.
//   4. start     few changes for many slots: each alone on its likely path, in order of arrival.
//                Load: batches, grown while they decide more per second of a slot.
//   5. hedge     with slots left: the paths whose early verdict would save the most waiting, and
//                verdicts for all outcomes, so that a change need not wait for those before it.
//
//   example: 7 and 8 conflict, 8 came later; 2 slots.  7 = {7 on nothing}, 8 = {8 on 7} start.
//   7 is slow. With a third slot {8 on nothing} is worth its price if 7 may fail: should it, 8 is
//   decided at once instead of being tested then. And if both of 8's candidates pass, 8 lands
//   before 7, whatever becomes of 7. {7 8} red as a batch: both are suspects; {7} is tested; it
//   passes and lands, so it was 8.
//
// Sources: Ananthanarayanan et al., EuroSys 2019 (paths in order of probability); Juloori et al.,
// arXiv 2501.03440 (threshold, bypassing of large changes); uber/submitqueue (k-way generation of
// paths, stateless plan); Dorfman 1943 (group testing).
#pragma once
#include "base/arena.h"
#include "core/bits.h"

struct queue_change { // in the order in which they may land
	double success;   // predicted: that it lands, 0 < success < 1
	int64_t duration_ms, waited_ms;
	bool urgent;            // a hotfix: goes before all else that runs
	bool apart;             // it shares a candidate with nobody
	int32_t rank;           // ... and only with those of its own
	const uint64_t *before; // among the changes of the view
};

enum queue_try_state {
	QUEUE_RUNNING,
	QUEUE_PASSED,
	QUEUE_DOUBTED, // red, which may be a flake: decides nothing before it was run again
	QUEUE_FAILED
};

struct queue_try { // a candidate that was started and may still say something of an open change
	enum queue_try_state state;
	const uint64_t *members, *base; // open changes; those that landed are left out
	const uint64_t *refuted;        // members of which it says nothing any more
	bool spoiled;                   // a change in it was rejected: its red means nothing
	int64_t began_ms, ends_ms;      // ends_ms is expected while it runs
	int64_t again_ms;               // what running it again takes
	uint32_t again_most;            // how many more reds would leave no doubt
	double faked; // how likely a good tree looks as it does: 1 before it was red, 0 without flakes
};

struct queue_knobs {
	double price;      // of a candidate on another than the likely path
	double early;      // price of verdicts for all outcomes; 0 = never
	uint32_t size_max; // members of a candidate
};
extern const struct queue_knobs queue_lean, queue_mid, queue_fast;
struct queue_knobs queue_priced(double price); // 0 <= price < 1; between the three, and beyond

struct queue_view {
	int64_t now_ms, mean_ms; // mean duration of the last changes
	double load;             // arrivals times duration over slots, of late; above 1 they pile up
	double conflicts;        // how often two that may conflict do
	struct queue_knobs knobs;
	// A base is made of other tries, each of which is judged by itself: red is the members', unless
	// one below them is red. All members of a batch land at once, or none.
	bool chains;
	size_t slots; // all of them; running tries take one each
	const struct queue_change *changes;
	size_t change_count;
	const struct queue_try *tries;
	size_t try_count;
};

struct queue_start {
	const uint64_t *members, *base;
};

struct queue_plan {
	struct queue_start *starts;
	size_t start_count;
	size_t *stops, *again; // indices of tries: to stop; to run again, one more run for each time
	size_t stop_count, again_count;
};

// At most as many starts as slots are free after the stops. Memory from `life`.
void queue_decide(const struct queue_view *view, struct arena *life, struct queue_plan *plan);
