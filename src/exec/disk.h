// What a run has written.
#pragma once
#include <stdint.h>

// Bytes of blocks below `folder` (hard links count once per name; unreadable folders count as
// empty).
int64_t disk_used(const char *folder);
