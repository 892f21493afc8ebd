// What is read as a time is written as the same time; durations stay in their range.
#include "base/clocktext.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct str text = {(const char *)data, size};
	AUTO_BUF b = {0};
	int64_t ms, back;
	if (clocktext_parse(text, &ms)) {
		clocktext_rfc3339(&b, ms);
		if (b.n != 24 || !clocktext_parse(buf_view(&b), &back) || back != ms) abort();
	}
	if (clocktext_duration(text, &ms) && (ms <= 0 || ms > (int64_t)3650 * 86400 * 1000)) abort();
	if (size >= sizeof ms) {
		memcpy(&ms, data, sizeof ms);
		buf_reset(&b);
		clocktext_duration_text(&b, ms);
		if (b.n == 0 || b.n > 40) abort();
	}
	return 0;
}
