// The record of what a run read of its tree (exec/trace.h): a list of names, each with what was
// asked about it. As text: one letter or more, a blank, a value, a blank, the path, NUL; sorted by
// path, no path twice, "." is the tree itself. The value is what the answer was, as who knows git
// fills it in (app/inputs.h); the record of a run has none yet.
//
//   a  looked up, and not there
//   s  looked up and there: its kind, whether it may be executed and, of a file, its size
//   r  the bytes of a file, or where a link leads
//   l  the names in a folder and their kinds
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum reads_what { READS_ABSENT = 1, READS_SEEN = 2, READS_BYTES = 4, READS_NAMES = 8 };

struct reads_entry {
	struct str path, value;
	unsigned what; // of enum reads_what
};

struct reads {
	struct reads_entry *list;
	size_t n;
};

enum { READS_MAX = 1000000 }; // entries; a job that asks for more is not reused

// Sorts the list.
void reads_write(struct reads *r, struct buf *out);
// Texts borrow `text`. ERR_CORRUPT.
MUST_USE bool reads_parse(struct str text, struct arena *life, struct reads *out, struct err *e);
// What was asked about a path; 0 = nothing.
unsigned reads_of(const struct reads *r, struct str path);
// Whether anything was asked about the path or what lies below it.
bool reads_below(const struct reads *r, struct str path);
