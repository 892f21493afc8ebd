#include "deploy/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deploy/rollout.h"
#include "os/file.h"
#include "os/note.h"

enum { LOG_LINES = 100, LOG_LINES_MAX = 2000, RETRY_LISTEN_MS = 1000, LOG_CHECK_MS = 600 * 1000 };

struct supervisor {
	struct site site;
	struct rollout *rollout;
	struct loop_timer *listen_timer, *exit_timer, *log_timer;
	uint64_t stop_client;
	struct buf stop_id;
	bool stopping;
	void (*rollout_changed)(void *context);
};

static void answer_begin(struct jsonw *w, struct str id) {
	jsonw_object(w);
	jsonw_key_s(w, "id", id);
	jsonw_key_b(w, "ok", true);
}

static void answer(struct supervisor *v, uint64_t client, struct jsonw *w) {
	jsonw_object_end(w);
	control_answer(v->site.control, client, buf_view(w->out));
}

static void do_status(struct supervisor *v, uint64_t client, struct str id) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	answer_begin(&w, id);
	jsonw_key_i(&w, "pid", getpid());
	jsonw_key_b(&w, "busy", rollout_is_busy(v->rollout));
	site_status(&v->site, &w);
	answer(v, client, &w);
}

static void do_ping(struct supervisor *v, uint64_t client, struct str id) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	answer_begin(&w, id);
	jsonw_key_i(&w, "pid", getpid());
	answer(v, client, &w);
}

// Also of a release that runs no more: its logs stay.
static void do_logs(struct supervisor *v, uint64_t client, struct str id,
                    const struct json *command) {
	AUTO_BUF text = {0};
	AUTO_BUF path = {0};
	AUTO_BUF lines = {0};
	struct jsonw w = jsonw_to(&text);
	struct err e;
	struct str release = json_get_str(command, "release");
	int64_t instance = json_get_int(command, "instance", 0);
	int64_t most = json_get_int(command, "lines", LOG_LINES);
	if (!release.n && v->site.active) release = v->site.active->plan.release;
	if (!spec_is_release_name(release) || instance < INSTANCE_BEFORE || most < 1 ||
	    instance >= SPEC_INSTANCES_MAX || most > LOG_LINES_MAX) {
		err_set(&e, ERR_INVALID, "logs needs a release, an instance and at most %d lines",
		        LOG_LINES_MAX);
		rollout_refuse(&v->site, client, id, &e);
		return;
	}
	buf_printf(&path, "%s/log/" STR_FMT ".", v->site.home.folder, STR_ARG(release));
	if (instance == INSTANCE_BEFORE) buf_cstr(&path, "before.log");
	else buf_printf(&path, "%d.log", (int)instance);
	servicelog_tail(path.p, (size_t)most, &lines);
	answer_begin(&w, id);
	jsonw_key_s(&w, "file", buf_view(&path));
	jsonw_key(&w, "lines");
	jsonw_array(&w);
	struct str rest = buf_view(&lines);
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');
		if (line.n) jsonw_str(&w, line);
	}
	jsonw_array_end(&w);
	answer(v, client, &w);
}

static void do_secrets(struct supervisor *v, uint64_t client, struct str id,
                       const struct json *command) {
	struct release *r = site_find(&v->site, json_get_str(command, "release"));
	struct err e;
	if (!r) {
		err_set(&e, ERR_NOT_FOUND, "no such release runs");
		rollout_refuse(&v->site, client, id, &e);
		return;
	}
	release_set_secrets(r, json_get(command, "secrets"));
	if (!rollout_is_busy(v->rollout)) site_resume(&v->site);
	do_ping(v, client, id);
}

static void do_cancel(struct supervisor *v, uint64_t client, struct str id) {
	rollout_cancel(v->rollout, "as asked");
	do_ping(v, client, id);
}

static void leave(void *context) {
	(void)context;
	_exit(0);
}

static void on_change(void *context) {
	struct supervisor *v = context;
	v->rollout_changed(v->rollout);
	if (!v->stopping || !site_close(&v->site)) return;
	v->stopping = false;
	struct err e;
	if (!site_save(&v->site, &e)) note(NOTE_ERROR, "%s", e.text);
	do_ping(v, v->stop_client, buf_view(&v->stop_id));
	(void)unlink("supervisor.pid");
	loop_timer_set(v->exit_timer, 0);
}

static void do_stop(struct supervisor *v, uint64_t client, struct str id) {
	rollout_cancel(v->rollout, "the environment is stopped");
	v->stop_client = client;
	buf_reset(&v->stop_id);
	buf_str(&v->stop_id, id);
	v->stopping = true;
	on_change(v);
}

static void do_rollout(struct supervisor *v, uint64_t client, struct str verb,
                       const struct json *command) {
	struct str id = json_get_str(command, "id");
	const char *known = site_answer_of(&v->site, id);
	struct err e;
	bool deploy = str_eq(verb, STR("deploy"));
	if (!id.n || id.n > 100) {
		err_set(&e, ERR_INVALID, STR_FMT " needs an id", STR_ARG(verb));
		rollout_refuse(&v->site, client, id, &e);
	} else if (known) {
		control_answer(v->site.control, client, str_of(known));
	} else if (rollout_join(v->rollout, client, id)) {
		return;
	} else if (v->stopping || (deploy && rollout_is_busy(v->rollout))) {
		err_set(&e, ERR_BUSY, "another command is under way");
		rollout_refuse(&v->site, client, id, &e);
	} else if (deploy) {
		rollout_deploy(v->rollout, client, command);
	} else {
		rollout_cancel(v->rollout, "the traffic is moved by hand");
		rollout_switch(v->rollout, client, command, str_eq(verb, STR("rollback")));
	}
}

