#include "base/hash.h"

struct digest digest_of(struct str bytes) {
	struct digest d;
	crypto_hash_sha256(d.b, (const unsigned char *)(bytes.p ? bytes.p : ""), bytes.n);
	return d;
}

bool digest_eq(struct digest a, struct digest b) {
	return memcmp(a.b, b.b, sizeof a.b) == 0;
}

bool digest_is_none(struct digest d) {
	return digest_eq(d, (struct digest){{0}});
}

static int hex_value(char c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	return -1;
}

static bool hex_parse(struct str hex, uint8_t *out) {
	for (size_t i = 0; i < hex.n; i += 2) {
		int high = hex_value(hex.p[i]), low = hex_value(hex.p[i + 1]);
		if (high < 0 || low < 0) return false;
		out[i / 2] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static void hex_print(const uint8_t *b, size_t n, char *out) {
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[b[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[b[i] & 15];
	}
	out[2 * n] = 0;
}

bool digest_parse(struct str hex, struct digest *out) {
	struct digest d = {0};
	if (hex.n != DIGEST_HEX || !hex_parse(hex, d.b)) return false;
	*out = d;
	return true;
}

void digest_hex(struct digest d, char out[DIGEST_HEX + 1]) {
	hex_print(d.b, sizeof d.b, out);
}

bool oid_eq(struct oid a, struct oid b) {
	return a.n == b.n && memcmp(a.b, b.b, a.n) == 0;
}

bool oid_is_none(struct oid o) {
	return o.n == 0;
}

bool oid_parse(struct str hex, struct oid *out) {
	struct oid o = {0};
	if ((hex.n != 40 && hex.n != 64) || !hex_parse(hex, o.b)) return false;
	for (size_t i = 0; i < hex.n / 2; i++)
		if (o.b[i]) o.n = (uint8_t)(hex.n / 2);
	*out = o;
	return true;
}

void oid_hex(struct oid o, char out[OID_HEX_MAX + 1]) {
	hex_print(o.b, o.n, out);
}

void hash_begin(struct hash *h) {
	crypto_hash_sha256_init(&h->state);
}

void hash_add(struct hash *h, const void *bytes, size_t n) {
	if (n) crypto_hash_sha256_update(&h->state, bytes, n);
}

void hash_add_u64(struct hash *h, uint64_t v) {
	uint8_t b[8];
	for (int i = 0; i < 8; i++) b[i] = (uint8_t)(v >> (56 - 8 * i));
	hash_add(h, b, sizeof b);
}

void hash_add_str(struct hash *h, struct str s) {
	hash_add_u64(h, s.n);
	hash_add(h, s.p, s.n);
}

struct digest hash_end(struct hash *h) {
	struct digest d;
	crypto_hash_sha256_final(&h->state, d.b);
	return d;
}
