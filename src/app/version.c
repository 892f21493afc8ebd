#include "app/version.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

const char *version_program(struct arena *life) {
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path);
	if (n <= 0 || n == (ssize_t)sizeof path) abort();
	return arena_str(life, (struct str){path, (size_t)n}).p;
}

const char *version_program_beside(struct arena *life, const char *program, const char *name) {
	struct str folder = str_of(program);
	while (folder.n && folder.p[folder.n - 1] != '/') folder.n--;
	return arena_printf(life, STR_FMT "%s", STR_ARG(folder), name).p;
}
