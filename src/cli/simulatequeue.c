#include "cli/simulatequeue.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clocktext.h"
#include "os/file.h"
#include "sim/queuecheck.h"
#include "sim/queuepolicy.h"
#include "sim/queuereport.h"

enum { TRACE_BYTES_MAX = 64 << 20, EXECUTORS_MAX = 100000 };

// ---------------------------------------------------------------- a trace to run

static bool read_text(const char *path, struct buf *out, struct err *e) {
	if (strcmp(path, "-") != 0) return file_read(path, TRACE_BYTES_MAX, out, e);
	return file_read_fd(STDIN_FILENO, TRACE_BYTES_MAX, out, e) || err_context(e, "standard input");
}

static bool read_share(struct cli *cli, const char *option, double *out, struct err *e) {
	const char *text = cli_value(cli, option);
	char *end;
	if (!text) return true;
	double v = strtod(text, &end);
	if (end == text || *end || !(v >= 0 && v < 1))
		return err_set(e, ERR_INVALID, "--%s is a number from 0 to below 1, not \"%s\"", option,
		               text);
	*out = v;
	return true;
}

static bool read_price(struct cli *cli, struct queue_knobs *out, struct err *e) {
	const char *text = cli_value(cli, "price");
	double price = 0;
	*out = queue_mid;
	if (!text || !strcmp(text, "mid")) return true;
	if (!strcmp(text, "lean")) *out = queue_lean;
	else if (!strcmp(text, "fast")) *out = queue_fast;
	else if (!read_share(cli, "price", &price, e))
		return err_set(e, ERR_INVALID,
		               "--price is lean, mid, fast or a number from 0 to below 1, not \"%s\"",
		               text);
	else *out = queue_priced(price);
	return true;
}

struct benchmark {
	struct queuetrace trace;
	struct queuemodel_options options;
	const struct queuepolicy *policy; // NULL = all
};

static bool read_policy(struct cli *cli, struct benchmark *b, struct err *e) {
	const char *name = cli_value(cli, "policy");
	const char *names[16];
	size_t n = 0;
	AUTO_BUF list = {0};
	for (const struct queuepolicy *p = queuepolicy_all; p->name; p++) {
		names[n++] = p->name;
		buf_printf(&list, "%s, ", p->name);
	}
	if (!name) name = "weir";
	if (!strcmp(name, "all")) return true;
	b->policy = queuepolicy_named(str_of(name));
	if (b->policy) return true;
	const char *near = args_nearest(name, names, n);
	return err_set(e, ERR_INVALID, "there is no policy \"%s\"%s%s%s; there are: %sall", name,
	               near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "", list.p);
}

static bool read_benchmark(struct cli *cli, struct benchmark *b, struct err *e) {
	int64_t executors = 4;
	AUTO_BUF text = {0};
	const char *path = cli_value(cli, "trace");
	if (!path) return err_set(e, ERR_INVALID, "--trace FILE is missing");
	if (!args_number(&cli->args, "executors", 1, EXECUTORS_MAX, &executors, e) ||
	    !read_price(cli, &b->options.knobs, e) || !read_share(cli, "reuse", &b->options.reuse, e) ||
	    !read_policy(cli, b, e))
		return false;
	b->options.executors = (size_t)executors;
	if (!read_text(path, &text, e)) return false;
	return queuetrace_read(buf_view(&text), cli->life, &b->trace, e) || err_context(e, "%s", path);
}

static bool run(const struct benchmark *b, const struct queuepolicy *p, bool json, bool explain,
                struct queuereport *report, struct buf *out, struct err *e) {
	AUTO_ARENA life = {0};
	struct queuemodel_options o = b->options;
	struct queuemodel_result result;
	o.policy = p->decide;
	o.early = p->early;
	o.told = p->told;
	o.calibrated = p->calibrated;
	o.again = p->again;
	if (!queuemodel_run(&b->trace, &o, &life, &result, e) ||
	    !queuecheck_run(&b->trace, &o, &result, &life, e))
		return err_context(e, "policy %s", p->name);
	queuereport_of(&b->trace, &result, &life, report);
	if (json) {
		queuereport_json(p->name, &b->trace, &o, &result, report, explain, out);
		buf_char(out, '\n');
	}
	return true;
}

// ---------------------------------------------------------------- as a table

static void head(struct cli *cli, const struct benchmark *b) {
	AUTO_INK ink = cli_ink(cli);
	ink_put(&ink, INK_PLAIN, "%zu changes, %zu executors", b->trace.n, b->options.executors);
	if (b->options.reuse > 0)
		ink_put(&ink, INK_PLAIN, ", %.0f %% of each run modelled as reused",
		        b->options.reuse * 100);
	ink_end(&ink);
	ink_end(&ink);
	ink_put(&ink, INK_HEAD, "policy");
	ink_to(&ink, 22);
	ink_put(&ink, INK_HEAD, "%10s %10s %10s   %-16s %7s %8s", "P50", "P95", "P99",
	        "times the oracle", "builds", "aborted");
	ink_end(&ink);
	cli_print(&ink);
}

static void duration(struct ink *ink, int64_t ms) {
	AUTO_BUF text = {0};
	clocktext_duration_text(&text, ms >= 60000 ? ms / 1000 * 1000 : ms);
	ink_put(ink, INK_PLAIN, "%10s ", text.p);
}

