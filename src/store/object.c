#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"
#include "store/objectfile.h"

enum {
	PENDING_MAX = 128,
	NAME_MAX_BYTES = 80,
	SMALL_BYTES = 1 << 16,
	DAY_MS = 24 * 3600 * 1000,
};

struct pending { // written, not yet synced
	int fd;
	char temporary[NAME_MAX_BYTES];
	struct digest name;
};

struct object_store {
	int folder; // FOLDER/objects
	struct objectfile *file;
	struct pending pending[PENDING_MAX];
	size_t pending_count;
	bool touched[256]; // folders whose entries are not yet synced
	bool batch;
	bool lost; // a part of the batch could not be settled
	uint64_t next;
};

static void path_of(struct digest name, char out[NAME_MAX_BYTES]) {
	char hex[DIGEST_HEX + 1];
	digest_hex(name, hex);
	snprintf(out, NAME_MAX_BYTES, "%.2s/%s", hex, hex + 2);
}

static bool fail(const char *doing, struct err *e) {
	return err_set(e, file_write_code(errno), "cannot %s: %s", doing, strerror(errno));
}

static bool make_folders(int folder, struct err *e) {
	if (mkdirat(folder, "tmp", 0700) && errno != EEXIST) return fail("make the folder tmp", e);
	for (unsigned i = 0; i < 256; i++) {
		char name[3];
		snprintf(name, sizeof name, "%02x", i);
		if (mkdirat(folder, name, 0700) && errno != EEXIST) return fail("make a folder", e);
	}
	return fsync(folder) == 0 || fail("sync the folder of objects", e);
}

bool object_store_open(const char *folder, struct object_store **owned, struct err *e) {
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/objects", folder);
	if (!file_make_folders(path.p, 0700, e)) return false;
	AUTO_FD fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return fail("open the folder of objects", e);
	if (faccessat(fd, "ff", F_OK, 0) && !make_folders(fd, e)) return false;
	struct object_store *s = calloc(1, sizeof *s);
	if (!s) abort();
	clock_random(&s->next, sizeof s->next);
	s->file = objectfile_new();
	s->folder = file_keep(&fd);
	*owned = s;
	return true;
}

static void forget_pending(struct object_store *s) {
	for (size_t i = 0; i < s->pending_count; i++) {
		unlinkat(s->folder, s->pending[i].temporary, 0);
		close(s->pending[i].fd);
	}
	s->pending_count = 0;
}

void object_store_close(struct object_store **owned) {
	struct object_store *s = *owned;
	if (!s) return;
	forget_pending(s);
	objectfile_free(&s->file);
	close(s->folder);
	free(s);
	*owned = NULL;
}

// ---------------------------------------------------------------- putting

static bool sync_folders(struct object_store *s, struct err *e) {
	for (unsigned i = 0; i < 256; i++) {
		char name[3];
		if (!s->touched[i]) continue;
		snprintf(name, sizeof name, "%02x", i);
		AUTO_FD fd = openat(s->folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fsync(fd)) return fail("sync objects", e);
		s->touched[i] = false;
	}
	return true;
}

