// Deterministic random numbers from a seed (SplitMix64, Steele, Lea & Flood 2014): for the
// simulator, tests and anything whose randomness is a seed in an event. Never for secrets.
#pragma once
#include <stdint.h>

struct prng {
	uint64_t state;
};

struct prng prng_seeded(uint64_t seed);
uint64_t prng_next(struct prng *r);
uint64_t prng_below(struct prng *r,
                    uint64_t limit); // 0 <= x < limit, limit >= 1, unbiased enough (limit << 2^64)
int prng_chance(struct prng *r, uint64_t in, uint64_t out_of); // true in `in` of `out_of` cases
