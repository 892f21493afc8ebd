// Names of content. A digest is a SHA-256 (FIPS 180-4, by libsodium); an oid is git's object name,
// SHA-1 or SHA-256. Both are plain values. Also streaming SHA-256 for bodies that do not fit in
// memory.
#pragma once
#include <sodium/crypto_hash_sha256.h>

#include "base/err.h"

struct digest {
	uint8_t b[32];
};
struct oid {
	uint8_t n; // 20, 32, or 0 = none
	uint8_t b[32];
};
struct hash {
	crypto_hash_sha256_state state;
};

enum { DIGEST_HEX = 64, OID_HEX_MAX = 64 };

struct digest digest_of(struct str bytes);
bool digest_eq(struct digest a, struct digest b);
bool digest_is_none(struct digest d); // all zero
MUST_USE bool digest_parse(struct str hex, struct digest *out);
void digest_hex(struct digest d, char out[DIGEST_HEX + 1]);

bool oid_eq(struct oid a, struct oid b);
bool oid_is_none(struct oid o);
MUST_USE bool oid_parse(struct str hex, struct oid *out); // 40 or 64 digits; all zeros gives none
void oid_hex(struct oid o, char out[OID_HEX_MAX + 1]);    // "" for none

void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *bytes, size_t n);
void hash_add_str(struct hash *h,
                  struct str s); // length-prefixed (8 bytes, big endian): no two lists collide
void hash_add_u64(struct hash *h, uint64_t v);
struct digest hash_end(struct hash *h);
