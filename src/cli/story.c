#include "cli/story.h"

#include "base/clocktext.h"
#include "cli/grid.h"

enum { SOON_MS = 60000, BAR_CELLS = 10, TESTS_SHOWN = 5, CONFLICTS_SHOWN = 8 };

static bool is(const struct json *object, const char *key, const char *value) {
	return str_eq(json_get_str(object, key), str_of(value));
}

static int64_t time_of(const struct json *change, const char *name) {
	return grid_json_time(json_get(json_get(change, "times"), name));
}

static bool is_draft_tested(const struct json *change) {
	return is(json_get(change, "reason"), "code", "draft-tested");
}

// With a tenth while it is short: that is where people look at it.
static void add_duration(struct ink *out, enum ink_role role, int64_t ms) {
	AUTO_BUF text = {0};
	if (ms < 0) return;
	if (ms < 1000) buf_printf(&text, "%d ms", (int)ms);
	else if (ms < SOON_MS) buf_printf(&text, "%d.%d s", (int)ms / 1000, (int)ms % 1000 / 100);
	else clocktext_duration_text(&text, ms);
	ink_str(out, role, buf_view(&text));
}

// ---- jobs

struct job_word {
	const char *state;
	enum ink_role role;
	enum ink_glyph glyph;
	const char *word;
	enum ink_glyph bar;
};

static const struct job_word job_words[] = {
	{"passed", INK_GOOD, INK_OK, "passed", INK_BAR_RAN},
	{"failed", INK_BAD, INK_FAIL, "failed", INK_FAIL},
	{"running", INK_MOVE, INK_RUNNING, "running", INK_BAR_RUNS},
	{"skipped", INK_QUIET, INK_WAITS, "not needed", INK_BAR_WAITS},
	{"stopped", INK_QUIET, INK_WAITS, "stopped", INK_BAR_WAITS},
	{"lost", INK_WARN, INK_ATTENTION, "lost", INK_BAR_WAITS},
	{"waiting", INK_QUIET, INK_WAITS, "waits", INK_BAR_WAITS},
};

static const struct job_word *word_of(const struct json *job) {
	static const struct job_word reused = {"", INK_PLAIN, INK_REUSED, "reused", INK_BAR_REUSED};
	if (json_get_bool(job, "reused", false) && is(job, "state", "passed")) return &reused;
	for (size_t i = 0; i + 1 < ARRAY_LEN(job_words); i++)
		if (is(job, "state", job_words[i].state)) return &job_words[i];
	return &job_words[ARRAY_LEN(job_words) - 1];
}

void story_bar(const struct json *jobs, unsigned cells, struct ink *out) {
	size_t n = json_length(jobs);
	if (n == 0)
		for (unsigned i = 0; i < cells; i++) ink_glyph(out, INK_QUIET, INK_BAR_WAITS);
	if (n > cells) cells = (unsigned)n;
	for (size_t i = 0; i < n; i++) {
		const struct job_word *w = word_of(json_at(jobs, i));
		unsigned from = (unsigned)(i * cells / n), to = (unsigned)((i + 1) * cells / n);
		bool failed = w->bar == INK_FAIL;
		enum ink_role role = w->role == INK_GOOD ? INK_PLAIN : w->role;
		for (unsigned k = from; k < to; k++) {
			if (failed && !out->utf8) ink_put(out, role, "X");
			else ink_glyph(out, role, w->bar);
		}
	}
}

static size_t count_verdicts(const struct json *jobs) {
	size_t n = 0;
	for (size_t i = 0; i < json_length(jobs); i++) {
		const struct json *job = json_at(jobs, i);
		n += is(job, "state", "passed") || is(job, "state", "failed") ||
		     is(job, "state", "skipped");
	}
	return n;
}

static size_t count_failed(const struct json *job) {
	size_t named = json_length(json_get(job, "failed_tests"));
	int64_t told = json_get_int(job, "tests_failed", 0); // the names end at 50
	return told > (int64_t)named ? (size_t)told : named;
}

