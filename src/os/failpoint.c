#include "os/failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *failpoint_armed;
static atomic_int left;
static size_t length; // of the place's name in failpoint_armed

void failpoint_arm(void) {
	const char *text = getenv("WEIR_FAILPOINT");
	const char *colon = text ? strrchr(text, ':') : NULL;
	if (!colon) return;
	length = (size_t)(colon - text);
	atomic_store(&left, atoi(colon + 1));
	failpoint_armed = text;
}

void failpoint_reach(const char *place, const char *kind) {
	size_t first = strlen(place), second = strlen(kind);
	if (first + second != length || memcmp(failpoint_armed, place, first) != 0 ||
	    memcmp(failpoint_armed + first, kind, second) != 0)
		return;
	if (atomic_fetch_sub(&left, 1) == 1) kill(getpid(), SIGKILL);
}
