#include "cli/simulate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clocktext.h"
#include "cli/screen.h"
#include "os/clock.h"
#include "sim/faults.h"

enum { CHUNK = 10, WORKERS_MAX = 64, DRAW_MS = 250 };

// Worker w of n takes every n-th chunk of seeds, and writes the totals of each chunk to its pipe.
struct worker {
	pid_t pid;
	int pipe; // -1 = it has ended
};

struct crew {
	struct worker workers[WORKERS_MAX];
	size_t n, open;
	bool died; // one ended without having done its share
	struct sim_totals totals;
};

static void work(const struct sim_options *all, size_t worker, size_t workers, int pipe) {
	for (uint64_t at = worker * CHUNK; at < all->seeds; at += workers * CHUNK) {
		struct sim_options part = *all;
		struct sim_totals totals = {0};
		part.first_seed = all->first_seed + at;
		part.seeds = all->seeds - at < CHUNK ? all->seeds - at : CHUNK;
		bool held = sim_faults_run(&part, &totals);
		if (write(pipe, &totals, sizeof totals) != (ssize_t)sizeof totals) _exit(2);
		if (!held && !all->keep_on) break;
	}
	_exit(0);
}

static bool start(struct crew *c, const struct sim_options *o, struct err *e) {
	pid_t parent = getpid();
	fflush(stdout);
	for (size_t i = 0; i < c->n; i++) {
		int ends[2];
		if (pipe(ends) != 0) return err_set(e, ERR_IO, "pipe: %s", strerror(errno));
		pid_t pid = fork();
		if (pid < 0) return err_set(e, ERR_IO, "fork: %s", strerror(errno));
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent) _exit(2);
			close(ends[0]);
			work(o, i, c->n, ends[1]);
		}
		close(ends[1]);
		c->workers[i] = (struct worker){pid, ends[0]};
		c->open++;
	}
	return true;
}

static void stop(struct crew *c) {
	for (size_t i = 0; i < c->n; i++)
		if (c->workers[i].pid > 0 && c->workers[i].pipe >= 0) kill(c->workers[i].pid, SIGKILL);
}

static void take(struct crew *c, struct worker *w) {
	struct sim_totals part = {0};
	size_t n = 0;
	while (n < sizeof part) {
		ssize_t got = read(w->pipe, (char *)&part + n, sizeof part - n);
		if (got < 0 && errno == EINTR) continue;
		if (got <= 0) break;
		n += (size_t)got;
	}
	if (n == sizeof part) {
		sim_faults_add(&c->totals, &part);
		return;
	}
	int status;
	close(w->pipe);
	w->pipe = -1;
	c->open--;
	if (waitpid(w->pid, &status, 0) != w->pid || status != 0) c->died = true;
}

static void draw(struct cli *cli, struct screen *screen, const struct crew *c, uint64_t seeds,
                 int64_t ms) {
	uint64_t done = c->totals.seeds, cells = seeds ? done * 32 / seeds : 0;
	AUTO_INK ink = cli_ink(cli);
	ink_glyph(&ink, INK_MOVE, INK_RUNNING);
	ink_put(&ink, INK_PLAIN, " %llu of %llu seeds   ", (unsigned long long)done,
	        (unsigned long long)seeds);
	for (uint64_t i = 0; i < 32; i++)
		ink_glyph(&ink, i < cells ? INK_MOVE : INK_QUIET, i < cells ? INK_LINE : INK_LINE_REST);
	if (done > 20 && ms > 2000) {
		AUTO_BUF left = {0};
		clocktext_duration_text(&left,
		                        (int64_t)((seeds - done) * (uint64_t)ms / done / 1000 * 1000));
		ink_put(&ink, INK_QUIET, "   about %s left", left.p);
	}
	ink_end(&ink);
	screen_draw(screen, &ink);
}

static void watch(struct cli *cli, struct crew *c, const struct sim_options *o) {
	int64_t began = clock_mono_us() / 1000, drawn = began;
	struct screen screen = {.on = cli->tty && !o->json};
	while (c->open) {
		struct pollfd fds[WORKERS_MAX];
		for (size_t i = 0; i < c->n; i++) fds[i] = (struct pollfd){c->workers[i].pipe, POLLIN, 0};
		if (poll(fds, c->n, DRAW_MS) < 0 && errno != EINTR) break;
		for (size_t i = 0; i < c->n; i++)
			if (c->workers[i].pipe >= 0 && fds[i].revents) take(c, &c->workers[i]);
		if (c->totals.broken && !o->keep_on) break;
		int64_t now = clock_mono_us() / 1000;
		if (now - drawn < DRAW_MS) continue;
		draw(cli, &screen, c, o->seeds, now - began);
		drawn = now;
	}
	if (screen.lines) screen_end(&screen, false);
}