static void add_job(const struct json *job, unsigned name_width, struct ink *out) {
	const struct job_word *w = word_of(job);
	int64_t tests = json_get_int(job, "tests", 0);
	size_t failed = count_failed(job);
	unsigned start = out->column;
	ink_glyph(out, w->role, w->glyph);
	unsigned name = start + (out->utf8 ? 2 : 5);
	ink_to(out, name);
	ink_fit(out, INK_PLAIN, json_get_str(job, "name"), name_width);
	ink_put(out, w->role == INK_BAD ? INK_BAD : INK_PLAIN, " %s", w->word);
	ink_to(out, name + name_width + 12);
	add_duration(out, INK_PLAIN, json_get_int(job, "duration_ms", -1));
	if (tests && failed)
		ink_put(out, INK_PLAIN, "  %zu of %lld%s", failed, (long long)tests,
		        is(job, "state", "passed") ? " failed" : "");
	else if (tests) ink_put(out, INK_PLAIN, "  %lld tests", (long long)tests);
}

static void add_jobs(const struct json *jobs, struct ink *out) {
	size_t n = json_length(jobs), rows = (n + 1) / 2;
	unsigned width = 6;
	for (size_t i = 0; i < n; i++) {
		unsigned one = ink_columns(json_get_str(json_at(jobs, i), "name"));
		if (one > width) width = one < 40 ? one : 40;
	}
	bool two = n > 3 && width <= 10 && (!out->width || out->width >= 76);
	if (n) ink_end(out);
	for (size_t i = 0; i < (two ? rows : n); i++) {
		ink_to(out, 2);
		add_job(json_at(jobs, i), width, out);
		if (two && i + rows < n) {
			ink_to(out, 40);
			add_job(json_at(jobs, i + rows), width, out);
		}
		ink_end(out);
	}
	for (size_t i = 0; i < n; i++) { // it passed, and something is to be said of it
		const struct json *job = json_at(jobs, i);
		struct str text = json_get_str(job, "text");
		if (!text.n || !is(job, "state", "passed")) continue;
		ink_to(out, 2);
		ink_glyph(out, INK_WARN, INK_ATTENTION);
		ink_put(out, INK_PLAIN, " ");
		ink_str(out, INK_PLAIN, json_get_str(job, "name"));
		ink_put(out, INK_PLAIN, ": ");
		ink_str(out, INK_PLAIN, str_cut(&text, '\n'));
		ink_end(out);
	}
}

// ---- why it ended

static const struct json *failed_job(const struct json *change) {
	const struct json *jobs = json_get(change, "jobs");
	for (size_t i = 0; i < json_length(jobs); i++)
		if (is(json_at(jobs, i), "state", "failed")) return json_at(jobs, i);
	return NULL;
}

// Why and where it failed: on one line when the terminal has room for both.
static void add_failure(const struct json *failure, struct ink *out) {
	struct str message = json_get_str(failure, "message"), file = json_get_str(failure, "file");
	int64_t line = json_get_int(failure, "line", 0);
	AUTO_BUF place = {0};
	message = str_cut(&message, '\n');
	if (file.n) buf_str(&place, file);
	if (file.n && line > 0) buf_printf(&place, ":%lld", (long long)line);
	if (message.n) {
		ink_to(out, 4);
		ink_str(out, INK_PLAIN, message);
	}
	if (place.n) {
		unsigned columns = ink_columns(buf_view(&place)), width = out->width ? out->width : 80;
		if (message.n && out->column + 2 + columns > width) ink_end(out);
		ink_to(out, message.n && out->column ? (out->column < 34 ? 36 : out->column + 2) : 4);
		ink_str(out, INK_QUIET, buf_view(&place));
	}
	if (out->column) ink_end(out);
}

// The names are always there; what is known of each stands in failures, in the same order.
static void add_failed_tests(const struct json *job, struct ink *out) {
	const struct json *tests = json_get(job, "failed_tests"), *failures = json_get(job, "failures");
	size_t n = json_length(tests), shown = n < TESTS_SHOWN ? n : TESTS_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		const struct json *failure = json_at(failures, i);
		ink_to(out, 2);
		ink_str(out, INK_HEAD, json_str(json_at(tests, i)));
		if (i == 0)
			ink_put(out, INK_PLAIN, " fails in job " STR_FMT, STR_ARG(json_get_str(job, "name")));
		ink_end(out);
		if (str_eq(json_get_str(failure, "name"), json_str(json_at(tests, i))))
			add_failure(failure, out);
	}
	if (count_failed(job) <= shown) return;
	ink_put(out, INK_PLAIN, "  and %zu more", count_failed(job) - shown);
	ink_end(out);
}

