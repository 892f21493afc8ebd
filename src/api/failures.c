#include "api/failures.h"

#include "base/json.h"
#include "store/object.h"

enum { RESULTS_MAX = 8 << 20, MESSAGE_MAX = 400 };

static bool is_failed(const struct json *t) {
	struct str outcome = json_get_str(t, "outcome");
	return !json_get_bool(t, "group", false) &&
	       (str_eq(outcome, STR("failed")) || str_eq(outcome, STR("error")));
}

// The first line that says something: tools begin with an empty one.
static void write_message(struct str text, struct jsonw *w) {
	struct str line = STR_NONE;
	while (text.n && !line.n) line = str_trim(str_cut(&text, '\n'));
	if (line.n > MESSAGE_MAX) {
		line.n = MESSAGE_MAX;
		while (line.n && ((unsigned char)line.p[line.n] & 0xc0) == 0x80) line.n--;
	}
	jsonw_key_s(w, "message", line);
}

static void write_failure(const struct json *t, struct jsonw *w) {
	AUTO_BUF name = {0};
	struct str suite = json_get_str(t, "suite");
	if (suite.n) buf_printf(&name, STR_FMT " / ", STR_ARG(suite));
	buf_str(&name, json_get_str(t, "name"));
	jsonw_object(w);
	jsonw_key_s(w, "file", json_get_str(t, "file"));
	jsonw_key_i(w, "line", json_get_int(t, "line", 0));
	write_message(json_get_str(t, "message"), w);
	jsonw_key_s(w, "name", buf_view(&name));
	jsonw_object_end(w);
}

void failures_write(struct api *api, const struct read_run *run, struct jsonw *w) {
	AUTO_BUF bytes = {0};
	AUTO_JSON files = NULL;
	struct err e;
	size_t written = 0;
	bool read = run && run->tests_failed && !digest_is_none(run->results) &&
	            object_get(api->host.objects, run->results, RESULTS_MAX, &bytes, &e) &&
	            json_parse(buf_view(&bytes), &files, &e);
	jsonw_array(w);
	for (size_t i = 0; read && i < json_length(files); i++) {
		const struct json *tests = json_get(json_get(json_at(files, i), "results"), "tests");
		for (size_t k = 0; k < json_length(tests) && written < FAILURES_MAX; k++) {
			if (!is_failed(json_at(tests, k))) continue;
			write_failure(json_at(tests, k), w);
			written++;
		}
	}
	jsonw_array_end(w);
}
