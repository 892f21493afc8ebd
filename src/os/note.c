#include "os/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clocktext.h"
#include "os/clock.h"

static const char *const names[] = {"error", "warn", "info", "debug"};
static int most_level = -1;

static int level_of_environment(void) {
	const char *wanted = getenv("WEIR_LOG");
	for (int i = 0; wanted && i < (int)ARRAY_LEN(names); i++)
		if (strcmp(wanted, names[i]) == 0) return i;
	return NOTE_INFO;
}

void note_set_level(enum note_level most) {
	most_level = (int)most;
}

void note(enum note_level level, const char *format, ...) {
	if (most_level < 0) most_level = level_of_environment();
	if ((int)level > most_level) return;
	AUTO_BUF line = {0};
	va_list args;
	clocktext_rfc3339(&line, clock_wall_ms());
	buf_printf(&line, " %s ", names[level]);
	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	for (size_t i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < 0x20) line.p[i] = ' '; // one message, one line
	buf_char(&line, '\n');
	if (write(STDERR_FILENO, line.p, line.n) < 0) return; // nobody left to tell
}
