#include "git/checkout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "git/tree.h"
#include "os/file.h"

static const struct timespec times[2] = {{GIT_CHECKOUT_TIME_S, 0}, {GIT_CHECKOUT_TIME_S, 0}};

struct writer {
	int root;
	bool chown;
	unsigned uid, gid;
	struct git_checkout_done done;
	struct err *e;
};

static bool fail(struct writer *w, const char *what, struct str path) {
	int number = errno;
	AUTO_BUF quoted = {0};
	buf_json(&quoted, path);
	enum err_code code = file_write_code(number);
	if (code == ERR_IO && number != EIO) code = ERR_INVALID;
	return err_set(w->e, code, "cannot %s %s: %s", what, quoted.p, strerror(number));
}

static bool write_file(struct writer *w, const struct git_difference *d, struct str body) {
	mode_t mode = d->after == GIT_MODE_PROGRAM ? 0755 : 0644;
	AUTO_FD fd = openat(w->root, d->path.p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	                    mode);
	if (fd < 0) return fail(w, "write", d->path);
	for (struct str rest = body; rest.n;) {
		ssize_t n = write(fd, rest.p, rest.n);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return fail(w, "write", d->path);
		rest = str_from(rest, (size_t)n);
	}
	if (w->chown && fchown(fd, w->uid, w->gid)) return fail(w, "give away", d->path);
	if (fchmod(fd, mode) || futimens(fd, times)) return fail(w, "finish", d->path);
	w->done.files++;
	w->done.bytes += body.n;
	return true;
}

static bool write_link(struct writer *w, const struct git_difference *d, struct str body) {
	AUTO_BUF target = {0};
	buf_str(&target, body);
	if (body.n == 0 || memchr(body.p, 0, body.n) || symlinkat(target.p, w->root, d->path.p)) {
		if (body.n == 0 || memchr(body.p, 0, body.n)) errno = EINVAL;
		return fail(w, "link", d->path);
	}
	if (w->chown && fchownat(w->root, d->path.p, w->uid, w->gid, AT_SYMLINK_NOFOLLOW))
		return fail(w, "give away", d->path);
	if (utimensat(w->root, d->path.p, times, AT_SYMLINK_NOFOLLOW))
		return fail(w, "finish", d->path);
	w->done.links++;
	return true;
}

static bool is_blob(enum git_mode mode) {
	return mode == GIT_MODE_FILE || mode == GIT_MODE_PROGRAM || mode == GIT_MODE_LINK;
}

static bool make_folder(struct writer *w, struct str path) {
	if (mkdirat(w->root, path.p, 0755)) return fail(w, "make the folder", path);
	if (fchmodat(w->root, path.p, 0755, 0)) return fail(w, "make the folder", path);
	if (w->chown && fchownat(w->root, path.p, w->uid, w->gid, AT_SYMLINK_NOFOLLOW))
		return fail(w, "give away", path);
	return true;
}

