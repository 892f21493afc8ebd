#include "exec/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/root.h"
#include "os/file.h"

#define WORK ROOT_FOLDER "/work"
#define VIEW "view"

static bool failed(struct err *e, const char *what, const char *name) {
	return err_set(e, file_write_code(errno), "cannot %s %s: %s", what, name, strerror(errno));
}

static bool put_file(const char *path, const char *text, struct err *e) {
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) return failed(e, "create", path);
	return file_write_all(fd, str_of(text), e) || err_context(e, "%s", path);
}

static bool own_namespaces(struct err *e) {
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];
	if (uid == 0) {
		if (unshare(CLONE_NEWNS)) return failed(e, "make", "a mount namespace");
	} else {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) return failed(e, "make", "a user namespace");
		if (!put_file("/proc/self/setgroups", "deny", e)) return false;
		snprintf(map, sizeof map, "%u %u 1", uid, uid);
		if (!put_file("/proc/self/uid_map", map, e)) return false;
		snprintf(map, sizeof map, "%u %u 1", gid, gid);
		if (!put_file("/proc/self/gid_map", map, e)) return false;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return failed(e, "detach", "the mounts");
	return true;
}

static bool is_below(struct str path, const char *folder) {
	size_t n = strlen(folder);
	return str_eq(path, str_of(folder)) ||
	       (str_starts(path, str_of(folder)) && str_starts(str_from(path, n), STR("/")));
}

// A folder that is there on every machine and hides nothing this run needs when a tmpfs covers it.
static const char *pick_spot(const struct exec_spec *spec, const char *run, const char *inner) {
	static const char *const spots[] = {"/mnt", "/media", "/srv", "/var/tmp", "/home", "/tmp"};
	for (size_t i = 0; i < ARRAY_LEN(spots); i++) {
		struct stat st;
		bool free = lstat(spots[i], &st) == 0 && S_ISDIR(st.st_mode) &&
		            !is_below(str_of(run), spots[i]) && !is_below(str_of(inner), spots[i]) &&
		            !is_below(spec->etc, spots[i]);
		for (size_t k = 0; free && k < spec->lowers.n; k++)
			free = !is_below(spec->lowers.p[k], spots[i]);
		for (size_t k = 0; free && k < spec->mounts.n; k++)
			free = !is_below(spec->mounts.p[k].value, spots[i]);
		if (free) return spots[i];
	}
	return NULL;
}

// ---------------------------------------------------------------- the overlay

// Relative names keep the option string short (the kernel takes a page) and free of ':' and ','.
static void put_layers(size_t from, size_t to, struct buf *out) {
	for (size_t i = from; i < to; i++) buf_printf(out, "%sl%zu", i > from ? ":" : "", i);
}

// The layers `from` to `to` as one folder, and the view of it. A machine without FUSE goes without.
static bool mount_view(size_t from, size_t to, const char *run, struct stage *stage,
                       struct err *e) {
	AUTO_BUF tree = {0}, record = {0};
	put_layers(from, to, &tree);
	if (to - from > 1) {
		AUTO_BUF options = {0};
		buf_printf(&options, "userxattr,index=off,lowerdir=%s", tree.p);
		if (mkdir("tree", 0755)) return failed(e, "create", "tree");
		if (mount("overlay", "tree", "overlay", MS_NODEV | MS_NOSUID | MS_RDONLY, options.p))
			return failed(e, "mount", "the tree (overlayfs)");
		buf_reset(&tree);
		buf_cstr(&tree, "tree");
	}
	buf_printf(&record, "%s/" TRACE_RECORD, run);
	if (mkdir(VIEW, 0755)) return failed(e, "create", VIEW);
	if (trace_start(tree.p, VIEW, record.p, &stage->trace, e)) return true;
	if (e->code != ERR_UNSUPPORTED) return false;
	snprintf(stage->untraced, sizeof stage->untraced, "%.159s", e->text);
	return true;
}