static void add_conflicts(const struct json *conflicts, struct ink *out) {
	size_t n = json_length(conflicts);
	for (size_t i = 0; i < n && i < CONFLICTS_SHOWN; i++) {
		const struct json *c = json_at(conflicts, i);
		struct str text = json_get_str(c, "text");
		ink_to(out, 4);
		ink_str(out, INK_HEAD, json_get_str(c, "path"));
		ink_put(out, INK_PLAIN, "  " STR_FMT,
		        STR_ARG(text.n ? str_cut(&text, '\n') : json_get_str(c, "kind")));
		ink_end(out);
	}
	if (n <= CONFLICTS_SHOWN) return;
	ink_put(out, INK_PLAIN, "    and %zu more files", n - CONFLICTS_SHOWN);
	ink_end(out);
}

static void add_commands(const struct json *change, const struct json *job, struct ink *out) {
	long long id = json_get_int(change, "id", 0);
	struct str name = json_get_str(job, "name");
	ink_put(out, INK_PLAIN, "  See: ");
	ink_put(out, INK_HEAD, "weir log %lld %s" STR_FMT "%s", id,
	        str_find_char(name, ' ') < name.n ? "'" : "", STR_ARG(name),
	        str_find_char(name, ' ') < name.n ? "'" : "");
	ink_put(out, INK_PLAIN, "   Repeat here: ");
	ink_put(out, INK_HEAD, "weir run %s" STR_FMT "%s", str_find_char(name, ' ') < name.n ? "'" : "",
	        STR_ARG(name), str_find_char(name, ' ') < name.n ? "'" : "");
	ink_end(out);
}

static void add_reason(const struct json *change, struct ink *out) {
	const struct json *reason = json_get(change, "reason"), *job = failed_job(change);
	if (json_kind(reason) != JSON_KIND_OBJECT) return;
	bool left = is(change, "state", "rejected") || is(change, "state", "withdrawn"),
		 open = !left && !is(change, "state", "landed");
	size_t tests = json_length(json_get(job, "failed_tests"));
	if (tests) add_failed_tests(job, out);
	struct str text = json_get_str(reason, "text");
	while (text.n && !tests) {
		ink_to(out, 2);
		ink_str(out, INK_PLAIN, str_cut(&text, '\n'));
		ink_end(out);
	}
	add_conflicts(json_get(change, "conflicts"), out);
	struct str next = json_get_str(change, "next");
	if (left || open) {
		ink_put(out, INK_PLAIN, "  %s.", left ? "Left the queue" : "Stays queued");
		if (next.n) ink_put(out, INK_PLAIN, " Next: " STR_FMT, STR_ARG(next));
		ink_end(out);
	}
	if (left && job) add_commands(change, job, out);
}

// ---- one change

// The title, and at the right edge its author.
static void add_title(const struct json *change, struct ink *out) {
	struct str title = json_get_str(change, "title");
	struct str author = json_get_str(change, "author"), kind = json_get_str(change, "author_kind");
	bool agent = str_eq(kind, STR("agent"));
	unsigned columns = ink_columns(author) + (agent ? 8 : 0), right = out->width ? out->width : 80;
	if (right > 100) right = 100;
	unsigned taken = out->column + columns + 2, room = right > taken + 20 ? right - taken : 20;
	if (ink_columns(title) > room) ink_fit(out, INK_PLAIN, title, room);
	else ink_str(out, INK_PLAIN, title);
	if (!author.n) return;
	ink_to(out, out->column + columns + 2 < right ? right - columns : out->column + 2);
	ink_str(out, INK_QUIET, author);
	if (agent) ink_put(out, INK_QUIET, " (agent)");
}

static enum ink_role state_role(const struct json *change, enum ink_glyph *glyph) {
	struct str state = json_get_str(change, "state");
	*glyph = INK_WAITS;
	if (str_eq(state, STR("rejected")) && is_draft_tested(change)) state = STR("landed");
	if (str_eq(state, STR("rejected"))) return *glyph = INK_FAIL, INK_BAD;
	if (str_eq(state, STR("landed"))) return *glyph = INK_OK, INK_GOOD;
	if (str_eq(state, STR("testing")) || str_eq(state, STR("landing")))
		return *glyph = INK_RUNNING, INK_MOVE;
	return INK_QUIET;
}

