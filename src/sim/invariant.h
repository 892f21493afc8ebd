// What weir promises (ARCHITECTURE.md), each promise one function: may this event follow that
// history? Called before every event is folded into the witness, and once with no event when the
// log is at rest. Used by the simulator on its model and by `weir audit` on a live system; what
// only the world knows comes through callbacks, and a promise whose callback is missing is not
// asked.
#pragma once
#include "core/state.h"
#include "sim/witness.h"

struct invariant_ack { // somebody was told "accepted"
	struct change_id change;
	int64_t revision;
	struct oid head;
};

struct invariant_world {
	void *context;
	// git: each false = it cannot be told
	bool (*tip)(void *context, uint64_t repo, struct oid *out);
	bool (*tree_of)(void *context, struct oid commit, struct oid *out);
	bool (*is_ancestor)(void *context, struct oid older, struct oid newer); // or the same
	// Whether somebody else than weir made this commit trunk; NULL = only weir moves trunk.
	bool (*is_foreign)(void *context, uint64_t repo, struct oid commit);
	// Whether the ref's own record (its reflog) has a move that was no fast-forward.
	bool (*went_back)(void *context, uint64_t repo);
	// Whether a verdict bought with these recorded inputs is one for this tree.
	bool (*inputs_match)(void *context, struct digest inputs, struct oid tree);
	// The release that really runs there, 0 = nothing.
	bool (*running)(void *context, uint64_t env, uint64_t *release);
	bool (*ack)(void *context, size_t index, struct invariant_ack *out); // false = no more
	// How many runs are really under way, whatever the log says.
	uint64_t (*processes)(void *context);
	// Whether replaying the log gives the live state, and the log's own chain is whole.
	bool (*replays)(void *context);
	const struct state *state; // what core/apply made of the same events, NULL = not compared
	bool quiet;                // nothing goes wrong any more, and nobody wants anything new
};

struct invariant_case {
	const struct witness *before; // all events so far
	const struct event *event;    // the next one; NULL = at rest
	const struct invariant_world *world;
};

// Each returns false with what is broken in *why.
bool invariant_trunk(const struct invariant_case *c, struct err *why);      // 1
bool invariant_ends(const struct invariant_case *c, struct err *why);       // 2
bool invariant_head(const struct invariant_case *c, struct err *why);       // 3
bool invariant_verdict(const struct invariant_case *c, struct err *why);    // 4
bool invariant_rollout(const struct invariant_case *c, struct err *why);    // 5
bool invariant_provenance(const struct invariant_case *c, struct err *why); // 6
bool invariant_log(const struct invariant_case *c, struct err *why);        // 7
bool invariant_drains(const struct invariant_case *c, struct err *why);     // 9
bool invariant_numbers(const struct invariant_case *c, struct err *why);    // 10
bool invariant_slots(const struct invariant_case *c, struct err *why);      // intent frees nothing

struct invariant_row {
	int number; // of ARCHITECTURE.md; 0 = one of its rules
	const char *name, *promise;
	bool (*holds)(const struct invariant_case *c, struct err *why);
};
const struct invariant_row *invariant_all(size_t *count);
// All of them; *broken is the first that does not hold.
MUST_USE bool invariant_check(const struct invariant_case *c, const struct invariant_row **broken,
                              struct err *why);
