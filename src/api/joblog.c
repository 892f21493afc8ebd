// The operation that reads a job's log: as text, with colours, or as JSON lines; to the end, or as
// it grows.
#include "api/joblog.h"

#include <stdlib.h>

#include "api/call.h"
#include "api/jobs.h"
#include "api/loglines.h"
#include "api/logsource.h"
#include "probe/ansi.h"

bool joblog_find(struct api *api, struct change_id change, struct str job, struct run_id *run,
                 bool *live, struct err *e) {
	AUTO_ARENA life = {0};
	struct read_runs runs;
	if (!read_runs_of_change(api->host.store, change, &life, &runs, e)) return false;
	const struct read_run *newest = NULL;
	for (size_t i = 0; i < runs.n; i++) {
		struct read_run *r = &runs.p[i];
		if (str_eq(r->name, job) && (!newest || r->id.v > newest->id.v)) newest = r;
	}
	if (!newest)
		return err_set(e, ERR_NOT_FOUND, "no job \"" STR_FMT "\" of change %llu has run yet",
		               STR_ARG(job), (unsigned long long)change.v);
	*run = newest->id;
	*live = !newest->ended_ms;
	return true;
}

enum format { FORMAT_TEXT, FORMAT_ANSI, FORMAT_JSON };

struct follow {
	struct api_stream stream;
	struct api *api;
	struct run_id run;
	enum format format;
	uint64_t offset, from, left;
	bool follow, over;
	struct loglines lines;
	struct buf *out; // during a call
};

static void write_line(void *context, uint64_t number, char channel, int64_t ms, struct str text) {
	struct follow *f = context;
	if (number < f->from || !f->left) return;
	f->left--;
	AUTO_BUF plain = {0};
	struct ansi ansi = {0};
	(f->format == FORMAT_ANSI ? ansi_colours : ansi_strip)(&ansi, text, &plain);
	if (f->format != FORMAT_JSON) {
		buf_utf8(f->out, buf_view(&plain));
		buf_char(f->out, '\n');
		return;
	}
	struct jsonw w = jsonw_to(f->out);
	jsonw_object(&w);
	jsonw_key_s(&w, "channel", (struct str){&channel, 1});
	jsonw_key_i(&w, "line", (int64_t)number);
	jsonw_key_i(&w, "ms", ms);
	jsonw_key_s(&w, "text", buf_view(&plain));
	jsonw_object_end(&w);
	buf_char(f->out, '\n');
}

static bool more(struct api_stream *s, struct buf *out) {
	struct follow *f = (struct follow *)s;
	if (f->over || !f->left) return false;
	AUTO_BUF bytes = {0};
	struct err e = {0};
	uint64_t total;
	if (!logsource_read(f->api, f->run, f->offset, 256 << 10, &bytes, &f->over, &total, &e))
		return false;
	f->offset += bytes.n;
	f->out = out;
	loglines_feed(&f->lines, buf_view(&bytes), write_line, f);
	if (f->over) loglines_end(&f->lines, write_line, f);
	return f->follow || bytes.n; // what has grown so far is all, unless it is followed
}

static void end(struct api_stream *s) {
	struct follow *f = (struct follow *)s;
	loglines_free(&f->lines);
	free(f);
}

void joblog_get(struct call *c) {
	struct err e = {0};
	struct read_change change;
	struct run_id run;
	bool live = false;
	struct str format = call_text(c, "format");
	if (!call_change(c, &change)) return;
	enum format as = str_eq(format, STR("json"))   ? FORMAT_JSON
	                 : str_eq(format, STR("ansi")) ? FORMAT_ANSI
	                                               : FORMAT_TEXT;
	if (format.n && as == FORMAT_TEXT && !str_eq(format, STR("text"))) {
		err_set(&e, ERR_INVALID, "format is text, ansi or json");
		call_fail(c, &e, NULL);
		return;
	}
	uint64_t total;
	bool over;
	AUTO_BUF probe = {0};
	if (!joblog_find(c->api, change.id, call_text(c, "job"), &run, &live, &e) ||
	    (!live && !logsource_read(c->api, run, 0, 1, &probe, &over, &total, &e))) {
		call_fail(c, &e, "weir status ID names its jobs");
		return;
	}
	struct follow *f = calloc(1, sizeof *f);
	if (!f) abort();
	*f = (struct follow){.stream = {true, more, end},
	                     .api = c->api,
	                     .run = run,
	                     .format = as,
	                     .from = (uint64_t)call_int(c, "from", 1),
	                     .left = (uint64_t)call_int(c, "lines", INT64_MAX),
	                     .follow = call_flag(c, "follow") && live};
	c->answer.stream = &f->stream;
	c->answer.type = as == FORMAT_JSON ? "application/x-ndjson" : "text/plain; charset=utf-8";
	call_finish(c);
}
