// Files and folders. Paths are C strings. What is written is durable when a function returns,
// unless its name says otherwise; a reader never sees half of a file that file_write_atomic wrote.
#pragma once
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define AUTO_FD __attribute__((cleanup(file_close))) int
void file_close(int *fd); // closes if >= 0 and sets -1; errno is kept
int file_keep(int *fd);   // what an AUTO_FD holds, from now on the caller's to close

// Whole file, at most `most` bytes (else ERR_LIMIT). A missing file is ERR_NOT_FOUND.
MUST_USE bool file_read(const char *path, size_t most, struct buf *out, struct err *e);
MUST_USE bool file_read_fd(int fd, size_t most, struct buf *out, struct err *e);
// Temporary name beside it, write, fsync, rename, fsync of the folder.
MUST_USE bool file_write_atomic(const char *path, struct str bytes, mode_t mode, struct err *e);
// The same for what a power cut may take: readers see the old file or the new one, nothing waits
// for the disk.
MUST_USE bool file_replace(const char *path, struct str bytes, mode_t mode, struct err *e);
MUST_USE bool file_write_all(int fd, struct str bytes,
                             struct err *e); // handles short writes and EINTR
MUST_USE bool file_sync_folder(const char *path, struct err *e);
MUST_USE bool file_make_folders(const char *path, mode_t mode, struct err *e); // like mkdir -p
// The folders in it are better not close together: each holds many small files for a short time. A
// hint, which ext4 takes (chattr(1), T): without a journal it passes over the names of files
// deleted in the last minutes one by one, wherever it makes a new one.
void file_spread_folder(const char *path);
bool file_exists(const char *path); // also a dangling link
// Removes path and everything below, never follows a link, mends the mode of folders first
// (overlay's work/work has none), never crosses into another file system. A missing path is fine.
MUST_USE bool file_remove_tree(const char *path, struct err *e);
// Names in a folder without . and .., sorted; they live in `life`.
MUST_USE bool file_list(const char *path, struct arena *life, struct str **names, size_t *count,
                        struct err *e);
// What a failed write means: ERR_NO_ROOM for ENOSPC, EDQUOT and EFBIG, else ERR_IO.
enum err_code file_write_code(int number);
// Exclusive flock on path (made if missing), held until the descriptor is closed. ERR_BUSY if
// another has it.
MUST_USE bool file_lock(const char *path, int *fd, struct err *e);
// Whether the user (and group) uid may enter the folder. ERR_DENIED names the first folder on the
// way that is closed. For root, on the thread that calls.
MUST_USE bool file_enter_as(const char *folder, unsigned uid, struct err *e);
// Free and total bytes of the file system that holds path.
MUST_USE bool file_space(const char *path, uint64_t *free_bytes, uint64_t *total_bytes,
                         struct err *e);
