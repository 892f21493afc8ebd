#include "os/late.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

void *late_symbol(void **handle, const char *library, const char *symbol) {
	void *loaded = __atomic_load_n(handle, __ATOMIC_ACQUIRE);
	if (!loaded) { // twice on two threads is the same library
		loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
		__atomic_store_n(handle, loaded, __ATOMIC_RELEASE);
	}
	void *found = loaded ? dlsym(loaded, symbol) : NULL;
	if (found) return found;
	fprintf(stderr, "error: %s\n  weir needs %s; `make deps` installs it\n", dlerror(), library);
	exit(2);
}
