// Sets of small numbers: `words` words of 64 bits, owned by an arena. All sets of one computation
// have the same size.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline size_t bits_words(size_t members) {
	return members / 64 + 1;
}

static inline bool bits_has(const uint64_t *set, size_t i) {
	return set[i / 64] >> (i % 64) & 1;
}

static inline void bits_add(uint64_t *set, size_t i) {
	set[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bits_drop(uint64_t *set, size_t i) {
	set[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

static inline size_t bits_count(const uint64_t *set, size_t words) {
	size_t n = 0;
	for (size_t w = 0; w < words; w++) n += (size_t)__builtin_popcountll(set[w]);
	return n;
}

static inline bool bits_meet(const uint64_t *a, const uint64_t *b, size_t words) {
	for (size_t w = 0; w < words; w++)
		if (a[w] & b[w]) return true;
	return false;
}

static inline bool bits_within(const uint64_t *part, const uint64_t *whole, size_t words) {
	for (size_t w = 0; w < words; w++)
		if (part[w] & ~whole[w]) return false;
	return true;
}

// The smallest member that is at least `from`; SIZE_MAX when there is none.
static inline size_t bits_next(const uint64_t *set, size_t words, size_t from) {
	for (size_t w = from / 64; w < words; w++) {
		uint64_t rest = set[w];
		if (w == from / 64) rest &= ~UINT64_C(0) << (from % 64);
		if (rest) return w * 64 + (size_t)__builtin_ctzll(rest);
	}
	return SIZE_MAX;
}

#define BITS_EACH(i, set, words) \
	for (size_t i = bits_next(set, words, 0); i != SIZE_MAX; i = bits_next(set, words, i + 1))
