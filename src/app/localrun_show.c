#include "app/localrun_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/localrun_explain.h"
#include "app/localrun_output.h"
#include "base/clocktext.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "os/clock.h"
#include "probe/failure.h"
#include "probe/results.h"

enum {
	LIVE_AFTER_US = 300 * 1000,
	LIVE_EVERY_US = 100 * 1000,
	NAME_COLUMNS_MAX = 28,
	TESTS_MAX = 5,
	LINES_MAX = 6,
	TAIL_LINES = 12,
};

struct localrun_show {
	struct localrun *run;
	enum localrun_face face;
	bool whole_log;
	unsigned name_columns;
	bool live; // the live line stands on the screen
	int64_t live_us;
};

struct localrun_show *localrun_show_new(struct localrun *l, bool whole_log) {
	struct localrun_show *s = ARENA_NEW(l->life, struct localrun_show);
	*s = (struct localrun_show){.run = l, .whole_log = whole_log, .live_us = clock_mono_us()};
	s->face = cli_has(l->cli, "json") ? LOCALRUN_JSON
	          : l->cli->tty           ? LOCALRUN_TERMINAL
	                                  : LOCALRUN_PLAIN;
	return s;
}

enum localrun_face localrun_show_face(const struct localrun_show *s) {
	return s->face;
}

static unsigned name_columns(struct localrun_show *s) {
	for (size_t i = 0; s->name_columns == 0 && i < s->run->count; i++) {
		const struct localrun_job *j = &s->run->jobs[i];
		unsigned columns = j->wanted ? ink_columns(j->job->name) : 0;
		if (columns > s->name_columns) s->name_columns = columns;
	}
	if (s->name_columns > NAME_COLUMNS_MAX) s->name_columns = NAME_COLUMNS_MAX;
	return s->name_columns;
}

static void wipe_live(struct localrun_show *s, struct ink *k) {
	if (s->live) buf_cstr(&k->out, "\r\033[K");
	s->live = false;
}

// ---------------------------------------------------------------- in a pipe

static void plain_head(struct ink *k, struct str job, const char *state) {
	clocktext_rfc3339(&k->out, clock_wall_ms());
	buf_printf(&k->out, "\t" STR_FMT "\t%s\t", STR_ARG(job), state);
}

// A line of a log, with its tabs.
static void put_line(struct ink *k, struct str line) {
	unsigned from = k->column;
	while (line.n) {
		ink_str(k, INK_PLAIN, str_cut(&line, '\t'));
		if (line.p) ink_to(k, from + (k->column - from) / 8 * 8 + 8);
	}
}

static void detail(const struct localrun_job *j, struct buf *out) {
	const struct exec_outcome *o = &j->outcome;
	if (j->state == LOCALRUN_REUSED) {
		clocktext_duration_text(out, j->duration_ms);
		buf_cstr(out, " saved");
	}
	if (j->state == LOCALRUN_SKIPPED && j->skipped_for.n)
		buf_printf(out, "needs " STR_FMT, STR_ARG(j->skipped_for));
	if (j->state == LOCALRUN_SKIPPED || j->state == LOCALRUN_REUSED) return;
	if (j->duration_ms || !j->text.n) clocktext_duration_text(out, j->duration_ms);
	if (o->has_tests && o->tests_failed)
		buf_printf(out, "  %lld of %lld tests", (long long)o->tests_failed, (long long)o->tests);
	else if (o->has_tests) buf_printf(out, "  %lld tests", (long long)o->tests);
	if (j->state == LOCALRUN_FAILED && j->text.n && !o->tests_failed)
		buf_printf(out, "%s" STR_FMT, out->n ? "  " : "", STR_ARG(j->text));
}

// ---------------------------------------------------------------- while it goes on

void localrun_show_started(struct localrun_show *s, const struct localrun_job *j) {
	AUTO_INK k = cli_ink(s->run->cli);
	if (s->face != LOCALRUN_PLAIN) return;
	plain_head(&k, j->job->name, "started");
	ink_end(&k);
	cli_print(&k);
}

