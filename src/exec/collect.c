#include "exec/collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/jsonw.h"
#include "os/file.h"

enum { BLOCK = 1 << 18, LINK_MAX_BYTES = 4096, DEPTH_MAX = 128 };

struct walk {
	int work;
	const char *into;
	struct exec_strs patterns;
	bool *matched; // by pattern
	struct collect_limits limits;
	const struct mask *mask;
	struct arena *life;
	struct collect_found found;
	size_t cap;
	struct str *seen;
	size_t seen_n, seen_cap;
	enum collect_fault *fault;
	struct err *e;
};

static bool refuse(struct walk *w, enum collect_fault fault, const char *format, struct str path) {
	*w->fault = fault;
	return err_set(w->e, ERR_INVALID, "%s: " STR_FMT, format, STR_ARG(path));
}

static bool exceeds(struct walk *w, int64_t limit, const char *what, struct str path) {
	*w->fault = COLLECT_LIMIT;
	return err_set(w->e, ERR_INVALID, "more than %lld %s are collected, at: " STR_FMT,
	               (long long)limit, what, STR_ARG(path));
}

static bool trouble(struct walk *w, const char *what, const char *path) {
	*w->fault = COLLECT_IO;
	return err_set(w->e, file_write_code(errno), "cannot %s %s: %s", what, path, strerror(errno));
}

static int open_beneath(int work, const char *path, uint64_t flags) {
	struct open_how how = {.flags = flags | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, work, path, &how, sizeof how);
}

// ---------------------------------------------------------------- one entry

static bool make_parents(struct walk *w, const char *target) {
	const char *slash = strrchr(target, '/');
	char *folder = arena_cstr(w->life, (struct str){target, (size_t)(slash - target)});
	struct err e = {0};
	errno = 0;
	return file_make_folders(folder, 0755, &e) || trouble(w, "create", folder);
}

// Copies, digests and looks for secrets in one pass.
static bool copy(struct walk *w, int from, const char *target, struct collect_entry *entry) {
	AUTO_FD to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0) return trouble(w, "create", target);
	AUTO_BUF block = {0};
	AUTO_BUF ignored = {0};
	struct mask_stream stream = {.mask = w->mask};
	struct hash h;
	bool ok = true;
	hash_begin(&h);
	buf_grow(&block, BLOCK);
	for (;;) {
		ssize_t n = read(from, block.p, BLOCK);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) ok = trouble(w, "read", entry->path.p);
		if (n <= 0) break;
		struct str bytes = {block.p, (size_t)n};
		hash_add(&h, bytes.p, bytes.n);
		if (w->mask) {
			mask_feed(&stream, bytes, &ignored);
			buf_reset(&ignored);
		}
		entry->size += n;
		w->found.bytes += n;
		if (w->found.bytes > w->limits.bytes)
			ok = exceeds(w, w->limits.bytes, "bytes", entry->path);
		else if (!file_write_all(to, bytes, NULL)) ok = trouble(w, "write", target);
		if (!ok) break;
	}
	mask_end(&stream, &ignored);
	if (ok && stream.hits) ok = refuse(w, COLLECT_SECRET, "the file holds a secret", entry->path);
	if (ok && fchmod(to, entry->executable ? 0755 : 0644))
		ok = trouble(w, "set the mode of", target);
	entry->digest = hash_end(&h);
	return ok;
}

// Would the link, read as text at its place, climb above the workspace?
static bool climbs_out(struct str path, struct str target) {
	int depth = 0;
	if (target.n && target.p[0] == '/') return true;
	for (size_t i = 0; i < path.n; i++) depth += path.p[i] == '/';
	while (target.p) {
		struct str part = str_cut(&target, '/');
		if (part.n == 0 || str_eq(part, STR("."))) continue;
		depth += str_eq(part, STR("..")) ? -1 : 1;
		if (depth < 0) return true;
	}
	return false;
}

