#include "git/index.h"

enum { HEADER = 12, MODE_AT = 24, STAT_BYTES = 40, EXTENDED = 0x4000, NAME_MASK = 0xfff };

static uint32_t u32(const char *p) {
	const unsigned char *b = (const unsigned char *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

struct entry {
	size_t bytes;          // in the index
	struct str mode, name; // name: of the blob, flags, path and a NUL
};

// The entry at the start of rest: stat data, name of the blob, flags, path, then one to eight NULs
// up to a multiple of eight.
static bool entry_at(struct str rest, uint32_t version, size_t oid_bytes, struct entry *out) {
	size_t fixed = STAT_BYTES + oid_bytes + 2;
	if (rest.n < fixed) return false;
	unsigned flags = u32(rest.p + fixed - 4) & 0xffff;
	if (version >= 3 && (flags & EXTENDED)) fixed += 2;
	if (rest.n < fixed) return false;
	const char *end = memchr(rest.p + fixed, 0, rest.n - fixed);
	if (!end) return false;
	size_t name = (size_t)(end - rest.p) - fixed;
	if ((flags & NAME_MASK) < NAME_MASK && name != (flags & NAME_MASK)) return false;
	size_t bytes = (fixed + name + 8) & ~(size_t)7;
	if (bytes > rest.n) return false;
	*out = (struct entry){bytes, str_slice(rest, MODE_AT, MODE_AT + 4),
	                      str_slice(rest, STAT_BYTES, fixed + name + 1)};
	return true;
}

// The extensions behind the entries, whose content goes into `content` when that is wanted.
static bool pass_entries(struct str index, size_t oid_bytes, struct hash *content,
                         struct str *extensions) {
	if (index.n < HEADER + oid_bytes || memcmp(index.p, "DIRC", 4) != 0) return false;
	uint32_t version = u32(index.p + 4), entries = u32(index.p + 8);
	if (version != 2 && version != 3) return false;
	struct str rest = str_slice(index, HEADER, index.n - oid_bytes); // without the checksum
	for (uint32_t i = 0; i < entries; i++) {
		struct entry entry;
		if (!entry_at(rest, version, oid_bytes, &entry)) return false;
		if (content) hash_add(content, entry.mode.p, entry.mode.n);
		if (content) hash_add(content, entry.name.p, entry.name.n);
		rest = str_from(rest, entry.bytes);
	}
	*extensions = rest;
	return true;
}

// The next of them; false at the end, and when it is cut off.
static bool take_extension(struct str *rest, struct str *name, struct str *body) {
	if (rest->n < 8) return false;
	uint32_t bytes = u32(rest->p + 4);
	if (bytes > rest->n - 8) return false;
	*name = str_slice(*rest, 0, 4);
	*body = str_slice(*rest, 8, 8 + (size_t)bytes);
	*rest = str_from(*rest, 8 + (size_t)bytes);
	return true;
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
	struct str rest, name, body;
	struct oid tree = {0};
	bool known = false;
	if (!pass_entries(index, oid_bytes, NULL, &rest)) return false;
	while (take_extension(&rest, &name, &body)) {
		if (str_eq(name, STR("link"))) return false; // a split index: the entries are elsewhere
		if (str_eq(name, STR("TREE"))) known = root_of(body, oid_bytes, &tree);
	}
	if (rest.n >= 8 || !known) return false;
	*out = tree;
	return true;
}

bool git_index_content(struct str index, size_t oid_bytes, struct digest *out) {
	struct hash content;
	struct str rest, name, body;
	hash_begin(&content);
	if (!pass_entries(index, oid_bytes, &content, &rest)) return false;
	while (take_extension(&rest, &name, &body))
		if (str_eq(name, STR("link"))) return false;
	if (rest.n >= 8) return false;
	*out = hash_end(&content);
	return true;
}
