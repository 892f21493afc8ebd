// Rows of a query as structs: a table says of each field its type, its place in the struct and its
// SQL. For src/store only.
#pragma once
#include <stddef.h>

#include "core/eventfield.h"
#include "store/sql.h"

struct row_field {
	enum eventfield_type type;
	uint16_t offset;
	const char *name;
	const char *sql; // "" = the column is called as the field
};

struct row_table {
	const struct row_field *fields;
	size_t count, size; // size of the struct
	const char *from;   // the table's name; it has the alias t
};

// F(S, TYPE, field, SQL) for a struct: its member, and its row_field.
#define ROW_MEMBER(S, TYPE, field, sql) EVENT_C_TYPE_##TYPE field;
#define ROW_FIELD(S, TYPE, field, sql) {EVENTFIELD_##TYPE, offsetof(S, field), #field, #sql},

// "SELECT ... FROM table AS t " and `rest`.
MUST_USE bool row_prepare(sqlite3 *db, const struct row_table *table, const char *rest,
                          sqlite3_stmt **owned, struct err *e);
// The row that the statement stands on. Texts live in `life`.
MUST_USE bool row_take(sqlite3_stmt *stmt, const struct row_table *table, struct arena *life,
                       void *out, struct err *e);
// All rows as an array in `life`.
MUST_USE bool row_list(sqlite3_stmt *stmt, const struct row_table *table, struct arena *life,
                       void **rows, size_t *count, struct err *e);
// The first row; ERR_NOT_FOUND with the table's name when there is none.
MUST_USE bool row_one(sqlite3_stmt *stmt, const struct row_table *table, struct arena *life,
                      void *out, struct err *e);