static bool take_link(struct walk *w, int fd, const char *target, struct collect_entry *entry) {
	char text[LINK_MAX_BYTES];
	ssize_t n = readlinkat(fd, "", text, sizeof text);
	if (n <= 0 || n == (ssize_t)sizeof text) return trouble(w, "read the link", entry->path.p);
	entry->link = arena_str(w->life, (struct str){text, (size_t)n});
	AUTO_FD end = open_beneath(w->work, entry->path.p, O_PATH);
	if (climbs_out(entry->path, entry->link) || (end < 0 && errno != ENOENT))
		return refuse(w, COLLECT_LINK, "the link leads out of the workspace", entry->path);
	if (str_utf8_bad(entry->link) != entry->link.n)
		return refuse(w, COLLECT_PATH, "the link's target is not UTF-8", entry->path);
	return symlink(entry->link.p, target) == 0 || trouble(w, "create", target);
}

static bool remember(struct walk *w, struct collect_entry entry) {
	if (w->found.n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct collect_entry *more = ARENA_ARRAY(w->life, struct collect_entry, cap);
		if (w->found.n) memcpy(more, w->found.p, w->found.n * sizeof *more);
		w->found.p = more;
		w->cap = cap;
	}
	w->found.p[w->found.n++] = entry;
	return true;
}

// Two patterns may name the same file. False: it was seen before. A table of path hashes, open
// addressing.
static bool first_time(struct walk *w, struct str path) {
	uint64_t h = 1469598103934665603u; // FNV-1a
	if (2 * (w->seen_n + 1) > w->seen_cap) {
		struct str *old = w->seen;
		size_t old_cap = w->seen_cap;
		w->seen_cap = old_cap ? old_cap * 2 : 256;
		w->seen = ARENA_ARRAY(w->life, struct str, w->seen_cap);
		w->seen_n = 0;
		for (size_t i = 0; i < old_cap; i++)
			if (old[i].p) (void)first_time(w, old[i]);
	}
	for (size_t i = 0; i < path.n; i++) h = (h ^ (unsigned char)path.p[i]) * 1099511628211u;
	for (size_t at = h % w->seen_cap;; at = (at + 1) % w->seen_cap) {
		if (w->seen[at].p && !str_eq(w->seen[at], path)) continue;
		bool fresh = !w->seen[at].p;
		w->seen[at] = path;
		w->seen_n += fresh;
		return fresh;
	}
}

static bool take(struct walk *w, struct str path, const struct stat *st) {
	struct collect_entry entry = {.path = path, .executable = (st->st_mode & S_IXUSR) != 0};
	if (str_utf8_bad(path) != path.n) {
		*w->fault = COLLECT_PATH;
		AUTO_BUF shown = {0};
		buf_utf8(&shown, path);
		return err_set(w->e, ERR_INVALID, "the file name %s is not UTF-8", shown.p);
	}
	if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode))
		return refuse(w, COLLECT_SPECIAL, "neither a file nor a link", path);
	if ((int64_t)w->found.n >= w->limits.files) return exceeds(w, w->limits.files, "files", path);
	struct str target = arena_printf(w->life, "%s/" STR_FMT, w->into, STR_ARG(path));
	if (!make_parents(w, target.p)) return false;
	if (S_ISLNK(st->st_mode)) {
		AUTO_FD fd = open_beneath(w->work, path.p, O_PATH | O_NOFOLLOW);
		if (fd < 0) return trouble(w, "open", path.p);
		return take_link(w, fd, target.p, &entry) && remember(w, entry);
	}
	// It cannot have become anything else: nothing of the job lives any more.
	AUTO_FD fd = open_beneath(w->work, path.p, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) return trouble(w, "open", path.p);
	return copy(w, fd, target.p, &entry) && remember(w, entry);
}

// ---------------------------------------------------------------- the walk

static bool wanted(struct walk *w, struct str path) {
	bool any = false;
	for (size_t i = 0; i < w->patterns.n; i++) {
		if (!glob_match(w->patterns.p[i], path)) continue;
		w->matched[i] = any = true;
	}
	return any;
}

