#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 16 * 1024, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(ALIGN) char bytes[];
};

static void block_add(struct arena *life, size_t least) {
	size_t size = least > BLOCK_BYTES ? least : BLOCK_BYTES;
	struct arena_block *block = malloc(sizeof *block + size);
	if (!block) abort();
	block->next = life->head;
	block->size = size;
	life->head = block;
	life->used = 0;
	life->size = size;
}

void *arena_alloc(struct arena *life, size_t bytes) {
	if (bytes > SIZE_MAX / 2) abort();
	size_t rounded = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!life->head || life->size - life->used < rounded) block_add(life, rounded);
	char *p = life->head->bytes + life->used;
	life->used += rounded;
	return memset(p, 0, bytes);
}

void *arena_array(struct arena *life, size_t count, size_t size) {
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) abort();
	return arena_alloc(life, bytes);
}

struct str arena_str(struct arena *life, struct str s) {
	char *p = arena_alloc(life, s.n + 1);
	if (s.n) memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

char *arena_cstr(struct arena *life, struct str s) {
	char *p = arena_alloc(life, s.n + 1);
	if (s.n) memcpy(p, s.p, s.n);
	return p;
}

struct str arena_vprintf(struct arena *life, const char *format, va_list args) {
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	assert(n >= 0);
	char *p = arena_alloc(life, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, format, again);
	va_end(again);
	return (struct str){p, (size_t)n};
}

struct str arena_printf(struct arena *life, const char *format, ...) {
	va_list args;
	va_start(args, format);
	struct str s = arena_vprintf(life, format, args);
	va_end(args);
	return s;
}

void arena_reset(struct arena *life) {
	struct arena_block *first = life->head;
	while (first && (first->next || first->size > BLOCK_BYTES)) {
		struct arena_block *next = first->next;
		free(first);
		first = next;
	}
	*life = (struct arena){.head = first, .size = first ? first->size : 0};
}

void arena_free(struct arena *life) {
	for (struct arena_block *block = life->head; block;) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
	*life = (struct arena){0};
}