static const char *state_word(const struct json *change) {
	static const char *const words[][2] = {{"rejected", "ejected"},   {"landed", "landed"},
	                                       {"testing", "testing"},    {"landing", "landing"},
	                                       {"queued", "queued"},      {"proposed", "proposed"},
	                                       {"withdrawn", "withdrawn"}};
	if (is_draft_tested(change)) return "tested";
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (is(change, "state", words[i][0])) return words[i][1];
	return "unknown";
}

static void add_where(const struct json *change, int64_t now_ms, struct ink *out) {
	const struct json *jobs = json_get(change, "jobs"), *place = json_get(change, "place");
	const struct json *delivery = json_get(change, "delivery");
	int64_t queued = time_of(change, "queued"), landed = time_of(change, "landed"),
			deployed = time_of(change, "deployed");
	AUTO_BUF text = {0};
	unsigned start = out->column;
	if (landed) {
		ink_to(out, 2);
		struct str commit = str_slice(json_get_str(change, "landed_commit"), 0, 7),
				   target = json_get_str(change, "target");
		ink_put(out, INK_PLAIN, "on " STR_FMT " as " STR_FMT, STR_ARG(target), STR_ARG(commit));
		if (queued) {
			ink_put(out, INK_PLAIN, ", ");
			add_duration(out, INK_HEAD, landed - queued);
			ink_put(out, INK_PLAIN, " after it was queued");
		}
		if (deployed && !is(delivery, "state", "rolled-back")) {
			grid_time(&text, deployed, now_ms);
			ink_put(out, INK_PLAIN, "; live since %s, ", text.p);
			add_duration(out, INK_HEAD, deployed - landed);
			ink_put(out, INK_PLAIN, " later");
		}
	} else if (is(change, "state", "testing") && json_length(jobs)) {
		ink_put(out, INK_PLAIN, "  %zu of %zu jobs have a verdict", count_verdicts(jobs),
		        json_length(jobs));
	} else if (json_kind(place) == JSON_KIND_INT) {
		int64_t ahead = json_int(place, 0);
		if (ahead == 0) ink_put(out, INK_PLAIN, "  next in the queue");
		else
			ink_put(out, INK_PLAIN, "  %lld change%s before it", (long long)ahead,
			        ahead == 1 ? "" : "s");
	}
	if (out->column > start) ink_end(out);
}

// The one that lands or leaves first of those it has to wait for.
static void add_waits(const struct json *change, struct ink *out) {
	const struct json *waits = json_get(change, "waits_for"), *first = json_at(waits, 0);
	if (!first) return;
	ink_to(out, 2);
	ink_put(out, INK_PLAIN, "waits for #%lld: ", (long long)json_get_int(first, "change", 0));
	ink_str(out, INK_PLAIN, json_get_str(first, "why"));
	if (json_length(waits) > 1) ink_put(out, INK_PLAIN, "; and %zu more", json_length(waits) - 1);
	ink_end(out);
}

// Those that are tested together with it.
static void add_with(const struct json *change, struct ink *out) {
	enum { SHOWN = 8 };
	const struct json *with = json_get(change, "with");
	size_t n = json_length(with);
	if (!n) return;
	ink_to(out, 2);
	ink_put(out, INK_PLAIN,
	        is(change, "state", "landed") ? "tested and landed together with"
	                                      : "tested together with");
	for (size_t i = 0; i < n && i < SHOWN; i++)
		ink_put(out, INK_PLAIN, " #%lld", (long long)json_int(json_at(with, i), 0));
	if (n > SHOWN) ink_put(out, INK_PLAIN, " and %zu more", n - SHOWN);
	ink_end(out);
}

