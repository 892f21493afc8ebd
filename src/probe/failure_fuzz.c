#include "probe/failure.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Lines in order, in bounds, UTF-8.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	struct failure_line lines[5];
	size_t n = failure_find((struct str){(const char *)data, size}, 5, &life, lines);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && lines[i].number <= lines[i - 1].number) abort();
		if (lines[i].number < 1 || lines[i].weight < 1 || lines[i].line < 0) abort();
		if (str_utf8_bad(lines[i].text) < lines[i].text.n) abort();
	}
	return 0;
}
