#include "store/sql.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "os/file.h"

void sql_finish(sqlite3_stmt **stmt) {
	sqlite3_finalize(*stmt);
	*stmt = NULL;
}

static enum err_code code_of(sqlite3 *db) {
	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return ERR_BUSY;
	case SQLITE_FULL: return ERR_NO_ROOM;
	case SQLITE_TOOBIG: return ERR_LIMIT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return ERR_CORRUPT;
	case SQLITE_IOERR: return file_write_code(sqlite3_system_errno(db));
	case SQLITE_NOMEM: abort();
	default: return ERR_IO;
	}
}

bool sql_fail(sqlite3 *db, const char *doing, struct err *e) {
	enum err_code code = code_of(db);
	if (code == ERR_BUSY)
		return err_set(e, code, "cannot %s: another process holds the database", doing);
	return err_set(e, code, "cannot %s: %s", doing, sqlite3_errmsg(db));
}

bool sql_exec(sqlite3 *db, const char *text, struct err *e) {
	if (sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK) return true;
	return sql_fail(db, "change the database", e);
}

void sql_rollback(sqlite3 *db) {
	// SQLite rolled back by itself after some errors.
	if (!sqlite3_get_autocommit(db)) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

bool sql_prepare(sqlite3 *db, const char *text, sqlite3_stmt **owned, struct err *e) {
	if (sqlite3_prepare_v3(db, text, -1, 0, owned, NULL) == SQLITE_OK) return true;
	return sql_fail(db, "use the database", e);
}

bool sql_row(sqlite3_stmt *stmt, bool *row, struct err *e) {
	int rc = sqlite3_step(stmt);
	*row = rc == SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE) return true;
	return sql_fail(sqlite3_db_handle(stmt), "read the database", e);
}

bool sql_done(sqlite3_stmt *stmt, struct err *e) {
	int rc;
	do rc = sqlite3_step(stmt);
	while (rc == SQLITE_ROW);
	bool ok = rc == SQLITE_DONE || sql_fail(sqlite3_db_handle(stmt), "write the database", e);
	sqlite3_reset(stmt);
	return ok;
}

bool sql_int(sqlite3 *db, const char *text, int64_t otherwise, int64_t *out, struct err *e) {
	AUTO_STMT stmt = NULL;
	bool row;
	if (!sql_prepare(db, text, &stmt, e) || !sql_row(stmt, &row, e)) return false;
	*out = row ? sqlite3_column_int64(stmt, 0) : otherwise;
	return true;
}

// A bind fails only for a wrong index, a running statement or a value over SQLite's limit of 1e9
// bytes.
void sql_bind_int(sqlite3_stmt *stmt, int at, int64_t v) {
	int rc = sqlite3_bind_int64(stmt, at, v);
	assert(rc == SQLITE_OK);
}

void sql_bind_str(sqlite3_stmt *stmt, int at, struct str s) {
	int rc = sqlite3_bind_text64(stmt, at, s.p ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
	assert(rc == SQLITE_OK);
}

void sql_bind_blob(sqlite3_stmt *stmt, int at, struct str s) {
	int rc = sqlite3_bind_blob64(stmt, at, s.p ? s.p : "", s.n, SQLITE_STATIC);
	assert(rc == SQLITE_OK);
}

struct str sql_str(sqlite3_stmt *stmt, int at) {
	const void *p = sqlite3_column_blob(stmt, at); // text stays text; pointer before length
	return (struct str){p, (size_t)sqlite3_column_bytes(stmt, at)};
}