static double times(int64_t x, int64_t oracle) {
	return oracle > 0 ? (double)x / (double)oracle : 1;
}

static void row(struct cli *cli, const char *name, const struct queuereport *r,
                const struct queuereport *oracle) {
	AUTO_INK ink = cli_ink(cli);
	ink_put(&ink, INK_PLAIN, "%s", name);
	ink_to(&ink, 22);
	duration(&ink, r->p50_ms);
	duration(&ink, r->p95_ms);
	duration(&ink, r->p99_ms);
	ink_put(&ink, INK_PLAIN, "  %4.2f %5.2f %5.2f %7.2f %6.0f %%", times(r->p50_ms, oracle->p50_ms),
	        times(r->p95_ms, oracle->p95_ms), times(r->p99_ms, oracle->p99_ms),
	        r->builds_per_change, r->aborted_ratio * 100);
	ink_end(&ink);
	cli_print(&ink);
}

static int run_queue(struct cli *cli) {
	struct benchmark b = {0};
	struct queuereport oracle, report;
	struct err e = {0};
	AUTO_BUF out = {0};
	bool json = cli_has(cli, "json") || cli_has(cli, "explain"), ok = true;
	if (!read_benchmark(cli, &b, &e))
		return e.code == ERR_INVALID ? cli_usage(cli, "%s", e.text) : cli_fail(cli, &e, NULL);
	if (!json) {
		if (!run(&b, queuepolicy_named(STR("oracle")), false, false, &oracle, NULL, &e))
			return cli_fail(cli, &e, NULL);
		head(cli, &b);
	}
	for (const struct queuepolicy *p = queuepolicy_all; p->name && ok; p++) {
		if (b.policy && b.policy != p) continue;
		ok = run(&b, p, json, cli_has(cli, "explain"), &report, &out, &e);
		if (ok && !json) row(cli, p->name, &report, &oracle);
	}
	cli_out(buf_view(&out));
	return ok ? 0 : cli_fail(cli, &e, NULL);
}

// ---------------------------------------------------------------- a trace to write

int simulatequeue_trace(struct cli *cli) {
	struct queuetrace_shape shape = queuetrace_usual;
	struct queuetrace trace;
	struct err e = {0};
	AUTO_BUF out = {0};
	int64_t changes = (int64_t)shape.changes, per_hour = 100, areas = shape.areas, seed = 1,
			duration_ms = shape.median_ms;
	if (!args_number(&cli->args, "changes", 1, QUEUETRACE_CHANGES_MAX, &changes, &e) ||
	    !args_number(&cli->args, "per-hour", 1, 1000000, &per_hour, &e) ||
	    !args_number(&cli->args, "areas", 1, 1000000, &areas, &e) ||
	    !args_number(&cli->args, "seed", 0, INT64_MAX, &seed, &e) ||
	    !args_duration(&cli->args, "duration", &duration_ms, &e) ||
	    !read_share(cli, "broken", &shape.bad, &e) ||
	    !read_share(cli, "conflicts", &shape.conflicts, &e) ||
	    !read_share(cli, "accuracy", &shape.accuracy, &e) ||
	    !read_share(cli, "flakes", &shape.flake, &e) ||
	    !read_share(cli, "hotfixes", &shape.urgent, &e))
		return cli_usage(cli, "%s", e.text);
	if (duration_ms < 1000 || duration_ms > 86400000)
		return cli_usage(cli, "--duration is from 1s to 24h");
	shape.changes = (size_t)changes;
	shape.per_hour = (double)per_hour;
	shape.areas = (uint32_t)areas;
	shape.seed = (uint64_t)seed;
	shape.median_ms = duration_ms;
	queuetrace_make(&shape, cli->life, &trace);
	queuetrace_write(&trace, &out);
	cli_out(buf_view(&out));
	return 0;
}

// ---------------------------------------------------------------- the table

static const struct args_option queue_options[] = {
	{"trace", 0, "FILE", "the trace; - is standard input", NULL},
	{"policy", 0, "NAME", "weir unless said; all = each of them", NULL},
	{"executors", 0, "N", "candidates at once; 4 unless said", NULL},
	{"price", 0, "PRICE",
     "of a speculative run, for weir: lean, mid (unless said), fast, or a number", NULL},
	{"reuse", 0, "SHARE", "model that this share of each run's time is reused", NULL},
	{"explain", 0, NULL, "with each candidate, and which of them justify each decision (JSON)",
     NULL},
	CLI_OPTION_JSON,
	{0},
};

const struct cli_command simulatequeue_commands[] = {
	{.name = "simulate queue",
     .words = "",
     .brief = "Measure the queue's policy against others on a trace of changes",
     .group = CLI_GROUP_LOCAL,
     .options = queue_options,
     .about =
         "The trace is one JSON object: {\"changes\": [{\"arrival_s\": 0, \"duration_s\": 480, "
         "\"ok\": true, \"areas\": [3, 7], \"p_success\": 0.93}], \"real_conflicts\": [[0, 4]]}. "
         "Two "
         "changes potentially conflict when their areas meet; one fails when it is not ok or an "
         "earlier one that really conflicts with it has landed. Policies see durations and "
         "p_success; only the oracle knows what will land. A change may also have \"flake\", how "
         "often a run of it fails for nothing, and \"priority\". Every run is checked against the "
         "rules "
         "of the benchmark by code of its own; exits with 1 when one was broken.",
     .run = run_queue},
	{0},
};
