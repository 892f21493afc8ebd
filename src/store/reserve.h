// 16 MB of the disk that are kept free for the worst day: FOLDER/reserve is a file of real blocks.
// When the disk is full it is released, so that what must be written can be; it is made again as
// soon as there is room.
#pragma once
#include "base/err.h"

enum { RESERVE_BYTES = 16 * 1024 * 1024 };

bool reserve_is_held(const char *folder);
// Makes it when it is missing or too short. ERR_LIMIT: there is no room.
MUST_USE bool reserve_restore(const char *folder, struct err *e);
MUST_USE bool reserve_release(const char *folder, struct err *e); // fine when it is not held
