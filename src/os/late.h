// Libraries that are loaded when one of their functions is called for the first time. `weir run`
// and most of the command line need neither HTTP client nor HTTP server, and these two bring 40
// libraries and 10 ms to every start. late_curl.c and late_microhttpd.c define the functions under
// their own names, so callers do not know.
#pragma once
#include <stdint.h>

// *handle: NULL at first, one for each library. A missing library ends the process with a message
// that names it: it belongs to the installation.
void *late_symbol(void **handle, const char *library, const char *symbol);

#define LATE(handle, library, name) \
	((__typeof__(&name))(uintptr_t)late_symbol(&(handle), (library), #name))
