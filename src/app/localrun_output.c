#include "app/localrun_output.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/unpack.h"
#include "os/file.h"

enum { COPY_BYTES = 1 << 16 };

// A name that is no dot-folder and holds no slash.
static struct str file_name(const struct localrun_job *j, struct arena *life) {
	AUTO_BUF name = {0};
	buf_url(&name, j->job->name);
	return arena_printf(life, "%s%s", name.p[0] == '.' ? "%" : "", name.p);
}

struct str localrun_output_folder(const struct localrun *l, const struct localrun_job *j,
                                  struct arena *life) {
	(void)l;
	return arena_printf(life, ".weir/out/%s", file_name(j, life).p);
}

struct str localrun_output_log(const struct localrun *l, const struct localrun_job *j,
                               struct arena *life) {
	return arena_printf(life, "%s.log", localrun_output_folder(l, j, life).p);
}

static bool put_log(const char *path, struct str text, struct err *e) {
	if (unlink(path) && errno != ENOENT)
		return err_set(e, ERR_IO, "cannot remove %s: %s", path, strerror(errno));
	if (!text.n) return true;
	AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) return err_set(e, ERR_IO, "cannot create %s: %s", path, strerror(errno));
	return file_write_all(fd, text, e);
}

bool localrun_output_put(const struct localrun *l, const struct localrun_job *j, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct str folder = arena_printf(&scratch, "%s/%s", l->root.p,
	                                 localrun_output_folder(l, j, &scratch).p);
	struct str log = arena_printf(&scratch, "%s.log", folder.p);
	bool has = localrun_jobs_ok(j) && !digest_is_none(j->artifacts);
	if ((has || j->log_text.n) &&
	    !file_make_folders(arena_printf(&scratch, "%s/.weir/out", l->root.p).p, 0755, e))
		return false;
	if (!put_log(log.p, buf_view(&j->log_text), e) || !file_remove_tree(folder.p, e)) return false;
	if (!has) return true;
	return file_make_folders(folder.p, 0755, e) &&
	       unpack_artifact(l->objects, j->artifacts, folder.p, NULL, 0, e);
}

// ---------------------------------------------------------------- into the tree

struct copy {
	int root; // of the working tree
	int64_t files;
};

static int open_beneath(int folder, const char *path, uint64_t flags) {
	struct open_how how = {.flags = flags | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

// The folder of the tree at `path`, made where it is missing; -1 and e.
static int open_folder(int root, struct str path, struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_FD at = open_beneath(root, ".", O_PATH | O_DIRECTORY);
	for (struct str rest = path; at >= 0 && rest.n;) {
		const char *name = arena_cstr(&scratch, str_cut(&rest, '/'));
		(void)mkdirat(at, name, 0755);
		const char *whole = arena_cstr(
			&scratch, (struct str){path.p, rest.p ? (size_t)(rest.p - 1 - path.p) : path.n});
		int next = open_beneath(root, whole,
		                        O_PATH | O_DIRECTORY); // links inside the tree are fine
		int why = errno;
		file_close(&at);
		at = next;
		errno = why;
	}
	if (at < 0) {
		err_set(e, ERR_IO, "cannot write to " STR_FMT " in the working tree: %s", STR_ARG(path),
		        errno == EXDEV ? "a link leads out of it" : strerror(errno));
		return -1;
	}
	int found = at;
	at = -1;
	return found;
}

static bool copy_bytes(int from, int to, struct err *e) {
	char bytes[COPY_BYTES];
	for (;;) {
		ssize_t n = read(from, bytes, sizeof bytes);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return err_set(e, ERR_IO, "%s", strerror(errno));
		if (n == 0) return true;
		if (!file_write_all(to, (struct str){bytes, (size_t)n}, e)) return false;
	}
}

static bool copy_entry(int from, int to, const char *name, const struct stat *st, struct err *e) {
	static const char partial[] = ".weir-write-back";
	(void)unlinkat(to, partial, 0);
	if (S_ISLNK(st->st_mode)) {
		char target[4096];
		ssize_t n = readlinkat(from, name, target, sizeof target - 1);
		if (n < 0) return err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
		target[n] = 0;
		if (symlinkat(target, to, partial))
			return err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
	} else {
		AUTO_FD in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		AUTO_FD out = openat(to, partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		                     st->st_mode & 0111 ? 0777 : 0666);
		if (in < 0 || out < 0) return err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
		if (!copy_bytes(in, out, e)) return err_context(e, "%s", name);
	}
	if (renameat(to, partial, to, name) == 0) return true;
	err_set(e, ERR_IO, "cannot replace %s: %s", name, strerror(errno));
	(void)unlinkat(to, partial, 0);
	return false;
}

static bool is_private(struct str path) {
	struct str rest = path, top = str_cut(&rest, '/');
	return (top.n == 4 && strncasecmp(top.p, ".git", 4) == 0) || str_eq(top, STR(".weir"));
}

static bool copy_folder(struct copy *c, int from, struct str below, struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_FD to = -1;
	struct str *names;
	size_t n;
	char self[64];
	snprintf(self, sizeof self, "/proc/self/fd/%d", from);
	if (!file_list(self, &scratch, &names, &n, e)) return false;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		struct str path = arena_printf(&scratch, STR_FMT "%s%s", STR_ARG(below), below.n ? "/" : "",
		                               names[i].p);
		if (is_private(path))
			return err_set(e, ERR_DENIED, "the artifact " STR_FMT " is not written back",
			               STR_ARG(path));
		if (fstatat(from, names[i].p, &st, AT_SYMLINK_NOFOLLOW))
			return err_set(e, ERR_IO, "%s: %s", names[i].p, strerror(errno));
		if (S_ISDIR(st.st_mode)) {
			AUTO_FD inner = openat(from, names[i].p,
			                       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
			if (inner < 0) return err_set(e, ERR_IO, "%s: %s", names[i].p, strerror(errno));
			if (!copy_folder(c, inner, path, e)) return false;
			continue;
		}
		if (to < 0) to = open_folder(c->root, below, e);
		if (to < 0 || !copy_entry(from, to, names[i].p, &st, e)) return false;
		c->files++;
	}
	return true;
}

bool localrun_output_write_back(const struct localrun *l, const struct localrun_job *j,
                                int64_t *files, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct copy c = {.root = open(l->root.p, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	AUTO_FD root = c.root;
	struct str folder = arena_printf(&scratch, "%s/%s", l->root.p,
	                                 localrun_output_folder(l, j, &scratch).p);
	AUTO_FD from = open(folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 && errno == ENOENT) return true;
	if (from < 0 || root < 0)
		return err_set(e, ERR_IO, "cannot open %s: %s", folder.p, strerror(errno));
	bool ok = copy_folder(&c, from, STR_NONE, e);
	*files += c.files;
	return ok;
}
