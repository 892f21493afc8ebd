#include "api/tarwriter.h"

#include <stdio.h>

enum { BLOCK = 512, NAME = 100, LINK_AT = 157 };

static void octal(char *field, size_t width, uint64_t v) {
	for (size_t i = width - 1; i > 0; i--, v /= 8) field[i - 1] = (char)('0' + v % 8);
	field[width - 1] = 0;
}

static void block(struct buf *out, struct str name, struct str target, char type, unsigned mode,
                  uint64_t size) {
	static const char magic[] = {'u', 's', 't', 'a', 'r', 0, '0', '0'};
	char h[BLOCK] = {0};
	memcpy(h, name.p, name.n < NAME ? name.n : NAME);
	octal(h + 100, 8, mode);
	octal(h + 108, 8, 0);
	octal(h + 116, 8, 0);
	octal(h + 124, 12, size);
	octal(h + 136, 12, 0);
	memset(h + 148, ' ', 8);
	h[156] = type;
	if (target.n) memcpy(h + LINK_AT, target.p, target.n < NAME ? target.n : NAME);
	memcpy(h + 257, magic, sizeof magic);
	unsigned sum = 0;
	for (size_t i = 0; i < BLOCK; i++) sum += (unsigned char)h[i];
	octal(h + 148, 7, sum);
	buf_add(out, h, BLOCK);
}

// "LENGTH key=value\n", where the length counts itself.
static void pax_record(struct buf *out, const char *key, struct str value) {
	size_t rest = strlen(key) + value.n + 3, n = rest, digits;
	do {
		digits = n;
		n = rest + (size_t)snprintf(NULL, 0, "%zu", digits);
	} while (n != digits);
	buf_printf(out, "%zu %s=", n, key);
	buf_str(out, value);
	buf_char(out, '\n');
}

static void pax(struct buf *out, struct str path, struct str target, uint64_t size) {
	if (path.n <= NAME && target.n <= NAME && size < (uint64_t)1 << 33) return;
	AUTO_BUF records = {0};
	if (path.n > NAME) pax_record(&records, "path", path);
	if (target.n > NAME) pax_record(&records, "linkpath", target);
	if (size >= (uint64_t)1 << 33) {
		char text[32];
		snprintf(text, sizeof text, "%llu", (unsigned long long)size);
		pax_record(&records, "size", str_of(text));
	}
	block(out, STR("pax"), STR_NONE, 'x', 0644, records.n);
	buf_str(out, buf_view(&records));
	tarwriter_pad(out, records.n);
}

void tarwriter_pad(struct buf *out, uint64_t size) {
	static const char zeros[BLOCK] = {0};
	if (size % BLOCK) buf_add(out, zeros, BLOCK - size % BLOCK);
}

void tarwriter_file(struct buf *out, struct str path, bool executable, uint64_t size) {
	pax(out, path, STR_NONE, size);
	block(out, path, STR_NONE, '0', executable ? 0755 : 0644, size);
}

void tarwriter_link(struct buf *out, struct str path, struct str target) {
	pax(out, path, target, 0);
	block(out, path, target, '2', 0777, 0);
}

void tarwriter_end(struct buf *out) {
	static const char zeros[2 * BLOCK] = {0};
	buf_add(out, zeros, sizeof zeros);
}
