// How much of the code a run executed, as totals per file: lcov, Cobertura XML, JaCoCo XML, Go
// cover profile. A line is covered when any record says so; a file that stands twice is merged line
// by line.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/jsonw.h"

enum {
	COVERAGE_BYTES_MAX = 64 * 1024 * 1024,
	COVERAGE_FILES_MAX = 100 * 1000,
	COVERAGE_LINES_MAX = 5 * 1000 * 1000, // records of lines
	COVERAGE_PATH_MAX = 4000,
};

struct coverage_file {
	struct str path;
	int64_t lines, covered;
};

struct coverage {
	const char *format;          // "lcov", "cobertura", "jacoco", "go"
	struct coverage_file *files; // sorted by path
	size_t count;
	int64_t lines, covered; // sums; lines == 0 means nothing was measured, not 100 %
	struct str problem;     // empty, or what was wrong with the file
};

// False: ERR_LIMIT above a limit, ERR_INVALID for what is no coverage.
MUST_USE bool coverage_read(struct str bytes, struct str path_hint, struct arena *life,
                            struct coverage *out, struct err *e);
void coverage_json(const struct coverage *c, struct jsonw *w); // canonical
