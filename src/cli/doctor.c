#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "cli/grid.h"
#include "cli/remote.h"
#include "os/file.h"
#include "os/process.h"
#include "os/tree.h"

enum { PROGRAM_MS = 5000, OUTPUT_MAX = 65536 };

static void finding(struct jsonw *w, const char *name, const char *state, const char *next,
                    const char *format, ...) PRINTF_LIKE(5, 6);
static void finding(struct jsonw *w, const char *name, const char *state, const char *next,
                    const char *format, ...) {
	AUTO_BUF text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	jsonw_object(w);
	jsonw_key_z(w, "level", state);
	jsonw_key_z(w, "next", next);
	jsonw_key_s(w, "text", buf_view(&text));
	jsonw_key_z(w, "what", name);
	jsonw_object_end(w);
}

// Its first line of output. False: there is no such program, or it failed (`why`, first line).
static bool run(const char *const *argv, struct buf *line, struct buf *why) {
	AUTO_OUTPUT o = {0};
	struct err e = {0};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = argv};
	bool ran = process_run(&spec, STR_NONE, OUTPUT_MAX, PROGRAM_MS, &o, &e);
	struct str out = buf_view(&o.out), err = buf_view(&o.err);
	if (ran && o.status.end == PROCESS_EXITED && o.status.code == 0) {
		buf_str(line, str_trim(str_cut(&out, '\n')));
		return true;
	}
	buf_str(why, ran ? str_trim(str_cut(&err, '\n')) : str_of(e.text));
	return false;
}

static void check_program(struct jsonw *w, const char *name, const char *version, const char *state,
                          const char *without) {
	const char *argv[] = {name, version, NULL};
	AUTO_BUF line = {0}, why = {0}, next = {0};
	buf_printf(&next, "apt install %s", name);
	if (run(argv, &line, &why)) finding(w, name, "ok", NULL, STR_FMT, STR_ARG(buf_view(&line)));
	else finding(w, name, state, next.p, "not there: %s", without);
}

static void check_git(struct jsonw *w) {
	const char *argv[] = {"git", "--version", NULL};
	AUTO_BUF line = {0}, why = {0};
	unsigned major = 0, minor = 0;
	if (!run(argv, &line, &why)) {
		finding(w, "git", "bad", "apt install git", "not there: nothing works without it");
		return;
	}
	bool read = sscanf(line.p, "git version %u.%u", &major, &minor) == 2;
	if (!read || major > 2 || (major == 2 && minor >= 39))
		finding(w, "git", "ok", NULL, "%s", line.p);
	else
		finding(w, "git", "bad", "install git 2.39 or newer", "%s is too old for trial merges",
		        line.p);
}

static bool number_in(const char *path, long *out) {
	AUTO_BUF text = {0};
	struct err ignored;
	if (!file_read(path, 4096, &text, &ignored) || !text.n) return false;
	*out = strtol(text.p, NULL, 10);
	return true;
}