static void on_command(void *context, uint64_t client, const struct json *command) {
	struct supervisor *v = context;
	struct str verb = json_get_str(command, "do"), id = json_get_str(command, "id");
	struct err e;
	if (str_eq(verb, STR("deploy")) || str_eq(verb, STR("rollback")) ||
	    str_eq(verb, STR("switch"))) {
		do_rollout(v, client, verb, command);
	} else if (str_eq(verb, STR("status"))) {
		do_status(v, client, id);
	} else if (str_eq(verb, STR("watch"))) {
		do_status(v, client, id);
		control_watch(v->site.control, client);
	} else if (str_eq(verb, STR("logs"))) {
		do_logs(v, client, id, command);
	} else if (str_eq(verb, STR("secrets"))) {
		do_secrets(v, client, id, command);
	} else if (str_eq(verb, STR("cancel"))) {
		do_cancel(v, client, id);
	} else if (str_eq(verb, STR("stop"))) {
		do_stop(v, client, id);
	} else if (str_eq(verb, STR("ping"))) {
		do_ping(v, client, id);
	} else {
		err_set(&e, ERR_INVALID, "no such command: \"" STR_FMT "\"", STR_ARG(verb));
		rollout_refuse(&v->site, client, id, &e);
	}
}

// HAProxy as spec.json says, unless one was adopted. Without a spec.json yet the first deploy does
// it.
static void try_listen(void *context) {
	struct supervisor *v = context;
	AUTO_BUF text = {0};
	AUTO_JSON json = NULL;
	AUTO_ARENA scratch = {0};
	struct spec spec;
	struct err e;
	if (proxy_is_running(v->site.proxy) || !file_exists("spec.json")) return;
	if (file_read("spec.json", SPEC_BYTES_MAX, &text, &e) &&
	    json_parse(buf_view(&text), &json, &e) && spec_read(json, &scratch, &spec, &e) &&
	    proxy_listen(v->site.proxy, &spec, &e))
		return;
	note(NOTE_ERROR, "%s", e.text);
	if (e.code == ERR_CONFLICT) loop_timer_set(v->listen_timer, RETRY_LISTEN_MS);
}

static void on_term(void *context) {
	(void)context;
	note(NOTE_INFO, "leaving; services and HAProxy go on");
	_exit(0);
}

// Our own notes; a file of at most about 8 MB and the one before it.
static void open_log(void) {
	struct stat st;
	if (stat("log/supervisor.log", &st) == 0 && st.st_size > SERVICELOG_BYTES)
		(void)rename("log/supervisor.log", "log/supervisor.log.1");
	AUTO_FD log = open("log/supervisor.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (log < 0) return;
	dup2(log, 1);
	dup2(log, 2);
}

static void on_log_due(void *context) {
	struct supervisor *v = context;
	open_log();
	loop_timer_set(v->log_timer, LOG_CHECK_MS);
}

static int serve(const char *folder, int control) {
	struct supervisor state = {0}, *v = &state; // lives as long as the process
	struct loop *l;
	struct err e;
	AUTO_BUF pid = {0};
	if (!loop_open(&l, &e) || !site_open(&v->site, l, folder, &e)) goto out;
	v->site.control = control_new(l, control, on_command, v);
	v->rollout = rollout_new(&v->site);
	v->rollout_changed = v->site.on_change;
	v->site.on_change = on_change;
	v->site.change_context = v;
	v->listen_timer = loop_timer(l, try_listen, v);
	v->exit_timer = loop_timer(l, leave, v);
	v->log_timer = loop_timer(l, on_log_due, v);
	loop_timer_set(v->log_timer, LOG_CHECK_MS);
	loop_on_signal(l, SIGTERM, on_term, v);
	loop_on_signal(l, SIGINT, on_term, v);
	buf_printf(&pid, "%d\n", (int)getpid());
	if (!file_write_atomic("supervisor.pid", buf_view(&pid), 0644, &e)) goto out;
	if (!site_recover(&v->site, &e)) goto out;
	site_resume(&v->site);
	try_listen(v);
	note(NOTE_INFO, "supervising %s", folder);
	loop_run(l);
	return 0;
out:
	note(NOTE_ERROR, "%s", e.text);
	return 1;
}

static int refuse(const struct err *e) {
	fprintf(stderr, "weir supervise: %s\n", e->text);
	return 1;
}

int supervisor_run(const char *given) {
	struct err e;
	int lock = -1, control = -1;
	char folder[PATH_MAX];
	if (!realpath(given, folder) || chdir(folder) || (mkdir("log", 0711) && errno != EEXIST)) {
		err_set(&e, ERR_NOT_FOUND, "cannot use the folder %s: %s", given, strerror(errno));
		return refuse(&e);
	}
	umask(022);
	if (!file_lock("supervisor.lock", &lock, &e) || !control_listen("control", &control, &e))
		return refuse(&e);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = fork();
	if (pid < 0) {
		err_set(&e, ERR_IO, "cannot fork: %s", strerror(errno));
		return refuse(&e);
	}
	if (pid > 0) return 0;
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	open_log();
	_exit(serve(folder, control));
}
