#include "cli/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "os/clock.h"

enum { ROWS_USUAL = 23 };

static struct termios before; // of the terminal, while a screen is on
static bool changed;
static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
	(void)number;
	interrupted = 1;
}

struct screen screen_begin(bool tty) {
	struct screen s = {.on = tty};
	struct sigaction act = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	if (!tty) return s;
	fputs("\033[?7l\033[?25l", stdout); // no wrapping, no cursor
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) return s;
	struct termios now = before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	changed = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
	return s;
}

// The cursor rests below the last line. Asked each time: windows change their size.
unsigned screen_rows(void) {
	struct winsize size;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
	return !known ? ROWS_USUAL : size.ws_row > 1 ? size.ws_row - 1U : 1;
}

static void erase(struct screen *s) {
	if (s->lines) printf("\033[%uA", s->lines);
	fputs("\r\033[J", stdout);
	s->lines = 0;
}

void screen_draw(struct screen *s, const struct ink *ink) {
	if (!s->on) return;
	erase(s);
	unsigned rows = screen_rows();
	size_t end = 0;
	while (end < ink->out.n && s->lines < rows) s->lines += ink->out.p[end++] == '\n';
	fwrite(ink->out.p, 1, end, stdout);
	fflush(stdout);
}

bool screen_wait(const struct screen *s, int64_t ms) {
	(void)s;
	for (int64_t end = clock_mono_us() / 1000 + ms, left = ms; left > 0 && !interrupted;
	     left = end - clock_mono_us() / 1000) {
		struct pollfd keys = {.fd = changed ? STDIN_FILENO : -1, .events = POLLIN};
		char key;
		if (poll(&keys, 1, (int)left) <= 0) continue;
		if (read(STDIN_FILENO, &key, 1) != 1) return false;
		if (key == 'q' || key == 'Q' || key == 4) return false;
	}
	return !interrupted;
}

void screen_end(struct screen *s, bool keep) {
	if (!s->on) return;
	if (!keep) erase(s);
	fputs("\033[?7h\033[?25h", stdout);
	fflush(stdout);
	if (changed) tcsetattr(STDIN_FILENO, TCSANOW, &before);
	changed = s->on = false;
}