void localrun_show_printed(struct localrun_show *s, struct localrun_job *j) {
	AUTO_INK k = cli_ink(s->run->cli);
	if (s->face == LOCALRUN_JSON || (s->face == LOCALRUN_TERMINAL && !s->whole_log)) return;
	wipe_live(s, &k);
	struct str rest = str_from(buf_view(&j->log_text), j->log_shown);
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (s->face == LOCALRUN_PLAIN) {
			plain_head(&k, j->job->name, "log");
			buf_str(&k.out, line);
		} else {
			ink_fit(&k, INK_QUIET, j->job->name, name_columns(s));
			ink_put(&k, INK_QUIET, " ");
			ink_glyph(&k, INK_QUIET, INK_RULE);
			ink_put(&k, INK_PLAIN, " ");
			put_line(&k, line);
		}
		ink_end(&k);
	}
	j->log_shown = j->log_text.n;
	cli_print(&k);
}

static void put_glyph(struct ink *k, const struct localrun_job *j) {
	switch (j->state) {
	case LOCALRUN_PASSED: ink_glyph(k, INK_GOOD, INK_OK); return;
	case LOCALRUN_REUSED: ink_glyph(k, INK_PLAIN, INK_REUSED); return;
	case LOCALRUN_FAILED: ink_glyph(k, INK_BAD, INK_FAIL); return;
	case LOCALRUN_RUNS: ink_glyph(k, INK_MOVE, INK_RUNNING); return;
	case LOCALRUN_WAITS:
	case LOCALRUN_CANCELLED:
	case LOCALRUN_SKIPPED: ink_glyph(k, INK_QUIET, INK_WAITS); return;
	}
}

void localrun_show_ended(struct localrun_show *s, const struct localrun_job *j) {
	AUTO_INK k = cli_ink(s->run->cli);
	AUTO_BUF about = {0};
	if (s->face == LOCALRUN_JSON) return;
	detail(j, &about);
	if (s->face == LOCALRUN_PLAIN) {
		plain_head(&k, j->job->name, localrun_jobs_state(j));
	} else {
		wipe_live(s, &k);
		put_glyph(&k, j);
		ink_put(&k, INK_PLAIN, " ");
		ink_fit(&k, INK_HEAD, j->job->name, name_columns(s));
		ink_put(&k, INK_PLAIN, "  ");
		ink_fit(&k, j->state == LOCALRUN_FAILED ? INK_BAD : INK_PLAIN,
		        str_of(localrun_jobs_state(j)), 11);
	}
	ink_str(&k, INK_PLAIN, buf_view(&about));
	ink_end(&k);
	cli_print(&k);
}

void localrun_show_note(struct localrun_show *s, const char *format, ...) {
	AUTO_INK k = cli_ink(s->run->cli);
	AUTO_BUF text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	if (s->face == LOCALRUN_TERMINAL) wipe_live(s, &k);
	cli_print(&k);
	fprintf(stderr, "warning: %s\n", text.p);
}

static struct str last_line(const struct localrun_job *j) {
	struct str all = str_trim(buf_view(&j->log_text));
	size_t at = all.n;
	while (at && all.p[at - 1] != '\n') at--;
	return str_from(all, at);
}

void localrun_show_tick(struct localrun_show *s) {
	struct localrun *l = s->run;
	int64_t now = clock_mono_us();
	const struct localrun_job *newest = NULL;
	if (s->face != LOCALRUN_TERMINAL || now - l->begun_us < LIVE_AFTER_US ||
	    now - s->live_us < LIVE_EVERY_US || !l->running)
		return;
	s->live_us = now;
	AUTO_INK k = cli_ink(l->cli);
	wipe_live(s, &k);
	ink_glyph(&k, INK_MOVE, INK_RUNNING);
	for (size_t i = 0; i < l->count; i++) {
		const struct localrun_job *j = &l->jobs[i];
		AUTO_BUF spent = {0};
		if (j->state != LOCALRUN_RUNS) continue;
		clocktext_duration_text(&spent, (now - j->started_us) / 1000000 * 1000);
		unsigned needed = ink_columns(j->job->name) + (unsigned)spent.n + 4;
		if (k.column + needed >= k.width) break;
		ink_put(&k, INK_PLAIN, " ");
		ink_str(&k, INK_HEAD, j->job->name);
		ink_put(&k, INK_QUIET, " %s", spent.p);
		if (!newest || j->log_text.n) newest = j;
	}
	if (newest && last_line(newest).n && k.column + 6 < k.width) {
		ink_put(&k, INK_PLAIN, "  ");
		ink_fit(&k, INK_QUIET, last_line(newest), k.width - k.column - 1);
	}
	s->live = true;
	cli_print(&k);
}

