#include "exec/etc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/toolchain.h"
#include "os/file.h"

enum { FILE_BYTES_MAX = 16 << 20, DEPTH_MAX = 20, UNUSED_DAYS = 7, DAY_S = 24 * 3600 };

static const struct {
	const char *name, *text;
} written[] = {
	{"passwd", "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
               "job:x:61000:61000:job:/home/job:/bin/sh\n"
               "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"},
	{"group", "root:x:0:\njob:x:61000:\nnogroup:x:65534:\n"},
	{"hostname", "weir\n"},
	{"hosts", "127.0.0.1 localhost weir\n::1 localhost ip6-localhost\n"},
	{"nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"
                      "protocols: files\nrpc: files\nethers: files\n"},
	{"shells", "/bin/sh\n/bin/bash\n"},
	{"resolv.network", "nameserver 10.0.2.3\n"}, // slirp4netns answers there
	{"resolv.none", ""},
};
static const struct {
	const char *name, *target;
} linked[] = {{"mtab", "/proc/self/mounts"}, {"resolv.conf", ETC_RESOLV_LINK}};

// Files and folders of the host, in sorted order.
static const char *const copied[] = {
	"/etc/alternatives",
	"/etc/ca-certificates",
	"/etc/crypto-policies",
	"/etc/debian_version",
	"/etc/erlang",
	"/etc/ethertypes",
	"/etc/fonts",
	"/etc/gai.conf",
	"/etc/ghc",
	"/etc/gradle",
	"/etc/host.conf",
	"/etc/java-11-openjdk",
	"/etc/java-17-openjdk",
	"/etc/java-21-openjdk",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/locale.alias",
	"/etc/lsb-release",
	"/etc/magic",
	"/etc/maven",
	"/etc/mime.types",
	"/etc/networks",
	"/etc/os-release",
	"/etc/perl",
	"/etc/php",
	"/etc/pki",
	"/etc/protocols",
	"/etc/python3",
	"/etc/python3.11",
	"/etc/rpc",
	"/etc/services",
	"/etc/sgml",
	"/etc/ssl/certs",
	"/etc/ssl/openssl.cnf",
	"/etc/terminfo",
	"/etc/texmf",
	"/etc/xml",
	NULL,
};

static bool failed(struct err *e, const char *what, const char *path) {
	return err_set(e, file_write_code(errno), "cannot %s %s: %s", what, path, strerror(errno));
}

// ---------------------------------------------------------------- filling

static bool put_file(const char *path, struct str bytes, mode_t mode, struct err *e) {
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode)) return failed(e, "create", path);
	return file_write_all(fd, bytes, e) || err_context(e, "%s", path);
}

static bool copy(const char *from, const char *to, int depth, struct err *e);

static bool copy_folder(const char *from, const char *to, int depth, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct str *names;
	size_t count;
	if (depth > DEPTH_MAX || !file_list(from, &scratch, &names, &count, NULL)) return true;
	if (mkdir(to, 0755) || chmod(to, 0755)) return failed(e, "create", to);
	for (size_t i = 0; i < count; i++)
		if (!copy(arena_printf(&scratch, "%s/" STR_FMT, from, STR_ARG(names[i])).p,
		          arena_printf(&scratch, "%s/" STR_FMT, to, STR_ARG(names[i])).p, depth + 1, e))
			return false;
	return true;
}

static bool copy_link(const char *from, const char *to, struct err *e) {
	char target[4096];
	ssize_t n = readlink(from, target, sizeof target - 1);
	if (n <= 0) return true;
	target[n] = 0;
	return symlink(target, to) == 0 || failed(e, "link", to);
}

// What is missing, not ours to read or gone meanwhile is left out: a job that needs it says so.
static bool copy(const char *from, const char *to, int depth, struct err *e) {
	struct stat st;
	AUTO_BUF bytes = {0};
	// The links in /etc itself point to where the file really is; deeper ones stay links.
	if (depth ? lstat(from, &st) : stat(from, &st)) return true;
	if (S_ISLNK(st.st_mode)) return copy_link(from, to, e);
	if (S_ISDIR(st.st_mode)) return copy_folder(from, to, depth, e);
	if (!S_ISREG(st.st_mode) || !file_read(from, FILE_BYTES_MAX, &bytes, NULL)) return true;
	return put_file(to, buf_view(&bytes), st.st_mode & 0111 ? 0755 : 0644, e);
}

