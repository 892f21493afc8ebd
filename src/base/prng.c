#include "base/prng.h"

struct prng prng_seeded(uint64_t seed) {
	return (struct prng){seed};
}

uint64_t prng_next(struct prng *r) {
	uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t prng_below(struct prng *r, uint64_t limit) {
	return (uint64_t)((__extension__(unsigned __int128) prng_next(r) * limit) >> 64);
}

int prng_chance(struct prng *r, uint64_t in, uint64_t out_of) {
	return prng_below(r, out_of) < in;
}
