// What the daemon tells its operator: one line on stderr a message, "2026-11-22T14:02:11.532Z level
// text". Never a secret, never user data without its quotes. WEIR_LOG=error|warn|info|debug; info
// unless said.
#pragma once
#include "base/err.h"

enum note_level { NOTE_ERROR, NOTE_WARN, NOTE_INFO, NOTE_DEBUG };
void note(enum note_level level, const char *format, ...) PRINTF_LIKE(2, 3);
void note_set_level(enum note_level most);
