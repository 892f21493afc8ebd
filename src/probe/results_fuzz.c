// Whatever a job leaves as its results file: read or refused with a reason; what is read can be
// stored and read back, and its counts add up.
#include "probe/results.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_ARENA life = {0};
	AUTO_BUF json = {0};
	struct probe_results r, back;
	struct err e = {0};
	if (!probe_results_read((struct str){(const char *)data, size}, STR("x"), &life, &r, &e)) {
		if (e.code == ERR_NONE || !e.text[0]) abort();
		return 0;
	}
	size_t groups = 0;
	for (size_t i = 0; i < r.count; i++) {
		const struct probe_test *t = &r.tests[i];
		groups += t->group;
		if (t->name.n == 0 || t->duration_ms < -1 || t->line < 0) abort();
		if (t->output.n > PROBE_OUTPUT_BYTES_MAX + 40 || t->name.n > PROBE_NAME_BYTES_MAX + 40)
			abort();
	}
	if (r.passed + r.failed + r.errors + r.skipped + groups != r.count) abort();
	struct jsonw w = jsonw_to(&json);
	probe_results_json(&r, &w);
	if (!probe_results_from_json(buf_view(&json), &life, &back, &e)) abort();
	return 0;
}
