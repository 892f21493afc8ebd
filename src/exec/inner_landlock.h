// The second fence around a job's files: bubblewrap decides what is there, Landlock what may be
// changed.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// From now on this process and its children may read and execute everything they see, and write
// only at and below the given paths; nobody may mount anything. Returns the version used, 0 where
// the kernel has none, -1 on failure with errno.
int inner_landlock_apply(const char *const *writable, size_t count);