// ---------------------------------------------------------------- why it failed

static void put_test(struct ink *k, const struct probe_test *t) {
	ink_put(k, INK_PLAIN, "  ");
	if (t->suite.n) {
		ink_str(k, INK_HEAD, t->suite);
		ink_put(k, INK_HEAD, " / ");
	}
	ink_str(k, INK_HEAD, t->name);
	ink_end(k);
	struct str rest = t->message, line = str_trim(str_cut(&rest, '\n'));
	if (!line.n && !t->file.n) return;
	ink_put(k, INK_PLAIN, "    ");
	ink_str(k, INK_PLAIN, line);
	if (t->file.n) {
		ink_put(k, INK_QUIET, line.n ? "   " : "");
		ink_str(k, INK_QUIET, t->file);
		if (t->line) ink_put(k, INK_QUIET, ":%lld", (long long)t->line);
	}
	ink_end(k);
}

static size_t put_tests_of(struct ink *k, const struct json *file, size_t shown) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF text = {0};
	struct probe_results r;
	struct err e;
	json_print(&text, json_get(file, "results"));
	if (!probe_results_from_json(buf_view(&text), &scratch, &r, &e)) return shown;
	for (size_t i = 0; i < r.count && shown < TESTS_MAX; i++) {
		const struct probe_test *t = &r.tests[i];
		if (t->group || (t->outcome != PROBE_FAILED && t->outcome != PROBE_ERROR)) continue;
		put_test(k, t);
		shown++;
	}
	return shown;
}

static size_t put_tests(struct ink *k, const struct localrun_job *j) {
	AUTO_JSON files = NULL;
	struct err e;
	size_t shown = 0;
	if (!j->results_json.n || !json_parse(j->results_json, &files, &e)) return 0;
	for (size_t i = 0; i < json_length(files); i++)
		if (json_get(json_at(files, i), "results"))
			shown = put_tests_of(k, json_at(files, i), shown);
	int64_t more = j->outcome.tests_failed - (int64_t)shown;
	if (shown && more > 0) ink_put(k, INK_QUIET, "  and %lld more", (long long)more), ink_end(k);
	return shown;
}

static void put_lines(struct ink *k, const struct localrun_job *j) {
	AUTO_ARENA scratch = {0};
	struct failure_line lines[LINES_MAX];
	size_t n = failure_find(buf_view(&j->log_text), LINES_MAX, &scratch, lines);
	for (size_t i = 0; i < n; i++) {
		ink_put(k, INK_QUIET, "  %6zu  ", lines[i].number);
		ink_str(k, INK_PLAIN, lines[i].text);
		ink_end(k);
	}
	if (n) return;
	struct str rest = buf_view(&j->log_text);
	size_t count = 0, number = 0;
	for (size_t i = 0; i < rest.n; i++) count += rest.p[i] == '\n';
	while (rest.n) {
		struct str line = str_cut(&rest, '\n');
		if (++number + TAIL_LINES <= count) continue;
		ink_put(k, INK_QUIET, "  %6zu  ", number);
		put_line(k, line);
		ink_end(k);
	}
}