static void check_namespaces(struct jsonw *w) {
	long value;
	if (number_in("/proc/sys/user/max_user_namespaces", &value) && value == 0)
		finding(w, "user namespaces", "bad", "sysctl user.max_user_namespaces=15000",
		        "the kernel allows none, so no sandbox");
	else if (geteuid() != 0 && number_in("/proc/sys/kernel/unprivileged_userns_clone", &value) &&
	         value == 0)
		finding(w, "user namespaces", "bad",
		        "sysctl kernel.unprivileged_userns_clone=1, or run weir as root", "only for root");
	else if (geteuid() != 0 &&
	         number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", &value) && value)
		finding(w, "user namespaces", "bad",
		        "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or run weir as root",
		        "AppArmor keeps them from ordinary users");
	else finding(w, "user namespaces", "ok", NULL, "allowed");
}

static void check_sandbox(struct jsonw *w) {
	const char *argv[] = {"bwrap",  "--unshare-all", "--unshare-user", "--ro-bind", "/",    "/",
	                      "--proc", "/proc",         "--dev",          "/dev",      "true", NULL};
	AUTO_BUF line = {0}, why = {0};
	struct err e = {0};
	AUTO_OUTPUT o = {0};
	const char *version[] = {"bwrap", "--version", NULL};
	struct process_spec spec = {PROCESS_SPEC_NONE, .argv = version};
	if (!process_run(&spec, STR_NONE, OUTPUT_MAX, PROGRAM_MS, &o, &e))
		finding(w, "sandbox", "bad", "apt install bubblewrap", "bubblewrap is not there");
	else if (run(argv, &line, &why))
		finding(w, "sandbox", "ok", NULL, "bubblewrap starts a program");
	else
		finding(w, "sandbox", "bad",
		        "allow user namespaces here; in a container, run it with fewer limits",
		        "bubblewrap cannot start a program: %s", why.p ? why.p : "no reason given");
}

static void check_cgroup(struct jsonw *w) {
	AUTO_BUF folder = {0}, name = {0};
	buf_printf(&name, "weir-doctor-%d", (int)getpid());
	if (!tree_make(name.p, &folder)) {
		finding(w, "cgroup", "warn",
		        "give weir a cgroup of its own: run it as root, or under systemd with Delegate=yes",
		        "none that weir may use: memory and processes of a job are limited less exactly");
		return;
	}
	bool second = file_exists("/sys/fs/cgroup/cgroup.controllers") ||
	              str_contains(buf_view(&folder), STR("/unified/"));
	finding(w, "cgroup", "ok", NULL, "version %d, below %s", second ? 2 : 1, folder.p);
	tree_remove(folder.p);
}

static void check_overlay(struct jsonw *w) {
	AUTO_BUF text = {0};
	struct err ignored;
	bool known = file_read("/proc/filesystems", OUTPUT_MAX, &text, &ignored) &&
	             str_contains(buf_view(&text), STR("\toverlay\n"));
	if (known) finding(w, "overlay", "ok", NULL, "the kernel has it");
	else
		finding(
			w, "overlay", "warn", "modprobe overlay",
			"the kernel has not loaded it: workspaces are copied, or it is loaded on first use");
}

// The device is what may be missing: in a container, or closed to ordinary users.
static void check_tracing(struct jsonw *w) {
	AUTO_FD device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (device >= 0) {
		finding(w, "tracing", "ok", NULL, "what a job reads is recorded (FUSE)");
		return;
	}
	finding(w, "tracing", "warn",
	        errno == EACCES || errno == EPERM ? "chmod 666 /dev/fuse, or run weir as root"
	                                          : "modprobe fuse; in a container, give it /dev/fuse",
	        "cannot open /dev/fuse (%s): a verdict holds for its whole tree only", strerror(errno));
}

static void check_disk(struct jsonw *w, const char *folder) {
	uint64_t free_bytes, total;
	struct err e = {0};
	AUTO_BUF free_text = {0};
	if (!file_space(folder, &free_bytes, &total, &e)) {
		finding(w, "disk", "warn", NULL, "%s", e.text);
		return;
	}
	unsigned percent = total ? (unsigned)(free_bytes * 100 / total) : 0;
	grid_size(&free_text, (int64_t)free_bytes);
	bool scarce = percent < 10 || free_bytes < (uint64_t)2 << 30;
	finding(w, "disk", scarce ? "warn" : "ok",
	        scarce ? "make room: below 5 % free weir stops jobs" : NULL, "%s free, %u %%",
	        free_text.p, percent);
}

static void check_clock(struct jsonw *w) {
	struct timex t = {0};
	int state = adjtimex(&t);
	if (state >= 0 && !(t.status & STA_UNSYNC)) finding(w, "clock", "ok", NULL, "synchronised");
	else
		finding(w, "clock", "warn", "timedatectl set-ntp true, or synchronise the host",
		        "nobody says that it is synchronised: times in reports may be wrong");
}

void doctor_examine(const char *folder, struct buf *json) {
	struct jsonw w = jsonw_to(json);
	jsonw_object(&w);
	jsonw_key(&w, "findings");
	jsonw_array(&w);
	check_git(&w);
	check_namespaces(&w);
	check_sandbox(&w);
	check_cgroup(&w);
	check_overlay(&w);
	check_tracing(&w);
	check_program(&w, "haproxy", "-v", "bad", "no environment can be switched");
	check_program(&w, "slirp4netns", "--version", "warn", "jobs with network: true cannot run");
	check_disk(&w, folder);
	check_clock(&w);
	jsonw_array_end(&w);
	jsonw_object_end(&w);
}

// ---- the command

// How many errors there are.
static size_t show(const struct json *list, struct ink *out) {
	size_t errors = 0;
	for (size_t i = 0; i < json_length(list); i++) {
		const struct json *f = json_at(list, i);
		struct str state = json_get_str(f, "level"), next = json_get_str(f, "next");
		bool error = str_eq(state, STR("bad")), ok = str_eq(state, STR("ok"));
		errors += error;
		ink_glyph(out,
		          error ? INK_BAD
		          : ok  ? INK_GOOD
		                : INK_WARN,
		          error ? INK_FAIL
		          : ok  ? INK_OK
		                : INK_ATTENTION);
		ink_to(out, out->utf8 ? 2 : 5);
		ink_fit(out, INK_PLAIN, json_get_str(f, "what"), 16);
		ink_put(out, INK_PLAIN, " ");
		ink_str(out, error ? INK_BAD : INK_PLAIN, json_get_str(f, "text"));
		ink_end(out);
		if (!next.n) continue;
		ink_to(out, out->utf8 ? 19 : 22);
		ink_put(out, INK_HEAD, STR_FMT, STR_ARG(next));
		ink_end(out);
	}
	return errors;
}

static bool ask_server(struct cli *cli, struct buf *body, const char **url, struct err *e) {
	struct remote *r = NULL;
	const char *next = NULL;
	struct str none[OPERATION_PARAMS_MAX] = {0};
	*url = "";
	if (!remote_open(cli->life, &r, e)) return false;
	*url = remote_url(r);
	bool ok = remote_ask(r, OPERATION_DOCTOR, none, body, &next, e);
	remote_close(r);
	return ok;
}

static int run_doctor(struct cli *cli) {
	AUTO_BUF here = {0}, there = {0};
	AUTO_JSON local = NULL;
	AUTO_JSON server = NULL;
	struct err e = {0}, why = {0};
	const char *url;
	doctor_examine(".", &here);
	if (!json_parse(buf_view(&here), &local, &e)) return cli_fail(cli, &e, NULL);
	bool answered = ask_server(cli, &there, &url, &why) &&
	                json_parse(buf_view(&there), &server, &why);
	AUTO_INK out = cli_ink(cli);
	AUTO_INK json = {0};
	ink_put(&out, INK_QUIET, "This machine");
	ink_end(&out);
	size_t errors = show(json_get(local, "findings"), &out);
	ink_end(&out);
	if (answered) {
		ink_put(&out, INK_QUIET, "The server at %s", url);
		ink_end(&out);
		errors += show(json_get(server, "findings"), &out);
	} else {
		ink_glyph(&out, INK_QUIET, INK_WAITS);
		ink_put(&out, INK_PLAIN, " %s", why.text);
		ink_end(&out);
	}
	if (cli_has(cli, "json")) {
		buf_printf(&json.out, "{\"local\":");
		json_print(&json.out, local);
		buf_printf(&json.out, ",\"server\":");
		if (answered) json_print(&json.out, server);
		else buf_cstr(&json.out, "null");
		buf_cstr(&json.out, "}\n");
	}
	cli_print(cli_has(cli, "json") ? &json : &out);
	return errors ? 1 : 0;
}

static const struct args_option options[] = {CLI_OPTION_JSON, {0}};

const struct cli_command doctor_commands[] = {
	{.name = "doctor",
     .words = "",
     .brief = "Say what on this machine and on the server's helps or hinders weir",
     .group = CLI_GROUP_SERVER,
     .options = options,
     .about = "Exits with 1 when something is missing that weir cannot work without.",
     .run = run_doctor},
	{0},
};