// What landed and is not live, or is no more.
static void add_delivery(const struct json *delivery, struct ink *out) {
	bool failed = is(delivery, "state", "failed");
	if (!failed && !is(delivery, "state", "rolled-back")) return;
	struct str text = json_get_str(delivery, "text"), next = json_get_str(delivery, "next");
	ink_to(out, 2);
	ink_put(out, INK_BAD, failed ? "not live: the deploy to " : "rolled back in ");
	ink_str(out, INK_BAD, json_get_str(delivery, "environment"));
	ink_put(out, INK_BAD, failed ? " failed" : "");
	struct str first = str_cut(&text, '\n');
	if (first.n) ink_put(out, INK_PLAIN, ": ");
	ink_str(out, INK_PLAIN, first);
	ink_end(out);
	while (text.n) { // the service's last words
		ink_to(out, 4);
		ink_str(out, INK_QUIET, str_cut(&text, '\n'));
		ink_end(out);
	}
	if (!next.n) return;
	ink_to(out, 2);
	ink_put(out, INK_PLAIN, "Next: " STR_FMT, STR_ARG(next));
	ink_end(out);
}

void story_change(const struct json *change, int64_t now_ms, struct ink *out) {
	enum ink_glyph glyph;
	enum ink_role role = state_role(change, &glyph), word = role == INK_GOOD ? INK_HEAD : role;
	static const char *const ends[] = {"landed", "ended", "queued", "proposed"};
	int64_t at = 0;
	for (size_t i = 0; i < ARRAY_LEN(ends) && !at; i++) at = time_of(change, ends[i]);
	AUTO_BUF clock = {0};
	if (at) grid_time(&clock, at, now_ms);
	ink_glyph(out, role, glyph);
	ink_put(out, INK_PLAIN, " ");
	ink_put(out, word == INK_QUIET ? INK_HEAD : word, "#%lld %s%s%s",
	        (long long)json_get_int(change, "id", 0), state_word(change), at ? " " : "",
	        at ? clock.p : "");
	ink_put(out, INK_PLAIN, "  ");
	add_title(change, out);
	ink_end(out);
	add_where(change, now_ms, out);
	add_waits(change, out);
	add_with(change, out);
	add_delivery(json_get(change, "delivery"), out);
	add_reason(change, out);
	add_jobs(json_get(change, "jobs"), out);
}

void story_line(const struct json *change, int64_t now_ms, struct ink *out) {
	enum ink_glyph glyph;
	enum ink_role role = state_role(change, &glyph), word = role == INK_GOOD ? INK_PLAIN : role;
	const struct json *jobs = json_get(change, "jobs");
	unsigned start = out->column, room = out->width > 100 ? 54 : 38;
	ink_glyph(out, role, glyph);
	ink_to(out, start + 2);
	ink_put(out, INK_HEAD, "%-5lld ", (long long)json_get_int(change, "id", 0));
	ink_fit(out, INK_PLAIN, json_get_str(change, "title"), room);
	ink_put(out, INK_PLAIN, "  ");
	unsigned at = out->column;
	if (is(change, "state", "testing") && json_length(jobs)) {
		story_bar(jobs, BAR_CELLS, out);
		ink_to(out, at + 14);
		ink_put(out, INK_PLAIN, "%zu of %zu jobs", count_verdicts(jobs), json_length(jobs));
		return;
	}
	ink_put(out, word, "%s", state_word(change));
	ink_to(out, at + 14);
	const struct json *reason = json_get(change, "reason"),
					  *tests = json_get(failed_job(change), "failed_tests");
	int64_t landed = time_of(change, "landed"), queued = time_of(change, "queued");
	const struct json *place = json_get(change, "place");
	if (is(change, "state", "rejected") && json_length(tests))
		ink_str(out, INK_PLAIN, json_str(json_at(tests, 0)));
	else if (is(change, "state", "rejected")) ink_str(out, INK_PLAIN, json_get_str(reason, "code"));
	else if (is(json_get(change, "delivery"), "state", "rolled-back"))
		ink_put(out, INK_BAD, "rolled back");
	else if (is(json_get(change, "delivery"), "state", "failed")) ink_put(out, INK_BAD, "not live");
	else if (landed && time_of(change, "deployed")) ink_put(out, INK_PLAIN, "live");
	else if (landed && queued) add_duration(out, INK_PLAIN, landed - queued);
	else if (json_kind(place) == JSON_KIND_INT && json_int(place, 0) > 0)
		ink_put(out, INK_QUIET, "%lld before it", (long long)json_int(place, 0));
	else if (queued && is(change, "state", "queued")) add_duration(out, INK_QUIET, now_ms - queued);
}

