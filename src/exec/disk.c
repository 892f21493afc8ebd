#include "exec/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 200 };

static int64_t used_inside(int fd, int depth) {
	DIR *dir = fdopendir(fd);
	int64_t blocks = 0;
	if (!dir) {
		close(fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
		blocks += (int64_t)st.st_blocks;
		if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX) continue;
		int inner = openat(dirfd(dir), entry->d_name,
		                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (inner >= 0) blocks += used_inside(inner, depth + 1);
	}
	closedir(dir);
	return blocks;
}

int64_t disk_used(const char *folder) {
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? 0 : used_inside(fd, 0) * 512;
}
