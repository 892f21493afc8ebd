#include "exec/toolchain.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "os/file.h"

enum { VERSION = 1, PACKAGES_MAX = 256 << 20, DEPTH_MAX = 100 };

static void add_stat(struct hash *h, const char *path, const struct stat *st) {
	hash_add_str(h, str_of(path));
	hash_add_u64(h, (uint64_t)st->st_mode);
	hash_add_u64(h, S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size);
	hash_add_u64(h, (uint64_t)st->st_mtim.tv_sec);
	hash_add_u64(h, (uint64_t)st->st_mtim.tv_nsec);
}

// Names in sorted order, so that the digest does not depend on how the file system stores them. A
// folder is in by its path and mode only: its time changes when a file comes and goes again.
static bool add_folder(struct hash *h, const char *path, int depth, struct err *e) {
	AUTO_ARENA names_life = {0};
	struct str *names;
	size_t count;
	struct err ignored = {0};
	if (depth > DEPTH_MAX) return true;
	if (!file_list(path, &names_life, &names, &count, &ignored))
		return true; // not ours to read: nor a job's
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		struct str below = arena_printf(&names_life, "%s/" STR_FMT, path, STR_ARG(names[i]));
		if (lstat(below.p, &st)) continue;
		if (S_ISDIR(st.st_mode)) {
			hash_add_str(h, below);
			if (!add_folder(h, below.p, depth + 1, e)) return false;
		} else {
			add_stat(h, below.p, &st);
		}
	}
	return true;
}

// A folder to walk through, or a file.
static bool add_top(struct hash *h, const char *path, struct err *e) {
	struct stat st;
	hash_add_str(h, str_of(path));
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) add_stat(h, path, &st);
	return add_folder(h, path, 0, e);
}

// What is cheap to look at and changes with nearly every change.
static struct digest signature(const struct toolchain_paths *p) {
	struct hash h;
	struct stat st;
	char path[4096];
	hash_begin(&h);
	hash_add_u64(&h, VERSION);
	if (!p->no_packages && stat(p->packages, &st) == 0) {
		add_stat(&h, p->packages, &st);
		hash_add_u64(&h, (uint64_t)st.st_ino);
	}
	for (size_t i = 0; p->folders[i]; i++)
		for (size_t k = 0; p->inside[k]; k++) {
			snprintf(path, sizeof path, "%s%s", p->folders[i], p->inside[k]);
			if (stat(path, &st) == 0) add_stat(&h, path, &st);
		}
	return hash_end(&h);
}

static bool from_cache(const char *cache, struct digest sign, int64_t now_ms, struct digest *out) {
	AUTO_BUF text = {0};
	struct digest seen;
	int64_t made_ms;
	if (!cache || !file_read(cache, 400, &text, NULL)) return false;
	struct str rest = str_trim(buf_view(&text));
	if (!digest_parse(str_cut(&rest, ' '), &seen) || !str_to_i64(str_cut(&rest, ' '), &made_ms))
		return false;
	return digest_eq(seen, sign) && now_ms >= made_ms && now_ms - made_ms < TOOLCHAIN_CACHE_MS &&
	       digest_parse(rest, out);
}

static void to_cache(const char *cache, struct digest sign, int64_t now_ms, struct digest id) {
	char seen[DIGEST_HEX + 1], hex[DIGEST_HEX + 1];
	AUTO_BUF text = {0};
	struct err unused;
	if (!cache) return;
	digest_hex(sign, seen);
	digest_hex(id, hex);
	buf_printf(&text, "%s %lld %s\n", seen, (long long)now_ms, hex);
	(void)!file_replace(cache, buf_view(&text), 0600, &unused);
}

static struct toolchain_paths with_defaults(struct toolchain_paths p) {
	static const char *const folders[] = {"/usr/local", "/opt", NULL};
	static const char *const inside[] = {"", "/bin", "/sbin", "/lib", "/include", "/share", NULL};
	if (!p.packages) p.packages = "/var/lib/dpkg/status";
	if (!p.folders) p.folders = folders;
	if (!p.inside) p.inside = inside;
	return p;
}

bool toolchain_id(const struct toolchain_paths *given, const char *cache, int64_t now_ms,
                  struct digest *out, struct err *e) {
	struct toolchain_paths p = with_defaults(*given);
	struct utsname machine;
	AUTO_BUF packages = {0};
	struct hash h;
	struct digest sign = signature(&p);
	if (from_cache(cache, sign, now_ms, out)) return true;
	if (uname(&machine)) return err_set(e, ERR_IO, "cannot tell the machine: %s", strerror(errno));
	bool known = !p.no_packages && file_read(p.packages, PACKAGES_MAX, &packages, e);
	if (!known && !p.no_packages && e->code != ERR_NOT_FOUND) return false;
	hash_begin(&h);
	hash_add_u64(&h, VERSION);
	hash_add_str(&h, str_of(machine.machine));
	hash_add_u64(&h, known);
	hash_add_str(&h, buf_view(&packages));
	for (size_t i = 0; p.folders[i]; i++)
		if (!add_top(&h, p.folders[i], e)) return false;
	*out = hash_end(&h);
	to_cache(cache, sign, now_ms, *out);
	return true;
}