static void put_failure(struct localrun_show *s, const struct localrun_job *j, struct ink *k) {
	struct localrun *l = s->run;
	if (s->face == LOCALRUN_TERMINAL) {
		ink_glyph(k, INK_BAD, INK_FAIL);
		ink_put(k, INK_PLAIN, " ");
	}
	ink_str(k, INK_HEAD, j->job->name);
	ink_put(k, INK_BAD, " failed");
	ink_put(k, INK_PLAIN, ": ");
	ink_str(k, INK_PLAIN, j->text);
	ink_end(k);
	if (!put_tests(k, j)) put_lines(k, j);
	AUTO_BUF word = {0};
	buf_shell(&word, j->job->name);
	if (j->log_text.n) {
		ink_put(k, INK_PLAIN, "  Log: ");
		ink_str(k, INK_QUIET, localrun_output_log(l, j, l->life));
		ink_put(k, INK_PLAIN, "   ");
	} else {
		ink_put(k, INK_PLAIN, "  ");
	}
	ink_put(k, INK_PLAIN, "Again: ");
	ink_put(k, INK_HEAD, "weir run %s", word.p);
	ink_end(k);
}

// ---------------------------------------------------------------- the end

static void put_sum(struct localrun_show *s, struct ink *k) {
	struct localrun *l = s->run;
	AUTO_BUF spent = {0};
	static const enum localrun_state order[] = {LOCALRUN_PASSED, LOCALRUN_REUSED, LOCALRUN_FAILED,
	                                            LOCALRUN_CANCELLED, LOCALRUN_SKIPPED};
	bool any = false;
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		size_t n = 0;
		const char *name = "";
		for (size_t at = 0; at < l->count; at++) {
			if (!l->jobs[at].wanted || l->jobs[at].state != order[i]) continue;
			name = localrun_jobs_state(&l->jobs[at]);
			n++;
		}
		if (n) ink_put(k, INK_PLAIN, "%s%zu %s", any ? ", " : "", n, name);
		any = any || n;
	}
	if (!any) ink_put(k, INK_PLAIN, "no job to run");
	clocktext_duration_text(&spent, (clock_mono_us() - l->begun_us + l->start_us) / 1000);
	ink_put(k, INK_QUIET, " in %s", spent.p);
	ink_end(k);
}

static void put_timing_row(struct ink *k, const char *what, int64_t us) {
	ink_put(k, INK_PLAIN, "  %-12s %9.2f ms", what, (double)us / 1000);
	ink_end(k);
}

static void put_timing(struct localrun_show *s, struct ink *k) {
	struct localrun *l = s->run;
	put_timing_row(k, "start", l->start_us);
	put_timing_row(k, "snapshot", l->snapshot_us);
	put_timing_row(k, "open", l->open_us);
	for (size_t i = 0; i < l->count; i++) {
		const struct localrun_job *j = &l->jobs[i];
		const struct localrun_times *t = &j->times;
		if (!t->leader) continue;
		ink_str(k, INK_HEAD, j->job->name);
		ink_end(k);
		put_timing_row(k, "workspace", t->workspace);
		put_timing_row(k, "overlay", j->outcome.phases_us.overlay);
		put_timing_row(k, "sandbox", j->outcome.phases_us.sandbox);
		put_timing_row(k, "job", j->outcome.phases_us.run);
		put_timing_row(k, "collect", j->outcome.phases_us.collect);
		put_timing_row(k, "leader", t->leader);
		put_timing_row(k, "store", t->store);
		put_timing_row(k, "append", t->append);
	}
	put_timing_row(k, "in all", clock_mono_us() - l->begun_us + l->start_us);
}