// Data first, then names, then the folders. The first fsync makes the file system write for all of
// them.
static bool settle(struct object_store *s, struct err *e) {
	bool ok = true;
	for (size_t i = 0; i < s->pending_count; i++)
		(void)sync_file_range(s->pending[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	for (size_t i = 0; ok && i < s->pending_count; i++)
		ok = fsync(s->pending[i].fd) == 0 || fail("sync an object", e);
	for (size_t i = 0; ok && i < s->pending_count; i++) {
		char path[NAME_MAX_BYTES];
		struct pending *p = &s->pending[i];
		path_of(p->name, path);
		ok = renameat(s->folder, p->temporary, s->folder, path) == 0 || fail("name an object", e);
		s->touched[p->name.b[0]] = true;
	}
	ok = ok && sync_folders(s, e);
	s->lost = s->lost || !ok;
	forget_pending(s); // those that were renamed are gone from there
	return ok;
}

static bool write_pending(struct object_store *s, struct objectfile_source source, uint64_t most,
                          struct pending *p, uint64_t *bytes, struct err *e) {
	snprintf(p->temporary, sizeof p->temporary, "tmp/%d.%016llx", (int)getpid(),
	         (unsigned long long)s->next++);
	p->fd = openat(s->folder, p->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (p->fd < 0) return fail("make an object", e);
	if (objectfile_write(s->file, source, most ? most : OBJECT_BYTES_MAX, p->fd, &p->name, bytes,
	                     e))
		return true;
	unlinkat(s->folder, p->temporary, 0);
	close(p->fd);
	return false;
}

// A small object that is there already needs no file of its own to learn its name: an empty log,
// the results of the same tests.
static bool is_there(struct object_store *s, struct objectfile_source source, uint64_t most,
                     struct digest *name, uint64_t *bytes) {
	char small[SMALL_BYTES];
	struct stat st;
	struct str text = source.text;
	if (source.fd >= 0) {
		if (fstat(source.fd, &st) || !S_ISREG(st.st_mode) || st.st_size > SMALL_BYTES ||
		    lseek(source.fd, 0, SEEK_CUR) != 0)
			return false;
		ssize_t n = pread(source.fd, small, sizeof small, 0);
		if (n != st.st_size) return false;
		text = (struct str){small, (size_t)n};
	}
	if (text.n > SMALL_BYTES || (most && text.n > most)) return false;
	struct digest found = digest_of(text);
	if (!object_renew(s, found)) return false;
	// It may be there without being synced, from a put that was interrupted.
	s->touched[found.b[0]] = true;
	*name = found;
	*bytes = text.n;
	return true;
}

static bool put(struct object_store *s, struct objectfile_source source, uint64_t most,
                struct digest *name, uint64_t *bytes, struct err *e) {
	struct pending p = {.fd = -1};
	if (is_there(s, source, most, name, bytes)) return s->batch || settle(s, e);
	if (s->pending_count == PENDING_MAX && !settle(s, e)) return false;
	if (!write_pending(s, source, most, &p, bytes, e)) return err_context(e, "object not stored");
	if (object_renew(s, p.name)) {
		s->touched[p.name.b[0]] = true;
		unlinkat(s->folder, p.temporary, 0);
		close(p.fd);
	} else {
		s->pending[s->pending_count++] = p;
	}
	if (!s->batch && !settle(s, e)) return false;
	*name = p.name;
	return true;
}

bool object_put(struct object_store *s, struct str bytes, struct digest *name, struct err *e) {
	uint64_t n;
	return put(s, (struct objectfile_source){-1, bytes}, 0, name, &n, e);
}

bool object_put_fd(struct object_store *s, int fd, uint64_t most, struct digest *name,
                   uint64_t *bytes, struct err *e) {
	return put(s, (struct objectfile_source){fd, STR_NONE}, most, name, bytes, e);
}

bool object_put_file(struct object_store *s, const char *path, uint64_t most, struct digest *name,
                     uint64_t *bytes, struct err *e) {
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) return object_put_fd(s, fd, most, name, bytes, e) || err_context(e, "%s", path);
	return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path,
	               strerror(errno));
}

void object_batch_begin(struct object_store *s) {
	s->batch = true;
	s->lost = false;
}

bool object_batch_commit(struct object_store *s, struct err *e) {
	bool lost = s->lost;
	s->batch = false;
	if (!settle(s, e)) return false;
	return !lost || err_set(e, ERR_IO, "a part of these objects could not be stored");
}

// ---------------------------------------------------------------- reading

bool object_exists(struct object_store *s, struct digest name) {
	char path[NAME_MAX_BYTES];
	path_of(name, path);
	return faccessat(s->folder, path, F_OK, 0) == 0;
}

bool object_renew(struct object_store *s, struct digest name) {
	char path[NAME_MAX_BYTES];
	path_of(name, path);
	return utimensat(s->folder, path, NULL, 0) == 0;
}

static bool open_object(struct object_store *s, struct digest name, int *fd, struct err *e) {
	char path[NAME_MAX_BYTES];
	path_of(name, path);
	*fd = openat(s->folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd >= 0) return true;
	if (errno == ENOENT) return err_set(e, ERR_NOT_FOUND, "there is no object %s", path);
	return fail("open an object", e);
}

static bool to_buf(void *context, struct str bytes, struct err *e) {
	(void)e;
	buf_str(context, bytes);
	return true;
}

static bool to_fd(void *context, struct str bytes, struct err *e) {
	return file_write_all(*(int *)context, bytes, e);
}

static bool to_nowhere(void *context, struct str bytes, struct err *e) {
	(void)context;
	(void)bytes;
	(void)e;
	return true;
}

bool object_read(struct object_store *s, struct digest name, uint64_t offset, size_t most,
                 struct buf *out, uint64_t *total, struct err *e) {
	AUTO_FD fd = -1;
	size_t before = out->n;
	if (!open_object(s, name, &fd, e)) return false;
	if (objectfile_read(s->file, fd, offset, most, NULL, to_buf, out, total, e)) return true;
	out->n = before;
	return false;
}

bool object_get(struct object_store *s, struct digest name, size_t most, struct buf *out,
                struct err *e) {
	AUTO_FD fd = -1;
	uint64_t total;
	size_t before = out->n;
	if (!open_object(s, name, &fd, e)) return false;
	if (!objectfile_read(s->file, fd, 0, 0, NULL, to_nowhere, NULL, &total, e)) return false;
	if (total > most)
		return err_set(e, ERR_LIMIT, "the object has %llu bytes; at most %zu are read",
		               (unsigned long long)total, most);
	if (objectfile_read(s->file, fd, 0, UINT64_MAX, &name, to_buf, out, &total, e)) return true;
	out->n = before;
	return false;
}

bool object_check(struct object_store *s, struct digest name, struct err *e) {
	AUTO_FD fd = -1;
	uint64_t total;
	return open_object(s, name, &fd, e) &&
	       objectfile_read(s->file, fd, 0, UINT64_MAX, &name, to_nowhere, NULL, &total, e);
}

bool object_extract(struct object_store *s, struct digest name, const char *path, mode_t mode,
                    struct err *e) {
	AUTO_FD fd = -1;
	uint64_t total;
	if (!open_object(s, name, &fd, e)) return false;
	AUTO_FD out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (out < 0 && errno == EEXIST) return err_set(e, ERR_CONFLICT, "%s exists", path);
	if (out < 0) return fail("make a file", e) || err_context(e, "%s", path);
	if (objectfile_read(s->file, fd, 0, UINT64_MAX, &name, to_fd, &out, &total, e)) {
		if (fchmod(out, mode) == 0) return true;
		fail("set a mode", e);
	}
	unlink(path);
	return err_context(e, "%s", path);
}

// ---------------------------------------------------------------- all of them

static bool each_in(struct object_store *s, const char *folder, object_fn *fn, void *context,
                    struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF path = {0};
	struct str *names;
	size_t count;
	buf_printf(&path, "/proc/self/fd/%d/%s", s->folder, folder);
	if (!file_list(path.p, &scratch, &names, &count, e)) return false;
	for (size_t i = 0; i < count; i++) {
		struct digest name;
		struct stat st;
		struct str hex = arena_printf(&scratch, "%s" STR_FMT, folder, STR_ARG(names[i]));
		char file[NAME_MAX_BYTES];
		if (!digest_parse(hex, &name)) continue;
		path_of(name, file);
		if (fstatat(s->folder, file, &st, AT_SYMLINK_NOFOLLOW)) continue;
		int64_t renewed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
		if (!fn(context, name, (uint64_t)st.st_size, renewed_ms, e)) return false;
	}
	return true;
}

bool object_each(struct object_store *s, object_fn *fn, void *context, struct err *e) {
	for (unsigned i = 0; i < 256; i++) {
		char folder[3];
		snprintf(folder, sizeof folder, "%02x", i);
		if (!each_in(s, folder, fn, context, e)) return false;
	}
	return true;
}

bool object_remove(struct object_store *s, struct digest name, struct err *e) {
	char path[NAME_MAX_BYTES];
	path_of(name, path);
	return unlinkat(s->folder, path, 0) == 0 || errno == ENOENT || fail("remove an object", e);
}

bool object_tidy(struct object_store *s, struct err *e) {
	AUTO_ARENA scratch = {0};
	AUTO_BUF path = {0};
	struct str *names;
	size_t count;
	buf_printf(&path, "/proc/self/fd/%d/tmp", s->folder);
	if (!file_list(path.p, &scratch, &names, &count, e)) return false;
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		struct str name = arena_printf(&scratch, "tmp/" STR_FMT, STR_ARG(names[i]));
		if (fstatat(s->folder, name.p, &st, AT_SYMLINK_NOFOLLOW)) continue;
		if ((int64_t)st.st_mtim.tv_sec * 1000 > clock_wall_ms() - DAY_MS) continue;
		if (unlinkat(s->folder, name.p, 0)) return fail("remove an old file", e);
	}
	return true;
}

