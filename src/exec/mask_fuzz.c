// Differential: the streaming masker against marking every match in the whole text. The input is
// split into secrets (lines) and a text behind the first empty line; write boundaries come from the
// text itself.
#include "exec/mask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void naive(const struct mask *m, struct str text, struct buf *out) {
	AUTO_BUF hidden = {0};
	size_t count;
	const struct str *needles = mask_needles(m, &count);
	memset(buf_grow(&hidden, text.n), 0, text.n);
	for (size_t i = 0; i < text.n; i++)
		for (size_t k = 0; k < count; k++)
			if (text.n - i >= needles[k].n && memcmp(text.p + i, needles[k].p, needles[k].n) == 0)
				memset(hidden.p + i, 1, needles[k].n);
	for (size_t i = 0; i < text.n; i++)
		if (!hidden.p[i]) buf_char(out, text.p[i]);
		else if (i == 0 || !hidden.p[i - 1]) buf_cstr(out, "***");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	struct str rest = {(const char *)data, size > 4096 ? 4096 : size}, values[8];
	size_t count = 0;
	while (rest.p && count < ARRAY_LEN(values)) {
		struct str line = str_cut(&rest, '\n');
		if (line.n == 0) break;
		if (mask_check(line, NULL)) values[count++] = line;
	}
	if (!rest.p) return 0;
	const struct mask *m = mask_new(values, count, &life);
	AUTO_BUF want = {0};
	AUTO_BUF got = {0};
	naive(m, rest, &want);
	struct mask_stream s = {.mask = m};
	for (size_t at = 0; at < rest.n;) {
		size_t step = 1 + (unsigned char)rest.p[at] % 7;
		mask_feed(&s, str_slice(rest, at, at + step), &got);
		at += step;
	}
	mask_end(&s, &got);
	if (!str_eq(buf_view(&got), buf_view(&want))) abort();
	return 0;
}