static void json_job(struct localrun *l, const struct localrun_job *j, struct jsonw *w) {
	const struct exec_outcome *o = &j->outcome;
	jsonw_object(w);
	jsonw_key_i(w, "duration_ms", j->duration_ms);
	jsonw_key(w, "exit_status");
	if (j->outcome.duration_ms && o->exit_code >= 0) jsonw_int(w, o->exit_code);
	else jsonw_null(w);
	jsonw_key(w, "failed_tests");
	jsonw_array(w);
	for (size_t i = 0; i < o->failed_tests_n; i++) jsonw_str(w, o->failed_tests[i]);
	jsonw_array_end(w);
	jsonw_key(w, "log");
	if (j->log_text.n) jsonw_str(w, localrun_output_log(l, j, l->life));
	else jsonw_null(w);
	jsonw_key_s(w, "name", j->job->name);
	jsonw_key(w, "output");
	if (!digest_is_none(j->artifacts)) jsonw_str(w, localrun_output_folder(l, j, l->life));
	else jsonw_null(w);
	jsonw_key(w, "reason");
	if (j->reason != REASON_NONE) {
		jsonw_object(w);
		jsonw_key_s(w, "code", reason_code(j->reason));
		jsonw_key_s(w, "text", j->text);
		jsonw_object_end(w);
	} else {
		jsonw_null(w);
	}
	jsonw_key_b(w, "reused", j->state == LOCALRUN_REUSED);
	jsonw_key_z(w, "state", localrun_jobs_state(j));
	jsonw_key_i(w, "tests", o->tests);
	jsonw_key_i(w, "tests_failed", o->tests_failed);
	jsonw_key(w, "timing_us");
	jsonw_object(w);
	jsonw_key_i(w, "append", j->times.append);
	jsonw_key_i(w, "collect", o->phases_us.collect);
	jsonw_key_i(w, "job", o->phases_us.run);
	jsonw_key_i(w, "leader", j->times.leader);
	jsonw_key_i(w, "overlay", o->phases_us.overlay);
	jsonw_key_i(w, "sandbox", o->phases_us.sandbox);
	jsonw_key_i(w, "store", j->times.store);
	jsonw_key_i(w, "workspace", j->times.workspace);
	jsonw_object_end(w);
	jsonw_key_b(w, "traced", o->traced);
	jsonw_key(w, "why");
	struct str why = localrun_explain_why(j);
	if (why.n) jsonw_str(w, why);
	else jsonw_null(w);
	jsonw_object_end(w);
}

static void print_json(struct localrun *l) {
	AUTO_BUF out = {0};
	struct jsonw w = jsonw_to(&out);
	char tree[OID_HEX_MAX + 1];
	bool ok = true;
	oid_hex(l->snapshot.tree, tree);
	jsonw_object(&w);
	jsonw_key(&w, "jobs");
	jsonw_array(&w);
	for (size_t i = 0; i < l->count; i++) {
		if (!l->jobs[i].wanted) continue;
		json_job(l, &l->jobs[i], &w);
		ok = ok && localrun_jobs_ok(&l->jobs[i]);
	}
	jsonw_array_end(&w);
	jsonw_key_z(&w, "state", *l->interrupted ? "cancelled" : ok ? "passed" : "failed");
	jsonw_key(&w, "timing_us");
	jsonw_object(&w);
	jsonw_key_i(&w, "all", clock_mono_us() - l->begun_us + l->start_us);
	jsonw_key_i(&w, "open", l->open_us);
	jsonw_key_i(&w, "snapshot", l->snapshot_us);
	jsonw_key_i(&w, "start", l->start_us);
	jsonw_object_end(&w);
	jsonw_key_z(&w, "tree", tree);
	jsonw_object_end(&w);
	buf_char(&out, '\n');
	cli_out(buf_view(&out));
}

void localrun_show_end(struct localrun_show *s, bool timing, bool explain) {
	struct localrun *l = s->run;
	if (s->face == LOCALRUN_JSON) {
		print_json(l);
		return;
	}
	AUTO_INK k = cli_ink(l->cli);
	wipe_live(s, &k);
	bool any = false;
	for (size_t i = 0; i < l->count; i++) {
		if (l->jobs[i].state != LOCALRUN_FAILED) continue;
		ink_end(&k);
		put_failure(s, &l->jobs[i], &k);
		any = true;
	}
	if (any) ink_end(&k);
	put_sum(s, &k);
	if (timing) put_timing(s, &k);
	if (explain) localrun_explain_put(l, &k);
	cli_print(&k);
}
