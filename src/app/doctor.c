#include "app/doctor.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/jsonw.h"
#include "os/file.h"
#include "os/process.h"

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_BAD };

struct doctor {
	struct jsonw json;
	struct arena life;
	bool bad;
};

static void say(struct doctor *d, const char *what, enum level level, struct str text,
                const char *next) {
	static const char *const names[] = {"ok", "warn", "bad"};
	d->bad = d->bad || level == LEVEL_BAD;
	jsonw_object(&d->json);
	jsonw_key_z(&d->json, "level", names[level]);
	jsonw_key_z(&d->json, "next", level == LEVEL_OK ? NULL : next);
	jsonw_key_s(&d->json, "text", text);
	jsonw_key_z(&d->json, "what", what);
	jsonw_object_end(&d->json);
}

// The first line that a program prints, or STR_NONE when it can't be run or says no.
static struct str first_line(struct doctor *d, const char *const *argv) {
	AUTO_OUTPUT out = {0};
	struct err e;
	struct process_spec spec = {.argv = argv, PROCESS_SPEC_NONE, .die_with_parent = true};
	if (!process_run(&spec, STR_NONE, 1 << 20, 10000, &out, &e) ||
	    out.status.end != PROCESS_EXITED || out.status.code)
		return STR_NONE;
	struct str all = str_trim(buf_view(&out.out));
	if (!all.n) return STR("works");
	return arena_str(&d->life, str_cut(&all, '\n'));
}

static void program(struct doctor *d, const char *name, const char *option, enum level without,
                    const char *next) {
	const char *const argv[] = {name, option, NULL};
	struct str line = first_line(d, argv);
	say(d, name, line.n ? LEVEL_OK : without,
	    line.n ? line : STR("is not installed or does not start"), next);
}

static void sandbox(struct doctor *d) {
	const char *const argv[] = {
		"bwrap", "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "true", NULL};
	bool works = first_line(d, argv).n > 0;
	say(d, "user namespaces", works ? LEVEL_OK : LEVEL_BAD,
	    works ? STR("a sandbox can be made") : STR("bubblewrap cannot make a sandbox"),
	    "allow them: sysctl -w kernel.unprivileged_userns_clone=1 (or user.max_user_namespaces)");
}

static void cgroups(struct doctor *d) {
	bool v2 = file_exists("/sys/fs/cgroup/cgroup.controllers");
	bool v1 = file_exists("/sys/fs/cgroup/memory");
	bool may = access(v2 ? "/sys/fs/cgroup/cgroup.subtree_control" : "/sys/fs/cgroup/memory",
	                  W_OK) == 0;
	struct str text = v2 ? STR("version 2") : v1 ? STR("version 1") : STR("none");
	say(d, "cgroups", may ? LEVEL_OK : LEVEL_WARN,
	    may ? text
	        : arena_printf(&d->life, STR_FMT ", not writable: jobs get limits by rlimits only",
	                       STR_ARG(text)),
	    "run weir by its systemd unit (Delegate=yes), or as root");
}

static void overlay(struct doctor *d) {
	AUTO_BUF text = {0};
	struct err e;
	bool has = file_read("/proc/filesystems", 1 << 16, &text, &e) &&
	           str_contains(buf_view(&text), STR("overlay"));
	say(d, "overlayfs", has ? LEVEL_OK : LEVEL_BAD,
	    has ? STR("the kernel has it") : STR("the kernel does not have it"), "modprobe overlay");
}

static void disk(struct doctor *d, const char *data) {
	uint64_t room = 0, total = 0;
	struct err e;
	if (!file_space(data, &room, &total, &e) || !total) return;
	uint64_t percent = room * 100 / total;
	say(d, "disk",
	    percent >= 10  ? LEVEL_OK
	    : percent >= 5 ? LEVEL_WARN
	                   : LEVEL_BAD,
	    arena_printf(&d->life, "%llu GB of %llu GB are free (%llu %%)",
	                 (unsigned long long)(room >> 30), (unsigned long long)(total >> 30),
	                 (unsigned long long)percent),
	    "runs are stopped below 5 %: free some, or weir collect");
}

static void kernel(struct doctor *d) {
	struct utsname u;
	if (uname(&u)) return;
	say(d, "kernel", LEVEL_OK,
	    arena_printf(&d->life, "%s %s, %s", u.sysname, u.release,
	                 geteuid() ? "an ordinary user" : "root"),
	    NULL);
}

void doctor_look(const char *data, struct buf *out) {
	struct doctor d = {.json = jsonw_to(out)};
	jsonw_object(&d.json);
	jsonw_key(&d.json, "findings");
	jsonw_array(&d.json);
	kernel(&d);
	program(&d, "git", "--version", LEVEL_BAD, "apt-get install git");
	program(&d, "bwrap", "--version", LEVEL_BAD, "apt-get install bubblewrap");
	sandbox(&d);
	overlay(&d);
	cgroups(&d);
	program(&d, "haproxy", "-v", LEVEL_WARN,
	        "apt-get install haproxy (needed by environments with a service)");
	program(&d, "slirp4netns", "--version", LEVEL_WARN,
	        "apt-get install slirp4netns (needed by jobs with network: true)");
	disk(&d, data);
	jsonw_array_end(&d.json);
	jsonw_key_b(&d.json, "ok", !d.bad);
	jsonw_object_end(&d.json);
	arena_free(&d.life);
}
