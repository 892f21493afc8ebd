// What this program is called, and where it and its companions lie.
#pragma once
#include "base/arena.h"

#define VERSION_TEXT "0.1.0"

const char *version_program(struct arena *life); // absolute path of this program
// A program in the same folder: weir-leader, weir-inner, weir-hook.
const char *version_program_beside(struct arena *life, const char *program, const char *name);
