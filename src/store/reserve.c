#include "store/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

static void path_of(const char *folder, struct buf *out) {
	buf_printf(out, "%s/reserve", folder);
}

bool reserve_is_held(const char *folder) {
	AUTO_BUF path = {0};
	struct stat st;
	path_of(folder, &path);
	return stat(path.p, &st) == 0 && (int64_t)st.st_blocks * 512 >= RESERVE_BYTES;
}

bool reserve_restore(const char *folder, struct err *e) {
	AUTO_BUF path = {0};
	if (reserve_is_held(folder)) return true;
	path_of(folder, &path);
	AUTO_FD fd = open(path.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int error = fd < 0 ? errno : posix_fallocate(fd, 0, RESERVE_BYTES);
	if (error == 0 && fsync(fd)) error = errno;
	if (error == 0) return file_sync_folder(folder, e);
	unlink(path.p); // half a reserve would only fill the disk
	return err_set(e, file_write_code(error), "cannot reserve 16 MB in %s: %s", folder,
	               strerror(error));
}

bool reserve_release(const char *folder, struct err *e) {
	AUTO_BUF path = {0};
	path_of(folder, &path);
	if (unlink(path.p) && errno != ENOENT)
		return err_set(e, ERR_IO, "cannot remove %s: %s", path.p, strerror(errno));
	return file_sync_folder(folder, e);
}
