#include "core/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static char *row(const struct table *t, size_t index) {
	return (char *)t->rows + index * t->row_bytes;
}

static void make_room(struct table *t, size_t rows) {
	size_t need = (size_t)t->count + rows, cap = t->cap ? t->cap : 8;
	assert(need < UINT32_MAX / 2);
	if (need <= t->cap) return;
	while (cap < need) cap *= 2;
	t->rows = realloc(t->rows, cap * t->row_bytes);
	if (!t->rows) abort();
	t->cap = (uint32_t)cap;
}

void *table_at(const struct table *t, size_t index) {
	assert(index < t->count);
	return row(t, index);
}

void *table_insert(struct table *t, size_t index) {
	assert(index <= t->count);
	make_room(t, 1);
	memmove(row(t, index + 1), row(t, index), (t->count - index) * t->row_bytes);
	t->count++;
	return memset(row(t, index), 0, t->row_bytes);
}

void *table_add(struct table *t, size_t rows) {
	make_room(t, rows ? rows : 1);
	void *first = memset(row(t, t->count), 0, rows * t->row_bytes);
	t->count += (uint32_t)rows;
	return first;
}

void table_remove(struct table *t, size_t index, size_t rows) {
	assert(index + rows <= t->count);
	if (rows == 0) return;
	memmove(row(t, index), row(t, index + rows), (t->count - index - rows) * t->row_bytes);
	t->count -= (uint32_t)rows;
}

void table_copy(struct table *to, const struct table *from) {
	size_t bytes = (size_t)from->count * from->row_bytes;
	*to = (struct table){.row_bytes = from->row_bytes};
	if (bytes == 0) return;
	to->rows = malloc(bytes);
	if (!to->rows) abort();
	memcpy(to->rows, from->rows, bytes);
	to->count = to->cap = from->count;
}

void table_free(struct table *t) {
	free(t->rows);
	*t = (struct table){.row_bytes = t->row_bytes};
}

static uint64_t id_at(const struct table *t, size_t index) {
	uint64_t id;
	memcpy(&id, row(t, index), sizeof id);
	return id;
}

size_t table_find(const struct table *t, uint64_t id) {
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (id_at(t, middle) < id) low = middle + 1;
		else high = middle;
	}
	return low;
}

void *table_get(const struct table *t, uint64_t id) {
	size_t index = table_find(t, id);
	return index < t->count && id_at(t, index) == id ? row(t, index) : NULL;
}
