#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static pthread_once_t asked = PTHREAD_ONCE_INIT;
static const char *shift_file;

static void ask(void) {
	shift_file = getenv("WEIR_CLOCK");
}

static int64_t shift_ms(void) {
	char text[32];
	int fd = open(shift_file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
	text[n > 0 ? n : 0] = 0;
	if (fd >= 0) close(fd);
	return strtoll(text, NULL, 10);
}

int64_t clock_wall_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	pthread_once(&asked, ask);
	int64_t ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return shift_file ? ms + shift_ms() : ms;
}

int64_t clock_mono_us(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void clock_sleep_ms(int64_t ms) {
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&t, &t) && errno == EINTR) {}
}

void clock_random(void *out, size_t n) {
	char *p = out;
	while (n) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR) abort();
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

void clock_boot_id(char out[37]) {
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, 36) : 0;
	out[n == 36 ? 36 : 0] = 0;
	if (fd >= 0) close(fd);
}
