// A growing array of plain rows: what the state is made of. Rows hold numbers and bytes, never
// pointers, so that a copy of the rows is a copy of the state. Pointers to rows are good until the
// next change of the table.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct table {
	void *rows;
	uint32_t count, cap, row_bytes;
};

#define TABLE_OF(type) ((struct table){.row_bytes = sizeof(type)})
void *table_at(const struct table *t, size_t index); // asserts index < count
void *table_insert(struct table *t, size_t index);   // a zeroed row before `index`
void *table_add(struct table *t, size_t rows);       // zeroed rows at the end
void table_remove(struct table *t, size_t index, size_t rows);
void table_copy(struct table *to, const struct table *from); // `to` is uninitialised
void table_free(struct table *t);
// For tables whose rows begin with a uint64_t id, ascending: index of the first row with an id >=
// the given.
size_t table_find(const struct table *t, uint64_t id);
void *table_get(const struct table *t, uint64_t id); // NULL when there is no such row
