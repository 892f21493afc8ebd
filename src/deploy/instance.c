#include "deploy/instance.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "deploy/health.h"
#include "deploy/port.h"
#include "os/file.h"
#include "os/process.h"
#include "os/tree.h"

enum { BACKOFF_FIRST_MS = 100, BACKOFF_MOST_MS = 10000, BACKOFF_RESET_MS = 10000 };
enum { PROBE_MS = 100, PROBE_START_MS = 20, LINGER_MS = 50, ENV_FIXED = 10 };

static void set_why(struct instance *i, const char *format, ...) PRINTF_LIKE(2, 3);
static void set_why(struct instance *i, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(i->why, sizeof i->why, format, args);
	va_end(args);
}

static void tell(struct instance *i, enum instance_news news) {
	i->fn(i->context, i, news);
}

// After the leader is gone: whatever it left behind must not hold the port or the pipe.
static void clear_tree(struct instance *i, pid_t leader) {
	size_t killed = tree_kill(i->cgroup.p, leader, i->mark.p);
	tree_remove(i->cgroup.p);
	if (killed && i->log) servicelog_line(i->log, "killed %zu processes that remained", killed);
	buf_reset(&i->cgroup);
}

static void close_log(struct instance *i) {
	servicelog_close(i->log);
	i->log = NULL;
}

static void wait_for_restart(struct instance *i, int64_t healthy_since_ms) {
	int64_t now = loop_now_ms(i->home->loop);
	bool lasted = healthy_since_ms && now - healthy_since_ms >= BACKOFF_RESET_MS;
	if (lasted || !i->backoff_ms) i->backoff_ms = BACKOFF_FIRST_MS;
	else i->backoff_ms = i->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : i->backoff_ms * 2;
	i->state = INSTANCE_WAITING;
	loop_timer_set(i->timer, i->backoff_ms);
}

static void stopped(struct instance *i) {
	loop_timer_set(i->timer, -1);
	clear_tree(i, i->leader);
	close_log(i);
	i->state = INSTANCE_OFF;
	tell(i, INSTANCE_STOPPED);
}

// A shell ends at once by the SIGTERM that the service it started still obeys: the others have the
// rest of the grace.
static void linger(struct instance *i) {
	int64_t left = i->stop_until_ms - loop_now_ms(i->home->loop);
	if (left <= 0 || !tree_runs(i->cgroup.p, i->leader, i->mark.p)) stopped(i);
	else loop_timer_set(i->timer, left < LINGER_MS ? left : LINGER_MS);
}

static void on_end(void *context, struct child_end end) {
	struct instance *i = context;
	int64_t healthy_since_ms = i->healthy_since_ms;
	AUTO_BUF how = {0};
	child_end_text(end, &how);
	i->child = NULL;
	i->end = end;
	i->healthy_since_ms = 0;
	health_stop(i->health);
	if (i->log) servicelog_line(i->log, "the process %s", how.p);
	if (i->state == INSTANCE_STOPPING) {
		linger(i);
		return;
	}
	loop_timer_set(i->timer, -1);
	clear_tree(i, i->leader);
	set_why(i, "the process %s", how.p);
	if (i->plan->may_restart && i->n != INSTANCE_BEFORE) {
		wait_for_restart(i, healthy_since_ms);
	} else {
		close_log(i);
		i->state = INSTANCE_OFF;
	}
	tell(i, INSTANCE_EXITED);
}

static void on_probe(void *context, bool healthy, const char *why) {
	struct instance *i = context;
	if (healthy) {
		i->failures = 0;
		if (i->state == INSTANCE_HEALTHY) return;
		i->state = INSTANCE_HEALTHY;
		i->healthy_since_ms = loop_now_ms(i->home->loop);
		health_set_interval(i->health, PROBE_MS);
		tell(i, INSTANCE_BECAME_HEALTHY);
		return;
	}
	set_why(i, "%s", why);
	i->failures++;
	if (i->state == INSTANCE_HEALTHY && i->failures >= i->plan->health_failures) {
		i->state = INSTANCE_UNHEALTHY;
		i->healthy_since_ms = 0;
	}
	tell(i, INSTANCE_FAILED_PROBE);
}