static bool mount_overlay(const struct exec_spec *spec, const char *run, struct stage *stage,
                          struct err *e) {
	AUTO_BUF options = {0};
	char name[32], path[4096];
	size_t traced = (size_t)spec->traced, others = spec->lowers.n - traced;
	for (size_t i = 0; i < spec->lowers.n; i++) {
		struct stat st;
		if (stat(spec->lowers.p[i].p, &st) || !S_ISDIR(st.st_mode))
			return err_set(e, ERR_NOT_FOUND, "layer %s is not there", spec->lowers.p[i].p);
		snprintf(name, sizeof name, "l%zu", i);
		if (symlink(spec->lowers.p[i].p, name)) return failed(e, "name the layer", name);
	}
	if (traced && !mount_view(others, spec->lowers.n, run, stage, e)) return false;
	buf_cstr(&options, "userxattr,volatile,index=off,lowerdir=");
	if (stage->trace.pid) {
		put_layers(0, others, &options);
		buf_printf(&options, "%s" VIEW, others ? ":" : "");
	} else {
		put_layers(0, spec->lowers.n, &options);
	}
	snprintf(path, sizeof path, "%s/upper", run);
	if (mkdir(path, 0755) || symlink(path, "upper")) return failed(e, "create", path);
	if (geteuid() == 0 && chown(path, STAGE_UID, STAGE_UID)) return failed(e, "give away", path);
	snprintf(path, sizeof path, "%s/work", run);
	if (mkdir(path, 0700) || symlink(path, "upper.work")) return failed(e, "create", path);
	buf_cstr(&options, ",upperdir=upper,workdir=upper.work");
	if (mount("overlay", WORK, "overlay", MS_NODEV | MS_NOSUID, options.p))
		return failed(e, "mount", "the workspace (overlayfs)");
	return true;
}

bool stage_enter(const struct exec_spec *spec, const char *run, const char *inner,
                 struct arena *life, struct stage *out, struct err *e) {
	const char *spot = pick_spot(spec, run, inner);
	if (!spot) return err_set(e, ERR_IO, "no folder is free to put the sandbox together");
	if (!own_namespaces(e)) return false;
	umask(022);
	if (mount("weir", spot, "tmpfs", MS_NODEV | MS_NOSUID, "mode=0755,size=256m"))
		return failed(e, "mount a tmpfs at", spot);
	if (mount(NULL, spot, NULL, MS_SHARED, NULL)) return failed(e, "share", spot);
	if (chdir(spot)) return failed(e, "enter", spot);
	if (!root_build(spec, inner, e)) return false;
	out->folder = arena_cstr(life, str_of(spot));
	out->work = -1;
	return true;
}

// One step down, made if missing; never through a link, for the tree is the change's own.
static int step_into(int folder, const char *name, struct err *e) {
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	                                  RESOLVE_NO_MAGICLINKS};
	bool made = mkdirat(folder, name, 0755) == 0;
	if (made && geteuid() == 0 &&
	    fchownat(folder, name, STAGE_UID, STAGE_UID, AT_SYMLINK_NOFOLLOW)) {
		failed(e, "give away", name);
		return -1;
	}
	int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
	if (fd >= 0) return fd;
	if (errno == ELOOP || errno == ENOTDIR)
		err_set(e, ERR_CONFLICT, "a cache lies in \"%s\", which the tree has as %s", name,
		        errno == ELOOP ? "a link" : "no folder");
	else failed(e, "enter", name);
	return -1;
}

// open_tree(2), move_mount(2): onto the very folder that was found, whatever its path leads to.
static bool mount_cache(struct str path, const char *cache, struct err *e) {
	char name[NAME_MAX + 1];
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	AUTO_FD at = open(WORK, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD tree = open_tree(AT_FDCWD, cache, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (at < 0 || tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr))
		return failed(e, "bind", cache);
	while (path.p) {
		struct str part = str_cut(&path, '/');
		if (!part.n || str_eq(part, STR("."))) continue;
		if (part.n > NAME_MAX) return err_set(e, ERR_CONFLICT, "the path of a cache is too long");
		memcpy(name, part.p, part.n);
		name[part.n] = 0;
		int next = step_into(at, name, e);
		if (next < 0) return false;
		close(at);
		at = next;
	}
	if (move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return failed(e, "mount the cache", cache);
	return true;
}

bool stage_mount_work(const struct exec_spec *spec, const char *run, struct stage *stage,
                      struct err *e) {
	if (!mount_overlay(spec, run, stage, e)) return false;
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (!mount_cache(spec->mounts.p[i].name, spec->mounts.p[i].value.p, e)) return false;
	stage->work = open(WORK, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return stage->work >= 0 || failed(e, "open", "the workspace");
}