static bool walk_folder(struct walk *w, struct str path, int depth) {
	int fd = open_beneath(w->work, path.n ? path.p : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		file_close(&fd);
		return true; // the job took its own right to read it away: nothing in it is found
	}
	bool ok = true;
	for (struct dirent *entry; ok && (entry = readdir(dir));) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		struct str below = arena_printf(w->life, STR_FMT "%s%s", STR_ARG(path), path.n ? "/" : "",
		                                entry->d_name);
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
		if (S_ISDIR(st.st_mode)) ok = depth >= DEPTH_MAX || walk_folder(w, below, depth + 1);
		else if (wanted(w, below)) ok = !first_time(w, below) || take(w, below, &st);
	}
	closedir(dir);
	return ok;
}

// A pattern without wildcard, which may lead through a link to a folder.
static bool take_plain(struct walk *w, size_t i) {
	struct str path = arena_str(w->life, w->patterns.p[i]);
	struct stat st;
	while (path.n && path.p[path.n - 1] == '/')
		path = arena_str(w->life, str_slice(path, 0, path.n - 1));
	AUTO_FD fd = open_beneath(w->work, path.p, O_PATH | O_NOFOLLOW);
	if (fd < 0 && (errno == EXDEV || errno == ELOOP))
		return refuse(w, COLLECT_LINK, "the path leads out of the workspace", path);
	if (fd < 0 || fstatat(fd, "", &st, AT_EMPTY_PATH)) return true;
	if (S_ISDIR(st.st_mode)) return walk_folder(w, path, 0);
	w->matched[i] = true;
	return !first_time(w, path) || take(w, path, &st);
}

// The folder above the first segment that has a wildcard.
static struct str fixed_part(struct arena *life, struct str pattern) {
	size_t slash = 0;
	for (size_t i = 0; i < pattern.n && pattern.p[i] != '*' && pattern.p[i] != '?'; i++)
		if (pattern.p[i] == '/') slash = i;
	return arena_str(life, str_slice(pattern, 0, slash));
}

static int compare_paths(const void *a, const void *b) {
	return str_compare(((const struct collect_entry *)a)->path,
	                   ((const struct collect_entry *)b)->path);
}

bool collect_files(int work, struct exec_strs patterns, const char *into, bool need_all,
                   struct collect_limits limits, const struct mask *mask, struct arena *life,
                   struct collect_found *out, enum collect_fault *fault, struct err *e) {
	struct walk w = {.work = work,
	                 .into = into,
	                 .patterns = patterns,
	                 .limits = limits,
	                 .mask = mask,
	                 .life = life,
	                 .fault = fault,
	                 .e = e};
	if (patterns.n) w.matched = ARENA_ARRAY(life, bool, patterns.n);
	if (!file_make_folders(into, 0755, e)) {
		*fault = COLLECT_IO;
		return false;
	}
	for (size_t i = 0; i < patterns.n; i++) {
		bool ok = glob_is_plain(patterns.p[i])
		              ? take_plain(&w, i)
		              : walk_folder(&w, fixed_part(life, patterns.p[i]), 0);
		if (!ok) return false;
		if (!w.matched[i] && !w.found.unmatched.p) w.found.unmatched = patterns.p[i];
		if (need_all && !w.matched[i])
			return refuse(&w, COLLECT_MISSING, "the job made no file that matches", patterns.p[i]);
	}
	if (w.found.n) qsort(w.found.p, w.found.n, sizeof *w.found.p, compare_paths);
	*out = w.found;
	return true;
}

void collect_manifest(const struct collect_found *found, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_array(&w);
	for (size_t i = 0; i < found->n; i++) {
		const struct collect_entry *entry = &found->p[i];
		char hex[DIGEST_HEX + 1];
		jsonw_object(&w);
		if (entry->link.p) {
			jsonw_key_s(&w, "link", entry->link);
			jsonw_key_s(&w, "path", entry->path);
		} else {
			digest_hex(entry->digest, hex);
			jsonw_key_z(&w, "mode", entry->executable ? "0755" : "0644");
			jsonw_key_s(&w, "path", entry->path);
			jsonw_key_z(&w, "sha256", hex);
			jsonw_key_i(&w, "size", entry->size);
		}
		jsonw_object_end(&w);
	}
	jsonw_array_end(&w);
}