static void on_due(void *context) {
	struct instance *i = context;
	struct err e;
	if (i->state == INSTANCE_STOPPING) {
		if (i->child) instance_kill(i);
		else linger(i);
	} else if (i->state == INSTANCE_WAITING) {
		uint16_t port = i->port;
		if (!port_is_free(port) && !port_pick(&port, 1, &port, &e)) port = i->port;
		i->restarts++;
		if (!instance_start(i, port, &e)) instance_fail(i, e.text);
	}
}

struct instance *instance_new(const struct instance_home *home, const struct instance_plan *plan,
                              int n, instance_fn *fn, void *context) {
	struct instance *i = calloc(1, sizeof *i);
	if (!i) abort();
	*i = (struct instance){.home = home, .plan = plan, .fn = fn, .context = context, .n = n};
	i->health = health_new(home->loop, on_probe, i);
	i->timer = loop_timer(home->loop, on_due, i);
	AUTO_BUF name = {0};
	buf_printf(&name, STR_FMT ".", STR_ARG(plan->release));
	if (n == INSTANCE_BEFORE) buf_cstr(&name, "before");
	else buf_printf(&name, "%d", n);
	buf_printf(&i->mark, "WEIR_INSTANCE=%s.%s", home->mark, name.p);
	buf_printf(&i->log_path, "%s/log/%s.log", home->folder, name.p);
	buf_printf(&i->pipe_path, "%s/run/%s.pipe", home->folder, name.p);
	return i;
}

static bool open_log(struct instance *i, struct err *e) {
	return i->log ||
	       servicelog_open(i->home->loop, i->pipe_path.p, i->log_path.p, i->home->uid, &i->log, e);
}

static void join_cgroup(struct instance *i) {
	AUTO_BUF name = {0};
	buf_printf(&name, "weir-%s", i->mark.p + strlen("WEIR_INSTANCE="));
	buf_reset(&i->cgroup);
	(void)tree_make(name.p, &i->cgroup);
}

void instance_clear(struct instance *i) {
	join_cgroup(i);
	clear_tree(i, 0);
}

struct environment {
	struct arena *life;
	const char **list;
	size_t n;
};

// Which of two equal names wins differs from program to program, so the first one is the only one.
static void add_variable(struct environment *env, const char *name, struct str value) {
	size_t length = strlen(name);
	for (size_t k = 0; k < env->n; k++)
		if (!strncmp(env->list[k], name, length) && env->list[k][length] == '=') return;
	env->list[env->n++] = arena_printf(env->life, "%s=" STR_FMT, name, STR_ARG(value)).p;
}

// PORT and WEIR_* are ours; a service's own PATH, LANG or HOME wins over the usual ones.
static const char **environment_of(const struct instance *i, struct arena *life) {
	const struct instance_plan *p = i->plan;
	const struct spec_service *s = &p->service;
	size_t most = ENV_FIXED + s->env_count + p->secret_count;
	struct environment env = {life, ARENA_ARRAY(life, const char *, most), 0};
	env.list[env.n++] = i->mark.p;
	if (i->n != INSTANCE_BEFORE) add_variable(&env, "PORT", arena_printf(life, "%u", i->port));
	add_variable(&env, "WEIR_RELEASE", p->release);
	add_variable(&env, "WEIR_ENVIRONMENT", p->environment);
	for (size_t k = 0; k < p->secret_count; k++)
		add_variable(&env, p->secrets[k].name.p, p->secrets[k].value);
	for (size_t k = 0; k < s->env_count; k++) add_variable(&env, s->env[k].name.p, s->env[k].value);
	add_variable(&env, "PATH", STR("/usr/local/bin:/usr/bin:/bin"));
	add_variable(&env, "LANG", STR("C.UTF-8"));
	add_variable(&env, "HOME", arena_printf(life, "%s/home", i->home->folder));
	return env.list;
}

static bool launch(struct instance *i, pid_t *pid, struct err *e) {
	AUTO_ARENA life = {0};
	AUTO_FD writer = servicelog_writer(i->log);
	const char *cwd = arena_cstr(&life, i->plan->folder);
	const struct spec_service *service = &i->plan->service;
	struct str run = i->n == INSTANCE_BEFORE ? service->before : service->run;
	const char *argv[] = {"/bin/sh", "-e", "-c", arena_cstr(&life, run), NULL};
	struct process_spec spec = {
		PROCESS_SPEC_NONE,
		.argv = argv,
		.env = environment_of(i, &life),
		.cwd = cwd,
		.cgroup = i->cgroup.n ? i->cgroup.p : NULL,
		.uid = i->home->uid,
		.gid = i->home->uid,
		.new_session = true,
	};
	spec.out = spec.err = writer;
	return process_start(&spec, pid, e);
}