// The log of one seed needs no crew.
static int run_log(struct cli *cli, struct sim_options o) {
	struct sim_totals totals = {0};
	AUTO_BUF log = {0}, report = {0};
	o.seeds = 1;
	o.log = &log;
	bool held = sim_faults_run(&o, &totals);
	cli_out(buf_view(&log));
	sim_faults_report(&o, &totals, &report);
	fwrite(report.p, 1, report.n, stderr);
	(void)cli;
	return held ? 0 : 1;
}

static bool read_options(struct cli *cli, struct sim_options *o, size_t *workers, struct err *e) {
	int64_t seeds = 1000, first = 1, jobs = sysconf(_SC_NPROCESSORS_ONLN);
	const char *bug = cli_value(cli, "bug");
	if (jobs < 1) jobs = 1;
	if (jobs > WORKERS_MAX) jobs = WORKERS_MAX;
	if (!args_number(&cli->args, "seeds", 1, INT64_MAX / 2, &seeds, e) ||
	    !args_number(&cli->args, "seed", 0, INT64_MAX / 2, &first, e) ||
	    !args_number(&cli->args, "jobs", 1, WORKERS_MAX, &jobs, e))
		return false;
	if (cli_has(cli, "seed") && !cli_has(cli, "seeds")) seeds = 1;
	*o = (struct sim_options){.first_seed = (uint64_t)first,
	                          .seeds = (uint64_t)seeds,
	                          .json = cli_has(cli, "json"),
	                          .keep_on = cli_has(cli, "keep-on")};
	*workers = (size_t)jobs;
	if (!bug) return true;
	o->bug = sim_faults_bug_named(str_of(bug));
	if (o->bug != BUG_COUNT) return true;
	AUTO_BUF names = {0};
	for (int i = 0; i < BUG_COUNT; i++)
		buf_printf(&names, "%s%s", i ? ", " : "", sim_faults_bug_name((enum bug)i));
	return err_set(e, ERR_INVALID, "there is no planted bug \"%s\"; there are: %s", bug, names.p);
}

static int run_faults(struct cli *cli) {
	struct sim_options o;
	struct err e = {0};
	struct crew crew = {0};
	if (!read_options(cli, &o, &crew.n, &e)) return cli_usage(cli, "%s", e.text);
	if (cli_has(cli, "log")) return run_log(cli, o);
	uint64_t chunks = (o.seeds + CHUNK - 1) / CHUNK;
	if (crew.n > chunks) crew.n = (size_t)chunks;
	bool started = start(&crew, &o, &e);
	if (started) watch(cli, &crew, &o);
	stop(&crew);
	for (size_t i = 0; i < crew.n; i++)
		if (crew.workers[i].pipe >= 0 && crew.workers[i].pid > 0)
			waitpid(crew.workers[i].pid, NULL, 0);
	if (!started) return cli_fail(cli, &e, NULL);
	if (crew.died) {
		err_set(&e, ERR_CORRUPT, "the simulator itself ended by an assertion or a signal");
		return cli_fail(cli, &e, "Find the seed with `weir simulate faults --jobs 1 --seed N`");
	}
	AUTO_BUF report = {0};
	sim_faults_report(&o, &crew.totals, &report);
	if (report.n && report.p[report.n - 1] != '\n') buf_char(&report, '\n');
	cli_out(buf_view(&report));
	return crew.totals.broken ? 1 : 0;
}

static const struct args_option faults_options[] = {
	{"seeds", 0, "N", "how many worlds; 1000 unless said", NULL},
	{"seed", 0, "N", "the first of them; 1 unless said, and then only this one", NULL},
	{"bug", 0, "NAME", "plant this mistake, to see that it is found", NULL},
	{"keep-on", 0, NULL, "go on after a world that broke a promise", NULL},
	{"log", 0, NULL, "print the events of one seed, one JSON object a line", NULL},
	{"jobs", 0, "N", "processes; as many as cores unless said", NULL},
	CLI_OPTION_JSON,
	{0},
};

const struct cli_command simulate_commands[] = {
	{.name = "simulate faults",
     .words = "",
     .brief = "Run the real core in simulated worlds where everything goes wrong",
     .group = CLI_GROUP_LOCAL,
     .options = faults_options,
     .about =
         "Each seed is one world with crashes, lost, late, doubled and lying reports and a full "
         "disk; after every event each promise is checked. The same seed gives the same world. "
         "Exits with 1 when a promise was broken.",
     .run = run_faults},
	{0},
};
