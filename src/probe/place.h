// Finds the place in source code that a message, a trace or a log line names: path:line[:col] (most
// tools), File "path", line N (Python), "in file path, line N" (bats), "at path line N" (Perl).
#pragma once
#include "base/str.h"

struct place {
	struct str file; // borrowed from the text
	int64_t line;    // >= 1
};

// The place of one line of text; false when it names none.
MUST_USE bool place_of_line(struct str line, struct place *out);

// The best one of a trace: the last of Python's File lines, else the first; frames of test
// frameworks, language runtimes and installed packages are passed by.
MUST_USE bool place_of_trace(struct str trace, struct place *out);