bool etc_fill(const char *folder, struct err *e) {
	AUTO_ARENA scratch = {0};
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		if (!put_file(arena_printf(&scratch, "%s/%s", folder, written[i].name).p,
		              str_of(written[i].text), 0644, e))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(linked); i++) {
		struct str to = arena_printf(&scratch, "%s/%s", folder, linked[i].name);
		if (symlink(linked[i].target, to.p)) return failed(e, "create", to.p);
	}
	struct str ssl = arena_printf(&scratch, "%s/ssl", folder);
	if (mkdir(ssl.p, 0755) || chmod(ssl.p, 0755)) return failed(e, "create", ssl.p);
	for (size_t i = 0; copied[i]; i++) {
		struct str to = arena_printf(&scratch, "%s%s", folder, copied[i] + strlen("/etc"));
		if (!copy(copied[i], to.p, 0, e)) return false;
	}
	return true;
}

// ---------------------------------------------------------------- the cache

// Another text above must give another copy, too.
static struct digest own_part(void) {
	struct hash h;
	hash_begin(&h);
	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		hash_add_str(&h, str_of(written[i].name));
		hash_add_str(&h, str_of(written[i].text));
	}
	for (size_t i = 0; i < ARRAY_LEN(linked); i++) hash_add_str(&h, str_of(linked[i].target));
	return hash_end(&h);
}

static bool identify(const char *cache, int64_t now_ms, struct arena *life, struct digest *out,
                     struct err *e) {
	static const char *const tops[] = {"", NULL};
	struct toolchain_paths paths = {.folders = copied, .inside = tops, .no_packages = true};
	struct digest host, own = own_part();
	struct hash h;
	if (!toolchain_id(&paths, arena_printf(life, "%s/seen", cache).p, now_ms, &host, e))
		return false;
	hash_begin(&h);
	hash_add(&h, own.b, sizeof own.b);
	hash_add(&h, host.b, sizeof host.b);
	*out = hash_end(&h);
	return true;
}

static void remove_unused(const char *cache, const char *keep, int64_t now_ms) {
	AUTO_ARENA scratch = {0};
	struct str *names;
	size_t count;
	struct err ignored;
	if (!file_list(cache, &scratch, &names, &count, NULL)) return;
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		struct str path = arena_printf(&scratch, "%s/" STR_FMT, cache, STR_ARG(names[i]));
		if (lstat(path.p, &st) || !S_ISDIR(st.st_mode) || strcmp(path.p, keep) == 0) continue;
		if (now_ms / 1000 - st.st_mtim.tv_sec > (int64_t)UNUSED_DAYS * DAY_S)
			(void)!file_remove_tree(path.p, &ignored);
	}
}

static bool make(const char *cache, const char *folder, struct err *e) {
	AUTO_BUF fresh = {0};
	buf_printf(&fresh, "%s/new-XXXXXX", cache);
	if (!mkdtemp(fresh.p)) return failed(e, "create", fresh.p);
	bool ok = chmod(fresh.p, 0755) == 0 && etc_fill(fresh.p, e);
	if (ok && rename(fresh.p, folder) == 0) return true;
	struct err ignored;
	bool other_was_faster = ok && (errno == EEXIST || errno == ENOTEMPTY);
	if (ok && !other_was_faster) ok = failed(e, "rename", fresh.p);
	(void)!file_remove_tree(fresh.p, &ignored);
	return ok;
}

bool etc_prepare(const char *cache, int64_t now_ms, struct arena *life, struct str *folder,
                 struct err *e) {
	struct digest id;
	struct stat st;
	char hex[DIGEST_HEX + 1];
	if (!file_exists(cache) && !file_make_folders(cache, 0755, e)) return false;
	if (!identify(cache, now_ms, life, &id, e)) return false;
	digest_hex(id, hex);
	*folder = arena_printf(life, "%s/%.32s", cache, hex);
	if (stat(folder->p, &st)) {
		if (!make(cache, folder->p, e)) return err_context(e, "the sandbox's /etc");
		remove_unused(cache, folder->p, now_ms);
	} else if (now_ms / 1000 - st.st_mtim.tv_sec > DAY_S) {
		(void)!utimensat(AT_FDCWD, folder->p, NULL, 0); // still in use
	}
	return true;
}
