// The name of a verdict: what a job's result depends on. Same key, same verdict; a later run may be
// answered by an earlier one's.
#pragma once
#include "base/hash.h"
#include "exec/spec.h"

// Who may have had a hand in it; a verdict never serves a higher level than its own. The numbers
// are in keys.
enum key_trust { KEY_TRUST_CHANGE = 1, KEY_TRUST_TRUNK = 2, KEY_TRUST_RELEASE = 3 };

struct key_parts {
	struct str job;             // definition, canonical JSON
	struct exec_pairs env;      // in any order, no name twice
	const struct digest *needs; // artifacts of the jobs it needs, in the order of the definition
	size_t need_count;
	struct digest toolchain;
	enum key_trust trust;
};

// Everything but the inputs, which are known only when it has run: a later run of the same basis
// asks whether those of an earlier one hold for its own tree. SHA-256 over a version, then every
// part with its length or count.
struct digest key_basis(const struct key_parts *parts);
// inputs: of the inputs object (app/inputs.h).
struct digest key_of(struct digest basis, struct digest inputs);