// ---------------------------------------------------------------- backup

struct copy {
	struct object_store *from;
	int to;
};

static bool copy_bytes(int from, int to, struct err *e) {
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, OBJECTFILE_PIECE);
		if (n == 0) return fsync(to) == 0 || fail("sync a copy", e);
		if (n < 0 && errno != EINTR) return fail("copy an object", e);
	}
}

static bool copy_one(void *context, struct digest name, uint64_t disk_bytes, int64_t renewed_ms,
                     struct err *e) {
	(void)disk_bytes;
	(void)renewed_ms;
	struct copy *c = context;
	char path[NAME_MAX_BYTES];
	path_of(name, path);
	if (linkat(c->from->folder, path, c->to, path, 0) == 0 || errno == EEXIST) return true;
	if (errno == ENOENT) return true; // collected meanwhile
	AUTO_FD from = -1;
	if (!open_object(c->from, name, &from, e)) return false;
	AUTO_FD to = openat(c->to, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (to < 0) return fail("make a copy", e);
	return copy_bytes(from, to, e);
}

bool object_backup(struct object_store *s, const char *to, struct err *e) {
	AUTO_OBJECTS copy = NULL;
	if (!object_store_open(to, &copy, e) || !copy) return false;
	struct copy c = {s, copy->folder};
	for (size_t i = 0; i < ARRAY_LEN(copy->touched); i++) copy->touched[i] = true;
	return object_each(s, copy_one, &c, e) && sync_folders(copy, e);
}
