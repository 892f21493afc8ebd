#include "git/index.h"

enum { HEADER = 12, STAT_BYTES = 40, EXTENDED = 0x4000, NAME_MASK = 0xfff };

static uint32_t u32(const char *p) {
	const unsigned char *b = (const unsigned char *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// Bytes of the entry at the start of rest, 0 when it does not fit: stat data, name of the blob,
// flags, path, then one to eight NULs up to a multiple of eight.
static size_t entry_bytes(struct str rest, uint32_t version, size_t oid_bytes) {
	size_t fixed = STAT_BYTES + oid_bytes + 2;
	if (rest.n < fixed) return 0;
	unsigned flags = u32(rest.p + fixed - 4) & 0xffff;
	if (version >= 3 && (flags & EXTENDED)) fixed += 2;
	if (rest.n < fixed) return 0;
	const char *end = memchr(rest.p + fixed, 0, rest.n - fixed);
	if (!end) return 0;
	size_t name = (size_t)(end - rest.p) - fixed;
	if ((flags & NAME_MASK) < NAME_MASK && name != (flags & NAME_MASK)) return 0;
	size_t bytes = (fixed + name + 8) & ~(size_t)7;
	return bytes <= rest.n ? bytes : 0;
}

// "" NUL COUNT " " SUBTREES LF oid: the root's record stands first; a negative count means "no
// longer true".
static bool root_of(struct str tree, size_t oid_bytes, struct oid *out) {
	if (tree.n == 0 || tree.p[0] != 0) return false;
	tree = str_from(tree, 1);
	size_t line = str_find_char(tree, '\n'), space = str_find_char(tree, ' ');
	uint64_t count;
	if (line == tree.n || space > line || !str_to_u64(str_slice(tree, 0, space), &count))
		return false;
	if (tree.n - line - 1 < oid_bytes) return false;
	struct oid found = {.n = (uint8_t)oid_bytes};
	memcpy(found.b, tree.p + line + 1, oid_bytes);
	*out = found;
	return true;
}

bool git_index_tree(struct str index, size_t oid_bytes, struct oid *out) {
	if (index.n < HEADER + oid_bytes || memcmp(index.p, "DIRC", 4) != 0) return false;
	uint32_t version = u32(index.p + 4), entries = u32(index.p + 8);
	if (version != 2 && version != 3) return false;
	struct str rest = str_slice(index, HEADER, index.n - oid_bytes); // without the checksum
	for (uint32_t i = 0; i < entries; i++) {
		size_t bytes = entry_bytes(rest, version, oid_bytes);
		if (bytes == 0) return false;
		rest = str_from(rest, bytes);
	}
	bool known = false;
	struct oid tree = {0};
	while (rest.n >= 8) {
		struct str body = str_from(rest, 8);
		uint32_t bytes = u32(rest.p + 4);
		if (bytes > body.n) return false;
		if (memcmp(rest.p, "link", 4) == 0)
			return false; // a split index: the entries are elsewhere
		if (memcmp(rest.p, "TREE", 4) == 0)
			known = root_of(str_slice(body, 0, bytes), oid_bytes, &tree);
		rest = str_from(body, bytes);
	}
	if (known) *out = tree;
	return known;
}
