// A command line read by the command's own table: what the help, the manual and the completion show
// is what is understood.
#pragma once
#include "base/arena.h"
#include "base/err.h"

struct args_option {
	const char *name;    // "follow"; NULL ends a table
	char letter;         // 'f', 0 = none
	const char *value;   // what follows it: "DIR"; NULL = nothing
	const char *help;    // one line, no full stop
	const char *choices; // "text json": nothing else is taken; NULL = anything
};

struct args_set { // an option that was given, in the order of the command line
	const struct args_option *option;
	const char *value; // NULL without one
};

struct args {
	const char *const *words; // all that is not an option, NULL-terminated
	size_t word_count;
	const struct args_set *set;
	size_t set_count;
};

// Reads argv[0..n); an option's value may follow after = or as the next word; -- ends the options.
// The table may be NULL. ERR_INVALID: unknown option (with "did you mean"), missing or unexpected
// value, not one of the choices. Borrows argv.
MUST_USE bool args_read(const struct args_option *table, size_t n, const char *const *argv,
                        struct arena *life, struct args *out, struct err *e);

bool args_has(const struct args *a, const char *name);
const char *args_value(const struct args *a, const char *name); // the last one; NULL = not given
// As a duration ("90s", a bare number is seconds) or a whole number; `out` stays if not given.
MUST_USE bool args_duration(const struct args *a, const char *name, int64_t *out_ms, struct err *e);
MUST_USE bool args_number(const struct args *a, const char *name, int64_t min, int64_t max,
                          int64_t *out, struct err *e);

// The nearest of `names` to what was typed, if near enough to be meant; NULL if none is.
const char *args_nearest(const char *typed, const char *const *names, size_t n);
