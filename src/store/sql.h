// The few SQLite calls that the store needs, with its errors as ours. For src/store only.
#pragma once
#include <sqlite3.h>

#include "base/arena.h"
#include "base/err.h"

#define AUTO_STMT __attribute__((cleanup(sql_finish))) sqlite3_stmt *
void sql_finish(sqlite3_stmt **stmt); // finalizes and sets NULL

// Fills e from the connection's last error, returns false. ERR_BUSY: another process holds the
// lock; ERR_LIMIT: disk or database full; ERR_CORRUPT; ERR_IO for the rest.
bool sql_fail(sqlite3 *db, const char *doing, struct err *e);
MUST_USE bool sql_exec(sqlite3 *db, const char *text, struct err *e); // one or more statements
void sql_rollback(sqlite3 *db);                                       // if a transaction is open
MUST_USE bool sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **owned, struct err *e);
MUST_USE bool sql_row(sqlite3_stmt *stmt, bool *row, struct err *e); // steps; *row = there is one
MUST_USE bool sql_done(sqlite3_stmt *stmt, struct err *e);           // steps to the end and resets
// The integer in the first column of the first row; `otherwise` when there is none.
MUST_USE bool sql_int(sqlite3 *db, const char *text, int64_t otherwise, int64_t *out,
                      struct err *e);

void sql_bind_int(sqlite3_stmt *stmt, int at, int64_t v);     // at counts from 1
void sql_bind_str(sqlite3_stmt *stmt, int at, struct str s);  // s must outlive the next step
void sql_bind_blob(sqlite3_stmt *stmt, int at, struct str s); // likewise
struct str sql_str(sqlite3_stmt *stmt, int at); // column from 0, text or blob; until the next step
