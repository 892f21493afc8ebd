#include "probe/results.h"

#include <stdlib.h>

#include "probe/ctrf.h"
#include "probe/gotest.h"
#include "probe/junit.h"
#include "probe/tap.h"

typedef bool read_fn(struct str bytes, struct gather *g, struct err *e);

static const struct format {
	const char *name;
	read_fn *read;
} formats[] = {
	{"junit", junit_read}, {"tap", tap_read}, {"go-test", gotest_read}, {"ctrf", ctrf_read}};

enum { JUNIT, TAP, GO_TEST, CTRF };

static bool is_tap(struct str line) {
	if (str_starts(line, STR("TAP version ")) || str_starts(line, STR("Bail out!"))) return true;
	if (str_starts(line, STR("ok ")) || str_starts(line, STR("not ok"))) return true;
	return str_starts(line, STR("1..")) && line.n > 3 && line.p[3] >= '0' && line.p[3] <= '9';
}

static bool is_go_event(struct str line) {
	return line.n && line.p[0] == '{' && str_contains(str_slice(line, 0, 4000), STR("\"Action\":"));
}

static const struct format *detect(struct str bytes) {
	struct str text = str_trim(bytes);
	if (str_starts(text, STR("\xef\xbb\xbf"))) text = str_trim(str_from(text, 3));
	bool utf16 = str_starts(bytes, STR("\xff\xfe")) || str_starts(bytes, STR("\xfe\xff"));
	if (utf16 || str_starts(text, STR("<"))) return &formats[JUNIT];
	struct str rest = text;
	if (str_starts(text, STR("{")))
		return &formats[is_go_event(str_cut(&rest, '\n')) ? GO_TEST : CTRF];
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');
		if (is_go_event(line)) return &formats[GO_TEST];
		if (is_tap(line)) return &formats[TAP];
	}
	return NULL;
}

bool probe_results_read(struct str bytes, struct str path_hint, struct arena *life,
                        struct probe_results *out, struct err *e) {
	struct str path = path_hint.n ? path_hint : STR("the results file");
	if (bytes.n > PROBE_RESULTS_BYTES_MAX)
		return err_set(e, ERR_LIMIT, STR_FMT ": %zu bytes; at most %d are read", STR_ARG(path),
		               bytes.n, PROBE_RESULTS_BYTES_MAX);
	if (str_trim(bytes).n == 0)
		return err_set(e, ERR_INVALID, STR_FMT ": it is empty", STR_ARG(path));
	const struct format *format = detect(bytes);
	if (!format)
		return err_set(e, ERR_INVALID,
		               STR_FMT ": neither JUnit XML, TAP, go test -json nor CTRF JSON",
		               STR_ARG(path));
	struct gather g = {.life = life};
	if (!format->read(bytes, &g, e)) {
		free(g.tests);
		return err_context(e, STR_FMT, STR_ARG(path));
	}
	struct probe_results r = {.format = format->name, .count = g.count, .problem = g.problem};
	r.tests = ARENA_ARRAY(life, struct probe_test, g.count);
	if (g.count) memcpy(r.tests, g.tests, g.count * sizeof *g.tests);
	free(g.tests);
	probe_results_count(&r);
	*out = r;
	return true;
}
