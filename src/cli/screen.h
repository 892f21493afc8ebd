// Lines that are drawn again in place, on a terminal only. Between screen_begin and screen_end keys
// are read one by one and nothing wraps; Ctrl-C ends it cleanly.
#pragma once
#include "cli/ink.h"

struct screen {
	bool on; // stdout and stdin are terminals
	unsigned lines;
};

struct screen screen_begin(bool tty);
// In place of what was drawn last; cut where the terminal ends, or its head would scroll away and
// stay there.
void screen_draw(struct screen *s, const struct ink *ink);
unsigned screen_rows(void); // lines that screen_draw shows
// Waits so long, or until q or Ctrl-C. False: leave.
bool screen_wait(const struct screen *s, int64_t ms);
void screen_end(struct screen *s, bool keep); // keep: what was drawn last stays
