// One scalar of weir.yml -> the member that its key stands for: durations, sizes, paths and the
// like, each judged by the limits of the key's row.
#pragma once
#include "conf/keys.h"

struct value_problem {
	const char *code;
	struct str text;  // "\"10x\" is not a duration"
	const char *hint; // "" = none
};

// `member` has the type that keys.h tells for the kind; a list kind reads one item, a struct str or
// an int64_t. False: *why is filled, from life.
MUST_USE bool value_read(const struct key *key, struct str text, struct arena *life, void *member,
                         struct value_problem *why);
// All members of the scope's zeroed struct that have a default.
void value_defaults(enum keys_scope scope, struct arena *life, void *out);
bool value_is_scalar(enum key_kind kind); // value_read reads the whole value
bool value_is_variable(struct str name);  // [A-Za-z_][A-Za-z0-9_]*, at most 100 bytes
bool value_is_name(struct str name);      // of a job or environment: [A-Za-z0-9][A-Za-z0-9._-]*
// The path without "./" and a "/" at its end; false: why not.
MUST_USE bool value_path(struct str written, struct arena *life, struct str *out,
                         struct value_problem *why);
