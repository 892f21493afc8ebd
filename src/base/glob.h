// Path patterns as weir.yml writes them (artifacts, results, paths): `*` is any run of characters
// within one segment, `?` one character, a segment `**` any number of segments; every other byte
// stands for itself. A pattern that names a folder stands for everything below it. Paths are
// relative, without "." and "..".
#pragma once
#include "base/str.h"

enum { GLOB_BYTES_MAX = 200 }; // a longer pattern is refused by who reads it

bool glob_is_plain(struct str pattern);               // no wildcard: it names one file or folder
bool glob_match(struct str pattern, struct str path); // the path, or a folder above it, matches
bool glob_overlap(struct str a, struct str b);        // some path matches both
