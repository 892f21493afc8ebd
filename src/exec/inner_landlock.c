// Numbers are those of include/uapi/linux/landlock.h; older headers lack the newer ones.
#include "exec/inner_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	ALL_OF_VERSION_1 = (1 << 13) - 1,
	REFER = 1 << 13,     // version 2
	TRUNCATE = 1 << 14,  // 3
	IOCTL_DEV = 1 << 15, // 5
	ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
	SCOPE_ABSTRACT_SOCKET = 1 << 0, // 6: abstract unix sockets
	SCOPE_SIGNAL = 1 << 1,
};

// The kernel takes a shorter struct too; ours is that of version 6.
struct ruleset {
	uint64_t files, net, scoped;
};

static bool allow(int ruleset, const char *path, uint64_t access) {
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0) return errno == ENOENT;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) access &= ON_FILES;
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
	bool ok = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

int inner_landlock_apply(const char *const *writable, size_t count) {
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	                       LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1) return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	struct ruleset rules = {.files = ALL_OF_VERSION_1};
	if (version >= 2) rules.files |= REFER;
	if (version >= 3) rules.files |= TRUNCATE;
	if (version >= 5) rules.files |= IOCTL_DEV;
	if (version >= 6) rules.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (fd < 0) return -1;
	bool ok = allow(fd, "/", EXECUTE | READ_FILE | READ_DIR);
	for (size_t i = 0; ok && i < count; i++) ok = allow(fd, writable[i], rules.files);
	ok = ok && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	int saved = errno;
	close(fd);
	errno = saved;
	return ok ? (int)version : -1;
}
