#include "probe/coverage.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Sums add up, and never more is covered than there is.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	struct coverage c;
	struct err e = {0};
	int64_t lines = 0, covered = 0;
	if (!coverage_read((struct str){(const char *)data, size}, STR("x"), &life, &c, &e)) {
		if (e.code == ERR_NONE || !e.text[0]) abort();
		return 0;
	}
	for (size_t i = 0; i < c.count; i++) {
		if (c.files[i].covered > c.files[i].lines) abort();
		lines += c.files[i].lines;
		covered += c.files[i].covered;
	}
	if (lines != c.lines || covered != c.covered) abort();
	return 0;
}