bool instance_start(struct instance *i, uint16_t port, struct err *e) {
	pid_t pid;
	assert(i->state == INSTANCE_OFF || i->state == INSTANCE_WAITING);
	i->port = port;
	if (!open_log(i, e)) return false;
	instance_clear(i);
	join_cgroup(i);
	if (!launch(i, &pid, e)) {
		tree_remove(i->cgroup.p);
		return err_context(e, "cannot start the service in " STR_FMT, STR_ARG(i->plan->folder));
	}
	i->child = children_own(i->home->children, pid, on_end, i);
	i->leader = pid;
	i->state = INSTANCE_STARTING;
	i->failures = 0;
	if (i->n == INSTANCE_BEFORE) {
		servicelog_line(i->log, "started as process %d", (int)pid);
	} else {
		servicelog_line(i->log, "started as process %d on port %u", (int)pid, port);
		health_start(i->health, port, i->plan->service.health, PROBE_START_MS,
		             i->plan->service.probe_timeout_ms);
	}
	tell(i, INSTANCE_STARTED);
	return true;
}

bool instance_adopt(struct instance *i, struct child_id id, uint16_t port) {
	struct err e;
	i->port = port;
	i->child = children_adopt(i->home->children, id, on_end, i);
	if (!i->child) return false;
	i->leader = id.pid;
	if (!open_log(i, &e)) set_why(i, "%s", e.text);
	join_cgroup(i);
	if (i->log) servicelog_line(i->log, "adopted process %d", (int)id.pid);
	i->state = INSTANCE_HEALTHY; // until a probe says otherwise: it may be carrying all traffic
	i->healthy_since_ms = loop_now_ms(i->home->loop);
	health_start(i->health, port, i->plan->service.health, PROBE_MS,
	             i->plan->service.probe_timeout_ms);
	return true;
}

static void gone(void *context) {
	struct instance *i = context;
	i->state = INSTANCE_OFF;
	tell(i, INSTANCE_STOPPED);
}

static void begin_stop(struct instance *i) {
	health_stop(i->health);
	i->healthy_since_ms = 0;
	if (!i->child) { // OFF or between two starts: nothing to wait for
		loop_timer_set(i->timer, -1);
		close_log(i);
		gone(i);
		return;
	}
	i->state = INSTANCE_STOPPING;
}

void instance_stop(struct instance *i) {
	if (i->state == INSTANCE_STOPPING) return;
	begin_stop(i);
	if (i->state != INSTANCE_STOPPING) return;
	if (i->log) servicelog_line(i->log, "stopping");
	child_signal(i->child, SIGTERM);
	i->stop_until_ms = loop_now_ms(i->home->loop) + i->plan->service.grace_ms;
	loop_timer_set(i->timer, i->plan->service.grace_ms);
}

void instance_kill(struct instance *i) {
	if (i->state != INSTANCE_STOPPING) begin_stop(i);
	if (i->state != INSTANCE_STOPPING) return;
	i->stop_until_ms = 0;
	if (i->log) servicelog_line(i->log, "killed: it did not end within its grace");
	child_signal(i->child, SIGKILL);
}

void instance_fail(struct instance *i, const char *why) {
	set_why(i, "%s", why);
	wait_for_restart(i, 0);
	tell(i, INSTANCE_EXITED);
}

void instance_probe_every(struct instance *i, int64_t ms) {
	health_set_interval(i->health, ms);
}

void instance_free(struct instance *i) {
	if (!i) return;
	child_forget(i->child);
	close_log(i);
	health_free(i->health);
	loop_timer_free(i->timer);
	buf_free(&i->mark);
	buf_free(&i->cgroup);
	buf_free(&i->log_path);
	buf_free(&i->pipe_path);
	free(i);
}

bool instance_is_up(const struct instance *i) {
	return i->state == INSTANCE_HEALTHY;
}

const char *instance_state_name(enum instance_state s) {
	switch (s) {
	case INSTANCE_OFF: return "off";
	case INSTANCE_STARTING: return "starting";
	case INSTANCE_HEALTHY: return "healthy";
	case INSTANCE_UNHEALTHY: return "unhealthy";
	case INSTANCE_WAITING: return "waiting";
	case INSTANCE_STOPPING: return "stopping";
	}
	return "?";
}