// Folders above a path that did not change themselves, and so stand in no list. `made` is the last
// path that was given here: what the two share exists.
static bool make_parents(struct writer *w, struct str path, struct str *made, struct buf *stack) {
	AUTO_BUF part = {0};
	buf_str(&part, path);
	for (size_t i = 1; i < path.n; i++) {
		if (path.p[i] != '/') continue;
		if (made->p && made->n > i && made->p[i] == '/' && memcmp(made->p, path.p, i) == 0)
			continue;
		part.p[i] = 0;
		struct stat st;
		bool there = fstatat(w->root, part.p, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (there && !S_ISDIR(st.st_mode)) {
			errno = ENOTDIR;
			return fail(w, "make the folder", str_of(part.p));
		}
		if (!there) {
			if (!make_folder(w, str_of(part.p))) return false;
			buf_add(stack, part.p, i + 1); // with its NUL
		}
		part.p[i] = '/';
	}
	*made = path;
	return true;
}

// Everything but blobs: folders, submodules, whiteouts.
static bool make_places(struct writer *w, const struct git_differences *d, struct buf *parents) {
	struct str made = STR_NONE;
	for (size_t i = 0; i < d->count; i++) {
		const struct git_difference *x = &d->list[i];
		if (!make_parents(w, x->path, &made, parents)) return false;
		switch (x->after) {
		case GIT_MODE_FOLDER:
		case GIT_MODE_MODULE:
			// Another commit of a submodule: the empty folder is below already, and does no harm
			// here.
			if (!make_folder(w, x->path)) return false;
			if (x->after == GIT_MODE_FOLDER) w->done.folders++;
			else w->done.submodules++;
			break;
		case GIT_MODE_NONE:
			if (mknodat(w->root, x->path.p, S_IFCHR, makedev(0, 0)))
				return fail(w, "make the whiteout", x->path);
			w->done.gone++;
			break;
		case GIT_MODE_FILE:
		case GIT_MODE_PROGRAM:
		case GIT_MODE_LINK: break;
		}
	}
	return true;
}

static bool write_blobs(struct writer *w, struct git_reader *reader,
                        const struct git_differences *d) {
	struct oid asked[GIT_OBJECT_AHEAD];
	const struct git_difference *of[GIT_OBJECT_AHEAD];
	for (size_t i = 0; i < d->count;) {
		size_t n = 0;
		for (; i < d->count && n < GIT_OBJECT_AHEAD; i++) {
			if (!is_blob(d->list[i].after)) continue;
			of[n] = &d->list[i];
			asked[n++] = d->list[i].new;
		}
		if (!git_object_ask(reader, asked, n, w->e)) return false;
		for (size_t k = 0; k < n; k++) {
			struct git_object info;
			struct str body;
			if (!git_object_answer(reader, GIT_BLOB_BYTES_MAX, &info, &body, w->e))
				return err_context(w->e, STR_FMT, STR_ARG(of[k]->path));
			if (info.type != GIT_BLOB)
				return err_set(w->e, ERR_INVALID, STR_FMT " is no file", STR_ARG(of[k]->path));
			bool ok = of[k]->after == GIT_MODE_LINK ? write_link(w, of[k], body)
			                                        : write_file(w, of[k], body);
			if (!ok) return false;
		}
	}
	return true;
}

// Last of all, because writing into a folder changes its time.
static bool set_folder_times(struct writer *w, const struct git_differences *d,
                             const struct buf *parents) {
	for (size_t i = 0; i < d->count; i++) {
		bool folder = d->list[i].after == GIT_MODE_FOLDER || d->list[i].after == GIT_MODE_MODULE;
		if (folder && utimensat(w->root, d->list[i].path.p, times, AT_SYMLINK_NOFOLLOW))
			return fail(w, "finish", d->list[i].path);
	}
	for (size_t at = 0; at < parents->n;) {
		struct str path = str_of(parents->p + at);
		if (utimensat(w->root, path.p, times, AT_SYMLINK_NOFOLLOW)) return fail(w, "finish", path);
		at += path.n + 1;
	}
	if (futimens(w->root, times)) return fail(w, "finish", STR("."));
	return true;
}

static bool open_root(struct writer *w, const char *folder, const struct git_checkout *how) {
	if (mkdir(folder, 0755) && errno != EEXIST) return fail(w, "make the folder", str_of(folder));
	w->root = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->root < 0) return fail(w, "open the folder", str_of(folder));
	w->chown = geteuid() == 0 && how && how->uid != (unsigned)-1;
	if (w->chown) {
		w->uid = how->uid;
		w->gid = how->gid;
		if (fchown(w->root, w->uid, w->gid)) return fail(w, "give away", str_of(folder));
	}
	if (fchmod(w->root, 0755)) return fail(w, "open the folder", str_of(folder));
	return true;
}

static bool lay_out(struct git_repo *r, struct oid base, struct oid tree, const char *folder,
                    const struct git_checkout *how, struct git_checkout_done *done, struct err *e) {
	AUTO_READER reader = {0};
	AUTO_ARENA scratch = {0};
	AUTO_BUF parents = {0};
	struct writer w = {.root = -1, .e = e};
	struct git_differences d = {0};
	struct oid from = base;
	bool ok = git_object_open(r, &reader, e) && git_tree_of(&reader, tree, &tree, e) &&
	          (oid_is_none(base) || git_tree_of(&reader, base, &from, e)) &&
	          git_tree_diff(&reader, from, tree, false, &scratch, &d, e) &&
	          open_root(&w, folder, how) && make_places(&w, &d, &parents) &&
	          write_blobs(&w, &reader, &d) && set_folder_times(&w, &d, &parents);
	file_close(&w.root);
	if (ok && done) *done = w.done;
	return ok;
}

bool git_checkout_tree(struct git_repo *r, struct oid tree, const char *folder,
                       const struct git_checkout *how, struct git_checkout_done *done,
                       struct err *e) {
	return lay_out(r, (struct oid){0}, tree, folder, how, done, e);
}

bool git_checkout_delta(struct git_repo *r, struct oid base, struct oid tree, const char *folder,
                        const struct git_checkout *how, struct git_checkout_done *done,
                        struct err *e) {
	if (oid_is_none(base)) return err_set(e, ERR_INVALID, "a delta needs a base");
	return lay_out(r, base, tree, folder, how, done, e);
}