// ---- the queue

void story_queue(const struct json *queue, int64_t now_ms, struct ink *out) {
	const struct json *list = json_get(queue, "changes");
	size_t n = json_length(list), testing = 0;
	if (!n) {
		ink_put(out, INK_PLAIN, "No change is queued. Propose one: ");
		ink_put(out, INK_HEAD, "git push weir HEAD:refs/for/main");
		ink_end(out);
		return;
	}
	for (size_t i = 0; i < n; i++) testing += is(json_at(list, i), "state", "testing");
	ink_glyph(out, INK_MOVE, INK_RUNNING);
	ink_put(out, INK_HEAD, " %zu change%s", n, n == 1 ? "" : "s");
	ink_put(out, INK_PLAIN, " in the order in which they land, %zu under test", testing);
	ink_end(out);
	ink_end(out);
	struct str repo = STR_NONE;
	bool several = false;
	for (size_t i = 1; i < n; i++)
		several |= !str_eq(json_get_str(json_at(list, i), "repo"),
		                   json_get_str(json_at(list, 0), "repo"));
	for (size_t i = 0; i < n; i++) {
		struct str now = json_get_str(json_at(list, i), "repo");
		if (several && (i == 0 || !str_eq(now, repo))) {
			ink_str(out, INK_HEAD, now);
			ink_end(out);
		}
		repo = now;
		story_line(json_at(list, i), now_ms, out);
		ink_end(out);
	}
	ink_end(out);
	static const struct {
		enum ink_glyph glyph;
		const char *word;
	} legend[] = {{INK_BAR_RAN, "ran"},
	              {INK_BAR_RUNS, "running"},
	              {INK_BAR_REUSED, "reused"},
	              {INK_BAR_WAITS, "waits"}};
	for (size_t i = 0; i < ARRAY_LEN(legend); i++) {
		if (i) ink_put(out, INK_QUIET, "  ");
		ink_glyph(out, INK_QUIET, legend[i].glyph);
		ink_put(out, INK_QUIET, " %s", legend[i].word);
	}
	ink_end(out);
}

// ---- for a pipe

void story_record(const struct json *change, int64_t now_ms, struct buf *out) {
	const struct json *tests = json_get(failed_job(change), "failed_tests");
	struct str fields[] = {
		json_get_str(change, "state"),
		json_get_str(json_get(change, "reason"), "code"),
		json_get_str(failed_job(change), "name"),
		json_length(tests) ? json_str(json_at(tests, 0))
						   : json_get_str(json_get(change, "reason"), "text"),
	};
	int64_t at = time_of(change, "ended");
	if (!at) at = time_of(change, "landed");
	clocktext_rfc3339(out, at ? at : now_ms);
	buf_printf(out, "\t%lld", (long long)json_get_int(change, "id", 0));
	if (time_of(change, "deployed")) fields[0] = STR("live");
	if (is(json_get(change, "delivery"), "state", "rolled-back")) fields[0] = STR("rolled-back");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		buf_char(out, '\t');
		for (size_t k = 0; k < fields[i].n; k++)
			buf_char(out, (unsigned char)fields[i].p[k] < 0x20 ? ' ' : fields[i].p[k]);
	}
	buf_char(out, '\n');
}

enum story_end story_ended(const struct json *change, struct str wanted) {
	bool landed = is(change, "state", "landed"),
		 over = is(change, "state", "rejected") || is(change, "state", "withdrawn");
	if (is(json_get(change, "reason"), "code", "already-landed"))
		return str_eq(wanted, STR("deployed")) ? STORY_NO : STORY_YES;
	if (over && is_draft_tested(change) && str_eq(wanted, STR("done"))) return STORY_YES;
	if (over) return STORY_NO;
	if (!landed) return STORY_GOES_ON;
	if (str_eq(wanted, STR("deployed"))) {
		if (is(json_get(change, "delivery"), "state", "failed") && !time_of(change, "deployed"))
			return STORY_NO;
		return time_of(change, "deployed") ? STORY_YES : STORY_GOES_ON;
	}
	return STORY_YES;
}
