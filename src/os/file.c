#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

void file_close(int *fd) {
	int saved = errno;
	if (*fd >= 0) close(*fd);
	*fd = -1;
	errno = saved;
}

int file_keep(int *fd) {
	int kept = *fd;
	*fd = -1;
	return kept;
}

enum err_code file_write_code(int number) {
	return number == ENOSPC || number == EDQUOT || number == EFBIG ? ERR_NO_ROOM : ERR_IO;
}

static enum err_code code_of_errno(int number) {
	switch (number) {
	case ENOENT:
	case ENOTDIR: return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS: return ERR_DENIED;
	case EEXIST: return ERR_CONFLICT;
	default: return file_write_code(number);
	}
}

static bool fail(struct err *e, const char *what, const char *path) {
	int number = errno;
	return err_set(e, code_of_errno(number), "cannot %s %s: %s", what, path, strerror(number));
}

bool file_read_fd(int fd, size_t most, struct buf *out, struct err *e) {
	size_t start = out->n;
	for (;;) {
		char *room = buf_grow(out, READ_BYTES);
		ssize_t n = read(fd, room, READ_BYTES);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return err_set(e, ERR_IO, "cannot read: %s", strerror(errno));
		if (n == 0) return true;
		out->n += (size_t)n;
		out->p[out->n] = 0;
		if (out->n - start > most) return err_set(e, ERR_LIMIT, "more than %zu bytes", most);
	}
}

bool file_read(const char *path, size_t most, struct buf *out, struct err *e) {
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return fail(e, "read", path);
	if (!file_read_fd(fd, most, out, e)) return err_context(e, "%s", path);
	return true;
}

bool file_write_all(int fd, struct str bytes, struct err *e) {
	while (bytes.n) {
		ssize_t n = write(fd, bytes.p, bytes.n);
		if (n < 0 && errno == EINTR) continue;
		if (n < 0) return err_set(e, file_write_code(errno), "cannot write: %s", strerror(errno));
		bytes = str_from(bytes, (size_t)n);
	}
	return true;
}

bool file_sync_folder(const char *path, struct err *e) {
	AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd)) return fail(e, "sync", path);
	return true;
}

static struct str folder_of(const char *path) {
	const char *slash = strrchr(path, '/');
	if (!slash) return STR(".");
	return slash == path ? STR("/") : (struct str){path, (size_t)(slash - path)};
}

static bool replace(const char *path, struct str bytes, mode_t mode, bool durable, struct err *e) {
	AUTO_BUF temporary = {0};
	buf_printf(&temporary, "%s.XXXXXX", path);
	AUTO_FD fd = mkostemp(temporary.p, O_CLOEXEC);
	if (fd < 0) return fail(e, "create", temporary.p);
	if (fchmod(fd, mode) == 0 && file_write_all(fd, bytes, NULL) && (!durable || fsync(fd) == 0) &&
	    rename(temporary.p, path) == 0)
		return true;
	fail(e, "write", path);
	unlink(temporary.p);
	return false;
}

bool file_write_atomic(const char *path, struct str bytes, mode_t mode, struct err *e) {
	AUTO_BUF folder = {0};
	buf_str(&folder, folder_of(path));
	return replace(path, bytes, mode, true, e) && file_sync_folder(folder.p, e);
}

bool file_replace(const char *path, struct str bytes, mode_t mode, struct err *e) {
	return replace(path, bytes, mode, false, e);
}

bool file_make_folders(const char *path, mode_t mode, struct err *e) {
	AUTO_BUF part = {0};
	buf_cstr(&part, path);
	for (size_t i = 1; i <= part.n; i++) {
		if (i < part.n && part.p[i] != '/') continue;
		char saved = part.p[i];
		part.p[i] = 0;
		if (mkdir(part.p, mode) && errno != EEXIST) return fail(e, "create folder", part.p);
		part.p[i] = saved;
	}
	struct stat st;
	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return fail(e, "use as a folder", path);
	}
	return true;
}

void file_spread_folder(const char *path) {
	AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int flags = 0;
	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) || (flags & FS_TOPDIR_FL)) return;
	flags |= FS_TOPDIR_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

bool file_exists(const char *path) {
	struct stat st;
	return lstat(path, &st) == 0;
}

// Removes what is inside the open folder `fd` (which is closed), all on `device`.
static bool remove_inside(int fd, dev_t device) {
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	bool ok = true;
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
		if (!S_ISDIR(st.st_mode)) {
			ok = unlinkat(dirfd(dir), entry->d_name, 0) == 0 && ok;
			continue;
		}
		if (st.st_dev != device) {
			errno = EXDEV;
			ok = false;
			continue;
		}
		if ((st.st_mode & 0700) != 0700 && fchmodat(dirfd(dir), entry->d_name, 0700, 0)) ok = false;
		int inner = openat(dirfd(dir), entry->d_name,
		                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		ok = inner >= 0 && remove_inside(inner, device) && ok;
		ok = unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0 && ok;
	}
	closedir(dir);
	return ok;
}

bool file_remove_tree(const char *path, struct err *e) {
	struct stat st;
	if (lstat(path, &st)) return errno == ENOENT ? true : fail(e, "remove", path);
	if (!S_ISDIR(st.st_mode)) return unlink(path) == 0 ? true : fail(e, "remove", path);
	if ((st.st_mode & 0700) != 0700) (void)chmod(path, 0700);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || !remove_inside(fd, st.st_dev) || rmdir(path)) return fail(e, "remove", path);
	return true;
}

static int compare_names(const void *a, const void *b) {
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

bool file_list(const char *path, struct arena *life, struct str **names, size_t *count,
               struct err *e) {
	DIR *dir = opendir(path);
	if (!dir) return fail(e, "list", path);
	struct str *list = NULL;
	size_t n = 0, cap = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		if (n == cap) {
			struct str *more = ARENA_ARRAY(life, struct str, cap ? cap * 2 : 16);
			if (n) memcpy(more, list, n * sizeof *list);
			list = more;
			cap = cap ? cap * 2 : 16;
		}
		list[n++] = arena_str(life, str_of(entry->d_name));
	}
	closedir(dir);
	if (n) qsort(list, n, sizeof *list, compare_names);
	*names = list;
	*count = n;
	return true;
}

bool file_lock(const char *path, int *fd, struct err *e) {
	AUTO_FD lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0) return fail(e, "open", path);
	if (flock(lock, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return err_set(e, ERR_BUSY, "%s is held by another process", path);
		return fail(e, "lock", path);
	}
	*fd = file_keep(&lock);
	return true;
}

bool file_enter_as(const char *folder, unsigned uid, struct err *e) {
	char *real = realpath(folder, NULL);
	if (!real) return fail(e, "find", folder);
	bool ok = true;
	setfsgid(uid); // of this thread alone
	setfsuid(uid);
	for (char *end = real; ok && end;) {
		AUTO_BUF inside = {0};
		end = strchr(end + 1, '/');
		buf_add(&inside, real, end ? (size_t)(end - real) : strlen(real));
		size_t named = inside.n;
		buf_cstr(&inside, "/.");
		AUTO_FD fd = open(inside.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 || errno != EACCES) continue;
		ok = err_set(e, ERR_DENIED, "user %u may not enter %.*s", uid, (int)named, inside.p);
	}
	setfsuid(geteuid());
	setfsgid(getegid());
	free(real);
	return ok;
}

bool file_space(const char *path, uint64_t *free_bytes, uint64_t *total_bytes, struct err *e) {
	struct statvfs fs;
	if (statvfs(path, &fs)) return fail(e, "ask the free space of", path);
	*free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	*total_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	return true;
}
