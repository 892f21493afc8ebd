#include "exec/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/etc.h"
#include "os/file.h"

enum { NAME_MAX_BYTES = 64 };

static bool failed(struct err *e, const char *what, const char *name) {
	return err_set(e, file_write_code(errno), "cannot %s %s: %s", what, name, strerror(errno));
}

static void name_in_root(char out[NAME_MAX_BYTES], const char *path) {
	snprintf(out, NAME_MAX_BYTES, ROOT_FOLDER "%s", path);
}

static bool make_folder(const char *path, struct err *e) {
	char to[NAME_MAX_BYTES];
	name_in_root(to, path);
	return mkdir(to, 0755) == 0 || failed(e, "create", to);
}

static bool make_link(const char *target, const char *path, struct err *e) {
	char to[NAME_MAX_BYTES];
	name_in_root(to, path);
	return symlink(target, to) == 0 || failed(e, "create", to);
}

static bool make_file(const char *path, struct err *e) {
	char to[NAME_MAX_BYTES];
	name_in_root(to, path);
	AUTO_FD fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd >= 0 || failed(e, "create", to);
}

// With all that is mounted below; the attributes hold for that, too (mount_setattr(2), Linux 5.12).
static bool bind_at(const char *from, const char *path, uint64_t attributes, struct err *e) {
	char to[NAME_MAX_BYTES];
	struct mount_attr attr = {.attr_set = attributes};
	name_in_root(to, path);
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL)) return failed(e, "bind", from);
	if (mount_setattr(AT_FDCWD, to, AT_RECURSIVE, &attr, sizeof attr))
		return failed(e, "restrict", from);
	return true;
}

static bool bind_read_only(const char *from, const char *path, struct err *e) {
	return bind_at(from, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, e);
}

// /usr and what points into it; on a system that is not merged, the folders themselves.
static bool put_system(struct err *e) {
	static const char *const names[] = {"/usr",   "/bin",    "/sbin", "/lib", "/lib32",
	                                    "/lib64", "/libx32", "/opt",  "/nix"};
	enum { ROOT_LINKS = 7 }; // those may point into /usr; what /opt points to is bound in its place
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct stat st;
		char target[256];
		if (lstat(names[i], &st)) continue;
		bool ok, merged = S_ISLNK(st.st_mode) && i < ROOT_LINKS;
		ssize_t n = merged ? readlink(names[i], target, sizeof target) : -1;
		if (n == (ssize_t)sizeof target)
			return err_set(e, ERR_UNSUPPORTED, "%s is too long a link", names[i]);
		if (n > 0) {
			target[n] = 0;
			ok = make_link(target, names[i], e);
		} else {
			ok = make_folder(names[i], e) && bind_read_only(names[i], names[i], e);
		}
		if (!ok) return false;
	}
	return true;
}

static bool put_etc(const struct exec_spec *spec, struct err *e) {
	if (!make_folder("/etc", e)) return false;
	if (spec->etc.n) return bind_read_only(spec->etc.p, "/etc", e);
	return etc_fill(ROOT_FOLDER "/etc", e) || err_context(e, "the sandbox's /etc");
}

static bool put_devices(struct err *e) {
	static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
	                                      "/dev/random", "/dev/urandom", "/dev/tty"};
	static const char *const links[][2] = {
		{"/proc/self/fd", "/dev/fd"},       {"/proc/self/fd/0", "/dev/stdin"},
		{"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
		{"/proc/kcore", "/dev/core"},       {"pts/ptmx", "/dev/ptmx"},
	};
	if (!make_folder("/dev", e) || !make_folder("/dev/shm", e) || !make_folder("/dev/pts", e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		if (!make_file(devices[i], e) ||
		    !bind_at(devices[i], devices[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, e))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (!make_link(links[i][0], links[i][1], e)) return false;
	if (mount("devpts", ROOT_FOLDER "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
	          "newinstance,ptmxmode=0666,mode=620"))
		return failed(e, "mount", "/dev/pts");
	return true;
}

bool root_build(const struct exec_spec *spec, const char *inner, struct err *e) {
	static const char *const empty[] = {"/proc",     "/tmp", "/var",         "/var/tmp", "/home",
	                                    "/home/job", "/run", "/run/secrets", "/work"};
	if (!make_folder("", e)) return false;
	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		if (!make_folder(empty[i], e)) return false;
	const char *resolv = spec->network ? ETC_RESOLV_NETWORK : ETC_RESOLV_NONE;
	return put_system(e) && put_etc(spec, e) && put_devices(e) &&
	       make_link(resolv, ETC_RESOLV_LINK, e) && make_file("/run/weir-inner", e) &&
	       bind_read_only(inner, "/run/weir-inner", e);
}
