// Memory with a life: everything taken from an arena is freed at once, by arena_reset or
// arena_free. Arenas are named after their life (perm, turn, req, scratch), and a function that
// returns memory says by its parameter's name how long it lives. Out of memory aborts: the log
// brings the state back.
#pragma once
#include <stdarg.h>

#include "base/str.h"

struct arena_block;
struct arena {
	struct arena_block *head; // newest block first; the rest of the fields belongs to arena.c
	size_t used, size;
};

#define AUTO_ARENA __attribute__((cleanup(arena_free))) struct arena

void *arena_alloc(struct arena *life, size_t bytes); // zeroed, aligned for any type, never NULL
#define ARENA_NEW(life, type) ((type *)arena_alloc(life, sizeof(type)))
#define ARENA_ARRAY(life, type, count) ((type *)arena_array(life, count, sizeof(type)))
void *arena_array(struct arena *life, size_t count,
                  size_t size);                         // aborts when count*size overflows
struct str arena_str(struct arena *life, struct str s); // a copy, NUL-terminated behind its end
char *arena_cstr(struct arena *life, struct str s);
struct str arena_printf(struct arena *life, const char *format, ...) PRINTF_LIKE(2, 3);
struct str arena_vprintf(struct arena *life, const char *format, va_list args) PRINTF_LIKE(2, 0);
void arena_reset(struct arena *life); // all memory is gone, the first block is kept for reuse
void arena_free(struct arena *life);
